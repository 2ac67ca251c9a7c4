"""How much of a node the pods of a scenario may ask for: a declared share of what is free on it. Pure.

What a scenario asks for counts, whether the kubelet will admit it or not: a kubelet under test is not trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from pinproof.reference.requests import PodLevel, asked
from pinproof.scenario.contents import arriving
from pinproof.scenario.pod import Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, AdmitTogether, Remove, Step, begun
from pinproof.subjects.protocol import NotObservableError

Amounts = Mapping[str, int]
"""Resource → bytes, and CPUs in thousandths."""


def free(node: Mapping[str, Any], there: Iterable[Pod]) -> dict[str, int]:
    """What the node (a document of the API server) has for pods beyond what those that are there ask for."""
    allocatable = node["status"]["allocatable"]
    counted = {name: text for name, text in allocatable.items() if name in ("cpu", "memory") or "hugepages-" in name}
    return without({name: _amount(name, Quantity.parse(text)) for name, text in counted.items()}, there)


def without(allocatable: Amounts, there: Iterable[Pod]) -> dict[str, int]:
    """What is left of it beyond what pods that are there ask for."""
    left = dict(allocatable)
    for pod in there:
        for name, amount in requested(pod).items():
            left[name] = left.get(name, 0) - amount
    return left


def check(steps: Iterable[Step], available: Amounts, share: Fraction) -> None:
    """Raises NotObservableError with the figures where pods that are there at one time ask for more than the share."""
    present: dict[str, Amounts] = {}
    for step in map(begun, steps):
        match step:
            case Admit() | AdmitTogether():
                present |= {pod.name: requested(pod) for pod in arriving(step)}
            case Remove(name):
                present.pop(name, None)
            case _:
                continue
        _check(present, available, share)


def _check(present: Mapping[str, Amounts], available: Amounts, share: Fraction) -> None:
    total: dict[str, int] = {}
    for amounts in present.values():
        for name, amount in amounts.items():
            total[name] = total.get(name, 0) + amount
    for name, amount in sorted(total.items()):
        room = available.get(name, 0)
        if amount > room * share:
            raise NotObservableError(
                f"its pods ask for {_shown(name, amount)} of {name}; {_shown(name, room)} are free on the node, of which "
                f"?share={float(share):g} allows {_shown(name, int(max(room, 0) * share))}"
            )


def requested(pod: Pod) -> Amounts:
    """What a pod asks of its node."""
    pod_level: PodLevel = "counted" if pod.has_resources else "ignored"
    return {name: amount for name, amount in asked(pod, pod_level).node.items() if name != "pods"}


def _amount(name: str, quantity: Quantity) -> int:
    return quantity.milli() if name == "cpu" else quantity.value()


def _shown(name: str, amount: int) -> str:
    return f"{amount / 1000:g}" if name == "cpu" else f"{amount >> 20}Mi"
