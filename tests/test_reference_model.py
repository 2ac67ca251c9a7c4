"""The reference as a whole: one answer for one question, all answers where Go's map order leaves it open, and invariants."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinproof.errors import InputError
from pinproof.history import Block, History
from pinproof.judge import violations
from pinproof.reference import model
from pinproof.reference.behaviour import MINORS, behaviour_of
from pinproof.reference.checkpoint import decode, encode, sealed
from pinproof.reference.model import predict
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, Scenario, StateText, Step
from tests.reference_values import GIB, container, machine, pod, scenarios, small, static

LATEST = behaviour_of("1.36")


def open_restarts(count: int) -> Scenario:
    """A state file with overlapping groups: whether the kubelet starts is Go's map order, every time anew."""
    plain = Scenario("open", machine(4, 4), static(2))
    file = decode(predict(plain, LATEST).histories[0].observations[0].state_file or "")
    books = dict(file.machine or {})
    overlap = {
        "x": {"a": (Block((0, 1), "memory", 2 * GIB),), "b": (Block((0,), "memory", GIB),)},
    }
    table = {n: dict(books[n].memory or {})["memory"] for n in (0, 1)}
    books[0] = replace(
        books[0],
        number_of_assignments=2,
        cells=(0,),
        memory={"memory": table[0]._replace(reserved=3 * GIB, free=0)},
    )
    books[1] = replace(books[1], number_of_assignments=1, cells=(0, 1), memory={"memory": table[1]})
    steps: list[Step] = [Restart(state=StateText(encode(sealed("Static", books, overlap))))]
    return replace(plain, steps=(*steps, *[Restart()] * (count - 1)))


@pytest.mark.parametrize(("restarts", "histories"), [(1, 2), (3, 8), (8, 256)])
def test_every_outcome_is_told(restarts: int, histories: int) -> None:
    """None is left out silently, and none is told twice."""
    found = predict(open_restarts(restarts), LATEST, texts=False).histories

    courses = Counter(tuple(seen.running for seen in history.observations) for history in found)
    assert histories == len(courses) == len(found)


def test_pod_of_a_foreign_file_goes_by_its_uid() -> None:
    """A pod that the scenario never had has no other name."""
    (adopted,) = [h.observations[1] for h in predict(open_restarts(1), LATEST).histories if h.observations[1].running]

    assert ["x"] == list(adopted.assignments or {})


def test_too_many_outcomes_are_no_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the allowed histories would condemn a kubelet that shows another."""
    monkeypatch.setattr(model, "MAX_HISTORIES", 7)

    with pytest.raises(InputError, match="more than 7 outcomes are allowed"):
        predict(open_restarts(3), LATEST, texts=False)


def test_limit_is_what_may_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as allowed are fine."""
    monkeypatch.setattr(model, "MAX_HISTORIES", 8)

    assert 8 == len(predict(open_restarts(3), LATEST, texts=False).histories)


def test_texts_are_all_that_speed_leaves_out() -> None:
    """Without texts the histories are the same."""
    scenario = Scenario("s", machine(4, 4), static(2, "restricted"), (Admit(small("a", "2Gi")), Restart(), Remove("a")))
    full = predict(scenario, LATEST).histories[0]
    bare = [
        replace(seen, state_file=None, notes=(), events=None, made=None, enforced=None, pages=None, kernel=None)
        for seen in full.observations
    ]

    assert tuple(bare) == predict(scenario, LATEST, texts=False).histories[0].observations


@settings(max_examples=60)
@given(scenarios(), st.sampled_from(MINORS))
def test_predictions_are_deterministic(scenario: Scenario, minor: str) -> None:
    """The same question, the same answer, with the texts to the byte."""
    assert predict(scenario, behaviour_of(minor)) == predict(scenario, behaviour_of(minor))


@settings(max_examples=200)
@given(scenarios())
def test_invariants_hold_on_the_model(scenario: Scenario) -> None:
    """I-1 to I-8 on whatever happens, and no kubelet refuses its own file.

    `scenarios` leaves out the shapes in which 1.36 itself breaks them; `test_invariants_known_defects.py` has those.
    """
    prediction = predict(scenario, LATEST)

    assert [] == [found for history in prediction.histories for found in violations(scenario, history)]
    assert all(seen.running for history in prediction.histories for seen in history.observations)


# --- the life of pods


def last(scenario: Scenario, minor: str = "1.36") -> History:
    """The only history of a scenario."""
    (history,) = predict(scenario, behaviour_of(minor)).histories
    return history


def test_memory_of_a_finished_pod_stays_until_the_next_admission() -> None:
    """3.11: nothing is released when a pod ends, and any pod's admission releases it."""
    done = replace(small("a", "2Gi"), restart_policy="Never")
    steps: tuple[Step, ...] = (Admit(done), Exit("a", "c"), Admit(pod("b", container("c", memory="1Gi", cpu="1"))))
    seen = last(Scenario("s", machine(4, 4), static(2), steps)).observations

    assert ["a" in (o.assignments or {}) for o in seen] == [False, True, True, False]


def test_nothing_is_cleaned_up_during_the_first_batch() -> None:
    """4.7: memory of a pod that went while the kubelet was down is held until the next admission."""
    steps: tuple[Step, ...] = (Admit(small("a", "3Gi")), Admit(small("b", "3Gi")), Remove("a"), Restart())
    seen = last(Scenario("s", machine(4, 4), static(2), (*steps, Admit(small("c", "3Gi"))))).observations

    assert {"a", "b"} == set(seen[4].assignments or {})
    assert {"b", "c"} == set(seen[5].assignments or {})


def test_counters_begin_again_with_every_process() -> None:
    """6: running pods are counted again after a restart."""
    name = "kubelet_memory_manager_pinning_requests_total"
    steps: tuple[Step, ...] = (Admit(small("a", "1Gi")), Admit(small("b", "1Gi")), Restart())
    seen = last(Scenario("s", machine(4), static(1), steps)).observations

    assert [0, 1, 2, 2] == [(o.counters or {})[name] for o in seen]


def test_finished_init_containers_are_allocated_again() -> None:
    """4.7 (kubernetes#123971): a restart books for init containers that are over, until the next container starts."""
    both = pod("a", container("c", memory="1Gi"), init=[container("i", memory="2Gi")])
    steps: tuple[Step, ...] = (Admit(both), Exit("a", "i"), Restart())
    seen = last(Scenario("s", machine(8), static(1), steps)).observations

    assert [{"c", "i"}, {"c"}, {"c", "i"}] == [set((o.assignments or {})["a"]) for o in seen[1:]]
