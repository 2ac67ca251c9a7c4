"""What is in the state files after every write of a step, by hand."""

from __future__ import annotations

import pytest

from pinproof.history import Observation
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.model import predict
from pinproof.running.configuration import static
from pinproof.running.pods import container, guaranteed
from pinproof.scenario.faults import AtCall, AtWrite, Method, StateFile
from pinproof.scenario.steps import Admit, Crash, Exit, Remove, Restart, Scenario, Step
from pinproof.scenario.topologies import machine

TWO = machine("two_even")
GIB = 1 << 30
A = Admit(guaranteed("a", memory="4Gi", cpu="2"))
WITH_INIT = Admit(guaranteed("a", memory="2Gi", cpu="2", init=[container("i", memory="3Gi", cpu="2")]))


def left(*steps: Step, minor: str = "1.36") -> list[Observation]:
    """What the last step leaves, in every allowed history."""
    config = static(topology="restricted", cpu="static")(TWO)
    return [h.observations[-1] for h in predict(Scenario("s", TWO, config, steps), behaviour_of(minor)).histories]


def memory(seen: Observation) -> tuple[int, dict[str, dict[str, int]]]:
    """GiB that are reserved on node 0, and pod → container → GiB of its blocks."""
    assert seen.machine is not None
    assert seen.assignments is not None
    blocks = {
        pod: {name: sum(b.size for b in held) // GIB for name, held in containers.items()}
        for pod, containers in seen.assignments.items()
    }
    return seen.machine[0].memory["memory"].reserved // GIB, blocks


def cpus(seen: Observation) -> tuple[str, dict[str, dict[str, str]]]:
    """The default set, and the exclusive CPUs."""
    assert seen.cpu is not None
    return seen.cpu.default, {pod: dict(held) for pod, held in seen.cpu.entries.items()}


@pytest.mark.parametrize("minor", ["1.29", "1.32", "1.37"])
@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, (3, {})),
        (2, (3, {"a": {"i": 3}})),
        (3, (3, {"a": {"i": 3}})),
        (4, (3, {"a": {"i": 3, "c": 2}})),
        (5, (3, {"a": {"i": 1, "c": 2}})),
    ],
)
def test_memory_of_an_admission(number: int, expected: object, minor: str) -> None:
    """Books, blocks, books, blocks, and last the smaller blocks of the init container."""
    (seen,) = left(Crash(WITH_INIT, AtWrite("memory_manager_state", number)), minor=minor)

    assert not seen.running
    assert expected == memory(seen)


@pytest.mark.parametrize(("number", "expected"), [(1, ("0,3-15", {})), (2, ("0,3-15", {"a": {"c": "1-2"}})), (3, None)])
def test_cpus_of_an_admission(number: int, expected: object) -> None:
    """The default set, then the CPUs; there is no third write."""
    (seen,) = left(Crash(A, AtWrite("cpu_manager_state", number)))

    assert expected == (None if seen.running else cpus(seen))


@pytest.mark.parametrize(("number", "expected"), [(1, (4, {})), (2, (0, {})), (3, (1, {})), (4, (1, {"b": {"c": 1}}))])
def test_memory_that_is_given_back(number: int, expected: object) -> None:
    """Blocks, then books, and then the admission that has asked for it."""
    (seen,) = left(A, Remove("a"), Crash(Admit(guaranteed("b", memory="1Gi")), AtWrite("memory_manager_state", number)))

    assert expected == memory(seen)


def test_containers_are_given_back_in_any_order() -> None:
    """Two of one pod: after the first write either may be gone."""
    two = Admit(guaranteed("a", containers=[container("c", memory="4Gi"), container("d", memory="2Gi")]))
    seen = left(two, Remove("a"), Crash(A, AtWrite("memory_manager_state", 1)))

    assert [(6, {"a": {"c": 4}}), (6, {"a": {"d": 2}})] == sorted(map(memory, seen), key=repr)


@pytest.mark.parametrize(("number", "expected"), [(1, (0, {})), (2, (0, {})), (3, (4, {})), (4, (4, {"a": {"c": 4}}))])
def test_start_without_a_file(number: int, expected: tuple[int, object]) -> None:
    """An empty machine state, a filled one, and the pod that comes back."""
    (seen,) = left(A, Crash(Restart(state="lose"), AtWrite("memory_manager_state", number)))

    assert seen.machine is not None
    assert expected == (memory(seen) if seen.machine else (0, {}))
    assert (number > 1) == bool(seen.machine)


@pytest.mark.parametrize("file", ["memory_manager_state", "cpu_manager_state"])
@pytest.mark.parametrize("moment", ["before", "unnamed"])
def test_start_with_files_writes_nothing(file: StateFile, moment: str) -> None:
    """No point to come to."""
    (seen,) = left(A, Crash(Restart(), AtWrite(file, 1, "before" if moment == "before" else "unnamed")))

    assert seen.running


@pytest.mark.parametrize(
    ("method", "moment", "blocks"),
    [
        ("CreateContainer", "after", {"i": 1, "c": 2}),
        ("StartContainer", "before", {"c": 2}),
    ],
)
def test_init_container_is_given_up_between_creation_and_start(
    method: Method, moment: str, blocks: dict[str, int]
) -> None:
    """Of the container behind it."""
    point = AtCall(method, 1, "before" if moment == "before" else "after")
    (seen,) = left(WITH_INIT, Crash(Exit("a", "i"), point))

    assert {"a": blocks} == memory(seen)[1]
