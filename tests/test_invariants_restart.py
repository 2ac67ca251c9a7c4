"""I-6: what a restart with nothing changed must leave alone, and what it need not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.history import Observation, PodVerdict
from pinproof.judge.invariants import violations
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, StateText, Step
from tests.judge_values import EMPTY, GROUP, MACHINE, ONE_POD, STATIC, block, container, history, node, pod, scenario

KEEP = Restart()
WITH_INIT = Pod("a", (container(),), (container("init"),))
NEVER = replace(pod(), restart_policy="Never")


def broken(*steps: Step, seen: tuple[Observation, ...]) -> list[str]:
    """Paths at which I-6 is broken."""
    found = violations(scenario(*steps), history(EMPTY, *seen))
    return [violation.path for _, violation in found if violation.invariant == "I-6"]


def after(now: Observation, first: Pod | None = None, restart: Restart = KEEP) -> list[str]:
    """The same, for one pod that ran as in `ONE_POD`, and this observation after a restart."""
    return broken(Admit(first or pod()), restart, seen=(ONE_POD, now))


def moved(reserved: tuple[int, int]) -> Observation:
    """The group with its memory split in another way."""
    books = {n: node(0, 1, reserved=amount, assignments=1) for n, amount in enumerate(reserved)}
    return replace(GROUP, machine=books)


def test_restart_that_changes_nothing_is_right() -> None:
    """The same observation before and after."""
    assert [] == after(ONE_POD)


def test_split_inside_a_group_is_not_promised() -> None:
    """Release and replay are greedy in another order; the sums stay (kubernetes#127074)."""
    assert [] == broken(Admit(pod()), KEEP, seen=(GROUP, moved((3, 9))))
    assert [
        "machine.0,1.memory.free",
        "machine.0,1.memory.reserved",
    ] == broken(Admit(pod()), KEEP, seen=(GROUP, moved((4, 9))))


def test_kubelet_must_accept_its_own_file() -> None:
    """A refusal of an unchanged state breaks the promise (kubernetes#113130)."""
    assert ["running"] == after(Observation(running=False, refusal="the expected machine state is different"))


def test_running_pod_must_not_be_rejected() -> None:
    """Neither rejected nor forgotten."""
    rejected = replace(EMPTY, pods={"a": PodVerdict(False, "UnexpectedAdmissionError", "x")})

    assert ["pods.a"] == after(rejected)
    assert ["pods.a"] == after(EMPTY)


@pytest.mark.parametrize("blocks", [(), (block(1),), (block(0), block(0))])
def test_blocks_of_a_running_pod_must_stay(blocks: tuple[object, ...]) -> None:
    """Lost, moved or doubled memory."""
    assert "assignments.a.c" in after(replace(ONE_POD, assignments={"a": {"c": blocks}}))  # type: ignore[dict-item]  # wrong on purpose


def test_books_must_stay_where_blocks_stay() -> None:
    """Groups and numbers of assignments are those of the blocks."""
    grouped = replace(ONE_POD, machine={0: node(0, 1, reserved=4, assignments=1), 1: node(0, 1)})
    counted = replace(ONE_POD, machine={0: node(0, reserved=4, assignments=2), 1: node(1)})

    assert ["machine.0.cells", "machine.1.cells"] == after(grouped)
    assert ["machine.0.number_of_assignments"] == after(counted)


def test_machine_must_stay() -> None:
    """Nodes, memory types, totals and reservations are those of the machine."""
    assert ["machine"] == after(replace(ONE_POD, machine={0: node(0, reserved=4, assignments=1)}))


def test_finished_init_containers_may_be_allocated_again() -> None:
    """New blocks of regular init containers, and the books with them, are not promised (kubernetes#123971)."""
    again = replace(
        ONE_POD,
        assignments={"a": {"c": (block(0),), "init": (block(0),)}},
        machine={0: node(0, reserved=8, assignments=2), 1: node(1)},
    )

    assert [] == after(again, WITH_INIT)
    assert ["assignments.a.c"] == after(replace(again, assignments={"a": {"c": (), "init": (block(0),)}}), WITH_INIT)


def test_removed_pods_may_be_collected_or_not() -> None:
    """Memory of a removed pod goes with some later admission."""
    left_over = replace(ONE_POD, pods={})

    assert [] == broken(Admit(pod()), Remove("a"), KEEP, seen=(ONE_POD, left_over, EMPTY))
    assert [] == broken(Admit(pod()), Remove("a"), KEEP, seen=(ONE_POD, left_over, left_over))


def test_finished_pods_do_not_come_back() -> None:
    """A pod that restarts nothing is over when its containers are."""
    assert [] == broken(Admit(NEVER), Exit("a", "c"), KEEP, seen=(ONE_POD, ONE_POD, EMPTY))
    assert ["pods.a"] == broken(Admit(pod()), Exit("a", "c"), KEEP, seen=(ONE_POD, ONE_POD, EMPTY))


@pytest.mark.parametrize(
    "restart",
    [
        Restart(state="lose"),
        Restart(state=StateText("{}")),
        Restart(machine=replace(MACHINE, name="other")),
        Restart(kubelet=replace(STATIC, topology_manager_policy="restricted")),
        Restart(kubernetes="1.37.1"),
    ],
)
def test_changed_restarts_promise_nothing(restart: Restart) -> None:
    """The promise is for a restart in which nothing changed."""
    assert [] == after(Observation(running=False, refusal="x"), restart=restart)


def test_restart_after_a_refusal_promises_nothing() -> None:
    """A kubelet that did not run had nothing to keep."""
    refused = Observation(running=False, refusal="x")

    assert [] == broken(Restart(state="lose"), KEEP, seen=(refused, refused))


def test_order_and_signal_change_nothing() -> None:
    """In every replay order, after a kill too."""
    assert ["pods.a"] == after(EMPTY, restart=Restart(order=("a",), signal="KILL"))
