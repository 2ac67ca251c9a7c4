"""`pinproof diff`: what differs between two subjects, grouped by the switch that explains it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.scenarios import four_nodes
from pinproof.cli.main import main
from pinproof.history import History, PodVerdict
from pinproof.layers.answers import Answer, Side, contrast, modelled
from pinproof.layers.diffing import Comparison, compare
from pinproof.layers.rendering import text
from pinproof.layers.switches import effects, sentence
from pinproof.reference.behaviour import Behaviour, behaviour_of
from pinproof.scenario.reader import read_scenario
from pinproof.scenario.steps import Admit, Restart, Scenario
from pinproof.scenario.topologies import machine
from pinproof.scenario.writer import write_scenario
from pinproof.subjects.reference import ReferenceSubject
from pinproof.suite import guaranteed, static
from tests.wrong_models import WRONG
from tests.wrong_subject import WrongSubject


def scenario(*steps: Admit | Restart, shape: str = "two_even", name: str = "case", topology: str = "none") -> Scenario:
    """On two even nodes."""
    node = machine(shape)
    return Scenario(name, node, static(topology=topology)(node), steps)


def admit(name: str, memory: str) -> Admit:
    return Admit(guaranteed(name, memory=memory))


GROUPS_MEET = scenario(admit("a", "4Gi"), admit("b", "15Gi"), topology="best-effort", name="meet")
"""A node serves a pod by itself, and is then asked to serve another together with its neighbour."""


PODS = frozenset({"pods"})


def reference(minor: str) -> Side:
    return Side(ReferenceSubject(minor))


def test_a_scenario_is_explained_by_the_switch_that_changes_it() -> None:
    """It stands in the group of the switch, with what the switch does to it."""
    result = compare(reference("1.31"), reference("1.32"), [GROUPS_MEET], only=frozenset({"pods", "assignments"}))

    assert {"allocate_refuses_group_violation": 1} == {name: group.count for name, group in result.groups.items()}
    assert result.groups["allocate_refuses_group_violation"].fields.keys() == {"pods", "assignments"}
    assert not result.unexplained


def test_a_scenario_of_several_switches_stands_in_the_group_of_each() -> None:
    """With the others named, so that nobody takes one for the whole reason."""
    result = compare(reference("1.29"), reference("1.32"), [scenario(admit("a", "40Gi"))])

    others = {name: group.effect.others for name, group in result.groups.items() if group.effect}
    assert {"counts_pinning": ("counts_rejections",), "counts_rejections": ("counts_pinning",)} == others


def test_two_alike_do_not_differ() -> None:
    """Whatever the scenario."""
    result = compare(reference("1.34"), reference("1.35"), islice(four_nodes(6), 12))

    assert (12, 0, {}) == (result.scenarios, result.differing, result.groups)


def test_what_no_switch_explains_is_a_finding() -> None:
    """Here one side has a bug of its own."""
    (model,) = (wrong for wrong in WRONG if wrong.name == "group violation is allocated")
    subject = WrongSubject(model, "1.34")
    try:
        result = compare(reference("1.33"), Side(subject), [GROUPS_MEET])
    finally:
        subject.close()

    (found,) = result.unexplained
    assert "wrong:group violation is allocated does not do what reference:1.34 says" in found.reason
    assert "pods.b" == found.differences[0].path


def test_the_smallest_scenario_of_a_group_shows_its_switch_alone() -> None:
    """Where there is one that does."""
    alone = replace(scenario(admit("a", "1Gi"), admit("b", "1Gi"), admit("d", "1Gi")), name="alone")
    result = compare(reference("1.29"), reference("1.30"), [alone, scenario(admit("a", "1Gi"), name="small")])

    assert "small" == smallest(result, "counts_pinning")


def smallest(result: Comparison, switch: str) -> str:
    kept = result.groups[switch].smallest
    return kept.name if kept else ""


@pytest.mark.parametrize("switch", [field.name for field in fields(Behaviour) if field.name != "minor"])
def test_every_switch_has_a_sentence_that_names_its_release(switch: str) -> None:
    """It heads the group."""
    assert re.search(r"\b1\.\d\d\b", sentence(switch))


def test_the_switches_that_explain_are_minimal() -> None:
    """Without any one of them the scenario turns out differently; the others change nothing."""
    old, new = behaviour_of("1.29"), behaviour_of("1.36")
    predict = partial(modelled, GROUPS_MEET)
    found = effects(old, new, predict, lambda left, right: contrast(left, right, PODS).differences)

    assert ["allocate_refuses_group_violation"] == [effect.switch for effect in found]


def histories(*admitted: bool) -> Iterator[History]:
    """Predicted histories of one pod, of which the verdict is open."""
    base = modelled(scenario(admit("a", "1Gi")), behaviour_of("1.36")).histories[0]
    start, after = base.observations
    for verdict in admitted:
        yield replace(base, observations=(start, replace(after, pods={"a": PodVerdict(verdict)})))


def test_one_of_several_outcomes_is_no_difference() -> None:
    """A kubelet shows one of those that the model allows."""
    model = Answer("model", tuple(histories(True, False)), whole=True)
    for seen in histories(True, False):
        assert not contrast(model, Answer("kubelet", (seen,), whole=False), PODS)


def test_an_outcome_that_one_whole_set_lacks_is_a_difference() -> None:
    """Either way round."""
    both, one = (Answer("x", tuple(histories(*open_)), whole=True) for open_ in ((True, False), (True,)))

    assert contrast(both, one, PODS)
    assert contrast(one, both, PODS)
    assert not contrast(both, both, PODS)


def test_two_single_runs_of_an_open_outcome_differ_by_chance() -> None:
    """Which says nothing about either."""
    one, other = (Answer("kubelet", (seen,), whole=False) for seen in histories(True, False))

    assert contrast(one, other, PODS).chance
    assert not contrast(one, one, PODS)


def test_the_answer_tells_switch_pull_request_and_example() -> None:
    """In words."""
    result = compare(reference("1.31"), reference("1.32"), [GROUPS_MEET], only=PODS)
    told = text(result, files={}).splitlines()

    assert "reference:1.31 → reference:1.32: 1 scenario, 1 differ" == told[0]
    assert "allocate_refuses_group_violation: 1 scenario" in told
    assert "  A multi-node mask over a node of another group fails the admission (1.32, #123443)." in told
    assert "every difference is explained" == told[-1]


def test_the_command_saves_an_example_of_every_group(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which reads back as it was; exit 0 where everything is explained."""
    file = tmp_path / "meet.yaml"
    file.write_text(write_scenario(GROUPS_MEET), encoding="utf-8")
    out = tmp_path / "out"
    code = main(
        ["diff", str(file), "--from=reference:1.31", "--to=reference:1.32", "--only=pods", f"--out={out}", "--json"]
    )

    document = json.loads(capsys.readouterr().out)
    (group,) = document["groups"]
    assert (0, 0, "Diff") == (code, document["exitCode"], document["kind"])
    assert GROUPS_MEET == read_scenario(group["file"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either files, or --scenarios N"),
        (["x.yaml", "--scenarios=3"], "give either files, or --scenarios N"),
        (["x.yaml"], "x.yaml: cannot be read"),
        (["--scenarios=1", "--only=pod"], "no field pod"),
    ],
)
def test_a_mistake_is_told(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2."""
    assert 2 == main(["diff", *arguments, "--from=reference:1.31", "--to=reference:1.32"])
    assert message in capsys.readouterr().err
