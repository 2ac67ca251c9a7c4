"""One scenario through reference, component, kubelet and cluster: the first pair that disagrees names the layer.

Every subject is compared with the nearest one below it that tells all it may do, and in what that one cannot show with
those further below. So what the kubelet shows of pods and blocks is measured by the managers that are inside it, and what
only a kubelet shows by the reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pinproof.errors import InputError
from pinproof.judge.compare import Difference
from pinproof.layers.answers import Answer, Side, contrast
from pinproof.layers.looks import Agreed, Inapplicable, Incomplete
from pinproof.running.artefacts import Gathers
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import NotObservableError

_LAYERS = {
    ("reference", "component"): "the managers",
    ("component", "kubelet"): "what is around the managers",
    ("reference", "kubelet"): "the kubelet, in what the component does not show",
    ("kubelet", "kind"): "the API server, containerd and the node around the kubelet",
    ("kubelet", "vm"): "the kernel and containerd, or the made machine of the kubelet subject, which is then wrong",
    ("reference", "vm"): "the virtual machine, in what the kubelet does not show",
    ("reference", "kind"): "the cluster, in what the kubelet does not show",
}


@dataclass(frozen=True, slots=True)
class Parting:
    """Where the subjects part over a scenario."""

    scenario: Scenario
    below: str
    """The subject that is the measure."""

    above: str
    """The one that differs from it."""

    differences: tuple[Difference, ...]
    artefacts: Mapping[str, str] = field(default_factory=dict)
    """File name → text: logs and the like of the subject that differs."""

    @property
    def layer(self) -> str:
        """What the difference speaks of."""
        kinds = tuple(name.partition(":")[0] for name in (self.below, self.above))
        return _LAYERS.get((kinds[0], kinds[1]), f"{self.below} or {self.above}")


@dataclass(slots=True)
class Account:
    """What came of a number of scenarios."""

    subjects: tuple[str, ...]
    scenarios: int = 0
    agreed: int = 0
    """Scenarios on which all subjects agree."""

    open: int = 0
    """Those of them whose outcome Kubernetes leaves open."""

    partings: list[Parting] = field(default_factory=list)
    inapplicable: Counter[str] = field(default_factory=Counter)
    """Why scenarios could not be run → how many."""

    incomplete: list[tuple[Scenario, str]] = field(default_factory=list)
    """Scenarios of which not everything was seen, and why."""

    def add(self, look: Look) -> None:
        """Count what was seen of one more scenario."""
        self.scenarios += 1
        match look:
            case Agreed():
                self.agreed += 1
                self.open += look.open
            case Parting():
                self.partings.append(look)
            case Inapplicable(reason):
                self.inapplicable[reason] += 1
            case Incomplete(scenario, trouble):
                self.incomplete.append((scenario, trouble))


Look = Agreed | Parting | Inapplicable | Incomplete


class Layers:
    """Subjects from the innermost to the outermost, of one release; the first is the reference."""

    def __init__(self, sides: Sequence[Side]) -> None:
        self._sides = tuple(sides)

    def look(self, scenario: Scenario) -> Look:
        """Run one scenario on all of them."""
        try:
            lacking = [
                f"{side.name} cannot do {', '.join(side.lacks(scenario))}"
                for side in self._sides
                if side.lacks(scenario)
            ]
            answers = [] if lacking else self._answers(scenario)
        except InputError as error:
            lacking, answers = [f"the reference does not predict it: {error.problems[0]}"], []
        except NotObservableError as error:
            lacking, answers = [str(error)], []
        if lacking:
            return Inapplicable(lacking[0])
        failed = next((position for position, answer in enumerate(answers) if answer.trouble), None)
        if failed is not None:
            trouble = f"{answers[failed].subject}: {answers[failed].trouble}"
            return Incomplete(scenario, trouble, self._artefacts(failed, answers[failed]))
        return next(self._partings(scenario, answers), None) or Agreed(open=len(answers[0].histories) > 1)

    def _answers(self, scenario: Scenario) -> list[Answer]:
        prediction = self._sides[0].predicted(scenario)
        return [side.answer(scenario, prediction) for side in self._sides]

    def _partings(self, scenario: Scenario, answers: Sequence[Answer]) -> Iterator[Parting]:
        for position in range(1, len(answers)):
            unseen = self._sides[position].observables
            for below in reversed(range(position)):
                shared = unseen & self._sides[below].observables
                if not answers[below].whole or not shared:
                    continue
                found = contrast(answers[below], answers[position], shared)
                if found:
                    names = self._sides[below].name, self._sides[position].name
                    artefacts = self._artefacts(position, answers[position])
                    yield Parting(scenario, *names, found.differences, artefacts)
                unseen -= shared

    def _artefacts(self, position: int, answer: Answer) -> Mapping[str, str]:
        """What the subject has to show for its last scenario."""
        kept = {name: text for history in answer.histories for name, text in history.artefacts.items()}
        subject = self._sides[position].subject
        return kept | dict(subject.gather()) if isinstance(subject, Gathers) else kept
