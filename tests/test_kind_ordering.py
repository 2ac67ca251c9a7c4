"""In which order pods are created so that a cluster brings them back as a scenario says."""

from __future__ import annotations

import pytest

from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.scenario.steps import Admit, AdmitTogether, Remove, Restart, Scenario, Step
from pinproof.subjects.cluster.ordering import creation_order
from pinproof.subjects.protocol import NotObservableError
from pinproof.suite import guaranteed

A, B, C = (guaranteed(name, memory="1Gi") for name in "abc")


def order(*steps: Step) -> tuple[int, ...]:
    return creation_order(Scenario("s", Machine("m", ()), KubeletConfig(), steps))


def test_without_a_restart_no_order_is_needed() -> None:
    assert () == order(Admit(A), Admit(B))


def test_a_pod_alone_comes_back_alone() -> None:
    assert () == order(Admit(A), Restart(), Admit(B))


def test_pods_come_back_as_they_came() -> None:
    assert (0, 1, 2) == order(Admit(A), Admit(B), Admit(C), Restart())


def test_pods_that_came_together_come_back_as_they_are_listed() -> None:
    assert (0, 1) == order(AdmitTogether((A, B)), Restart())


def test_a_restart_names_its_order() -> None:
    assert (2, 0, 1) == order(Admit(A), Admit(B), Admit(C), Restart(order=("c",)))


def test_a_pod_that_is_gone_is_no_part_of_it() -> None:
    assert (0, 2) == tuple(n for n in order(Admit(A), Admit(B), Remove("b"), Admit(C), Restart()) if n != 1)


def test_a_second_pod_of_a_name_is_another_pod() -> None:
    found = order(Admit(A), Admit(B), Remove("a"), Admit(A), Restart())

    assert found.index(1) < found.index(2)


def test_two_restarts_cannot_want_two_orders() -> None:
    with pytest.raises(NotObservableError, match="times of creation"):
        order(Admit(A), Admit(B), Restart(), Restart(order=("b",)))
