"""One scenario through several subjects: the first pair that disagrees names the layer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pinproof.cli.main import main
from pinproof.history import History, Observation, PodVerdict
from pinproof.judge.compare import Difference
from pinproof.layers.answers import Side
from pinproof.layers.parting import Account, Layers, Parting
from pinproof.layers.rendering import account_text
from pinproof.layers.selection import drawn_for, read_all
from pinproof.layers.sorts import by_sort
from pinproof.scenario.steps import Admit, Restart, Scenario, StateEdit
from pinproof.scenario.topologies import machine
from pinproof.scenario.writer import write_scenario
from pinproof.subjects.protocol import Capabilities, NotObservableError, Subject
from pinproof.subjects.reference import ReferenceSubject
from pinproof.suite import guaranteed, static

TWO = machine("two_even")
SCENARIO = Scenario("one", TWO, static()(TWO), (Admit(guaranteed("a", memory="4Gi")),))

Change = Callable[[Observation], Observation]


class Stand(ReferenceSubject):
    """Stands for a component or a kubelet: the reference, with changes to what is seen last."""

    def __init__(self, name: str, change: Change | None = None, *, shows: frozenset[str] | None = None) -> None:
        super().__init__("1.36")
        self.name = name
        self._change = change
        if shows is not None:
            self.capabilities = replace(self.capabilities, observables=shows)

    def run(self, scenario: Scenario) -> History:
        """What the reference says, changed."""
        history = super().run(scenario)
        *before, last = history.observations
        return replace(history, observations=(*before, self._change(last) if self._change else last))


def rejected(seen: Observation) -> Observation:
    return replace(seen, pods={"a": PodVerdict(admitted=False, reason="Odd")})


def unlisted(seen: Observation) -> Observation:
    return replace(seen, pod_resources={})


MANAGERS = frozenset({"pods", "assignments", "machine"})
"""What a component shows; a kubelet shows more."""


def account(component: Change | None = None, kubelet: Change | None = None) -> Account:
    """Of one scenario, where component and kubelet are changed like this."""
    stands = (Stand("component:1.36.3", component, shows=MANAGERS), Stand("kubelet:1.36.3", kubelet))
    return looked([ReferenceSubject("1.36"), *stands], SCENARIO)


def looked(subjects: Sequence[Subject], scenario: Scenario) -> Account:
    """The account of one look."""
    account = Account(tuple(subject.name for subject in subjects))
    account.add(Layers([Side(subject) for subject in subjects]).look(scenario))
    return account


def test_all_alike_is_no_finding() -> None:
    """And is counted."""
    assert (1, []) == (account().agreed, account().partings)


@pytest.mark.parametrize(
    ("component", "kubelet", "layer"),
    [
        (rejected, rejected, "the managers"),
        (rejected, None, "the managers"),
        (None, rejected, "what is around the managers"),
        (None, unlisted, "the kubelet, in what the component does not show"),
    ],
)
def test_the_first_pair_that_disagrees_names_the_layer(
    component: Change | None, kubelet: Change | None, layer: str
) -> None:
    """From the inside out; what only a kubelet shows is measured by the reference."""
    (parting,) = account(component, kubelet).partings

    assert layer == parting.layer


def test_the_answer_shows_the_difference() -> None:
    """In words, with both subjects."""
    told = account_text(account(None, rejected), files={}).splitlines()

    assert "FINDING, 1 time: component:1.36.3 ≠ kubelet:1.36.3: what is around the managers" in told
    assert "  smallest: one" in told
    assert "    step 1: admit a: pods.a: admitted → rejected, Odd:" in told


def test_findings_of_one_sort_are_told_once() -> None:
    """By their smallest scenario: names and numbers make no sort of their own."""
    later = replace(SCENARIO, name="later", steps=(Admit(guaranteed("b", memory="1Gi")), *SCENARIO.steps))
    small, large = (
        Parting(scenario, "component:x", "kubelet:x", (Difference(step, f"pods.{name}", "admitted", "rejected"),))
        for name, step, scenario in (("a", 1, SCENARIO), ("b", 1, later))
    )

    assert [("one", 2)] == [(sort.smallest.scenario.name, sort.count) for sort in by_sort([large, small])]


def test_a_scenario_that_one_cannot_do_is_left_out() -> None:
    """It is no agreement."""
    subject = Stand("component:1.36.3")
    subject.capabilities = Capabilities(MANAGERS, frozenset())
    account = looked([ReferenceSubject("1.36"), subject], SCENARIO)

    assert {"component:1.36.3 cannot do admit": 1} == dict(account.inapplicable)
    assert 0 == account.agreed


def test_a_scenario_that_turns_out_to_be_none_for_a_subject_is_left_out() -> None:
    """A cluster finds some things out when it is asked for them."""

    class Unwilling(Stand):
        def run(self, scenario: Scenario) -> History:
            del scenario
            raise NotObservableError("an API server writes 1.5Gi as 1536Mi")

    found = looked([ReferenceSubject("1.36"), Stand("kubelet:1.36.3"), Unwilling("kind:1.36.3")], SCENARIO)

    assert {"an API server writes 1.5Gi as 1536Mi": 1} == dict(found.inapplicable)


def test_between_kubelet_and_cluster_is_the_cluster() -> None:
    """What the kubelet shows is the measure of what the cluster does."""
    stands = (Stand("kubelet:1.36.3"), Stand("kind:1.36.3", rejected))
    (parting,) = looked([ReferenceSubject("1.36"), *stands], SCENARIO).partings

    assert "the API server, containerd and the node around the kubelet" == parting.layer


def test_between_kubelet_and_virtual_machine_the_kernel_is_right() -> None:
    """Made NUMA has to be as the true one is."""
    stands = (Stand("kubelet:1.36.3"), Stand("vm:1.36.3", rejected))
    (parting,) = looked([ReferenceSubject("1.36"), *stands], SCENARIO).partings

    assert "the kernel and containerd, or the made machine of the kubelet subject, which is then wrong" == parting.layer


def test_a_scenario_that_is_not_predicted_is_left_out() -> None:
    """Such as an edit of a text that is not in the file."""
    edit = Restart(state=StateEdit("nowhere", ""))
    subjects = [ReferenceSubject("1.36"), Stand("component:1.36.3")]

    (reason,) = looked(subjects, replace(SCENARIO, steps=(*SCENARIO.steps, edit))).inapplicable
    assert "the reference does not predict it: " in reason


def test_drawn_scenarios_share_a_boot_where_a_kubelet_is_among_the_subjects() -> None:
    """A kubelet takes a second to start; a component does not."""
    kubelet, component = Side(Stand("kubelet:1.36.3")), Side(Stand("component:1.36.3"))
    settings = [
        len({(repr(one.machine), repr(one.kubelet)) for one in drawn_for([side], 15, seed=3)})
        for side in (kubelet, component)
    ]

    assert settings[0] <= 3 < settings[1]


def test_scenarios_are_drawn_for_a_machine() -> None:
    """A virtual machine is not another one after a restart, a kubelet may be."""
    sides = [[Side(Stand(name))] for name in ("vm:1.36.3", "kubelet:1.36.3")]
    small = machine("small_two")
    drawn = [[*drawn_for(side, 40, seed=3, machine=small)] for side in sides]
    changed = [
        sum(isinstance(step, Restart) and step.machine is not None for one in some for step in one.steps)
        for some in drawn
    ]

    assert {small} == {one.machine for some in drawn for one in some}
    assert 0 == changed[0] < changed[1]


def test_a_folder_stands_for_all_its_files(tmp_path: Path) -> None:
    """In the order of their names."""
    for name in ("b", "a"):
        (tmp_path / f"{name}.yaml").write_text(write_scenario(replace(SCENARIO, name=name)), encoding="utf-8")

    assert ["a", "b"] == [one.name for one in read_all([str(tmp_path)])]


def test_the_command_runs_drawn_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0 where all agree."""
    code = main(["layers", "--scenarios", "5", "--subject", "reference:1.36", "--json"])

    document = json.loads(capsys.readouterr().out)
    assert (0, "Layers", 5, 5) == (code, document["kind"], document["scenarios"], document["agreed"])
