"""What was predicted or seen after every step: the one thing that passes between a run and its judgement.

A `History` has one `Observation` for the start of the kubelet and one after each step. Every field that a subject cannot
show is None, which means "not observed", never "nothing there". Pods go by their name in the scenario, never by UID, so the
histories of two subjects can be laid side by side. Sizes are bytes.

The records of which there are most are named tuples: a campaign makes and compares thousands a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Literal, NamedTuple


class Block(NamedTuple):
    """One record of an assignment: so many bytes of one type on one set of NUMA nodes."""

    affinity: tuple[int, ...]
    """NUMA node ids, ascending."""

    type: str
    """`memory` or `hugepages-<size>`."""

    size: int


Assignments = Mapping[str, Mapping[str, tuple[Block, ...]]]
"""Pod → container → blocks, sorted, because their order in the kubelet is Go's map order."""


class Table(NamedTuple):
    """Books of one memory type on one NUMA node, in bytes."""

    total: int
    system_reserved: int
    allocatable: int
    reserved: int
    free: int


class NodeState(NamedTuple):
    """Books of one NUMA node."""

    number_of_assignments: int
    """Blocks whose affinity contains the node."""

    memory: Mapping[str, Table]
    """By memory type."""

    cells: tuple[int, ...]
    """The node's group, ascending; the node alone when it is unused or used by single-node allocations."""


class PodVerdict(NamedTuple):
    """How the kubelet answered a pod."""

    admitted: bool
    reason: str = ""
    """`status.reason` of a rejected pod."""

    message: str = ""
    """`status.message` of a rejected pod."""


class Pages(NamedTuple):
    """Where the kernel has put a running container's memory."""

    anonymous: Mapping[int, int]
    """NUMA node → bytes of ordinary pages that belong to no file."""

    huge: Mapping[int, int]
    """NUMA node → bytes of huge pages."""

    mems: str
    """`cpuset.mems` of its cgroup, as it was written."""

    effective: str
    """`cpuset.mems.effective`: what binds."""

    allowed: str
    """`Mems_allowed_list` of its first process."""

    @property
    def nodes(self) -> tuple[int, ...]:
        """The NUMA nodes on which it has memory of its own."""
        return tuple(sorted(self.anonymous.keys() | self.huge.keys()))


class Kernel(NamedTuple):
    """What the kernel of a node says of the node as a whole."""

    totals: Mapping[int, int]
    """NUMA node → `MemTotal` in bytes, at this boot."""

    killed: tuple[str, ...]
    """Processes that it killed for want of memory, and why: `touched (CONSTRAINT_CPUSET)`."""


class Told(NamedTuple):
    """What the container runtime was told when a container was last created."""

    cpuset_mems: str
    cpuset_cpus: str


class Enforced(NamedTuple):
    """A running container's sets as the runtime was last told them, and as the kernel has them.

    Only sets that the host can give: one that names a NUMA node or CPU that the host lacks is empty on both sides.
    """

    told: Told
    kernel: Told


@dataclass(frozen=True, slots=True)
class CpuState:
    """The CPU manager's books, in list form."""

    default: str
    entries: Mapping[str, Mapping[str, str]]
    """Pod → container → exclusive CPUs."""


@dataclass(frozen=True, slots=True)
class Resources:
    """Memory and exclusive CPUs as PodResources reports them, for a container or for the node."""

    memory: tuple[Block, ...]
    """Sorted."""

    cpus: str
    """List form."""


Hint = tuple[tuple[int, ...] | None, bool]
"""A topology hint: NUMA node ids, ascending, or None for any; and whether it is preferred."""


def hint_order(hint: Hint) -> tuple[bool, tuple[int, ...], bool]:
    """Sort key of hints: "any" first, then by nodes."""
    mask, preferred = hint
    return mask is not None, mask or (), preferred


class Hinted(NamedTuple):
    """What the hint providers answered for a container or a pod during an admission, and what was made of it."""

    pod: str
    container: str
    """Empty where the Topology Manager asked for the pod as a whole."""

    answers: Mapping[str, Mapping[str, tuple[Hint, ...] | None]]
    """Provider (`cpu`, `memory`, `other`) → resource → hints, by `hint_order`; None for a resource without preference,
    which the single hint "any, preferred" is as well. A provider that has no preference at all, by nil or by an empty map,
    has an empty mapping."""

    merged: Hint | None
    """What the Topology Manager stored for the container (the first one, for a pod); None where it stored nothing."""


@dataclass(frozen=True, slots=True)
class Note:
    """One decision on the way to an outcome, for people; the judge never reads it."""

    topic: str
    """`hints`, `merge`, `allocate`, `release`, `validate` …"""

    text: str


@dataclass(frozen=True, slots=True)
class Observation:
    """The node after one step."""

    running: bool
    """Whether the kubelet process runs."""

    refusal: str | None = None
    """With what message the kubelet refused to start; None while it runs."""

    pods: Mapping[str, PodVerdict] | None = None
    """Every pod the kubelet knows."""

    assignments: Assignments | None = None
    pod_assignments: Mapping[str, tuple[Block, ...]] | None = None
    """Pod → blocks of the pod as a whole (`PodLevelResourceManagers`); empty where there are none."""

    machine: Mapping[int, NodeState] | None = None
    policy: str | None = None
    """`policyName` in the state file."""

    state_file: str | None = None
    """The text of `memory_manager_state`; the empty text when there is no file."""

    cpu: CpuState | None = None
    told: Mapping[str, Mapping[str, Told]] | None = None
    """Pod → container → what the runtime was told; only containers of pods the kubelet knows that were created."""

    counters: Mapping[str, int] | None = None
    """Metric (with labels as in the exposition, sorted) → value since the kubelet process started."""

    pod_resources: Mapping[str, Mapping[str, Resources]] | None = None
    allocatable: Resources | None = None
    events: Mapping[str, tuple[tuple[str, str], ...]] | None = None
    """Rejected pod → (reason, message) of the warnings that the API server has about it."""

    made: Mapping[str, int] | None = None
    """First pod of a controller → how many pods the controller has made by now, that one included."""

    enforced: Mapping[str, Mapping[str, Enforced]] | None = None
    """Pod → container → what the kernel holds it to."""

    pages: Mapping[str, Mapping[str, Pages]] | None = None
    """Running containers alone; only a subject with a kernel of its own sees them."""

    kernel: Kernel | None = None
    hints: tuple[Hinted, ...] | None = None
    """In the order in which the Topology Manager asked during this step; only a subject inside the process sees them."""

    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """Observations of one scenario on one subject."""

    subject: str
    observations: tuple[Observation, ...]
    """The first is the start of the kubelet, then one for each step that was carried out."""

    complete: bool = True
    """False when the capture ended early; a verdict on it is `unknown`."""

    trouble: str = ""
    """Why it is incomplete."""

    unseen: int = 0
    """So many observations at the beginning stand for what was on a given node before anybody looked: they show nothing, and
    counters count from the one after them."""

    artefacts: Mapping[str, str] = field(default_factory=dict)
    """File name → text, kept for a failure: the kubelet's log, runtime calls, metrics."""


Outcome = Literal[
    "passed",
    "failed",
    "error",
    "unknown",
    "expected_failure",
    "unexpected_pass",
    "not_applicable",
    "not_run",
]
"""Outcome of a case or a requirement."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the reference allows for a scenario.

    Usually one history. Where Kubernetes leaves the outcome to Go's map order there is one for each outcome, and a subject
    must show exactly one of them.
    """

    histories: tuple[History, ...]

    chances: tuple[float, ...] = ()
    """How likely each of them is at least, where every order of a map is as likely as any other; () is unknown."""


def parts_of(record: object) -> dict[str, object] | None:
    """The fields of a record of this module or another dataclass by name; None for anything else."""
    if isinstance(record, Block | Table | Told | Enforced | Pages | Kernel | NodeState | PodVerdict | Hinted):
        return record._asdict()
    if is_dataclass(record) and not isinstance(record, type):
        return {part.name: getattr(record, part.name) for part in fields(record)}
    return None
