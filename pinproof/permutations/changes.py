"""What may have become of the pods while the kubelet was down.

A step of a scenario is seen by a kubelet that runs. A pod that is deleted or ends just before the kubelet stops leaves the same
state file as one that went while it was down, since a kubelet gives memory back with the next admission only. A pod that was
replaced by another would be admitted by the kubelet that runs, so there the file of before is put back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Container, Pod, Resources
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, Exit, Remove, Step

TOO_BIG: Final = ("too-big-before", "too-big-after")
"""Names of the pods that ask for more than the machine has, before and after the restart."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change."""

    name: str
    """`nothing`, `deleted a`."""

    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    """Behind the restart."""

    puts_file_back: bool = False
    """The state file is that of before these steps."""


def changes(live: Sequence[Pod], machine: Machine, wanted: Sequence[str]) -> Iterator[Change]:
    """The wanted changes that these pods allow, each pod in turn."""
    for name in CHANGES:
        if name in wanted:
            yield from _MAKERS[name](live, machine)


def _nothing(live: Sequence[Pod], machine: Machine) -> Iterator[Change]:
    yield Change("nothing")


def _deleted(live: Sequence[Pod], machine: Machine) -> Iterator[Change]:
    for pod in live:
        yield Change(f"deleted {pod.name}", (Remove(pod.name),))


def _finished(live: Sequence[Pod], machine: Machine) -> Iterator[Change]:
    """Pods that are never started again and have no init containers: their end is a matter of their app containers."""
    for pod in live:
        if pod.restart_policy == "Never" and not pod.init_containers:
            yield Change(f"finished {pod.name}", tuple(Exit(pod.name, one.name) for one in pod.containers))


def _changed(live: Sequence[Pod], machine: Machine) -> Iterator[Change]:
    for pod in live:
        smaller = tuple(map(_halved, pod.containers))
        if smaller != pod.containers:
            # A name of its own, because a history goes by names, and the file has the assignments of both.
            other = replace(pod, name=f"{pod.name}-changed", containers=smaller)
            yield Change(f"changed {pod.name}", (Remove(pod.name), Admit(other)), puts_file_back=True)


def _rejected(live: Sequence[Pod], machine: Machine) -> Iterator[Change]:
    whole = Quantity.of_bytes(sum(node.memory for node in machine.nodes) * 2)
    amounts: Resources = (("cpu", Quantity.parse("100m")), ("memory", whole))
    before, after = (Admit(Pod(name, (Container("c", amounts, amounts),))) for name in TOO_BIG)
    yield Change("rejected", (before,), (after,))


def _halved(container: Container) -> Container:
    """Half the memory, in whole bytes."""

    def half(resources: Resources) -> Resources:
        return tuple(
            (name, Quantity.of_bytes(amount.value() // 2) if name == "memory" else amount) for name, amount in resources
        )

    return replace(container, requests=half(container.requests), limits=half(container.limits))


_MAKERS: Final[Mapping[str, Callable[[Sequence[Pod], Machine], Iterator[Change]]]] = MappingProxyType(
    {"nothing": _nothing, "deleted": _deleted, "finished": _finished, "changed": _changed, "rejected": _rejected}
)

CHANGES: Final = tuple(_MAKERS)
"""What may become of the pods, by name."""
