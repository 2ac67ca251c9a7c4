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
    held: list[tuple[Location, OtherHints]] = [((), pod.hints)]
    for key, group in (("initContainers", pod.init_containers), ("containers", pod.containers)):
        held += [((key, index), container.hints) for index, container in enumerate(group)]
    for at, hints in held:
        for resource, given in hints:
            for index, (nodes, _) in enumerate(given or ()):
                for node in sorted(set(nodes or ()) - known):
                    there = ", ".join(map(str, sorted(known)))
                    yield (*at, "hints", resource, index), f"there is no node {node}; the machine has {there}"
