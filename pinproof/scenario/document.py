"""The file formats: scenario and topology documents as they stand in YAML, field by field.

These models are the boundary and nothing else: they say what may be written, and the JSON Schemas under `schemas/` are
generated from them. Everything behind the reader works with the values of the neighbouring modules.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, StrictBool, StrictInt, StrictStr, Tag

from pinproof.scenario.fields import (
    MAX_NODE,
    TAG_MARK,
    ByteText,
    ContainerName,
    CpuListText,
    DeviceName,
    Document,
    Name,
    PageCounts,
    PageSizeText,
    PodName,
    QuantityText,
    ReleaseText,
    ThresholdText,
)
from pinproof.scenario.manifest import ManifestDocument, ManifestResources


class NodeDocument(Document):
    """One NUMA node."""

    id: Annotated[StrictInt, Field(ge=0, le=MAX_NODE)]
    """The kernel's number of the node."""

    memory: ByteText
    """`MemTotal` of the node; 0 for a node without memory."""

    cpus: CpuListText = ""
    """CPUs of the node in list form, such as 0-3,8; empty for a memory-only node."""

    hugepages: PageCounts = Field(default_factory=dict)
    """Page size → number of pages."""

    distances: list[Annotated[StrictInt, Field(ge=1, le=255)]] | None = None
    """Distance to every node, one number a node in the order of ids."""

    socket: Annotated[StrictInt, Field(ge=0)] | None = None
    """Physical package of the node's CPUs; unset: every node is a package of its own."""


class MachineShape(Document):
    """What topology files and topologies inside a scenario have in common."""

    threads_per_core: Annotated[StrictInt, Field(alias="threadsPerCore", ge=1, le=8)] = 1
    """CPUs of one core have adjacent numbers within their node."""

    numa: StrictBool = True
    """False: a kernel built without NUMA, which shows no nodes."""

    os: Literal["linux", "windows"] = "linux"
    """Whose managers a kubelet has: windows has the memory manager policy BestEffort instead of Static."""

    nodes: Annotated[list[NodeDocument], Field(min_length=1)]
    """Ascending by id."""


class TopologyBody(MachineShape):
    """A machine inside a scenario."""

    name: Name = "inline"
    """A name for reports."""

    provenance: StrictStr = ""
    """Where the shape comes from."""


class TopologyMetadata(Document):
    """What a topology file says about itself."""

    name: Name
    """The file's name without its suffix."""

    provenance: StrictStr = ""
    """Which machine, firmware mode or upstream issue the shape comes from."""


class TopologyDocument(MachineShape):
    """A file under `topologies/`: a machine."""

    api_version: Annotated[Literal["pinproof/v1alpha1"], Field(alias="apiVersion")]
    """Version of the format."""

    kind: Literal["Topology"]
    """What the document is."""

    metadata: TopologyMetadata
    """Name and provenance."""


class ReservationDocument(Document):
    """One entry of `reservedMemory`."""

    numa_node: Annotated[StrictInt, Field(alias="numaNode")]
    """The node the reservation is made on."""

    limits: dict[StrictStr, QuantityText]
    """`memory` or `hugepages-<size>` → quantity."""


class KubeletDocument(Document):
    """Fields of `KubeletConfiguration`; unset ones are left out of the kubelet's file too."""

    memory_manager_policy: Annotated[StrictStr | None, Field(alias="memoryManagerPolicy")] = None
    """None or Static; any other name is for testing the kubelet's refusal."""

    reserved_memory: Annotated[list[ReservationDocument] | None, Field(alias="reservedMemory")] = None
    """Memory set aside for the system, by node."""

    topology_manager_policy: Annotated[StrictStr | None, Field(alias="topologyManagerPolicy")] = None
    """none, best-effort, restricted or single-numa-node."""

    topology_manager_scope: Annotated[StrictStr | None, Field(alias="topologyManagerScope")] = None
    """container or pod."""

    topology_manager_policy_options: Annotated[
        dict[StrictStr, StrictStr] | None, Field(alias="topologyManagerPolicyOptions")
    ] = None
    """Option → value as a text, such as "true"."""

    cpu_manager_policy: Annotated[StrictStr | None, Field(alias="cpuManagerPolicy")] = None
    """none or static."""

    reserved_system_cpus: Annotated[CpuListText | None, Field(alias="reservedSystemCPUs")] = None
    """CPUs kept for the system, in list form."""

    kube_reserved: Annotated[dict[StrictStr, QuantityText] | None, Field(alias="kubeReserved")] = None
    """Resource → quantity reserved for Kubernetes."""

    system_reserved: Annotated[dict[StrictStr, QuantityText] | None, Field(alias="systemReserved")] = None
    """Resource → quantity reserved for the system."""

    eviction_hard: Annotated[dict[StrictStr, ThresholdText] | None, Field(alias="evictionHard")] = None
    """Signal → quantity or percentage."""

    merge_default_eviction_settings: Annotated[StrictBool | None, Field(alias="mergeDefaultEvictionSettings")] = None
    """Whether signals that `evictionHard` leaves out keep their defaults."""

    feature_gates: Annotated[dict[StrictStr, StrictBool] | None, Field(alias="featureGates")] = None
    """Gate → on or off."""


class HintDocument(Document):
    """One hint of another hint provider."""

    nodes: Annotated[list[Annotated[StrictInt, Field(ge=0, le=MAX_NODE)]] | None, Field(min_length=1)]
    """NUMA nodes; null for any."""

    preferred: StrictBool
    """Whether the provider prefers this hint."""


HintsField = dict[DeviceName, list[HintDocument] | None]


class ContainerDocument(Document):
    """A container in the short form: cpu, memory and hugepages are request and limit at once."""

    name: ContainerName
    """Unique in its pod."""

    cpu: QuantityText | None = None
    """Request and limit."""

    memory: QuantityText | None = None
    """Request and limit."""

    hugepages: dict[PageSizeText, QuantityText] = Field(default_factory=dict)
    """Page size → amount of memory in such pages; request and limit."""

    requests: dict[StrictStr, QuantityText] = Field(default_factory=dict)
    """Requests alone; a resource without one has its limit as request."""

    limits: dict[StrictStr, QuantityText] = Field(default_factory=dict)
    """Limits alone."""

    restart_policy: Annotated[Literal["Always"] | None, Field(alias="restartPolicy")] = None
    """Always makes an init container a sidecar."""

    hints: HintsField = Field(default_factory=dict)
    """Scope container: device → what another hint provider answers; null is no preference, [] is impossible."""

    touch: QuantityText | None = None
    """Memory that its process writes to, on subjects whose containers touch memory; left out: as much as these choose."""


class PodDocument(Document):
    """A pod in the short form."""

    name: PodName
    """The name that other steps use."""

    init_containers: Annotated[list[ContainerDocument], Field(alias="initContainers")] = Field(default_factory=list)
    """In the order they run."""

    containers: Annotated[list[ContainerDocument], Field(min_length=1)]
    """App containers."""

    restart_policy: Annotated[Literal["Always", "OnFailure", "Never"], Field(alias="restartPolicy")] = "Always"
    """What the kubelet does when a container ends."""

    resources: ManifestResources = ManifestResources()
    """Pod-level resources: what the pod asks for as a whole."""

    hints: HintsField = Field(default_factory=dict)
    """Scope pod: device → what another hint provider answers; null is no preference, [] is impossible."""

    by: Literal["scheduler", "Deployment", "DaemonSet", "static"] | None = None
    """How it comes to its node; left out, the step gives it to the node."""

    replaces: PodName | None = None
    """A rejected pod of a Deployment or DaemonSet, for which its controller has made this one."""


class ExitDocument(Document):
    """A running container ends."""

    pod: PodName
    """An admitted pod."""

    container: ContainerName
    """One of its containers or init containers."""

    code: Annotated[StrictInt, Field(ge=0, le=255)] = 0
    """Exit code."""


class StateDocument(Document):
    """What happens to the state file: a replacement inside it, or a new text."""

    find: Annotated[StrictStr, Field(min_length=1)] | None = None
    """Text to look for; every occurrence is replaced."""

    replace: StrictStr | None = None
    """What it becomes."""

    checksum: Literal["keep", "recompute"] | None = None
    """keep: the file is corrupted; recompute: it is valid, but another one."""

    text: StrictStr | None = None
    """The whole new file, instead of find and replace."""


class CpuStateDocument(Document):
    """What happens to the CPU manager's state file: a new text."""

    text: StrictStr
    """The whole new file."""


def _state_form(value: object) -> str:
    return f"{TAG_MARK}edit" if isinstance(value, dict | StateDocument | CpuStateDocument) else f"{TAG_MARK}word"


def _topology_form(value: object) -> str:
    return f"{TAG_MARK}inline" if isinstance(value, dict | TopologyBody) else f"{TAG_MARK}name"


def _pod_form(value: object) -> str:
    is_manifest = isinstance(value, ManifestDocument) or (
        isinstance(value, dict) and not value.keys().isdisjoint({"apiVersion", "kind", "spec", "metadata"})
    )
    return f"{TAG_MARK}manifest" if is_manifest else f"{TAG_MARK}short"


TopologyField = Annotated[
    Annotated[TopologyBody, Tag(f"{TAG_MARK}inline")] | Annotated[Name, Tag(f"{TAG_MARK}name")],
    Discriminator(_topology_form),
]
PodField = Annotated[
    Annotated[PodDocument, Tag(f"{TAG_MARK}short")] | Annotated[ManifestDocument, Tag(f"{TAG_MARK}manifest")],
    Discriminator(_pod_form),
]
StateField = Annotated[
    Annotated[StateDocument, Tag(f"{TAG_MARK}edit")] | Annotated[Name, Tag(f"{TAG_MARK}word")],
    Discriminator(_state_form),
]
CpuStateField = Annotated[
    Annotated[CpuStateDocument, Tag(f"{TAG_MARK}edit")] | Annotated[Name, Tag(f"{TAG_MARK}word")],
    Discriminator(_state_form),
]


class RestartDocument(Document):
    """The kubelet stops and starts again."""

    state: StateField = "keep"
    """keep, lose, a file whose text replaces the state file (relative to the scenario), or an edit of it."""

    cpu_state: Annotated[CpuStateField, Field(alias="cpuState")] = "keep"
    """keep, lose, or the file or text that replaces `cpu_manager_state`."""

    order: list[PodName] = Field(default_factory=list)
    """Pods in the order of their re-admission; the others follow in the order of their first admission."""

    signal: Literal["TERM", "KILL", "POWER", "REBOOT"] = "TERM"
    """How the kubelet is stopped; POWER takes its whole node's power, REBOOT boots it in order; no container survives either."""

    kernel: StrictStr = ""
    """Words for the kernel that boots after POWER or REBOOT, such as crashkernel=64M; kaslr lets it choose its place."""

    topology: TopologyField | None = None
    """The machine after the restart, where it changed."""

    kubelet: KubeletDocument | None = None
    """The fields of the configuration that changed; null unsets one."""

    kubernetes: ReleaseText | None = None
    """The kubelet release after the restart, where it changed."""


Method = Literal["RunPodSandbox", "CreateContainer", "StartContainer", "StopContainer", "StopPodSandbox"]
StateFile = Literal["memory_manager_state", "cpu_manager_state"]


class PointDocument(Document):
    """Where a step is interrupted: a write of a state file, or a call to the container runtime."""

    write: StateFile | None = None
    """The file that is written."""

    call: Method | None = None
    """The method that is called, instead of a write."""

    number: Annotated[StrictInt, Field(ge=1)] = 1
    """The how-many-th such write or call within the step."""

    moment: Literal["before", "unnamed", "after"] = "after"
    """unnamed: the new text is on disk and has not its name yet; for a write alone."""


class DuringDocument(Document):
    """The step that a crash interrupts: exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    admit: PodField | None = None
    """As the step of that name."""

    remove: PodName | None = None
    """As the step of that name."""

    exit: ExitDocument | None = None
    """As the step of that name."""

    restart: RestartDocument | None = None
    """As the step of that name."""


class CrashDocument(Document):
    """The kubelet is killed in the middle of a step, and does not run afterwards."""

    during: DuringDocument
    """The step."""

    at: PointDocument
    """The point; a step that does not come to it ends as it would without."""


class DiskDocument(Document):
    """What becomes of the disk of one state file."""

    state: Literal["works", "full", "read-only", "unreadable"]
    """From now on."""

    file: StateFile
    """The file that it is about."""


class CallFaultDocument(Document):
    """Calls to the container runtime that do not simply succeed."""

    call: Method
    """The method."""

    how: Literal["fails", "late", "hangs"]
    """late: two seconds; hangs: until the kubelet is stopped."""

    times: Annotated[StrictInt, Field(ge=1)] = 1
    """So many calls; not for hangs."""


def _is_mapping(value: object) -> str:
    return f"{TAG_MARK}inline" if isinstance(value, dict | Document) else f"{TAG_MARK}word"


DiskField = Annotated[
    Annotated[DiskDocument, Tag(f"{TAG_MARK}inline")]
    | Annotated[Literal["works", "full", "read-only", "unreadable"], Tag(f"{TAG_MARK}word")],
    Discriminator(_is_mapping),
]
RuntimeField = Annotated[
    Annotated[CallFaultDocument, Tag(f"{TAG_MARK}inline")] | Annotated[Literal["forgets"], Tag(f"{TAG_MARK}word")],
    Discriminator(_is_mapping),
]


class StepDocument(Document):
    """One event: exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    admit: PodField | None = None
    """A pod arrives: a v1.Pod manifest, or the short form of one."""

    admit_together: Annotated[list[PodField] | None, Field(alias="admitTogether", min_length=1)] = None
    """Pods arrive at once, in whichever order the kubelet takes them up."""

    remove: PodName | None = None
    """A pod is deleted."""

    exit: ExitDocument | None = None
    """A container ends."""

    restart: RestartDocument | None = None
    """The kubelet stops and starts again."""

    crash: CrashDocument | None = None
    """The kubelet is killed in the middle of a step."""

    disk: DiskField | None = None
    """From now on both state files, or one, are on such a disk."""

    runtime: RuntimeField | None = None
    """Something happens to the container runtime."""


class ScenarioMetadata(Document):
    """What a scenario says about itself."""

    name: Name
    """A name for reports."""


class ScenarioDocument(Document):
    """A scenario file: a machine, a kubelet configuration and a sequence of events."""

    api_version: Annotated[Literal["pinproof/v1alpha1"], Field(alias="apiVersion")]
    """Version of the format."""

    kind: Literal["Scenario"]
    """What the document is."""

    metadata: ScenarioMetadata
    """Its name."""

    topology: TopologyField
    """The machine, or the name of a file under topologies/, or a path to one relative to the scenario."""

    kubelet: KubeletDocument = KubeletDocument()
    """The kubelet's configuration."""

    steps: list[StepDocument] = Field(default_factory=list)
    """Events in order."""
