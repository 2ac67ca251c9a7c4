"""A modelled node: kubelet, container runtime and disk, driven step by step (behaviour.md 4.7, 4.8, 8).

Scope: what happens between admissions — starts, exits, removals, restarts — and what can be observed afterwards. The
decisions themselves are in `admission.py` and `restart.py`. Rules:

* An init container runs until the scenario ends it; then the next starts, and when all are over the app containers.
* Starting a container drops the blocks of the regular init containers before it.
* Removing a pod frees nothing by itself. Rejected and finished pods are not active, so the next admission frees theirs.
* A restart keeps containers running and counters not; every pod that is not terminal is admitted again, in order, and
  nothing is cleaned up before all of them were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from typing import Protocol, Self

from pinproof.errors import InputError, Problem
from pinproof.history import Hinted, Note, Observation, PodVerdict, Told
from pinproof.reference import release, restart
from pinproof.reference.admission import (
    ADMISSION_ERRORS,
    ADMISSION_REQUESTS,
    ALIGNED,
    NOT_ALIGNED,
    PINNING_ERRORS,
    PINNING_REQUESTS,
    REJECTIONS,
    Active,
    Admission,
    Managers,
    Watch,
    labelled,
)
from pinproof.reference.behaviour import Behaviour, behaviour_of
from pinproof.reference.configuration import Settings, settle
from pinproof.reference.cpu_manager import CpuBooks
from pinproof.reference.cpu_picker import listed
from pinproof.reference.decisions import Reach, ignore, name_of_refusal
from pinproof.reference.files import Contents, Start, StateFiles
from pinproof.reference.journal import QUIET, CallHangs, Journal, KubeletDies
from pinproof.reference.outcomes import AFFINITY, UNEXPECTED, KubeletPanics, StartRefused
from pinproof.reference.requests import Asked, asked
from pinproof.reference.resident import Resident, comes_back
from pinproof.reference.static_policy import MemoryState
from pinproof.reference.view import View
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.faults import CallFault, Disk, Forgetting, Method, Runtime
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.steps import (
    Admit,
    AdmitTogether,
    Crash,
    Exit,
    Remove,
    Restart,
    Step,
    begun,
)


class Choices(Protocol):
    """Where Kubernetes leaves the outcome open, somebody has to choose."""

    def __call__(self, options: Sequence[str] | Mapping[str, float]) -> str:
        """One of the options; a mapping says how likely each is at least."""


class Node:
    """One node. `start` first, then `carry_out` for every step; both answer an observation."""

    def __init__(
        self,
        machine: Machine,
        config: KubeletConfig,
        behaviour: Behaviour,
        choose: Choices,
        *,
        texts: bool = True,
        hints: bool = False,
        listed: bool = True,
        reach: Reach = ignore,
    ) -> None:
        self.behaviour = behaviour
        self.residents: dict[str, Resident] = {}
        self.names: dict[str, str] = {}
        """UID → name of every pod that ever arrived."""

        self.counters: Counter[str] = Counter()
        self.managers = Managers(MemoryState(books=restart.NO_BOOKS), CpuBooks())
        self.settings: Settings | None = None
        self.refusal: str | None = None
        self.static_allocatable = self.managers.memory.books
        self._machine = machine
        self.config = config
        self._choose = choose
        self._texts = texts
        self._reach = reach
        self._files = StateFiles()
        self._settled: tuple[tuple[Machine, KubeletConfig, Behaviour], Settings] | None = None
        self.last_arrival = 0
        """Pods that ever arrived."""

        self._hanging: frozenset[Method] = frozenset()
        """Calls to the runtime that are not answered."""

        self._journal: Journal = QUIET
        self._killed = False
        """The kubelet was killed in the middle of a step."""

        self._found = Contents()
        """The files when the kubelet of an interrupted step began with it."""

        self._view = View(listed=listed)
        self._notes: list[Note] = []
        self._hinted: list[Hinted] = []
        self._watch = Watch(self._tell if texts else None, reach, self._hinted if hints else None)

    # --- the kubelet's start

    def start(self) -> Observation:
        """Start the kubelet on what is on disk, and admit every resident pod again."""
        self._boot()
        return self._observe()

    def _boot(self) -> None:
        self.settings, self.refusal, self.counters, self._killed = None, None, Counter(), False
        self._hanging = frozenset()  # a call ends with the kubelet that made it
        try:
            settings = self._settle()
            self.managers = self._files.read(
                Start(
                    settings,
                    self.config.cpu_manager_policy,
                    self.behaviour,
                    self._choose,
                    self._journal,
                    self._reach,
                    self._tell,
                )
            )
        except StartRefused as refusal:
            self.refusal = str(refusal)
            self._reach(name_of_refusal(self.refusal))
            return
        self.settings = settings
        if settings.late_fault:
            self._files.stop(self.managers)
            self.settings, self.refusal = None, settings.late_fault
            self._reach(name_of_refusal(self.refusal))
            return
        self.static_allocatable = restart.NO_BOOKS if settings.policy == "None" else self.managers.memory.books
        self._zero_counters()
        self._readmit_all()

    def _settle(self) -> Settings:
        """The settings of today; those of the former start where nothing changed meanwhile."""
        basis = (self._machine, self.config, self.behaviour)
        if self._settled is None or any(now is not then for now, then in zip(basis, self._settled[0], strict=True)):
            self._settled = basis, settle(*basis, self._choose)
        return self._settled[1]

    def _zero_counters(self) -> None:
        """Every series that is judged, so that one that moves without reason is noticed."""
        names = [ADMISSION_REQUESTS, ADMISSION_ERRORS]
        if self.behaviour.counts_pinning and self.settings and self.settings.memory_manager:
            names += [PINNING_REQUESTS, PINNING_ERRORS]
        if self.behaviour.counts_rejections:
            names += [labelled(REJECTIONS, reason=reason) for reason in (AFFINITY, UNEXPECTED)]
        aligned = [ALIGNED] if self.behaviour.counts_aligned else []
        aligned += [NOT_ALIGNED] if self.behaviour.counts_aligned_failures else []
        names += [labelled(m, boundary="numa_node", scope=s) for m in aligned for s in ("container", "pod")]
        self.counters.update(dict.fromkeys(names, 0))

    def _readmit_all(self) -> None:
        """The first batch: all pods in order, without clean-up. Containers that run go on running."""
        for resident in self.residents.values():
            resident.is_taken_over(starts_created_init=self.behaviour.starts_created_init_containers)
            if resident.pod.has_resources:  # what is made of them is a matter of release and gates
                resident.asks = self._asked(resident.pod)
        for resident in list(self.residents.values()):
            self._admit(resident, active=None)
            if resident.active:
                self._start_containers(resident)
                self._make_unknown_containers(resident)

    def _make_unknown_containers(self, resident: Resident) -> None:
        """App containers in which this kubelet does not recognise those of the manifest are made anew; sidecars are not."""
        by_name = self.behaviour.knows_containers_by_name_and_image
        if resident.known_by_name != by_name:
            resident.known_by_name = by_name
            for container in resident.pod.containers:
                if container.name in resident.told and container.name not in resident.over:
                    self._start(resident, container)

    # --- steps

    def carry_out(self, step: Step) -> Observation:
        """Carry out a step; on a node whose kubelet does not run, it does nothing that only a kubelet can do."""
        self._notes.clear()
        self._hinted.clear()
        if isinstance(step, Crash) or self._hanging:
            self._follow(step)
        else:
            self._attempt(step)
        return self._observe()

    def _attempt(self, step: Step) -> None:
        try:
            self._do(step)
        except KubeletPanics as panic:
            if self.settings:  # else it is the file itself that it cannot bear
                self._files.stop(self.managers)
            self.settings, self.refusal = None, str(panic)
            self._reach(name_of_refusal(self.refusal))

    def _do(self, step: Step) -> None:
        match step:
            case Restart():
                self._restart(step)
            case Disk():
                self._files.change_disk(step, self.managers if self.settings else None)
            case Runtime(fault=fault):
                self._change_runtime(fault)
            case _ if self.settings is None:
                pass
            case Admit(pod=pod):
                self.arrive(pod)
            case AdmitTogether(pods=pods):
                self._arrive_together(pods)
            case Remove(pod=name):
                resident = self.residents.pop(name, None)  # one that was rejected before a restart is gone already
                with suppress(CallHangs):
                    self._remove(resident)
            case Exit():
                self._exit(step)

    def fork(self, choose: Choices) -> Self:
        """A node that goes on from here by itself, and tells nothing of what this one has told."""
        twin = copy(self)
        twin._separate(choose)  # noqa: SLF001  # it is one of us
        return twin

    def _separate(self, choose: Choices) -> None:
        """Share nothing that changes with the node that this one is a copy of."""
        self.residents = {
            name: replace(resident, told=dict(resident.told), over=set(resident.over))
            for name, resident in self.residents.items()
        }
        self.names, self.counters = dict(self.names), Counter(self.counters)
        self._choose, self._view, self._notes, self._hinted = choose, copy(self._view), [], []
        hinted = None if self._watch.hinted is None else self._hinted
        self._watch = Watch(self._tell if self._texts else None, self._reach, hinted)
        self._files = self._files.fork()

    def _arrive_together(self, pods: Sequence[Pod]) -> None:
        """All at once: which is taken up next is open.

        Raises:
            InputError: some have CPUs of their own and others do not. When the containers of these are created is open too,
                and with it the CPUs that are left for them by then.
        """
        owners = {any(self._asked(pod).cpus.values()) for pod in pods}
        if self.config.cpu_manager_policy == "static" and len(owners) > 1:
            told = "pods with and without exclusive CPUs do not arrive together here; admit these or those one by one"
            raise InputError("scenario", Problem("admitTogether", told))
        waiting = {pod.name: (number, pod) for number, pod in enumerate(pods, self.last_arrival + 1)}
        self.last_arrival += len(pods)
        while waiting:
            number, pod = waiting.pop(self._choose(tuple(waiting)))
            self.arrive(pod, number)

    def arrive(self, pod: Pod, number: int | None = None) -> None:
        """A pod arrives; `number` is its place among all that ever did, where it is not the next."""
        if number is None:
            number = self.last_arrival = self.last_arrival + 1
        resident = Resident(
            pod,
            f"{pod.name}.{number}",
            PodVerdict(admitted=True),
            self._asked(pod),
            known_by_name=self.behaviour.knows_containers_by_name_and_image,
        )
        self.residents.pop(pod.name, None)
        self.residents[pod.name] = resident  # last, also where a rejected pod of that name was before
        self.names[resident.uid] = pod.name
        self._admit(resident, active=self._active())
        if resident.active:
            self._start_containers(resident)

    def _active(self) -> Active:
        return {r.uid: r.asks.names for r in self.residents.values() if r.active}

    def _admit(self, resident: Resident, active: Active | None) -> None:
        if self.settings is None:
            return
        admission = Admission(
            self.managers,
            self.settings,
            self.behaviour,
            resident.uid,
            resident.asks,
            active,
            counts=self.counters,
            choose=self._choose,
            watch=self._watch,
        )
        rejection = None
        try:
            rejection = admission.run(self._requested_by_others(resident))
        finally:
            # What was done before a crash is in the files.
            self.managers = admission.managers
        if rejection:
            resident.verdict = PodVerdict(False, rejection.reason, rejection.status_message)

    def _requested_by_others(self, resident: Resident) -> Mapping[str, int]:
        """By the pods that arrived before; at a restart those that come back later do not count yet."""
        total: dict[str, int] = {}
        for other in self.residents.values():
            if other is resident:
                break
            if other.active:
                for resource, amount in other.asks.node.items():
                    total[resource] = total.get(resource, 0) + amount
        return total

    def _asked(self, pod: Pod) -> Asked:
        return asked(pod, self.settings.pod_level if self.settings and pod.has_resources else "ignored")

    # --- containers

    def _start_containers(self, resident: Resident) -> None:
        """Start what may run now: sidecars and init containers in order, the app containers after them."""
        with suppress(CallHangs):
            for container in resident.pod.init_containers:
                if container.name in resident.over:
                    continue
                self._ensure_started(resident, container)
                if not container.restart_always:
                    return
            for container in resident.pod.containers:
                if container.name not in resident.over:
                    self._ensure_started(resident, container)

    def _ensure_started(self, resident: Resident, container: Container) -> None:
        if container.name not in resident.told:
            self._start(resident, container)

    def _start(self, resident: Resident, container: Container) -> None:
        """Create a container with its recorded pinning, then start it, which frees the init containers before it."""
        journal = self._journal
        if not resident.sandboxed:
            journal.calls("RunPodSandbox")
            resident.sandboxed = True
            journal.ends("RunPodSandbox")
        journal.calls("CreateContainer")
        memory = self.managers.memory
        mems = memory.books.ids_of(memory.nodes_of(resident.uid, container.name))
        cpus = self.managers.cpu.of(resident.uid, container.name) or self.managers.cpu.default
        resident.told[container.name] = Told(cpuset_mems=",".join(map(str, mems)), cpuset_cpus=listed(cpus))
        resident.unstarted = container.name
        journal.ends("CreateContainer")
        self._free_init_containers(resident, container)
        journal.calls("StartContainer")
        resident.unstarted = ""
        journal.ends("StartContainer")

    def _free_init_containers(self, resident: Resident, container: Container) -> None:
        if self.settings is None or self.settings.policy == "None":
            return  # which frees nothing, also of what an edited file has brought
        memory, asks, journal = self.managers.memory, resident.asks, self._journal
        started = release.container_started if journal is QUIET else journal.container_started
        after = started(memory, resident.uid, asks, container.name, self._reach)
        if after is not memory:
            self.managers = Managers(after, self.managers.cpu)

    def _remove(self, resident: Resident | None) -> None:
        """End what runs of a pod that is gone; the managers hear of it when the next pod is admitted."""
        if resident is None or self._journal is QUIET:
            return
        for container in resident.told.keys() - resident.over:
            if container != resident.unstarted:
                self._journal.calls("StopContainer")
                self._journal.ends("StopContainer")
        if resident.sandboxed:
            self._journal.calls("StopPodSandbox")
            self._journal.ends("StopPodSandbox")

    def _exit(self, step: Exit) -> None:
        """A container ends; one that does not run, since its pod was rejected or it ended before, cannot."""
        resident = self.residents.get(step.pod)
        if resident is None or not resident.active or step.container not in resident.told.keys() - resident.over:
            return
        if step.container == resident.stuck:
            return
        pod, init = resident.pod, {c.name: c for c in resident.pod.init_containers}
        container = next(c for c in pod.all_containers if c.name == step.container)
        regular_init = container.name in init and not container.restart_always
        if regular_init and step.code == 0:
            self._reach("life.init-ends")
            resident.over.add(container.name)
            self._start_containers(resident)
        elif comes_back(pod, container, step.code, regular_init=regular_init):
            self._reach("life.container-comes-back")
            with suppress(CallHangs):
                self._start(resident, container)
        else:
            resident.over.add(container.name)
            resident.finished = regular_init or all(c.name in resident.over for c in pod.containers)
            self._reach("life.pod-finishes" if resident.finished else "life.container-ends")

    # --- restart

    def _restart(self, step: Restart) -> None:
        """Stop, change what changes meanwhile, start. Terminal pods do not come back."""
        if self.settings:
            self._files.stop(self.managers)
        self._files.change(step)
        self._machine = step.machine or self._machine
        self.config = step.kubelet or self.config
        self.behaviour = behaviour_of(step.kubernetes) if step.kubernetes else self.behaviour
        residents = sorted(self.residents.items(), key=lambda item: item[1].arrival)
        alive = {name: resident for name, resident in residents if resident.active}
        ordered = [name for name in step.order if name in alive] + [name for name in alive if name not in step.order]
        self.residents = {name: alive[name] for name in ordered}
        if step.boots:
            for resident in self.residents.values():
                resident.is_forgotten()
        self._found = self._files.contents
        self._boot()

    # --- what goes wrong

    def _follow(self, step: Step) -> None:
        """Carry out a step that the kubelet may not see the end of, or in which calls to the runtime hang."""
        event, point = begun(step), step.at if isinstance(step, Crash) else None
        self._found = self._files.now(self.managers) if self.settings else self._files.contents
        self._journal = Journal(point, frozenset() if isinstance(event, Restart) else self._hanging)
        self._watch = replace(self._watch, journal=self._journal)
        try:
            self._attempt(event)
        except KubeletDies:
            self._files.kill(self._found, self._journal)
            self.settings, self.refusal, self._killed = None, None, True
            if isinstance(event, Restart):  # nobody knows whom this kubelet rejected
                for resident in self.residents.values():
                    resident.verdict = PodVerdict(admitted=True)
        finally:
            self._journal = QUIET
            self._watch = replace(self._watch, journal=QUIET)

    def _change_runtime(self, fault: CallFault | Forgetting) -> None:
        """Calls that fail or are late are made again or waited for, and nothing comes of it."""
        if isinstance(fault, CallFault):
            self._hanging |= {fault.method} if fault.how == "hangs" else set()
            return
        for resident in self.residents.values():
            resident.is_forgotten()
            if self.settings and resident.active:
                self._start_containers(resident)

    # --- observation

    def _tell(self, topic: str, text: str) -> None:
        if self._texts:
            self._notes.append(Note(topic, text))

    def _observe(self) -> Observation:
        notes = tuple(self._notes)
        if self._killed:
            return self._view.of_files(self, self._files.contents, notes)
        if self.settings is None:
            text = restart.text_of(self._files.contents.memory) if self.refusal is not None else ""
            return Observation(running=False, refusal=self.refusal, state_file=text, notes=notes)
        hints = None if self._watch.hinted is None else tuple(self._hinted)
        file = restart.text_of(self._files.memory(self.managers.memory)) if self._texts else None
        seen = self._view.observe(self, self.settings, state_file=file, hints=hints, notes=notes)
        return self._files.shown(seen, self.managers)
