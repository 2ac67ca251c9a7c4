"""I-7: what the kubelet reports is what it has recorded.

* PodResources shows, for app containers and sidecars of live pods, exactly their blocks, and no memory for pods that
  were rejected or have finished, unless a feature gate asks for these. (Regular init containers are never listed;
  sidecars where the release lists them, from 1.30.)
* A container that was created in this step got the union of its blocks' NUMA nodes as `cpuset_mems`. Only then: a
  running container is never pinned anew, so after a lost state file the two may differ for good.
* The counters follow the admissions (#121778): they never fall while the kubelet runs; a step without an admission
  leaves them; an admitted Guaranteed pod under policy Static is one pinning request for each container and init
  container, any other pod none; a rejection for alignment is no pinning error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pinproof.history import Assignments, Block, Observation, Resources
from pinproof.judge.course import Moment, recreated
from pinproof.judge.invariants.violation import Violation
from pinproof.judge.words import words
from pinproof.scenario.contents import arriving
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Exit, Restart

PINNING_REQUESTS = "kubelet_memory_manager_pinning_requests_total"
PINNING_ERRORS = "kubelet_memory_manager_pinning_errors_total"
ADMISSION_REQUESTS = "kubelet_topology_manager_admission_requests_total"
ADMISSION_ERRORS = "kubelet_topology_manager_admission_errors_total"
COUNTERS = (PINNING_REQUESTS, PINNING_ERRORS, ADMISSION_REQUESTS, ADMISSION_ERRORS)

ACTIVE_PODS_GATE = "KubeletPodResourcesListUseActivePods"
"""Switched off, PodResources lists pods that are over, with whatever memory they still hold (1.34, #132028)."""

Listed = Mapping[str, Mapping[str, Resources]]
"""Pod → container → what PodResources shows."""

ALIGNMENT = "TopologyAffinityError"
ALLOCATION = "UnexpectedAdmissionError"
ALLOCATION_WORDS = "Allocate failed due to "
"""Tells a failed allocation from other unexpected errors, such as a preemption that finds nobody to evict."""


def pod_resources_show_blocks(moment: Moment) -> Iterator[Violation]:
    """I-7, PodResources: the blocks of live pods, and of no others."""
    listed, assignments = moment.now.pod_resources, moment.now.assignments
    if listed is None or assignments is None or not moment.now.running or moment.behind:
        return
    for name, pod in moment.live.items():
        if pod.has_resources:
            continue  # from 1.37 what its containers share is not shown as theirs
        shown = listed.get(name, {})
        for container in pod.all_containers:
            if container in pod.init_containers and (not container.restart_always or container.name not in shown):
                continue
            expected = _blocks(assignments, name, container.name)
            seen = tuple(sorted(shown[container.name].memory)) if container.name in shown else ()
            if expected != seen:
                path = f"pod_resources.{name}.{container.name}.memory"
                yield Violation("I-7", path, f"{words('', expected)}, as recorded", words("", seen))
    if moment.kubelet.gate(ACTIVE_PODS_GATE, default=True):
        yield from _ended_pods_show_nothing(moment, listed)


def _ended_pods_show_nothing(moment: Moment, listed: Listed) -> Iterator[Violation]:
    for name in sorted(moment.ended & listed.keys()):
        for container_name, resources in listed[name].items():
            if resources.memory:
                path = f"pod_resources.{name}.{container_name}.memory"
                expected_text = "nothing, since the pod is no longer active"
                yield Violation("I-7", path, expected_text, words("", resources.memory))


def containers_are_told_their_nodes(moment: Moment) -> Iterator[Violation]:
    """I-7, CRI: a container is created with the NUMA nodes of its blocks, in ascending order, without ranges."""
    before, now = moment.before, moment.now
    if before is None or before.told is None or now.told is None or now.assignments is None or moment.behind:
        return
    for name, pod in moment.live.items():
        told, formerly = now.told.get(name, {}), before.told.get(name, {})
        for container in pod.all_containers:
            if container.name not in told:
                continue
            anew = (
                isinstance(moment.step, Exit)
                and not moment.idle
                and (moment.step.pod, moment.step.container) == (name, container.name)
                and recreated(pod, moment.step)
            )
            if not anew and told[container.name] == formerly.get(container.name):
                continue
            due = ",".join(map(str, nodes_of(now.assignments, name, container.name)))
            seen = told[container.name].cpuset_mems
            if due != seen:
                yield Violation(
                    "I-7",
                    f"told.{name}.{container.name}.cpuset_mems",
                    f"{due or 'nothing'}, the nodes of its blocks",
                    seen or "nothing",
                )


def nodes_of(assignments: Assignments, pod: str, container: str) -> tuple[int, ...]:
    """The NUMA nodes of a container's blocks, ascending."""
    return tuple(sorted({node for block in _blocks(assignments, pod, container) for node in block.affinity}))


def counters_follow_admissions(moment: Moment) -> Iterator[Violation]:
    """I-7, metrics: the pinning and admission counters move as the admissions of the step say."""
    before, now = moment.before, moment.now
    if before is None or not (before.running and now.running) or isinstance(moment.step, Restart):
        return
    for name, (low, high) in _due(moment).items():
        moved = _delta(before, now, name)
        if moved is not None and not low <= moved <= high:
            due = f"+{low}" if low == high else f"+{low} to +{high}"
            yield Violation("I-7", f"counters.{name}", f"{due} in this step", f"{moved:+d}")


def _delta(before: Observation, now: Observation, name: str) -> int | None:
    if before.counters is None or now.counters is None or name not in before.counters or name not in now.counters:
        return None
    return now.counters[name] - before.counters[name]


def _due(moment: Moment) -> dict[str, tuple[int, int]]:
    """Counter → by how much it must at least and may at most have risen in the step."""
    each = [_due_to(pod, moment) for pod in (arriving(moment.step) if moment.step else ())]
    if len(each) == 1:
        return each[0]
    return {
        name: (sum(due[name][0] for due in each), sum(due[name][1] for due in each))
        for name in COUNTERS
        if all(name in due for due in each)
    }


def _due_to(pod: Pod, moment: Moment) -> dict[str, tuple[int, int]]:
    """The part of one pod that arrived in the step; a counter of which nothing can be said is left out."""
    verdict = (moment.now.pods or {}).get(pod.name)
    if verdict is None or pod.has_resources:
        return {}  # how often a pod with pod-level resources is counted is a matter of releases and gates
    pinned = pod.qos() == "Guaranteed" and moment.kubelet.memory_manager_policy != "None"
    most = len(pod.all_containers) if pinned else 0
    if verdict.admitted:
        return {
            PINNING_REQUESTS: (most, most),
            PINNING_ERRORS: (0, 0),
            ADMISSION_REQUESTS: (1, 1),
            ADMISSION_ERRORS: (0, 0),
        }
    due = {PINNING_REQUESTS: (0, most), PINNING_ERRORS: (0, min(1, most))}
    if verdict.reason == ALIGNMENT or (verdict.reason == ALLOCATION and ALLOCATION_WORDS in verdict.message):
        counted = int(moment.kubelet.topology_manager_policy != "none")
        due |= {ADMISSION_REQUESTS: (1, 1), ADMISSION_ERRORS: (counted, counted)}
    if verdict.reason == ALIGNMENT:
        due[PINNING_ERRORS] = (0, 0)
    return due


def _blocks(assignments: Assignments, pod: str, container: str) -> tuple[Block, ...]:
    return tuple(sorted(assignments.get(pod, {}).get(container, ())))
