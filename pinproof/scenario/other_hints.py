"""What a hint provider beside the CPU and memory managers answers: documents → values, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pinproof.scenario.document import HintDocument
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import OtherHints, Pod
from pinproof.scenario.yamltext import Location


def hints_of(documents: Mapping[str, Sequence[HintDocument] | None]) -> OtherHints:
    """The value of a `hints` mapping."""
    return tuple(
        (resource, None if hints is None else tuple(_hint(hint) for hint in hints))
        for resource, hints in sorted(documents.items())
    )


def _hint(document: HintDocument) -> tuple[tuple[int, ...] | None, bool]:
    nodes = document.nodes
    return (None if nodes is None else tuple(sorted(nodes)), document.preferred)


def has_hints(pod: Pod) -> bool:
    """Whether another hint provider has anything to say about a pod."""
    return bool(pod.hints or any(container.hints for container in pod.all_containers))


def written(hints: OtherHints) -> dict[str, Any]:
    """The `hints` mapping of a value, as it stands in a file."""
    return {
        resource: None
        if given is None
        else [{"nodes": None if nodes is None else list(nodes), "preferred": preferred} for nodes, preferred in given]
        for resource, given in hints
    }


def check_hints(pod: Pod, machine: Machine) -> Iterator[tuple[Location, str]]:
    """Hints that name a node which the machine does not have; places are those of the pod's short form."""
    known = {node.id for node in machine.seen()}
    for at, given in _lists(pod):
        for index, (nodes, _) in enumerate(given):
            for node in sorted(set(nodes or ()) - known):
                there = ", ".join(map(str, sorted(known)))
                yield (*at, index), f"there is no node {node}; the machine has {there}"


def repeated_hints(pod: Pod) -> Iterator[tuple[Location, str]]:
    """Nodes that stand twice in the hints of a device, which no provider answers."""
    for at, given in _lists(pod):
        nodes = [hint[0] for hint in given]
        for index, named in enumerate(nodes):
            if named in nodes[:index]:
                yield (*at, index), "the same nodes as in a hint before; name every set of nodes once"


def _lists(pod: Pod) -> Iterator[tuple[Location, Sequence[tuple[tuple[int, ...] | None, bool]]]]:
    """Every list of hints with its place in the pod's short form."""
    held: list[tuple[Location, OtherHints]] = [((), pod.hints)]
    for key, group in (("initContainers", pod.init_containers), ("containers", pod.containers)):
        held += [((key, index), container.hints) for index, container in enumerate(group)]
    for at, hints in held:
        for resource, given in hints:
            yield (*at, "hints", resource), given or ()
