"""What a scenario means for each of its observations: the configuration in force, which pods live, whose file it is.

Invariants need to know this, and a history alone does not tell it. Whether a pod was admitted is taken from what was
observed, never from the model, so that an invariant stays an oracle of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from pinproof.history import History, Observation
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.faults import Disk, StateFile
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import (
    Admit,
    AdmitTogether,
    Crash,
    Exit,
    Remove,
    Restart,
    Scenario,
    StateEdit,
    StateText,
    Step,
    begun,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """The circumstances of one observation."""

    index: int
    """Of the observation: 0 is the start of the kubelet."""

    step: Step | None
    """What led here, or what was interrupted; None for the start."""

    machine: Machine
    """In force after the step."""

    kubelet: KubeletConfig
    """In force after the step."""

    live: Mapping[str, Pod]
    """Pods that were seen admitted and have not finished or been removed."""

    ended: frozenset[str]
    """Pods on the node that were rejected or have finished."""

    unchanged: bool
    """The step is a restart that keeps the state and changes neither machine, configuration nor release, on disks that work."""

    after_kill: bool
    """The same, and the kubelet before it was killed in the middle of a step that changed nothing of that either."""

    foreign: bool
    """The scenario put a state file of its own making in place, now or earlier; what it says is not the kubelet's
    work."""

    behind: bool
    """The files may be older than what the kubelet knows, because of a disk that fails or has failed."""

    idle: bool
    """The step ends a container that has ended for good before, so nothing happens."""

    before: Observation | None
    """The observation before; None for the start."""

    now: Observation


@dataclass(slots=True)
class _Node:
    machine: Machine
    kubelet: KubeletConfig
    kubernetes: str | None = None
    foreign: bool = False
    behind: bool = False
    """A disk fails, or has failed since the last start, so that the files may be older than what the kubelet knew."""

    disks: dict[str, str] = field(default_factory=dict)
    """State file → its disk's state."""

    plain: bool = True
    """The last step was none that changes what a kubelet starts on."""

    pods: dict[str, Pod] = field(default_factory=dict)
    live: dict[str, Pod] = field(default_factory=dict)
    exits: dict[str, dict[str, int]] = field(default_factory=dict)
    """Pod → container → code of its last end."""

    idle: bool = False
    """See `Moment`."""


def course(scenario: Scenario, observed: History) -> Iterator[Moment]:
    """The circumstances of every observation, in order; an observation without a step of its own is left out."""
    node = _Node(scenario.machine, scenario.kubelet)
    before: Observation | None = None
    for index, (step, now) in enumerate(zip((None, *scenario.steps), observed.observations, strict=False)):
        down = before is not None and not before.running
        event = begun(step) if step else None
        killed = down and before is not None and before.refusal is None and node.plain
        unchanged = _take(node, event if isinstance(event, Restart | Disk) or not down else None)
        _settle(node, now)
        now = _of_manager(now, node.kubelet)
        yield Moment(
            index=index,
            step=event,
            machine=node.machine,
            kubelet=node.kubelet,
            live=dict(node.live),
            ended=frozenset(node.pods.keys() - node.live.keys()),
            unchanged=unchanged and not isinstance(step, Crash),
            after_kill=unchanged and killed and not isinstance(step, Crash),
            foreign=node.foreign,
            behind=node.behind,
            idle=node.idle,
            before=before,
            now=now,
        )
        before = now


def _of_manager(now: Observation, kubelet: KubeletConfig) -> Observation:
    """Without a memory manager, up to 1.31, what may be in the state file is nobody's."""
    if kubelet.gate("MemoryManager", default=True):
        return now
    return replace(now, assignments=None, pod_assignments=None, machine=None)


def _take(node: _Node, step: Step | None) -> bool:
    """Carry the step into the node's circumstances; True for a restart that changes nothing.

    Steps other than a restart are left out while no kubelet runs, and are None here.
    """
    node.idle = isinstance(step, Exit) and _has_ended(node, step)
    node.plain = not isinstance(step, Restart | Disk)
    match step:
        case _ if node.idle:
            pass
        case Admit(pod):
            _arrive(node, pod)
        case AdmitTogether(pods):
            for pod in pods:
                _arrive(node, pod)
        case Remove(pod=name):
            for known in (node.pods, node.live, node.exits):
                known.pop(name, None)
        case Exit(pod=name, container=container, code=code):
            node.exits.setdefault(name, {})[container] = code
        case Restart():
            foreign = isinstance(step.state, StateEdit | StateText) or isinstance(step.cpu_state, StateText)
            node.plain = not (step.machine or step.kubelet or step.kubernetes or foreign)
            return _restart(node, step)
        case Disk(state=state, file=file):
            node.behind = True
            node.disks.update(dict.fromkeys((file,) if file else get_args(StateFile), state))
    return False


def _arrive(node: _Node, pod: Pod) -> None:
    node.pods[pod.name] = node.live[pod.name] = pod
    node.exits[pod.name] = {}


def _has_ended(node: _Node, step: Exit) -> bool:
    """Whether the container ended before, for good."""
    pod, code = node.pods.get(step.pod), node.exits.get(step.pod, {}).get(step.container)
    return pod is not None and code is not None and not recreated(pod, Exit(step.pod, step.container, code))


def _restart(node: _Node, step: Restart) -> bool:
    node.machine = step.machine or node.machine
    node.kubelet = step.kubelet or node.kubelet
    node.kubernetes = step.kubernetes or node.kubernetes
    if step.state == "lose":
        node.foreign = False
    elif isinstance(step.state, StateEdit | StateText):
        node.foreign = True
    node.pods = dict(node.live)  # what was rejected or has finished does not come back
    # A configuration that is given again is a change even where it is equal: 0.5Gi is not read as 512Mi is.
    kept = step.state == step.cpu_state == "keep" and not node.behind
    node.behind = any(state != "works" for state in node.disks.values())
    return kept and not (step.machine or step.kubelet or step.kubernetes)


def _settle(node: _Node, now: Observation) -> None:
    """Drop the pods that are not admitted or have finished; a kubelet that does not run tells nothing about pods."""
    if not now.running or now.pods is None:
        return
    node.live = {
        name: pod
        for name, pod in node.live.items()
        if (verdict := now.pods.get(name)) is not None and verdict.admitted
        if not finished(pod, node.exits.get(name, {}))
    }


def finished(pod: Pod, exits: Mapping[str, int]) -> bool:
    """Whether a pod has come to its end after these containers ended with these codes.

    Sidecars decide nothing, and neither does any end of a pod that restarts its containers always.
    """
    if pod.restart_policy == "Always":
        return False
    if pod.restart_policy == "Never" and any(
        exits.get(init.name, 0) for init in pod.init_containers if not init.restart_always
    ):
        return True
    return all(
        container.name in exits and (pod.restart_policy == "Never" or exits[container.name] == 0)
        for container in pod.containers
    )


def recreated(pod: Pod, step: Exit) -> bool:
    """Whether the kubelet makes the container anew after this end."""
    container = next((known for known in pod.all_containers if known.name == step.container), None)
    if container is None:
        return False
    if container.restart_always:
        return True
    if container in pod.init_containers:
        return step.code != 0 and pod.restart_policy != "Never"
    return pod.restart_policy == "Always" or (pod.restart_policy == "OnFailure" and step.code != 0)
