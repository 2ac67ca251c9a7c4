"""What a subject showed, in the words of a case.

`Seen` wraps an observed history. Everything takes `after=`, the number of a step: 0 is the start of the kubelet, 1 the
first step of the scenario, -1 the last. `seen.at(n)` is the same history as it was after step n, for the properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from pinproof.history import (
    Block,
    CpuState,
    Enforced,
    Hint,
    Hinted,
    History,
    Kernel,
    NodeState,
    Observation,
    Pages,
    PodVerdict,
    Resources,
    Table,
    Told,
)
from pinproof.scenario.contents import arriving
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import EXPOSITION, Capabilities
from pinproof.subjects.protocol import NotObservableError as NotObservableError

T = TypeVar("T")


class NothingToSeeError(AssertionError):
    """The subject shows such things, but not at this step: the kubelet did not run, or the scenario ended before."""


def gib(number: float) -> int:
    """Bytes of so many GiB."""
    return int(number * (1 << 30))


def mib(number: float) -> int:
    """Bytes of so many MiB."""
    return int(number * (1 << 20))


def size(quantity: str) -> int:
    """Bytes of a quantity: `size("4Gi")`."""
    return Quantity.parse(quantity).value()


def block(nodes: int | tuple[int, ...], **amount: str) -> Block:
    """One block: `block(0, memory="4Gi")`, `block((0, 1), hugepages_1Gi="2Gi")`."""
    ((kind, quantity),) = amount.items()
    affinity = (nodes,) if isinstance(nodes, int) else tuple(sorted(nodes))
    return Block(affinity=affinity, type=memory_type(kind), size=size(quantity))


def memory_type(word: str) -> str:
    """`hugepages_2Mi` as Kubernetes spells it."""
    return word.replace("_", "-")


@dataclass(frozen=True, slots=True, repr=False)
class Seen:
    """An observed history and what its subject is able to show."""

    history: History
    capabilities: Capabilities

    def __repr__(self) -> str:
        """What a person wants to see beside a failed assertion: the last verdicts, not the whole history."""
        last = self.history.observations[-1] if self.history.observations else Observation(running=False)
        pods = [f"{name}: {_answer(answer)}" for name, answer in sorted((last.pods or {}).items())]
        state = "; ".join(pods) or ("no pods" if last.running else f"not running: {last.refusal}")
        return f"<{self.history.subject} after step {len(self.history.observations) - 1}: {state}>"

    def at(self, step: int) -> Seen:
        """The history up to and including this step."""
        observations = self.history.observations
        index = self._index(step)
        cut = History(subject=self.history.subject, observations=observations[: index + 1])
        return Seen(cut, self.capabilities)

    def begun(self, scenario: Scenario) -> Seen:
        """The history since somebody looked: what led to a node that was given is no step here, and its pods are not told of."""
        first = self.history.unseen
        if not first:
            return self
        others = {pod.name for step in scenario.steps[:first] for pod in arriving(step)}
        observations = tuple(
            replace(each, pods={name: answer for name, answer in each.pods.items() if name not in others})
            if each.pods is not None
            else each
            for each in self.history.observations[first:]
        )
        return Seen(replace(self.history, observations=observations, unseen=0), self.capabilities)

    def observation(self, after: int = -1) -> Observation:
        """The whole observation after a step."""
        return self.history.observations[self._index(after)]

    # --- pods

    def verdict(self, pod: str, *, after: int = -1) -> PodVerdict | None:
        """How the kubelet answered the pod; None when it does not know it."""
        pods: Mapping[str, PodVerdict] = self._field("pods", after)
        return pods.get(pod)

    def admitted(self, pod: str, *, after: int = -1) -> bool:
        """Whether the kubelet knows the pod and has admitted it."""
        answer = self.verdict(pod, after=after)
        return answer is not None and answer.admitted

    def rejected(self, pod: str, *, after: int = -1) -> bool:
        """Whether the kubelet knows the pod and has rejected it."""
        answer = self.verdict(pod, after=after)
        return answer is not None and not answer.admitted

    def pods(self, *, after: int = -1) -> list[str]:
        """Names of all pods the kubelet knows, sorted."""
        return sorted(self._field("pods", after))

    def warnings(self, pod: str, *, after: int = -1) -> list[tuple[str, str]]:
        """(Reason, message) of the kubelet's warnings that the API server has about a rejected pod."""
        events: Mapping[str, tuple[tuple[str, str], ...]] = self._field("events", after)
        return list(events.get(pod, ()))

    def made(self, pod: str, *, after: int = -1) -> int:
        """How many pods the controller of its first pod has made by now, that one included; 0 for no controller."""
        numbers: Mapping[str, int] = self._field("made", after)
        return numbers.get(pod, 0)

    # --- assignments

    def blocks(self, pod: str, container: str = "c", *, after: int = -1) -> list[Block]:
        """The memory blocks of a container, sorted; none is the empty list."""
        assignments: Mapping[str, Mapping[str, tuple[Block, ...]]] = self._field("assignments", after)
        return sorted(assignments.get(pod, {}).get(container, ()))

    def pod_blocks(self, pod: str, *, after: int = -1) -> list[Block]:
        """The memory blocks of a pod as a whole, sorted; none is the empty list."""
        assignments: Mapping[str, tuple[Block, ...]] = self._field("pod_assignments", after)
        return sorted(assignments.get(pod, ()))

    def assigned(self, *, after: int = -1) -> dict[str, list[str]]:
        """Pod → containers that have blocks, both sorted."""
        assignments: Mapping[str, Mapping[str, tuple[Block, ...]]] = self._field("assignments", after)
        return {pod: sorted(containers) for pod, containers in sorted(assignments.items()) if containers}

    def told(self, pod: str, container: str = "c", *, after: int = -1) -> Told:
        """What the runtime was told when the container was last created."""
        told: Mapping[str, Mapping[str, Told]] = self._field("told", after)
        try:
            return told[pod][container]
        except KeyError:
            raise NothingToSeeError(f"container {container!r} of pod {pod!r} was not created") from None

    def created(self, pod: str, container: str = "c", *, after: int = -1) -> bool:
        """Whether the runtime was asked to create the container."""
        told: Mapping[str, Mapping[str, Told]] = self._field("told", after)
        return container in told.get(pod, {})

    def mems(self, pod: str, container: str = "c", *, after: int = -1) -> str:
        """`cpuset.mems` the runtime was told, in list form; empty when nothing is pinned."""
        return self.told(pod, container, after=after).cpuset_mems

    def cpus(self, pod: str, container: str = "c", *, after: int = -1) -> str:
        """`cpuset.cpus` the runtime was told, in list form."""
        return self.told(pod, container, after=after).cpuset_cpus

    def enforced(self, pod: str, container: str = "c", *, after: int = -1) -> Enforced:
        """What the kernel holds a running container to, of what the runtime was told and the host has."""
        enforced: Mapping[str, Mapping[str, Enforced]] = self._field("enforced", after)
        try:
            return enforced[pod][container]
        except KeyError:
            raise NothingToSeeError(f"nothing that container {container!r} of pod {pod!r} was told is here") from None

    def pages(self, pod: str, container: str = "c", *, after: int = -1) -> Pages:
        """Where the kernel has put the memory of a running container."""
        lying: Mapping[str, Mapping[str, Pages]] = self._field("pages", after)
        if container not in lying.get(pod, {}):
            raise NothingToSeeError(f"container {container!r} of pod {pod!r} does not run")
        return lying[pod][container]

    def kernel(self, *, after: int = -1) -> Kernel:
        """What the node's kernel says of the node as a whole."""
        seen: Kernel = self._field("kernel", after)
        return seen

    def exclusive_cpus(self, pod: str, container: str = "c", *, after: int = -1) -> str:
        """CPUs the CPU manager keeps for the container alone, in list form; empty for none."""
        books: CpuState = self._field("cpu", after)
        return books.entries.get(pod, {}).get(container, "")

    # --- books of a node

    def node(self, node: int, *, after: int = -1) -> NodeState:
        """The books of one NUMA node."""
        machine: Mapping[int, NodeState] = self._field("machine", after)
        if node not in machine:
            raise NothingToSeeError(f"the machine state has no node {node}, only {sorted(machine)}")
        return machine[node]

    def table(self, node: int, type: str = "memory", *, after: int = -1) -> Table:  # noqa: A002  # Kubernetes' word
        """The books of one memory type (`memory`, `hugepages-2Mi` or `hugepages_2Mi`) on one node."""
        tables = self.node(node, after=after).memory
        kind = memory_type(type)
        if kind not in tables:
            raise NothingToSeeError(f"node {node} has no {kind}, only {sorted(tables)}")
        return tables[kind]

    def total(self, node: int, type: str = "memory", *, after: int = -1) -> int:  # noqa: A002  # Kubernetes' word
        """Bytes of the type on the node."""
        return self.table(node, type, after=after).total

    def system_reserved(self, node: int, type: str = "memory", *, after: int = -1) -> int:  # noqa: A002  # see table
        """Bytes kept for the system."""
        return self.table(node, type, after=after).system_reserved

    def allocatable(self, node: int, type: str = "memory", *, after: int = -1) -> int:  # noqa: A002  # see table
        """Bytes that pods may have."""
        return self.table(node, type, after=after).allocatable

    def reserved(self, node: int, type: str = "memory", *, after: int = -1) -> int:  # noqa: A002  # see table
        """Bytes that pods have."""
        return self.table(node, type, after=after).reserved

    def free(self, node: int, type: str = "memory", *, after: int = -1) -> int:  # noqa: A002  # see table
        """Bytes that are left to pods."""
        return self.table(node, type, after=after).free

    def cells(self, node: int, *, after: int = -1) -> tuple[int, ...]:
        """The node's group."""
        return self.node(node, after=after).cells

    def assignments_on(self, node: int, *, after: int = -1) -> int:
        """`numberOfAssignments` of the node."""
        return self.node(node, after=after).number_of_assignments

    # --- counters and PodResources

    def counter(self, name: str, *, after: int = -1, **labels: str) -> int:
        """A counter since the kubelet process started; a labelled one that was never touched is 0.

        Args:
            name: metric name, with or without `kubelet_`.
            after: step.
            labels: label → value.
        """
        counters: Mapping[str, int] = self._field("counters", after)
        full = _series(name, labels)
        if labels:
            return counters.get(full, 0)
        if full not in counters:
            raise NothingToSeeError(f"there is no counter {full}, only {', '.join(sorted(counters))}")
        return counters[full]

    def series(self, name: str, *, after: int = -1, **labels: str) -> int | None:
        """A labelled series as the metrics page has it; None when it is not there, since it was never touched."""
        if EXPOSITION not in self.capabilities.observables:
            raise NotObservableError(f"{self.history.subject} does not show {EXPOSITION}")
        counters: Mapping[str, int] = self._field("counters", after)
        return counters.get(_series(name, labels))

    def pod_resources(self, pod: str, *, after: int = -1) -> dict[str, Resources]:
        """What PodResources `List` says of the pod: container → resources; empty when the pod is not listed."""
        listed: Mapping[str, Mapping[str, Resources]] = self._field("pod_resources", after)
        return dict(listed.get(pod, {}))

    @property
    def allocatable_resources(self) -> Resources:
        """What PodResources `GetAllocatableResources` says of the node."""
        return self._field("allocatable", -1)

    # --- the kubelet

    def memory_hints(self, pod: str, *, after: int = -1) -> list[Hint]:
        """Hints that the memory manager gave for memory of the pod, or of its containers in turn; none is no preference."""
        asked: tuple[Hinted, ...] = self._field("hints", after)
        mine = [each for each in asked if each.pod == pod]
        return [hint for each in mine for hint in each.answers.get("memory", {}).get("memory") or ()]

    @property
    def running(self) -> bool:
        """Whether the kubelet runs."""
        return self.observation().running

    def killed(self, *, after: int) -> bool:
        """Whether the kubelet came to the point at which the step kills it."""
        observation = self.observation(after)
        return not observation.running and observation.refusal is None

    @property
    def refusal(self) -> str:
        """With what message the kubelet refused to start; empty when it did not."""
        return self.observation().refusal or ""

    @property
    def state_file(self) -> str:
        """The text of `memory_manager_state`; empty when there is none."""
        return self._field("state_file", -1)

    @property
    def policy(self) -> str:
        """`policyName` in the state file."""
        return self._field("policy", -1)

    def _index(self, after: int) -> int:
        count = len(self.history.observations)
        index = after + count if after < 0 else after
        if not 0 <= index < count:
            raise NothingToSeeError(f"nothing was seen after step {after}: the history ends with step {count - 1}")
        return index

    def _field(self, name: str, after: int) -> T:  # type: ignore[type-var]  # the caller names the field's type
        if name not in self.capabilities.observables:
            raise NotObservableError(f"{self.history.subject} does not show {name}")
        observation = self.observation(after)
        value = getattr(observation, name)
        if value is None:
            why = "the kubelet did not run" if not observation.running else "it was not captured"
            refusal = f": {observation.refusal}" if observation.refusal else ""
            raise NothingToSeeError(f"no {name} after step {self._index(after)}: {why}{refusal}")
        return cast(T, value)


def _series(name: str, labels: Mapping[str, str]) -> str:
    """A series as the exposition spells it."""
    full = name if name.startswith("kubelet_") else f"kubelet_{name}"
    inside = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{full}{{{inside}}}" if labels else full


def _answer(verdict: PodVerdict) -> str:
    return "admitted" if verdict.admitted else f"rejected, {verdict.reason}: {verdict.message}"
