"""The reference as a whole: (behaviour of a minor, scenario) → every history that is allowed.

Pure: no clock, file, network, logging or randomness. Where Go's map order leaves an outcome open the scenario is predicted
again with the other choice, until all choices were made; the result is the exact set of allowed histories.

>>> from pinproof.reference.behaviour import behaviour_of
>>> from pinproof.scenario.config import KubeletConfig
>>> from pinproof.scenario.machine import Machine, NumaNode
>>> scenario = Scenario("empty", Machine("m", (NumaNode(0, 2**30),)), KubeletConfig(memory_manager_policy="Static"))
>>> predict(scenario, behaviour_of("1.36")).histories[0].observations[0].refusal[:53]
'the total amount "0" of type "memory" is not equal to'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pinproof.errors import InputError, Problem
from pinproof.history import History, Prediction
from pinproof.reference.behaviour import Behaviour
from pinproof.reference.cluster import with_cluster
from pinproof.reference.decisions import Reached, ignore
from pinproof.reference.kernel import with_kernel
from pinproof.reference.node import Node
from pinproof.reference.orders import A_MAP_ENTRY
from pinproof.scenario.steps import Scenario

MAX_HISTORIES = 1024
"""Allowed histories of a scenario that is still predicted: ten starts with two outcomes each. Ordinary ones have one or two."""


class Script:
    """Choices made in advance, then always the first option; remembers where it could have chosen otherwise."""

    def __init__(self, taken: tuple[int, ...]) -> None:
        self._planned = taken
        self.made: list[int] = []
        self.chance = 1.0
        """How likely these choices are at least."""

        self.others: list[tuple[int, ...]] = []
        """Scripts that lead to the choices not taken here."""

    def __call__(self, options: Sequence[str] | Mapping[str, float]) -> str:
        """The planned option, or the first. Options that read the same are one, so no two scripts tell the same history."""
        chances = options if isinstance(options, Mapping) else dict.fromkeys(options, A_MAP_ENTRY)
        ordered = tuple(chances)
        if len(ordered) == 1:
            return ordered[0]
        at = len(self.made)
        choice = self._planned[at] if at < len(self._planned) else 0
        if at >= len(self._planned):
            self.others += [(*self.made, other) for other in range(1, len(ordered))]
        self.made.append(choice)
        self.chance *= chances[ordered[choice]]
        return ordered[choice]


def predict(
    scenario: Scenario,
    behaviour: Behaviour,
    *,
    texts: bool = True,
    hints: bool = False,
    listed: bool = True,
    reached: Reached | None = None,
    along: tuple[int, ...] | None = None,
) -> Prediction:
    """Every history that this kubelet may show.

    `texts=False` leaves out state file texts, notes and what a cluster adds, for speed.

    `along` are choices made in advance: the one history that they lead to, with the first option where they end.

    `hints=True` fills in what the hint providers answered, `listed=False` leaves out what PodResources lists. `reached` is given
    the names of the decisions that were taken, those of all histories together.

    Raises:
        InputError: there are more than `MAX_HISTORIES`. A part of them would not be a prediction.
    """
    histories: list[History] = []
    chances: list[float] = []
    scripts: list[tuple[int, ...]] = [along or ()]
    while scripts:
        if len(histories) == MAX_HISTORIES:
            raise InputError(
                f"scenario {scenario.name}",
                Problem(
                    "steps",
                    f"more than {MAX_HISTORIES} outcomes are allowed; restart less often after the first that is open, "
                    "and let fewer pods arrive together",
                ),
            )
        script = Script(scripts.pop())
        node = Node(
            scenario.machine,
            scenario.kubelet,
            behaviour,
            script,
            texts=texts,
            hints=hints,
            listed=listed,
            reach=ignore if reached is None else reached,
        )
        histories.append(_history(node, scenario, texts=texts))
        chances.append(script.chance)
        scripts += script.others if along is None else ()
    return Prediction(tuple(histories), tuple(chances))


def _history(node: Node, scenario: Scenario, *, texts: bool) -> History:
    subject = f"reference:{node.behaviour.minor}"
    observations = (node.start(), *[node.carry_out(step) for step in scenario.steps])
    return History(subject, with_kernel(scenario, with_cluster(scenario, observations)) if texts else observations)
