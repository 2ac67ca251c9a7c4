"""Whether a scenario can be judged on a node as it is: its machine, its configuration, what is in its books. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pinproof.errors import CaptureError, InputError
from pinproof.history import Observation
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.configuration import Settings, settle
from pinproof.reference.model import predict
from pinproof.reference.outcomes import StartRefused
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Scenario
from pinproof.subjects.kubelet.observe import Names, left_in_files
from pinproof.subjects.protocol import Found, NotObservableError

_BOOKS = ("machine", "assignments", "pod_assignments", "cpu")


def require_beginning(
    found: Found, release: str, names: Mapping[str, str], state: str | None, cpu: str | None, *, node: str
) -> None:
    """Raises NotObservableError where the reference, led to what the node has, has other books. `names` is UID → pod."""
    begun = Scenario("beginning", found.machine, found.kubelet, found.before)
    try:
        histories = predict(begun, behaviour_of(release), texts=False).histories
        seen = left_in_files(state, cpu, Names(dict(names)))
    except (InputError, CaptureError) as error:
        raise NotObservableError(f"the reference cannot begin with what is on {node}: {error}") from error
    differences = [_difference(history.observations[-1], seen) for history in histories]
    if all(differences):
        raise NotObservableError(f"the reference cannot begin with what is on {node}: {differences[0]}")


def _difference(predicted: Observation, seen: Observation) -> str:
    if not predicted.running:
        return f"it says that a kubelet does not start there: {predicted.refusal}"
    for name in _BOOKS:
        expected, is_ = getattr(predicted, name), getattr(seen, name)
        if expected != is_ and (expected or is_):
            return f"{name} would be {expected}, and is {is_}"
    return ""


def require_same(found: Found, machine: Machine, config: KubeletConfig, release: str) -> None:
    """Raises NotObservableError where the node is not what a scenario wants, in what the managers see; it says what differs."""
    differing = [*_of_machines(machine, found.machine)] or [*_of_configurations(machine, config, found, release)]
    if differing:
        raise NotObservableError(f"the node is given, and is another: {'; '.join(differing)}")


def _of_machines(wanted: Machine, there: Machine) -> Iterator[str]:
    left, right = (tuple(_seen(node) for node in machine.seen()) for machine in (wanted, there))
    if left != right:
        yield f"the case wants {_shape(wanted)}, the node has {_shape(there)}"
    elif wanted.threads_per_core != there.threads_per_core:
        yield f"the case wants {wanted.threads_per_core} threads a core, the node has {there.threads_per_core}"


def _seen(node: NumaNode) -> tuple[object, ...]:
    return node.id, node.memory, node.cpus, tuple(entry for entry in node.hugepages if entry[1]), node.distances


def _shape(machine: Machine) -> str:
    nodes = [
        f"{node.id}: {Quantity.of_bytes(node.memory)} and {len(node.cpus)} CPUs"
        + "".join(f" and {pages} pages of {Quantity.of_bytes(size)}" for size, pages in node.hugepages if pages)
        for node in machine.seen()
    ]
    return f"NUMA nodes {', '.join(nodes)}"


def _of_configurations(machine: Machine, config: KubeletConfig, found: Found, release: str) -> Iterator[str]:
    left, right = _settled(machine, config, release), _settled(found.machine, found.kubelet, release)
    if left == right:
        return
    fields = (name for name in KubeletConfig.__slots__ if getattr(config, name) != getattr(found.kubelet, name))
    for name in fields:
        yield f"{name} is to be {_text(getattr(config, name))}, and is {_text(getattr(found.kubelet, name))}"


def _settled(machine: Machine, config: KubeletConfig, release: str) -> Settings | str:
    """What a kubelet makes of a configuration, or why it does not start with it."""
    try:
        return settle(machine, config, behaviour_of(release), lambda options: next(iter(options)))
    except StartRefused as refused:
        return str(refused)


def _text(value: object) -> str:
    return "unset" if value in ((), "", None) else str(value)
