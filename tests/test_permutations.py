"""Restarts of a scenario: in which orders, on which files, after which changes, and how outcomes are told."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations

import pytest

from pinproof.history import History, Observation
from pinproof.permutations import CHANGES, STATES, Permuted, Result, Trial, courses, orders, trials
from pinproof.permutations.damage import cuts, flipped, flips, foreign_checksums, formats, states
from pinproof.permutations.outcomes import outcome_of, short
from pinproof.reference.checkpoint import decode
from pinproof.running.examine import predicted
from pinproof.running.pods import guaranteed
from pinproof.scenario.steps import Admit, Restart, Scenario, StateText
from pinproof.scenario.topologies import machine
from pinproof.suite import static

TWO = machine("two_even")
A, B = Admit(guaranteed("a", memory="6Gi")), Admit(guaranteed("b", memory="6Gi", restart_policy="Never"))
SCENARIO = Scenario("two", TWO, static()(TWO), (A, B))


def predict(scenario: Scenario, minor: str = "1.36") -> Sequence[History]:
    """The reference."""
    return predicted(scenario, minor).histories


FILE = predict(SCENARIO)[0].observations[-1].state_file or ""


@pytest.mark.parametrize("count", range(5))
def test_every_order_of_few_pods(count: int) -> None:
    """All of them, the given one first."""
    pods = "abcd"[:count]

    assert set(permutations(pods)) == set(orders(pods))
    assert tuple(pods) == orders(pods)[0]


@pytest.mark.parametrize("count", [5, 8, 11])
def test_sample_of_many_pods_covers_every_three(count: int) -> None:
    """Whichever three pods are taken, they come in all six orders; with far fewer orders than there are."""
    pods = "abcdefghijk"[:count]
    sample = orders(pods)
    met = {three for order in sample for three in combinations(order, 3)}

    assert set(permutations(pods, 3)) == met
    assert tuple(pods) == sample[0]
    assert len(set(sample)) == len(sample) < 30
    assert sample == orders(pods)


def test_file_is_cut_at_every_class_of_places() -> None:
    """Inside and behind every kind of token, and around the checksum; every cut is a beginning of the file."""
    found = cuts(FILE)

    tokens = ("a key", "a string", "a number")
    assert {f"{where} {what}" for where in ("inside", "behind") for what in tokens} <= found.keys()
    assert {"behind a brace", "behind a bracket", "behind a comma", "behind a colon"} <= found.keys()
    assert {"before the checksum", "inside the checksum", "at the end but one"} <= found.keys()
    assert found["before the checksum"].endswith(",")
    assert all(FILE.startswith(text) and len(text) < len(FILE) for text in found.values())
    assert len(set(found.values())) == len(found)


def test_one_bit_is_flipped() -> None:
    """Every damaged file differs from the sound one in one bit of one byte."""
    for place, text in flips(FILE).items():
        differing = [(left, right) for left, right in zip(FILE, text, strict=True) if left != right]

        assert [1] == [(ord(left) ^ ord(right)).bit_count() for left, right in differing], place
    assert 'z"a"}' == flipped('{"a"}', 0)
    assert ';"a"}' == flipped('{"a"}', 0, 6)


def test_file_of_another_format_has_the_same_content() -> None:
    """What 1.35, 1.36 with pod-level managers and 1.37 write of the same node, but for the format that the file has."""
    found = formats(FILE)

    assert {"1.36 with PodLevelResourceManagers", "1.37"} == found.keys()
    assert all(decode(text).entries == decode(FILE).entries for text in found.values())
    assert {"1.35": FILE} == {name: text for name, text in formats(found["1.37"]).items() if name == "1.35"}


def test_foreign_checksum() -> None:
    """A number that is a checksum, but not of this file; where there are two checksums, each in turn."""
    newer = formats(FILE)["1.37"]

    assert {""} == foreign_checksums(FILE).keys()
    assert {"", "of the data"} == foreign_checksums(newer).keys()
    assert all(text != newer for text in foreign_checksums(newer).values())


def test_states_are_chosen_by_name() -> None:
    """Kinds come in their order, families one by one."""
    assert [("kept", "keep"), ("empty", StateText("")), ("twice", StateText(FILE + FILE)), ("lost", "lose")] == list(
        states(FILE, ("lost", "twice", "empty", "kept"))
    )
    assert len(dict(states(FILE))) == len(list(states(FILE))) > 30


def test_trials_of_every_prefix() -> None:
    """After no step, after one, after both: one, one and two orders."""
    found = list(trials(SCENARIO, predict, states=("kept", "lost")))

    assert [(0, ()), (1, ("a",)), (2, ("a", "b")), (2, ("b", "a"))] == [
        (one.steps, one.order) for one in found if one.state == "kept"
    ]
    assert [Restart(order=("b", "a")), Restart(state="lose", order=("b", "a"))] == [
        one.scenario.steps[-1] for one in found if one.order == ("b", "a")
    ]


def test_changes_of_the_pods() -> None:
    """Each pod is deleted, ended where it can end, and replaced by a smaller one in turn; one too many comes."""
    found = list(trials(SCENARIO, predict, states=("kept",), changes_=CHANGES, prefixes=[2]))
    by_change = {one.change: one for one in found}

    assert ["nothing", "deleted a", "deleted b", "finished b", "changed a", "changed b", "rejected"] == list(by_change)
    assert ("b",) == by_change["deleted a"].order
    assert ("a",) == by_change["finished b"].order
    assert {"a-changed", "b"} == set(by_change["changed a"].order)
    assert Restart(state=StateText(FILE), order=("b", "a-changed")) in [
        step for one in found if one.change == "changed a" for step in one.scenario.steps
    ]
    assert 2 == sum(
        step.pod.name.startswith("too-big") for step in by_change["rejected"].scenario.steps if isinstance(step, Admit)
    )


def test_one_order_is_enough_for_a_kubelet_that_refuses() -> None:
    """It never comes to the pods."""
    found = list(trials(SCENARIO, predict, states=("kept", "empty"), prefixes=[2], thrifty=True))

    assert ["kept", "kept", "empty"] == [one.state for one in found]


def test_courses_hold_what_comes_out_as_alone() -> None:
    """A node serves all restarts of a prefix that do not disturb each other; every restart is in one course."""
    every = list(trials(SCENARIO, predict, states=STATES, thrifty=True))
    made = list(courses(every, predict))

    assert every == [trial for course in made for trial, _ in course.trials]
    assert len(made) == 3
    for course in made:
        history = predict(course.scenario)[0]
        for trial, index in course.trials:
            alone = predict(trial.scenario)[0].observations[trial.after]
            assert alone.running == history.observations[index].running
            assert alone.refusal == history.observations[index].refusal
            assert alone.assignments == history.observations[index].assignments


def test_course_ends_before_a_restart_that_it_would_disturb() -> None:
    """A pod that one order rejects would not be there for the next."""
    big, small = Admit(guaranteed("big", memory="15Gi")), Admit(guaranteed("small", memory="1Gi"))
    scenario = Scenario("group", TWO, static()(TWO), (big, small))
    found = list(courses(trials(scenario, predict, states=("lost",), prefixes=[2]), predict))

    assert [[("big", "small"), ("small", "big")]] == [[one.order for one, _ in course.trials] for course in found]
    three = Scenario("group", TWO, static()(TWO), (big, small, Admit(guaranteed("third", memory="1Gi"))))
    made = list(courses(trials(three, predict, states=("lost",), prefixes=[3]), predict))
    assert 6 == sum(len(course.trials) for course in made)
    assert len(made) > 1


def result(state: str, order: str, outcome: str, *, steps: int = 2) -> Result:
    """A restart that came out so."""
    return Result(Trial(steps, "nothing", state, tuple(order), SCENARIO, steps, steps + 1), outcome)


def test_outcomes_are_grouped_by_order() -> None:
    """Orders that came out the same share a row; where all did, none is named."""
    found = Permuted(
        [
            result("kept", "a", "as before", steps=1),
            result("kept", "ab", "as before"),
            result("kept", "ba", "as before"),
            result("lost", "ab", "as before"),
            result("lost", "ba", "b: rejected, TopologyAffinityError"),
        ]
    )

    assert {"as before": 4, "b: rejected, TopologyAffinityError": 1} == found.outcomes()
    assert {"as before": ["a b"], "b: rejected, TopologyAffinityError": ["b a"]} == found.by_order("lost", steps=2)
    assert {"as before": ["kept", "lost"], "b: rejected, TopologyAffinityError": ["lost"]} == found.by_state()
    assert (
        ("nothing", "kept", "1, 2", "every order", "as before"),
        ("nothing", "lost", "2", "a b", "as before"),
        ("nothing", "lost", "2", "b a", "b: rejected, TopologyAffinityError"),
    ) == found.table("t").rows


def test_outcome_names_pods_that_are_otherwise() -> None:
    """Nothing is said of pods that are as they were."""
    before, after = predict(Scenario("x", TWO, static()(TWO), (A, B, Restart(state="lose", order=("b", "a")))))[
        0
    ].observations[2:]

    assert "as before" == outcome_of(before, before, ("a", "b"))
    moved = "a: memory 6442450944 (6Gi) on {1}; b: memory 6442450944 (6Gi) on {0}"
    assert moved == outcome_of(before, after, ("b", "a"))
    assert "a: gone; b: gone" == outcome_of(before, Observation(running=True, pods={}), ("b", "a"))


def test_refusal_without_its_frame() -> None:
    """File and remedy are the same for all of them."""
    frame = "could not restore state from checkpoint: checkpoint is corrupted, please drain this node and delete"

    assert "checkpoint is corrupted" == short(f"start memory manager error: {frame}")
    assert "the total amount" == short("the total amount")
    assert "refuses: the total amount" == outcome_of(
        Observation(running=True), Observation(running=False, refusal="the total amount"), ()
    )
