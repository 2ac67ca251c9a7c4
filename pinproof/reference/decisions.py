"""The decisions of the reference by name: what a run of many scenarios has to have reached before green means anything.

Code that decides calls `reach("name")` where it takes a branch. Nobody listens unless asked (`ignore`), so that a prediction
does not pay for it. The names are a contract: coverage reports and the corpus of a campaign go by them.

>>> reached = Reached()
>>> reached("hints.preferred")
>>> reached("hints.preferred")
>>> reached["hints.preferred"], reached["hints.none"]
(2, 0)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType

Reach = Callable[[str], None]
"""Is told the name of every decision that is taken."""


class Reached(Counter[str]):
    """How often each decision was taken."""

    __slots__ = ()

    def __call__(self, name: str) -> None:
        """Count a decision."""
        self[name] = self.get(name, 0) + 1


def ignore(name: str) -> None:
    """For those who do not want to know."""


ADMISSIONS = "admission"
BY_MEMORY = "admission.by-memory"


def decided_by_memory(reached: Mapping[str, int]) -> float:
    """The part of the admissions of arriving pods that memory decided: with boundless memory they had ended otherwise.

    Otherwise is another verdict, or another merged hint, or other nodes for the memory of some container. Boundless is an
    answer of all sets of nodes, single ones preferred; a container that may go anywhere goes to the first node.
    """
    return reached.get(BY_MEMORY, 0) / max(1, reached.get(ADMISSIONS, 0))


_REFUSALS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "refusal.gate": ("depends on features that are disabled", "A gate is on without one that it needs."),
        "refusal.topology-policy": ("topologyManagerPolicy", "There is no such Topology Manager policy."),
        "refusal.topology-scope": ("topologyManagerScope", "There is no such Topology Manager scope."),
        "refusal.limit-type": ("is not supported, only", "Something that is no memory is reserved on a node."),
        "refusal.zero-reservation": ("may not be zero", "Nothing is reserved of a type."),
        "refusal.duplicate-reservation": ("has a duplicate value", "A type is reserved twice on one node."),
        "refusal.unknown-option": (
            "unknown Topology Manager Policy option",
            "The release does not know a Topology Manager option.",
        ),
        "refusal.option-value": ("bad value for option", "An option is neither true nor false."),
        "refusal.option-number": ("to integer", "The limit on nodes is no number."),
        "refusal.option-minimum": ("should not be less than", "The limit on nodes is below 8."),
        "refusal.no-distances": (
            "getting NUMA distances",
            "Closest nodes are wanted and the kernel shows no distances.",
        ),
        "refusal.too-many-nodes": ("unsupported on machines with more than", "There are more nodes than allowed."),
        "refusal.reserved-resource": ("cannot reserve", "A resource is reserved that cannot be."),
        "refusal.negative-reservation": ("cannot be negative", "Less than nothing is reserved."),
        "refusal.no-reserved-cpus": ("unable to determine reserved CPU", "CPU policy static without a reserved CPU."),
        "refusal.too-few-cpus": ("unable to reserve the required", "More CPUs are reserved than there are."),
        "refusal.beyond-capacity": ("invalid Node Allocatable configuration", "More is reserved than the machine has."),
        "refusal.absent-cpus": ("is not a subset of online-cpus", "A CPU is reserved that does not exist."),
        "refusal.unknown-policy": ("unknown policy", "There is no such CPU or memory manager policy."),
        "refusal.not-on-this-system": ("is not available", "The memory manager policy is of another operating system."),
        "refusal.unknown-node": ("references a NUMA node", "Memory is reserved on a node that does not exist."),
        "refusal.reservation-differs": (
            "is not equal to the value",
            "What is reserved on the nodes is not what Node Allocatable keeps.",
        ),
        "refusal.not-int64": ("could not covert", "A reservation is no whole number of bytes."),
        "refusal.nothing-reserved": ("you should specify the system reserved", "No memory is reserved for the system."),
        "refusal.memory-policy-differs": ("[memorymanager] configured policy", "The state file is of another policy."),
        "refusal.cpu-policy-differs": ("configured policy", "The CPU manager's file is of another policy."),
        "refusal.cpu-format": ("CPUManagerCheckpointV1", "The CPU manager's file is of a newer format."),
        "refusal.cpu-checksum": (
            "corrupted, please drain this node and delete the CPU manager checkpoint file",
            "The CPU manager's file is of a newer format and empty.",
        ),
        "refusal.corrupted": ("checkpoint is corrupted", "The checksum of the state file does not verify."),
        "refusal.not-json": ("could not restore state from checkpoint", "The state file is not JSON of its shape."),
        "refusal.assignments-without-machine": (
            "machine state can not be empty",
            "The state file has assignments and no machine.",
        ),
        "refusal.unknown-node-assigned": (
            "uses the NUMA that does not exist",
            "A block is on a node that is not there.",
        ),
        "refusal.unknown-type-assigned": (
            "uses memory resource that does not exist",
            "A block is of a type that is not there.",
        ),
        "refusal.books-differ": (
            "expected machine state is different",
            "Replayed blocks do not give the books of the file.",
        ),
        "refusal.default-cpus-empty": ("default cpuset cannot be empty", "All CPUs are taken and none is left."),
        "refusal.reserved-cpus-taken": ("not all reserved cpus", "A reserved CPU was given to a container."),
        "refusal.cpus-overlap": ("overlaps with default cpuset", "A container's CPU is also in the default set."),
        "refusal.other-cpus": (
            "doesn't match with CPUs in state",
            "The CPUs of the file are not those of the machine.",
        ),
        "panic.unknown-page-size": (
            "nil pointer dereference",
            "The kubelet crashes over a page size the machine has not.",
        ),
        "panic.distances": ("index out of range", "The kubelet crashes over distances where node numbers have gaps."),
    }
)
"""Name → part of the kubelet's words, and what is the matter. The first that fits is meant."""


def name_of_refusal(words: str) -> str:
    """The name of a refusal to start, or of a crash, by its words."""
    return next((name for name, (part, _) in _REFUSALS.items() if part in words), "refusal.other")


_ADMISSION = {
    ADMISSIONS: "A pod arrives.",
    BY_MEMORY: "With boundless memory its admission would have ended otherwise.",
    "pod.guaranteed": "The managers act for a pod.",
    "pod.left-alone": "They do not, because of its QoS class or its pod-level resources.",
    "policy.none": "Nobody is asked for hints.",
    "policy.best-effort.admits": "best-effort takes whatever was merged.",
    "policy.restricted.admits": "restricted takes a preferred hint.",
    "policy.restricted.rejects": "restricted does not take any other.",
    "policy.single-numa-node.admits": "single-numa-node takes a preferred hint.",
    "policy.single-numa-node.rejects": "single-numa-node does not take any other.",
    "node.lacks-cpu-or-memory": "The sum of CPU or memory requests is more than the node has, or there are too many pods.",
    "node.lacks-pages": "The sum of huge page requests alone is.",
    "node.pod-level-is-off": "Pod-level resources are refused, since the gate is off (1.34).",
    "node.pod-level-on-windows": "Pod-level resources are refused on Windows (1.34).",
    "other.proposes": "Another provider has hints.",
    "other.indifferent": "Another provider has no preference for a resource.",
    "other.impossible": "Another provider says that it is impossible.",
    "windows.follows-cpus": "Memory follows the container's CPUs instead of the merged hint (1.37).",
}

_HINTS = {
    "hints.unreadable-request": "A request is no whole number of bytes, so there is no preference.",
    "hints.empty-pod-request": "A pod asks for no memory, so there is no preference.",
    "hints.larger-than-machine": "No set of nodes could ever serve the request.",
    "hints.beyond-allocatable": "Some set of nodes could never serve it.",
    "hints.group-excludes-single": "A node would do and is in a group.",
    "hints.single-use-excludes-group": "Several nodes would do and one is in use alone.",
    "hints.group-excludes-other-group": "Several nodes would do and one is in another group.",
    "hints.not-enough-free": "A set of nodes has the memory and too little of it free.",
    "hints.reuse-makes-it-fit": "It has enough only with what init containers leave.",
    "hints.preferred": "A hint is preferred.",
    "hints.not-preferred": "A hint has more nodes than an empty machine would need.",
    "hints.preferred-needs-several-nodes": "Preferred hints have several nodes, since one is never enough.",
    "hints.none-preferred": "There are hints and none is preferred.",
    "hints.none": 'There are none, which is said as "no preference".',
    "hints.several-types": "Several types have to fit the same nodes.",
    "regenerate.equal": "Blocks are what is asked for, so they are the only hint.",
    "regenerate.other-number": "There are more or fewer blocks than types asked for: no preference.",
    "regenerate.other-type": "A block is of a type that is not asked for: no preference.",
    "regenerate.other-size": "A block is of another size: no preference.",
    "cpus.preferred": "The CPU manager has preferred hints.",
    "cpus.none-preferred": "It has hints and none is preferred.",
    "cpus.impossible": "It has none, and says so.",
    "cpus.reusable-binds": "Its hints have to contain the CPUs of init containers.",
    "cpus.held-another-number": "A container holds another number of CPUs than it asks for: impossible.",
}

_MERGE = {
    "merge.provider-without-preference": "A provider does not mind.",
    "merge.impossible": "A provider has no proposal for a resource.",
    "merge.single-node-drops-hints": "single-numa-node leaves out hints of several nodes, or not preferred ones.",
    "merge.all-nodes-is-any": 'single-numa-node says "any" instead of all nodes.',
    "merge.lowest-of-several": "Of several masks of one size the lowest is taken.",
    "merge.lowest-is-closest": "The lowest of them is the closest together too.",
    "merge.closest-of-several": "Another of them is closer together.",
    "merge.not-preferred.of-that-size": "A hint that is not preferred has N nodes.",
    "merge.not-preferred.smaller": "It has fewer.",
    "merge.not-preferred.larger": "It has more.",
    "merge.nothing-in-common": "No node is common to all providers: all nodes, not preferred.",
}

_ALLOCATE = {
    "allocate.has-its-blocks": "A container has its blocks already.",
    "allocate.default": "There is no mask, and the best own hint is taken.",
    "allocate.no-default": "There is none.",
    "allocate.default-not-preferred": "It would have to be preferred and is not.",
    "allocate.extended": "The mask has too little free and is extended.",
    "allocate.extended-by-reuse": "It has too little free and stays, since memory is reused.",
    "allocate.no-extension": "No set of nodes that contains it will do.",
    "allocate.extension-not-preferred": "It would have to be preferred and is not.",
    "allocate.breaks-a-group": "The mask would break a group (1.32).",
    "allocate.groups-overlap": "It breaks a group and nobody looks (up to 1.31).",
    "allocate.on-1": "A block is on one node.",
    "allocate.on-2": "On two.",
    "allocate.on-3": "On three.",
    "allocate.on-4-or-more": "On four or more.",
    "allocate.joins-a-group": "A block joins a group that is there.",
    "allocate.single-inside-a-group": "A single node of a living group is taken out of it.",
    "allocate.huge-pages": "A block is of huge pages.",
    "allocate.empty-block": "A block takes nothing.",
    "allocate.reuses-some": "A block takes some of its memory over from init containers.",
    "allocate.reuses-all": "A block takes all of it over.",
    "allocate.remainder-lost": "A block says more than was free.",
    "cpus.has-its-cpus": "A container has its CPUs already.",
    "cpus.taken": "A container gets CPUs.",
    "cpus.reused": "It gets some of the init containers' CPUs.",
    "cpus.beyond-the-mask": "The mask has too few, so it gets others as well.",
    "cpus.too-few": "There are too few: the admission fails.",
}

_LIFE = {
    "init.block-shrunk": "An init container's block is taken over in part.",
    "init.block-emptied": "It is taken over as a whole, and stays with 0 bytes.",
    "init.init-reuses": "A later init container reuses what an earlier one leaves.",
    "init.later-container-uses-up": "A sidecar or app container uses it up.",
    "life.init-ends": "A regular init container ends.",
    "life.container-comes-back": "A container ends and is started again.",
    "life.container-ends": "A container ends for good.",
    "life.pod-finishes": "A pod ends for good.",
    "release.init-is-over": "The next container starts, so a regular init container loses its blocks.",
    "release.stale": "A pod that is gone loses its blocks at the next admission.",
    "release.order-decides": "In which order it loses them decides what is left on the nodes.",
    "release.group-goes-on": "A block of a group is released and others stay.",
    "release.group-ends": "The last one is released: its nodes are alone again.",
}

_RESTART = {
    "restart.pod-admitted-again": "A pod passes its admission after a restart.",
    "restart.pod-rejected": "It does not.",
    "start.overdrawn": "A node is to keep more for the system and huge pages than it has, and seems to have 16Ei left.",
    "load.no-file": "There is no state file.",
    "load.own-file": "The state file is one that this kubelet could have written.",
    "load.file-of-another-kind": "It was written by another release, or with another gate.",
    "load.text": "It was put there or edited.",
    "load.unverified": "It has no checksum, which is not verified (1.36).",
    "load.format-1": "Its checksum is that of format 1.",
    "load.format-2": "That of format 2.",
    "load.format-3": "Its data is that of format 3.",
    "validate.empty-machine": "The file has no machine: a fresh start.",
    "validate.empty-machine-with-assignments": "The file has assignments and no machine.",
    "validate.agrees": "The replay gives the books of the file.",
    "validate.other-nodes": "The machine has other nodes.",
    "validate.other-number-of-assignments": "A node has more or fewer assignments.",
    "validate.other-group": "A node is in another group.",
    "validate.other-types": "A node has other memory types.",
    "validate.other-totals": "A total, reservation or allocatable differs.",
    "validate.other-sums": "Free or reserved memory differs.",
    "validate.order-matters": "Masks overlap, so that the order of the replay could decide.",
    "validate.order-decides": "It does decide whether the kubelet starts.",
}

_POD_LEVEL = {
    "pod-level.ignored": "A kubelet without pod-level resources meets them.",
    "pod-level.unsupported": "With the gate off the managers leave the pod alone all the same (1.36).",
    "pod-level.counted-without-pages": "They decide QoS class and, without huge pages, sums of the node alone (1.32).",
    "pod-level.counted": "They decide QoS class and sums of the node alone (1.33).",
    "pod-level.skipped": "The managers leave the pod alone (1.34).",
    "pod-level.managed": "The managers serve the pod (1.36).",
    "pod-level.allocated": "A pod gets memory as a whole.",
    "pod-level.allocated-again": "It gets memory again after a restart (#140906).",
    "pod-level.no-hints-for-an-empty-pool": "Nothing is left for its shared containers: impossible.",
    "pod-level.no-memory-for-shared-containers": "The pod is refused for lack of memory for them.",
    "pod-level.no-cpus-for-shared-containers": "It is refused for lack of CPUs for them.",
    "pod-level.empty-request-skipped": "A container without a request of its own is left alone (1.37).",
}

DECISIONS: Mapping[str, str] = MappingProxyType(
    _ADMISSION
    | _HINTS
    | _MERGE
    | _ALLOCATE
    | _LIFE
    | _RESTART
    | _POD_LEVEL
    | {name: meaning for name, (_, meaning) in _REFUSALS.items()}
)
"""Every decision, with what it is: the denominator of coverage."""
