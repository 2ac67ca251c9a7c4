"""The agent's report of a node as an `Observation`. Pure.

Pods go by their name in the scenario: the kubelet knows them by UID, and PodResources by a namespace of their own. A file
or page that cannot be read is a `CaptureError`, never an empty observation. Of a kubelet that does not run only the text of
its state file is shown: it may be broken, and that may be why it does not run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from prometheus_client.parser import text_string_to_metric_families

from pinproof.errors import CaptureError
from pinproof.history import Block, CpuState, Enforced, NodeState, Observation, PodVerdict, Resources, Table, Told
from pinproof.reference.checkpoint import data_checksum
from pinproof.scenario.cpuset import CpuSet

Reply = Mapping[str, Any]
T = TypeVar("T")

JUDGED: Final = (
    "kubelet_memory_manager_pinning_requests_total",
    "kubelet_memory_manager_pinning_errors_total",
    "kubelet_cpu_manager_pinning_requests_total",
    "kubelet_cpu_manager_pinning_errors_total",
    "kubelet_topology_manager_admission_requests_total",
    "kubelet_topology_manager_admission_errors_total",
    "kubelet_container_aligned_compute_resources_count",
    "kubelet_container_aligned_compute_resources_failure_count",
    "kubelet_admission_rejections_total",
    "resource_manager_allocations_total",
    "resource_manager_allocation_errors_total",
    "resource_manager_container_assignments",
    "kubelet_resource_manager_allocations_total",
    "kubelet_resource_manager_allocation_errors_total",
    "kubelet_resource_manager_container_assignments_total",
)
"""The counters that are read; which of them exist depends on the release."""

_ALWAYS: Final = "kubelet_topology_manager_admission_requests_total"
"""Every supported release has it from the start, so a page without it is not a kubelet's metrics page."""

Counters = dict[str, int]


@dataclass(slots=True)
class Names:
    """Who is who in a scenario."""

    pods: dict[str, str] = field(default_factory=dict)
    """UID → pod."""

    namespaces: dict[str, str] = field(default_factory=dict)
    """Namespace → UID."""

    def of(self, uid: str) -> str:
        """The pod's name; a UID that is not of the scenario (a foreign state file) stands for itself."""
        return self.pods.get(uid, uid)


def observation(reply: Reply, names: Names, *, baseline: Mapping[str, int], refusal: str | None = None) -> Observation:
    """Everything the agent saw; `baseline` is what the counters stood at when the scenario began.

    Raises CaptureError naming the file or page that could not be read.
    """
    running = bool(reply["running"])
    if running and reply.get("errors"):
        raise capture_error("observe the node", "; ".join(map(str, reply["errors"])))
    if not running and refusal is not None:
        return Observation(running=False, refusal=refusal, state_file=reply.get("state") or "")
    in_files = left_in_files(reply.get("state"), reply.get("cpu_state"), names)
    if not running:
        return in_files
    with _reading("memory_manager_state"):
        state = _document(_authoritative(reply.get("state")), "machineState")
    with _reading("/pods"):
        known = _known(reply["pods"], names)
        pods, told = _verdicts(known, names), _told(reply["containers"], names, known)
    with _reading("PodResources"):
        resources = reply["pod_resources"]
        pod_resources = _pod_resources(resources["list"], names)
        allocatable = _resources(resources["allocatable"]) if resources["allocatable"] else None
    return replace(
        in_files,
        running=True,
        pods=pods,
        policy=state.get("policyName") if state else None,
        told=told,
        counters=_since(counters(reply.get("metrics") or ""), baseline),
        pod_resources=pod_resources,
        allocatable=allocatable,
        events=_by_name(reply["events"].items(), names) if "events" in reply else None,
        made=reply.get("made"),
        enforced=_enforced(reply["containers"], names, known),
    )


def left_in_files(state: str | None, cpu_state: str | None, names: Names) -> Observation:
    """What the texts of both state files say, of a kubelet that was killed; None where there is no file.

    Raises CaptureError naming the file that no kubelet writes.
    """
    with _reading("memory_manager_state"):
        memory = _document(_authoritative(state), "machineState")
        assignments, machine = _assignments(memory, names), _machine(memory)
        pod_assignments = _pod_assignments(memory, names)
    with _reading("cpu_manager_state"):
        cpu = _cpu(_document(cpu_state, "defaultCpuSet"), names)
    return Observation(
        running=False,
        assignments=assignments,
        pod_assignments=pod_assignments,
        machine=machine,
        state_file=state or "",
        cpu=cpu,
    )


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Whatever is wrong with the shape of an input is a CaptureError that names it."""
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise capture_error(f"read {what}", f"it is not what a kubelet writes: {error!r}") from error


def raw(reply: Reply) -> Observation:
    """What can be said without understanding anything: kept when `observation` fails."""
    return Observation(running=bool(reply["running"]), state_file=reply.get("state") or "")


def capture_error(step: str, message: str) -> CaptureError:
    """A CaptureError about the kubelet under test."""
    remedy = "look at the artefacts of the run; run it again with PINPROOF_SLOW=3 if the machine was busy"
    return CaptureError(step, message, fault="the kubelet under test", remedy=remedy)


def counters(page: str) -> Counters:
    """The judged counters of a metrics page: name with sorted labels → value. Raises CaptureError for garbage."""
    lines = "".join(f"{line}\n" for line in page.splitlines() if line.startswith(JUDGED))
    if f"\n{_ALWAYS}" not in f"\n{lines}":
        raise capture_error("read /metrics", f"the page has no {_ALWAYS}; it begins with {page[:120]!r}")
    try:
        samples = [sample for family in text_string_to_metric_families(lines) for sample in family.samples]
        return {_exposition(sample.name, sample.labels): _whole(sample.value) for sample in samples}
    except (ValueError, KeyError, IndexError) as error:
        raise capture_error("read /metrics", f"the page cannot be parsed: {error}; lines: {lines[:500]!r}") from error


def rejected(status: Mapping[str, Any]) -> bool:
    """Whether a pod's status says that the kubelet refused it; one whose containers failed has no reason."""
    return status.get("phase") == "Failed" and bool(status.get("reason"))


def _exposition(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name


def _whole(value: float) -> int:
    number = int(value)
    if number != value:
        raise ValueError(f"a counter stands at {value}")
    return number


def _since(now: Counters, baseline: Mapping[str, int]) -> Counters:
    return {name: value - baseline.get(name, 0) for name, value in now.items()}


def _document(text: str | None, needed: str) -> Mapping[str, Any] | None:
    """A state file; None if there is none. Raises ValueError if it is not what it should be."""
    if text is None:
        return None
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}; it begins with {text[:120]!r}") from error
    if not isinstance(document, dict) or needed not in document:
        raise ValueError(f"it has no {needed!r}; it begins with {text[:120]!r}")
    return document


def _authoritative(text: str | None) -> str | None:
    """The part of a memory manager's file that the kubelet goes by: from 1.37 on its `data`, where that is whole."""
    try:
        document = json.loads(text or "")
    except ValueError:
        return text
    data = document.get("data") if isinstance(document, dict) else None
    # What is beside the data is for earlier kubelets; damage there is not seen by this one.
    return data if data and document.get("dataChecksum") == data_checksum(data) else text


def _assignments(state: Mapping[str, Any] | None, names: Names) -> dict[str, dict[str, tuple[Block, ...]]] | None:
    if state is None:
        return None
    entries: Mapping[str, Any] = state.get("entries") or {}
    return _by_name(
        (
            (uid, {name: tuple(sorted(_block(block) for block in blocks or ())) for name, blocks in containers.items()})
            for uid, containers in entries.items()
        ),
        names,
    )


def _pod_assignments(state: Mapping[str, Any] | None, names: Names) -> dict[str, tuple[Block, ...]] | None:
    """Blocks of pods as a whole."""
    if state is None:
        return None
    entries: Mapping[str, Any] = state.get("podEntries") or {}
    blocks = ((uid, entry.get("memoryBlocks") or ()) for uid, entry in entries.items())
    return _by_name(((uid, tuple(sorted(_block(block) for block in held))) for uid, held in blocks), names)


def _block(block: Mapping[str, Any]) -> Block:
    return Block(tuple(sorted(block["numaAffinity"])), block["type"], block["size"])


def _by_name(items: Iterable[tuple[str, T]], names: Names) -> dict[str, T]:
    """By pod instead of UID. Two incarnations of a pod at once are told apart, so that neither is lost."""
    named: dict[str, T] = {}
    for uid, value in items:
        name = names.of(uid)
        named[name if name not in named else f"{name} ({uid})"] = value
    return dict(sorted(named.items()))


def _machine(state: Mapping[str, Any] | None) -> dict[int, NodeState] | None:
    if state is None:
        return None
    nodes: Mapping[str, Any] = state["machineState"] or {}
    return {int(number): _node(node) for number, node in sorted(nodes.items(), key=lambda item: int(item[0]))}


def _node(node: Mapping[str, Any]) -> NodeState:
    tables = {
        name: Table(
            total=table["total"],
            system_reserved=table["systemReserved"],
            allocatable=table["allocatable"],
            reserved=table["reserved"],
            free=table["free"],
        )
        for name, table in sorted((node["memoryMap"] or {}).items())
    }
    return NodeState(node["numberOfAssignments"], tables, tuple(sorted(node["cells"] or ())))


def _cpu(state: Mapping[str, Any] | None, names: Names) -> CpuState | None:
    if state is None:
        return None
    entries: Mapping[str, Mapping[str, str]] = state.get("entries") or {}
    by_pod = _by_name(((uid, dict(sorted(containers.items()))) for uid, containers in entries.items()), names)
    return CpuState(state["defaultCpuSet"], by_pod)


def _known(pods: Mapping[str, Any], names: Names) -> dict[str, Mapping[str, Any]]:
    """UID → status, for the scenario's pods among those the kubelet lists."""
    listed = {item["metadata"]["uid"]: item["status"] for item in pods.get("items") or ()}
    return {uid: status for uid, status in listed.items() if uid in names.pods}


def _verdicts(known: Mapping[str, Mapping[str, Any]], names: Names) -> dict[str, PodVerdict]:
    return _by_name(((uid, _verdict(status)) for uid, status in known.items()), names)


def _verdict(status: Mapping[str, Any]) -> PodVerdict:
    if rejected(status):
        return PodVerdict(admitted=False, reason=status["reason"], message=status.get("message", ""))
    return PodVerdict(admitted=True)


def _told(
    containers: Iterable[Mapping[str, Any]], names: Names, known: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Told]]:
    """What the runtime was told for the newest attempt at each container of the admitted pods the kubelet knows."""
    told: dict[str, dict[str, Told]] = {}
    for container in containers:
        if container["uid"] in known and not rejected(known[container["uid"]]):
            told.setdefault(container["uid"], {})[container["container"]] = Told(container["mems"], container["cpus"])
    return _by_name(told.items(), names)


def _enforced(
    containers: Iterable[Mapping[str, Any]], names: Names, known: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Enforced]]:
    """What the kernel holds containers to, where the agent of the node can see that."""
    found: dict[str, dict[str, Enforced]] = {}
    for container in containers:
        if container["uid"] in known and (sets := container.get("enforced")):
            told, kernel = (Told(sets[side]["mems"], sets[side]["cpus"]) for side in ("told", "kernel"))
            found.setdefault(container["uid"], {})[container["container"]] = Enforced(told, kernel)
    return _by_name(found.items(), names)


def _pod_resources(listed: Iterable[Mapping[str, Any]], names: Names) -> dict[str, dict[str, Resources]]:
    ours = ((names.namespaces[pod["namespace"]], pod) for pod in listed if pod["namespace"] in names.namespaces)
    return _by_name(
        ((uid, {container["name"]: _resources(container) for container in pod["containers"]}) for uid, pod in ours),
        names,
    )


def _resources(resources: Mapping[str, Any]) -> Resources:
    blocks = (Block(tuple(sorted(block["nodes"])), block["type"], block["size"]) for block in resources["memory"] or ())
    return Resources(tuple(sorted(blocks)), str(CpuSet(resources["cpus"] or ())))
