"""Whether a scenario can be judged on a node as it is: its machine, its configuration, what is in its books. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from pinproof.errors import CaptureError, InputError
from pinproof.history import History, Observation, Prediction
from pinproof.judge.compare import compare
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.configuration import Settings, settle
from pinproof.reference.model import predict
from pinproof.reference.outcomes import StartRefused
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Scenario
from pinproof.subjects.kubelet.observe import Names, left_in_files
from pinproof.subjects.protocol import Capabilities, Found, NotObservableError

_BOOKS: Final = Capabilities(frozenset({"machine", "assignments", "pod_assignments", "cpu"}), frozenset())


def choose(
    ways: Iterable[Found], release: str, names: Mapping[str, str], state: str | None, cpu: str | None, *, node: str
) -> Found:
    """The first of the ways that leads the reference to what the node has. `names` is UID → pod.

    Raises NotObservableError where none does.
    """
    why = ""
    try:
        seen = replace(left_in_files(state, cpu, Names(dict(names))), running=True)
        for found in ways:
            wrong = _difference(found, release, seen)
            if not wrong:
                return found
            why = why or wrong
    except (InputError, CaptureError) as error:
        why = str(error)
    raise NotObservableError(f"the reference cannot begin with what is on {node}: {why}")


def _difference(found: Found, release: str, seen: Observation) -> str:
    """What is different in the closest of the books that the reference comes to; empty for nothing."""
    begun = Scenario("beginning", found.machine, found.kubelet, found.before)
    ends = [
        History("", history.observations[-1:])
        for history in predict(begun, behaviour_of(release), texts=False).histories
    ]
    differences = compare(Prediction(tuple(ends)), History("", (seen,)), _BOOKS)
    return (
        f"{differences[0].path} would be {differences[0].expected}, and is {differences[0].seen}" if differences else ""
    )


def require_same(found: Found, machine: Machine, config: KubeletConfig, release: str) -> None:
    """Raises NotObservableError where the node is not what a scenario wants, in what the managers see; it says what differs."""
    require_machine(found, machine)
    _require_none(configuration_differs(found.machine, config, found.kubelet, release))


def require_machine(found: Found, machine: Machine) -> None:
    """Raises NotObservableError where the node is another machine, in what the managers see; it says what differs."""
    _require_none([*_of_machines(machine, found.machine)])


def _require_none(differing: Sequence[str]) -> None:
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


def configuration_differs(machine: Machine, wanted: KubeletConfig, there: KubeletConfig, release: str) -> list[str]:
    """The fields by which kubelets of a release with these configurations differ; empty where one serves as the other.

    The machine is the node's as it was found: names are part of what is settled.
    """
    left, right = (_settled(machine, each, release) for each in (wanted, there))
    if left == right:
        return []
    fields = (name for name in KubeletConfig.__slots__ if getattr(wanted, name) != getattr(there, name))
    return [f"{name} is to be {_text(getattr(wanted, name))}, and is {_text(getattr(there, name))}" for name in fields]


def _settled(machine: Machine, config: KubeletConfig, release: str) -> Settings | str:
    """What a kubelet makes of a configuration, or why it does not start with it."""
    try:
        return settle(machine, config, behaviour_of(release), lambda options: next(iter(options)))
    except StartRefused as refused:
        return str(refused)


def _text(value: object) -> str:
    return "unset" if value in ((), "", None) else str(value)
