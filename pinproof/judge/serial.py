"""What it means for a verdict that pods arrived together, and which order of them was found to explain what was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pinproof.judge.verdict import Finding, Judgement
from pinproof.subjects.protocol import Capabilities


@dataclass(frozen=True, slots=True)
class SerialOrder:
    """What was found out about the steps in which pods arrived together."""

    choices: tuple[int, ...]
    """Of the reference (`predict(along=...)`): they lead to what was seen, as far as any do."""

    tried: int
    """Admissions that the search took."""

    failed: int | None = None
    """Index of the observation that no order explains; None where there is none."""

    pods: int = 0
    """That arrived in that step."""

    begun: tuple[str, ...] = ()
    """The longest beginning of an order that fits what was seen in that step."""

    gave_up: bool = False
    """The search came to its limit in that step, so there may be an order all the same."""


def without_hints(capabilities: Capabilities) -> Capabilities:
    """What is compared where pods arrived together: hints tell in which order, and several orders may come to the same."""
    return replace(capabilities, observables=capabilities.observables - {"hints"})


def with_order(judgement: Judgement, order: SerialOrder) -> Judgement:
    """The judgement, and what it means that no order was found."""
    if order.failed is None or judgement.trouble:
        return judgement
    begun = f"the longest beginning that fits is {', '.join(order.begun)}" if order.begun else "none fits as the first"
    if order.gave_up:
        trouble = f"no order of the {order.pods} pods was found in {order.tried} admissions; {begun}"
        return replace(judgement, trouble=trouble)
    finding = Finding(
        "modelled",
        "",
        order.failed,
        "order",
        f"what comes of the {order.pods} pods one after the other, in some order",
        f"no order explains it: {begun} ({len(order.begun)} of {order.pods})",
        "",
    )
    earlier = [found for found in judgement.findings if found.step < order.failed]
    return replace(judgement, findings=(*earlier, finding, *judgement.findings[len(earlier) :]))
