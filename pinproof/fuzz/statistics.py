"""What a seed draws: how often each feature, how pods fare on the reference, which decisions are reached, and how fast.

Nothing is run but the reference, so this is how the grammar is tuned. A campaign prints the like for what it ran.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pinproof.fuzz.draws import RandomDraws
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.scenarios import DEFAULT, draw_scenario
from pinproof.history import Observation
from pinproof.reference.decisions import DECISIONS, Reached, decided_by_memory
from pinproof.reference.model import predict
from pinproof.scenario.steps import Admit, AdmitTogether, Exit, Remove, Restart, Scenario, Step

Features = Mapping[str, Mapping[str, int]]
"""Group, such as `nodes` → value → how often."""

UNREACHABLE: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        ("refusal.default-cpus-empty", "refusal.cpus-overlap"),
        "A scenario edits the memory manager's file alone, and no CPU manager writes such a file of its own.",
    )
)
"""Decisions that no scenario can reach, and why."""

_RAREST = 12
"""So many of the decisions that were reached least are named."""

_WIDTH = 100
"""Columns of a rendered line."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of some scenarios of one profile."""

    scenarios: int
    features: Features
    reached: Reached
    """Decision of the reference → how often it was taken."""

    draw_ms: float
    """Time to draw a scenario."""

    predict_ms: float
    """Time to predict it, without texts."""

    @property
    def by_memory(self) -> float:
        """The part of the admissions that memory decided."""
        return decided_by_memory(self.reached)

    @property
    def missed(self) -> tuple[str, ...]:
        """Decisions that no scenario reached, although one could."""
        return tuple(name for name in DECISIONS if name not in self.reached and name not in UNREACHABLE)

    def render(self) -> str:
        """For people."""
        known = len(DECISIONS) - len(UNREACHABLE)
        lines = [
            f"{self.scenarios:,} scenarios: {self.draw_ms:.2f} ms to draw, {self.predict_ms:.2f} ms to predict, each",
            f"decided by memory: {self.by_memory:.0%} of the admissions",
            f"decisions reached: {known - len(self.missed)} of {known}, beside {len(UNREACHABLE)} that nothing can reach",
            *(f"  not reached: {name}: {DECISIONS[name]}" for name in self.missed),
        ]
        lines += [line for group, counts in self.features.items() for line in _group(group, counts)]
        rarest = sorted((self.reached[name], name) for name in DECISIONS if name in self.reached)[:_RAREST]
        lines += [f"rarest decisions: {', '.join(f'{name} {count:,}' for count, name in rarest)}"] if rarest else []
        return "\n".join(lines) + "\n"


def statistics(scenarios: int, seed: int = 1, profile: Profile = DEFAULT) -> Statistics:
    """Draw so many scenarios and predict them; the first of the outcomes that are allowed is counted."""
    features: dict[str, Counter[str]] = defaultdict(Counter)
    reached = Reached()
    behaviour = profile.behaviour
    drawing = predicting = 0.0
    for number in range(scenarios):
        began = time.perf_counter()
        scenario = draw_scenario(RandomDraws.of(seed=seed, number=number), name=f"{seed}-{number}", profile=profile)
        drawn = time.perf_counter()
        history = predict(scenario, behaviour, texts=False, reached=reached).histories[0]
        predicting += time.perf_counter() - drawn
        drawing += drawn - began
        for group, value in _features(scenario):
            features[group][value] += 1
        for step, seen in zip(scenario.steps, history.observations[1:], strict=True):
            features["outcomes"][_outcome(step, seen)] += 1
    each = 1000 / max(1, scenarios)
    return Statistics(scenarios, features, reached, drawing * each, predicting * each)


def _features(scenario: Scenario) -> Iterator[tuple[str, str]]:
    machine, kubelet = scenario.machine, scenario.kubelet
    yield "nodes", str(len(machine.nodes))
    yield "page sizes", str(len(machine.nodes[0].hugepages))
    yield "topology manager", f"{kubelet.topology_manager_policy}/{kubelet.topology_manager_scope}"
    yield "CPU manager", kubelet.cpu_manager_policy
    yield "steps", str(len(scenario.steps))
    for step in scenario.steps:
        match step:
            case Admit(pod=pod):
                yield "QoS class", pod.qos()
                yield "containers", f"{len(pod.init_containers)}+{len(pod.containers)}"
            case Restart():
                yield "restarts", "state " + (step.state if isinstance(step.state, str) else "edited")
                changes = {
                    "machine": step.machine,
                    "kubelet": step.kubelet,
                    "release": step.kubernetes,
                    "order": step.order,
                }
                yield from (("restarts", f"other {name}") for name, change in changes.items() if change)


def _outcome(step: Step, seen: Observation) -> str:
    if not seen.running:
        return "the kubelet does not run"
    match step:
        case Admit(pod=pod):
            verdict = (seen.pods or {})[pod.name]
            return "admitted" if verdict.admitted else verdict.reason
        case AdmitTogether():
            return "admitted together"
        case Remove() | Exit():
            return "gone or ended"
        case Restart():
            return "restarted"
        case _:  # not drawn
            return "runs on"


def _group(name: str, counts: Mapping[str, int]) -> Iterator[str]:
    """A line or more: the values of a group, the most frequent first, in percent."""
    total = sum(counts.values())
    line = f"{name}:"
    for value, count in sorted(counts.items(), key=lambda item: -item[1]):
        entry = f" {value} {100 * count / total:.1f}%,"
        if len(line) + len(entry) > _WIDTH:
            yield line
            line = " " * len(f"{name}:")
        line += entry
    yield line.rstrip(",")
