"""I-1 to I-5: each is silent on right books and fires on those that break it, alone where it can."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.history import NodeState, Observation, PodVerdict, Table
from pinproof.judge.invariants import INVARIANTS, violations
from pinproof.judge.invariants.books import IN_EVERY_STATE
from pinproof.scenario.steps import Remove, Restart, StateText
from tests.judge_values import EMPTY, GIB, GROUP, ONE_POD, block, history, node, scenario


def broken(now: Observation) -> dict[str, list[str]]:
    """Invariant → paths, of those that fire."""
    fired = {name: [found.path for found in check(now)] for name, check in IN_EVERY_STATE.items()}
    return {name: paths for name, paths in fired.items() if paths}


HUGE = replace(
    EMPTY,
    machine={
        0: NodeState(
            1,
            {
                "memory": Table(10 * GIB, 1 * GIB, 7 * GIB, 0, 7 * GIB),
                "hugepages-1Gi": Table(2 * GIB, 0, 2 * GIB, 1 * GIB, 1 * GIB),
                "hugepages-2Mi": Table(0, 0, 0, 0, 0),
            },
            (0,),
        )
    },
    assignments={"a": {"c": (block(0, gib=1, type_="hugepages-1Gi"),)}},
)
SPLIT = replace(GROUP, machine={0: node(0, 1, reserved=3, assignments=1), 1: node(0, 1, reserved=9, assignments=1)})
REUSED = replace(
    ONE_POD,
    assignments={"a": {"c": (block(0),), "init": (block(0, gib=0),)}},
    machine={0: node(0, reserved=4, assignments=2), 1: node(1)},
)


@pytest.mark.parametrize("now", [EMPTY, ONE_POD, GROUP, HUGE, SPLIT, REUSED, Observation(running=True)])
def test_right_books_break_nothing(now: Observation) -> None:
    """Empty, one pod, a group however split, huge pages, a reused init container, nothing observed."""
    assert {} == broken(now)


@pytest.mark.parametrize(
    ("table", "paths"),
    [
        (Table(10 * GIB, 1 * GIB, 9 * GIB, 0, 8 * GIB), ["allocatable"]),
        (Table(10 * GIB, 1 * GIB, 8 * GIB, 0, 8 * GIB), ["allocatable"]),
        (Table(10 * GIB, 1 * GIB, 9 * GIB, -1 * GIB, 10 * GIB), ["reserved"]),
        (Table(0, GIB, 2**64 - GIB, 0, 2**64 - GIB), ["system_reserved", "allocatable", "free"]),
    ],
)
def test_unbalanced_table_breaks_i1(table: Table, paths: list[str]) -> None:
    """A sum that is off, a negative amount; an unsigned wrap-around is told as out of bounds, not as a wrong sum."""
    now = replace(EMPTY, machine={0: NodeState(0, {"memory": table}, (0,))})

    assert [f"machine.0.memory.{path}" for path in paths] == broken(now)["I-1"]


def test_huge_pages_are_no_allocatable_memory() -> None:
    """I-1 takes the totals of all huge pages from the memory."""
    books = {**HUGE.machine[0].memory, "memory": Table(10 * GIB, GIB, 9 * GIB, 0, 9 * GIB)} if HUGE.machine else {}
    now = replace(HUGE, machine={0: NodeState(1, books, (0,))})

    assert {"I-1": ["machine.0.memory.allocatable"]} == broken(now)


def test_groups_that_disagree_break_i2() -> None:
    """Node 1 says {0,1}, node 0 says {0} (kubernetes#113035)."""
    now = replace(GROUP, machine={0: node(0, reserved=9, assignments=1), 1: node(0, 1, reserved=3, assignments=1)})

    assert {"I-2": ["machine.1.cells"]} == broken(now)


def test_unused_node_in_a_group_breaks_i2() -> None:
    """A group ends with its last assignment."""
    now = replace(EMPTY, machine={0: node(0, 1), 1: node(0, 1)})

    assert {"I-2": ["machine.0.cells", "machine.1.cells"]} == broken(now)


def test_group_without_its_own_node_breaks_i2() -> None:
    """A node is a member of its group."""
    now = replace(ONE_POD, machine={0: node(reserved=4, assignments=1), 1: node(1)})

    assert {"I-2": ["machine.0.cells"]} == broken(now)


def test_single_and_group_allocations_on_one_node_break_i3() -> None:
    """Two kinds of allocation on node 0 (kubernetes#123443)."""
    now = replace(
        GROUP,
        assignments={"a": {"c": (block(0, 1, gib=10),)}, "b": {"c": (block(0, gib=2),)}},
        machine={0: node(0, 1, reserved=9, assignments=2), 1: node(0, 1, reserved=3, assignments=1)},
    )

    assert {"I-3": ["assignments on node 0"]} == broken(now)


@pytest.mark.parametrize("count", [2, 3])
def test_wrong_number_of_assignments_breaks_i4(count: int) -> None:
    """A block counts on every node of its affinity, once."""
    now = replace(ONE_POD, machine={0: node(0, reserved=4, assignments=count), 1: node(1)})

    assert {"I-4": ["machine.0.number_of_assignments"]} == broken(now)


def test_lost_memory_breaks_i5() -> None:
    """A byte that is reserved for nobody, or given twice."""
    too_much = replace(ONE_POD, machine={0: node(0, reserved=5, assignments=1), 1: node(1)})
    elsewhere = replace(ONE_POD, machine={0: node(0, assignments=1), 1: node(1, reserved=4)})

    assert {"I-5": ["machine.0.memory.reserved"]} == broken(too_much)
    assert {"I-5": ["machine.0.memory.reserved", "machine.1.memory.reserved"]} == broken(elsewhere)


def test_memory_of_a_group_is_summed_over_its_nodes() -> None:
    """I-5 does not ask on which node of a group the memory lies, only how much there is."""
    now = replace(GROUP, machine={0: node(0, 1, reserved=9, assignments=1), 1: node(0, 1, reserved=2, assignments=1)})

    assert {"I-5": ["machine.0,1.memory.reserved"]} == broken(now)


def test_books_are_judged_after_every_step_of_a_running_kubelet() -> None:
    """A violation carries the step; what the scenario wrote into the file is nobody's promise."""
    wrong = replace(ONE_POD, machine={0: node(0, reserved=5, assignments=1), 1: node(1)})
    stopped = replace(wrong, running=False, refusal="x")
    foreign = scenario(Restart(state=StateText("{}")))

    assert [(0, "I-5")] == [(step, found.invariant) for step, found in violations(scenario(), history(wrong))]
    assert [] == list(violations(scenario(), history(stopped)))
    assert [] == list(violations(foreign, history(EMPTY, wrong)))


def test_violation_that_stays_is_told_once() -> None:
    """It is told when it comes up, and again when it comes back."""
    wrong = replace(ONE_POD, machine={0: node(0, reserved=5, assignments=1), 1: node(1)})
    case = scenario(*[Remove("x")] * 4)

    assert [1, 4] == [step for step, _ in violations(case, history(ONE_POD, wrong, wrong, ONE_POD, wrong))]


def test_every_invariant_has_a_sentence_and_a_source() -> None:
    """I-1 to I-12 are named once, in order."""
    assert [f"I-{n}" for n in range(1, 13)] == list(INVARIANTS)
    assert all(invariant.sentence.endswith(".") and invariant.source for invariant in INVARIANTS.values())


def test_verdicts_do_not_matter_to_books() -> None:
    """Memory of a rejected pod stays in the books until the next admission, and is counted."""
    now = replace(ONE_POD, pods={"a": PodVerdict(False, "UnexpectedAdmissionError", "x")})

    assert {} == broken(now)
