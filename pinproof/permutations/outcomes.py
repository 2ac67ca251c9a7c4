"""What came of restarts, grouped by the order in which the pods came back.

An outcome is told against how the node was before the restart: `as before` is what the Memory Manager promises, anything else
names the pods that are otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pinproof.history import Observation
from pinproof.judge.words import block
from pinproof.permutations.orders import Order
from pinproof.permutations.trials import Trial
from pinproof.report.result import Table

AS_BEFORE = "as before"

Outcome = str
"""`as before`, `b: rejected, TopologyAffinityError; c: memory 4294967296 (4Gi) on {1}`, `refuses: checkpoint is corrupted`."""

_FRAMES = re.compile(
    r"^(failed to run Kubelet|start (memory|cpu) manager error|could not restore state from checkpoint): "
)
_REMEDY = ", please drain this node"

HEAD = ("while the kubelet was down", "state file", "after step", "order of the pods", "outcome")


@dataclass(frozen=True, slots=True)
class Result:
    """One restart and what came of it."""

    trial: Trial
    outcome: Outcome


@dataclass(slots=True)
class Permuted:
    """The outcomes of all restarts of a scenario."""

    results: list[Result] = field(default_factory=list)

    @property
    def restarts(self) -> int:
        """Restarts that were carried out."""
        return len(self.results)

    def outcomes(self, state: str = "", *, change: str = "", steps: int | None = None) -> dict[Outcome, int]:
        """Outcome → restarts that had it, of the states and changes that begin with these words."""
        found: dict[Outcome, int] = {}
        for one in self._of(state, change, steps):
            found[one.outcome] = found.get(one.outcome, 0) + 1
        return dict(sorted(found.items()))

    def by_order(self, state: str, *, steps: int, change: str = "nothing") -> dict[Outcome, list[str]]:
        """Outcome → orders that led to it, such as `a b c`, of restarts after this many steps."""
        found: dict[Outcome, list[str]] = {}
        for one in self._of(state, change, steps):
            found.setdefault(one.outcome, []).append(" ".join(one.trial.order))
        return found

    def by_state(self, *, change: str = "nothing") -> dict[Outcome, list[str]]:
        """Outcome → states of the file that led to it, whatever the order; sorted."""
        found: dict[Outcome, set[str]] = {}
        for one in self._of("", change, None):
            found.setdefault(one.outcome, set()).add(one.trial.state)
        return {outcome: sorted(states) for outcome, states in sorted(found.items())}

    def table(self, title: str) -> Table:
        """One row for each outcome; restarts after different steps share a row where every order of each had it."""
        rows: dict[tuple[str, str, str, Outcome], list[int]] = {}
        for (change, state, steps), group in self._groups().items():
            for outcome, orders in group.items():
                shown = "every order" if len(group) == 1 else " | ".join(" ".join(order) for order in orders)
                rows.setdefault((change, state, shown, outcome), []).append(steps)
        return Table(
            title,
            HEAD,
            tuple(
                (change, state, ", ".join(map(str, steps)), shown, outcome)
                for (change, state, shown, outcome), steps in rows.items()
            ),
        )

    def _groups(self) -> dict[tuple[str, str, int], dict[Outcome, list[Order]]]:
        groups: dict[tuple[str, str, int], dict[Outcome, list[Order]]] = {}
        for one in self.results:
            trial = one.trial
            group = groups.setdefault((trial.change, trial.state, trial.steps), {})
            group.setdefault(one.outcome, []).append(trial.order)
        return groups

    def _of(self, state: str, change: str, steps: int | None) -> Iterable[Result]:
        return (
            one
            for one in self.results
            if one.trial.state.startswith(state)
            and one.trial.change.startswith(change)
            and steps in (None, one.trial.steps)
        )


def outcome_of(before: Observation, after: Observation, order: Order) -> Outcome:
    """What a restart made of the pods that came back."""
    if not after.running:
        return f"refuses: {short(after.refusal or 'without a word')}"
    told = ((pod, _pod(after, pod), _pod(before, pod)) for pod in sorted(order))
    changed = [f"{pod}: {now}" for pod, now, then in told if now != then or not before.running]
    return "; ".join(changed) or AS_BEFORE


def short(refusal: str) -> str:
    """The words of a refusal that are its own: without the frame that names file and remedy."""
    while found := _FRAMES.match(refusal):
        refusal = refusal[found.end() :]
    return refusal.partition(_REMEDY)[0]


def _pod(seen: Observation, pod: str) -> str:
    """Verdict, blocks and exclusive CPUs of a pod."""
    verdict = (seen.pods or {}).get(pod)
    if verdict is None:
        return "gone"
    if not verdict.admitted:
        return f"rejected, {verdict.reason}"
    held = [f"as a whole {block(one)}" for one in (seen.pod_assignments or {}).get(pod, ())]
    containers = (seen.assignments or {}).get(pod, {})
    for container, blocks in sorted(containers.items()):
        where = f"{container} " if len(containers) > 1 else ""
        held += [where + block(one) for one in blocks]
    cpus: Mapping[str, str] = seen.cpu.entries.get(pod, {}) if seen.cpu else {}
    held += [f"CPUs {listed} of {container}" for container, listed in sorted(cpus.items())]
    return ", ".join(held) or "nothing"
