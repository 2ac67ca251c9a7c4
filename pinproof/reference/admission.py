"""One pod's admission, from the first question to the verdict (behaviour.md 4.7, 5.5, 5.7).

Order of events: the Topology Manager asks every provider for hints, merges them, keeps the answer and lets every provider
allocate; then the node predicates look at plain sums. Rules:

* Lazy clean-up runs whenever a provider is asked, so an admission first frees what pods that are gone still hold. It does
  not run before all pod sources were seen: during the first batch after a start.
* Scope `container` repeats hint, merge and allocation for each container; scope `pod` merges once, with the pod's total, and
  allocates container by container on that mask.
* A pod that asks for resources as a whole, under pod-level managers and scope `pod`, is allocated at once (`pod_level.py`).
* Another hint provider, such as a device plugin, is asked first and allocates nothing.
* What a rejected pod already got stays with it until the next admission.
* Policy `none` asks for no hints and counts no admission errors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pinproof.history import Hinted
from pinproof.reference import cpu_pod, pod_level, release, static_policy
from pinproof.reference.behaviour import Behaviour
from pinproof.reference.configuration import Choose, Settings
from pinproof.reference.cpu_manager import CpuBooks, CpuManager
from pinproof.reference.decisions import ADMISSIONS, BY_MEMORY, Reach, ignore
from pinproof.reference.hints import (
    INDIFFERENT,
    NO_PREFERENCE,
    Hint,
    Hints,
    Proposals,
    describe,
    describe_hint,
    seen,
    seen_answer,
)
from pinproof.reference.journal import QUIET, Journal
from pinproof.reference.masks import Mask, every, of_size
from pinproof.reference.other_provider import answer_of
from pinproof.reference.outcomes import (
    AFFINITY,
    NOT_SUPPORTED,
    UNEXPECTED,
    AllocationFailed,
    EmptyPool,
    KubeletPanics,
    Rejected,
    every_order,
    not_aligned,
)
from pinproof.reference.requests import UNSEEN, Asked
from pinproof.reference.resource_counters import ResourceCounters
from pinproof.reference.static_policy import MemoryState, Trace
from pinproof.reference.topology_manager import Merger

PINNING_REQUESTS = "kubelet_memory_manager_pinning_requests_total"
PINNING_ERRORS = "kubelet_memory_manager_pinning_errors_total"
ADMISSION_REQUESTS = "kubelet_topology_manager_admission_requests_total"
ADMISSION_ERRORS = "kubelet_topology_manager_admission_errors_total"
REJECTIONS = "kubelet_admission_rejections_total"
ALIGNED = "kubelet_container_aligned_compute_resources_count"
NOT_ALIGNED = "kubelet_container_aligned_compute_resources_failure_count"

COUNTED_REASONS = frozenset({AFFINITY, UNEXPECTED, NOT_SUPPORTED})
"""Reasons with a series of their own; the kubelet counts any other as `Other`."""

PROVIDERS = {"other": "other provider", "cpu": "CPU manager", "memory": "memory manager"}
"""Who answers, for people."""

LOWEST = 1
"""Where a container goes that may go anywhere: the first node."""

Active = Mapping[str, tuple[str, ...]]
"""UID of an active pod → names of its containers."""


class Managers(NamedTuple):
    """The state of both resource managers."""

    memory: MemoryState
    cpu: CpuBooks


@lru_cache(maxsize=256)
def labelled(metric: str, **labels: str) -> str:
    """A series as the exposition writes it, labels sorted."""
    return metric + "{" + ",".join(f'{name}="{labels[name]}"' for name in sorted(labels)) + "}"


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told what an admission does on its way; nobody, unless asked for."""

    trace: Trace | None = None
    """Notes for people."""

    reach: Reach = ignore
    """Names of the decisions that are taken."""

    hinted: list[Hinted] | None = None
    """Gets the hints of every merge."""

    journal: Journal = QUIET
    """Hears of every write."""


class Admission:
    """The admission of one pod; `run` answers the rejection or None, `managers` holds what it changed.

    `counts` are the counters of the kubelet, which it moves.
    """

    def __init__(
        self,
        managers: Managers,
        settings: Settings,
        behaviour: Behaviour,
        uid: str,
        asks: Asked,
        active: Active | None,
        *,
        counts: Counter[str],
        choose: Choose,
        watch: Watch,
    ) -> None:
        self.managers = managers
        self.counts = counts
        self._resources = ResourceCounters(self.counts, settings, behaviour)
        self._settings = settings
        self._behaviour = behaviour
        self._uid = uid
        self._asks = asks
        self._active = active
        self._choose = choose
        self._trace = watch.trace
        self._reach = watch.reach
        self._hinted = watch.hinted
        self._journal = watch.journal
        self._by_memory = False

    def run(self, others: Mapping[str, int]) -> Rejected | None:
        """Admit or reject. `others` is what the other active pods request of the node, by resource."""
        self.counts[ADMISSION_REQUESTS] += 1
        rejection = None
        try:
            self._align()
            self._check_node(others)
            self._check_features()
        except Rejected as refused:
            rejection = refused
            if self._behaviour.counts_rejections:
                reason = rejection.reason if rejection.reason in COUNTED_REASONS else "Other"
                self.counts[labelled(REJECTIONS, reason=reason)] += 1
        if self._reach is not ignore:
            self._name_the_outcome(rejection)
        return rejection

    # --- Topology Manager

    def _align(self) -> None:
        merger = self._settings.merger
        if merger is None:
            self._allocate_all()
        elif self._settings.scope == "pod":
            self._align_pod(merger)
        else:
            self._align_containers(merger)

    def _allocate_all(self) -> None:
        """Policy `none`: no hints, every provider decides for itself."""
        self._reach("policy.none")
        for container in self._asks.names:
            try:
                self._allocate(container, Hint(None, False))
            except AllocationFailed as failure:
                raise failure.rejection() from None

    def _align_pod(self, merger: Merger) -> None:
        hint = self._merge(merger, self._pod_hints(), "")
        if self._asks.managed:
            self._allocate_pod_counted(hint)
        else:
            for container in self._asks.names:
                self._allocate_counted(container, hint)
        self._count_aligned(merger, ALIGNED, "pod", exists=self._behaviour.counts_aligned)

    def _align_containers(self, merger: Merger) -> None:
        for container in self._asks.names:
            hint = self._merge(merger, self._container_hints(container), container)
            self._allocate_counted(container, hint)
            self._count_aligned(merger, ALIGNED, "container", exists=self._behaviour.counts_aligned)

    def _merge(self, merger: Merger, answers: Mapping[str, Hints], container: str) -> Hint:
        """Merge the answers of all providers, for a container or, with an empty name, for the pod."""
        hint = merger.merge(answers.values(), self._reach)
        admitted = merger.admits(hint)
        self._tell_merge(merger, answers, container, hint, admitted=admitted)
        if not admitted:
            self.counts[ADMISSION_ERRORS] += 1
            self._count_aligned(
                merger, NOT_ALIGNED, self._settings.scope, exists=self._behaviour.counts_aligned_failures
            )
            raise not_aligned(managed=self._asks.managed, scope=self._settings.scope)
        return hint

    def _allocate_counted(self, container: str, hint: Hint) -> None:
        try:
            self._allocate(container, hint)
        except AllocationFailed as failure:
            self.counts[ADMISSION_ERRORS] += 1
            raise failure.rejection() from None

    def _allocate_pod_counted(self, hint: Hint) -> None:
        try:
            self._allocate_pod(hint)
        except AllocationFailed as failure:
            self.counts[ADMISSION_ERRORS] += 1
            raise failure.rejection() from None

    def _count_aligned(self, merger: Merger, metric: str, scope: str, *, exists: bool) -> None:
        if exists and merger.policy == "single-numa-node":
            self.counts[labelled(metric, boundary="numa_node", scope=scope)] += 1

    # --- providers

    def _container_hints(self, container: str) -> Mapping[str, Hints]:
        self._clean_up()
        managers, cpus = self.managers, self._settings.cpus
        return {
            "other": answer_of(self._asks.hints[container], self._ids),
            "cpu": cpus.container_hints(managers.cpu, self._uid, self._asks, container, self._reach)
            if cpus
            else NO_PREFERENCE,
            "memory": static_policy.container_hints(managers.memory, self._uid, self._asks, container, self._reach)
            if self._pins_memory
            else NO_PREFERENCE,
        }

    def _pod_hints(self) -> Mapping[str, Hints]:
        self._clean_up()
        return {
            "other": answer_of(self._asks.pod.hints, self._ids),
            "cpu": self._pod_cpu_hints(),
            "memory": self._pod_memory_hints(),
        }

    def _pod_cpu_hints(self) -> Hints:
        cpus = self._settings.cpus
        if cpus is None:
            return NO_PREFERENCE
        if self._asks.managed:
            return cpu_pod.pod_hints(cpus, self.managers.cpu, self._uid, self._asks, self._reach)
        return cpus.pod_hints(self.managers.cpu, self._uid, self._asks, self._reach)

    def _pod_memory_hints(self) -> Hints:
        best_effort = self._settings.policy == "BestEffort" and self._behaviour.best_effort_has_no_pod_hints
        if not self._pins_memory or best_effort:
            return NO_PREFERENCE
        if self._asks.managed and self._asks.guaranteed and pod_level.complaints(self._asks):
            self._reach("pod-level.no-hints-for-an-empty-pool")
            return pod_level.impossible(self._asks)
        return static_policy.pod_hints(self.managers.memory, self._uid, self._asks, self._reach)

    @property
    def _ids(self) -> tuple[int, ...]:
        return self._settings.merger.ids if self._settings.merger else ()

    def _allocate(self, container: str, hint: Hint) -> None:
        """CPU manager first, then memory manager, each after its clean-up; AllocationFailed from either."""
        self._clean_up_cpus()
        if self._settings.cpus and self._asks.cpus[container]:
            self._give_cpus(self._settings.cpus, container, hint)
        self._clean_up_memory()
        if self._pins_memory and self._asks.guaranteed:
            nodes = self._nodes_to_follow(container)
            self._pin(container, Hint(nodes, hint.preferred) if nodes else hint, extends=not nodes)

    def _give_cpus(self, cpus: CpuManager, container: str, hint: Hint) -> None:
        try:
            cpu = cpus.allocate(self.managers.cpu, self._uid, self._asks, container, hint, self._reach)
        except AllocationFailed:
            self._resources.failed("cpu", "node")
            raise
        if self.managers.cpu.of(self._uid, container) is None and cpu.of(self._uid, container) is not None:
            self._resources.served("cpu")
        self._journal.allocates_cpus(self.managers.cpu, cpu)
        self.managers = Managers(self.managers.memory, cpu)

    def _allocate_pod(self, hint: Hint) -> None:
        """A managed pod as a whole: CPU manager first, then memory manager."""
        self._clean_up_cpus()
        cpus, asks = self._settings.cpus, self._asks
        if cpus:
            with self._resources.of_pod("cpu"):
                if complaint := cpu_pod.complaint(asks):
                    self._reach("pod-level.no-cpus-for-shared-containers")
                    raise EmptyPool(complaint)
                cpu = cpu_pod.allocate_pod(cpus, self.managers.cpu, self._uid, asks, hint)
            if asks.pod_cpus:
                self._resources.parted("cpu", asks, {name for name in asks.names if asks.cpus[name]})
            self._journal.allocates_pod_cpus(self.managers.cpu, cpu, self._uid)
            self.managers = Managers(self.managers.memory, cpu)
        self._clean_up_memory()
        # A total that is no whole number of bytes is logged and forgotten: the pod runs unpinned.
        if self._settings.policy == "Static" and asks.guaranteed and asks.pod_memory is not None:
            self._pin_pod(hint)

    def _pin_pod(self, hint: Hint) -> None:
        asks = self._asks
        self.counts[PINNING_REQUESTS] += 1
        try:
            with self._resources.of_pod("memory"):
                if complaints := pod_level.complaints(asks):
                    self._reach("pod-level.no-memory-for-shared-containers")
                    raise EmptyPool(self._choose(complaints))
                memory = pod_level.allocate_pod(self.managers.memory, self._uid, asks, hint, self._reach)
        except AllocationFailed as failure:
            self._by_memory = True
            self.counts[PINNING_ERRORS] += 1
            self._tell("allocate", f"pod: {failure}")
            raise
        exclusive = {name for name in asks.names if asks.memory[name]}
        self.counts[PINNING_REQUESTS] += len(exclusive | {c.name for c in asks.pod.init_containers})
        self._resources.parted("memory", asks, exclusive)
        self._journal.allocates_pod_memory(self.managers.memory, memory, self._uid)
        self.managers = Managers(memory, self.managers.cpu)
        self._by_memory |= any(share.mask != (hint.mask or LOWEST) for share in memory.pods[self._uid])

    def _nodes_to_follow(self, container: str) -> Mask:
        """Windows from 1.37: the nodes of the container's exclusive CPUs, which replace the merged ones; 0 for none."""
        follows = self._settings.policy == "BestEffort" and self._behaviour.best_effort_follows_cpus
        cpus, held = self._settings.cpus, self.managers.cpu.of(self._uid, container)
        if not follows or cpus is None or not held:
            return 0
        self._reach("windows.follows-cpus")
        return cpus.nodes_of(held)

    def _pin(self, container: str, hint: Hint, *, extends: bool) -> None:
        """Counted before anything is looked at, so a container that has its blocks already counts again (6)."""
        if self._behaviour.skips_empty_requests and self._asks.memory[container] == {}:
            self._reach("pod-level.empty-request-skipped")
            return
        if self._behaviour.counts_readable_requests_only:
            self._asks.memory_of(container)
        if self._behaviour.counts_pinning:
            self.counts[PINNING_REQUESTS] += 1
        try:
            memory = static_policy.allocate(
                self.managers.memory,
                self._uid,
                self._asks,
                container,
                hint,
                self._behaviour,
                extends=extends,
                trace=self._trace,
                reach=self._reach,
            )
        except AllocationFailed as failure:
            self._by_memory = True
            if self._behaviour.counts_pinning:
                self.counts[PINNING_ERRORS] += 1
            self._resources.failed("memory", "node")
            self._tell("allocate", f"{container}: {failure}")
            raise
        if self.managers.memory.shares(self._uid, container) is None:
            self._resources.served("memory", times=len(self._asks.memory_of(container)))
        self._journal.allocates_memory(self.managers.memory, memory, self._uid, self._asks, container)
        self.managers = Managers(memory, self.managers.cpu)
        if self._reach is not ignore:
            self._by_memory |= (memory.nodes_of(self._uid, container) or LOWEST) != (hint.mask or LOWEST)

    @property
    def _pins_memory(self) -> bool:
        return self._settings.policy != "None"

    def _clean_up(self) -> None:
        """Lazy clean-up of both managers, when both are asked for hints."""
        self._clean_up_cpus()
        self._clean_up_memory()

    def _clean_up_cpus(self) -> None:
        cpus = self._settings.cpus
        if self._active is not None and cpus is not None:
            cpu = (
                cpus.remove_stale(self.managers.cpu, self._active)
                if self._journal is QUIET
                else self._journal.removes_stale_cpus(self.managers.cpu, self._active, self._choose)
            )
            if cpu is not self.managers.cpu:
                self.managers = Managers(self.managers.memory, cpu)

    def _clean_up_memory(self) -> None:
        """Not before all sources were seen (3.11), and not if the CPU manager failed to allocate first."""
        if self._active is None:
            return
        memory = (
            release.remove_stale(self.managers.memory, self._active, self._choose, self._reach)
            if self._journal is QUIET
            else self._journal.removes_stale_memory(self.managers.memory, self._active, self._choose, self._reach)
        )
        if memory is not self.managers.memory:
            self._tell("release", "memory of pods that are gone is free again")
            self.managers = Managers(memory, self.managers.cpu)

    # --- node predicates

    def _check_node(self, others: Mapping[str, int]) -> None:
        """Plain sums against Node Allocatable, after the managers have already booked (4.7).

        A static pod is critical: instead of `OutOf<resource>` the kubelet tries to preempt others, and says that it cannot.
        """
        plain: list[str] = []  # the number of pods, cpu and memory are looked at first
        pages: list[str] = []  # these are in a Go map
        for resource, wanted in self._asks.node.items():
            room = self._settings.capacity.get(resource, 0) - others.get(resource, 0)
            if wanted > room:
                known = plain if resource in ("pods", "cpu", "memory") else pages
                known.append(f"(res: {resource}, q: {wanted - room}), ")
        if plain or pages:
            self._reach("node.lacks-cpu-or-memory" if plain else "node.lacks-pages")
            lacking = "".join(plain) + self._choose(every_order(pages))
            raise Rejected(
                UNEXPECTED,
                "Unexpected error while attempting to recover from admission failure: preemption: error finding a set of "
                f"pods to preempt: no set of running pods found to reclaim resources: [{lacking}]",
            )

    def _check_features(self) -> None:
        """The last handler: pods with pod-level resources on a kubelet that does not support them (1.34)."""
        if not self._behaviour.refuses_unsupported_pod_level_resources or not self._asks.pod.has_resources:
            return
        if self._settings.windows:
            self._reach("node.pod-level-on-windows")
            raise Rejected(NOT_SUPPORTED, "pod-level resources are not supported on Windows")
        if self._settings.pod_level in UNSEEN:
            self._reach("node.pod-level-is-off")
            raise Rejected(NOT_SUPPORTED, "PodLevelResources feature gate is disabled")

    # --- for those who watch

    def _tell(self, topic: str, text: str) -> None:
        if self._trace:
            self._trace(topic, text)

    def _tell_merge(
        self, merger: Merger, answers: Mapping[str, Hints], container: str, hint: Hint, *, admitted: bool
    ) -> None:
        if self._trace:
            what = container or "pod"
            for provider, answer in answers.items():
                if answer or provider != "other":
                    self._trace("hints", f"{what}: {PROVIDERS[provider]}: {describe(answer, merger.ids)}")
            self._trace("merge", f"{what}: {describe_hint(hint, merger.ids)}")
        if self._hinted is not None:
            shown = {provider: seen_answer(answer, merger.ids) for provider, answer in answers.items()}
            stored = seen(hint, merger.ids) if admitted else None
            self._hinted.append(Hinted(self._asks.pod.name, container, shown, stored))
        if self._reach is not ignore:
            self._reach(f"policy.{merger.policy}.{'admits' if admitted else 'rejects'}")
            for offered in answers["other"].values():
                what = "indifferent" if offered == INDIFFERENT else "proposes" if offered.masks else "impossible"
                self._reach(f"other.{what}")
            if answers["memory"] or (self._pins_memory and self._asks.guaranteed):
                self._by_memory |= self._with_boundless_memory(merger, answers) != hint

    def _with_boundless_memory(self, merger: Merger, answers: Mapping[str, Hints]) -> Hint | None:
        """The merged hint if every node had memory for everything; None where the kubelet would have crashed."""
        nodes = len(merger.ids)
        answers = {**answers, "memory": {"memory": Proposals(every(nodes), of_size(nodes, 1))}}
        try:
            return merger.merge(answers.values())
        except KubeletPanics:
            return None

    def _name_the_outcome(self, rejection: Rejected | None) -> None:
        """Count the admission, and whether memory decided it: with boundless memory it would have ended otherwise.

        Otherwise means another verdict or another mask for some container. Admissions after a restart are not counted.
        """
        self._reach("pod.guaranteed" if self._asks.guaranteed else "pod.left-alone")
        if self._asks.pod.has_resources:
            self._reach(f"pod-level.{self._settings.pod_level}")
        if self._active is not None:
            self._reach(ADMISSIONS)
            if self._by_memory:
                self._reach(BY_MEMORY)
        else:
            self._reach("restart.pod-rejected" if rejection else "restart.pod-admitted-again")
