"""A campaign finds every wrong model and makes the scenario that shows it small: at most four steps and three pods."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from pinproof.errors import InputError
from pinproof.fuzz.draws import RandomDraws
from pinproof.fuzz.findings import Signature, abstract
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.scenarios import draw_scenario
from pinproof.fuzz.shrink import Budget, measure, possible, readable, shrink
from pinproof.fuzz.shrink_steps import without
from pinproof.fuzz.trial import Bench
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, Scenario
from pinproof.suite import static
from tests.wrong_models import WRONG
from tests.wrong_subject import WrongSubject

MOST = 3000
"""Scenarios until a wrong model must be found."""

UNREACHABLE = {
    "a gate that is gone is ignored": "no configuration that is drawn names gate MemoryManager",
    "a locked gate is opened": "the same",
    "a manager that is switched off serves on": "the same",
    "a node has room for one pod more": "no course has a hundred pods",
    "a threshold of nothing is taken": "a threshold is of some megabytes, or there is none",
    "more than eight nodes are accepted": "nobody draws a machine of more nodes than the configuration allows",
    "the policy of Linux is taken on Windows": "the subject of these tests has no machine with Windows",
    "totals are not compared": "reservations move within a group of nodes too rarely: not in 3,000 scenarios",
}
"""Wrong models that no drawn scenario tells from the right one, and why."""

SMALL = (4, 3)
"""Steps and pods."""

RARE = {
    "assignments are not compared",
    "duplicate reservations are accepted",
    "highest node is given back first",
    "restart compares node by node",
    "sidecars are forgotten beside init containers",
    "zero reservations are accepted",
}
"""Wrong models that take hundreds of scenarios to find; they are left to `-m slow`."""


def every() -> Iterator[Any]:
    """The wrong models, as parameters."""
    for model in WRONG:
        if model.name not in UNREACHABLE:
            marks = [pytest.mark.slow] if model.name in RARE else []
            yield pytest.param(model, id=model.name.replace(" ", "-"), marks=marks)


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The wrong model that the test is given, beside the right one."""
    with closing(WrongSubject(request.param)) as subject:
        yield Bench(subject)


def modelled(bench: Bench, scenario: Scenario) -> Signature | None:
    """How a scenario differs from the right model; what no release may do is not the wrong model's doing."""
    try:
        found = bench.examine(scenario).signatures()
    except InputError:
        return None
    return next((signature for signature in found if signature.oracle == "modelled"), None)


def first(bench: Bench) -> tuple[Scenario, Signature]:
    """The first drawn scenario that shows the bug."""
    for number in range(MOST):
        scenario = draw_scenario(RandomDraws.of(seed=1, number=number), name=f"1-{number}", profile=Profile())
        signature = modelled(bench, scenario)
        if signature:
            return scenario, signature
    raise AssertionError(f"{bench.subject.name} was not found in {MOST} scenarios")


@pytest.mark.parametrize("bench", list(every()), indirect=True)
def test_wrong_model_is_found_and_made_small(bench: Bench) -> None:
    """Whatever is left fails in the same way, can be read from a file, and is small."""
    scenario, signature = first(bench)

    shrunk = shrink(scenario, lambda candidate: modelled(bench, candidate) == signature)

    assert shrunk.finished
    assert modelled(bench, shrunk.scenario) == signature
    assert readable(shrunk.scenario)
    assert all(size <= most for size, most in zip(measure(shrunk.scenario), SMALL, strict=True))


@pytest.mark.parametrize("name", sorted(UNREACHABLE.keys() | RARE))
def test_lists_name_wrong_models(name: str) -> None:
    """They name nothing that is not there."""
    assert name in {model.name for model in WRONG}


MACHINE = Machine("two", (NumaNode(0, 4 << 30, CpuSet(range(4))), NumaNode(1, 4 << 30, CpuSet(range(4, 8)))))
A, B = (Pod(name, (Container("c"), Container("d"))) for name in "ab")
SCENARIO = Scenario(
    "long",
    MACHINE,
    static(topology="restricted")(MACHINE),
    (Admit(A), Admit(B), Exit("a", "d"), Restart(order=("b", "a"), signal="KILL"), Remove("a"), Remove("b")),
)


def test_steps_of_a_dropped_pod_go_with_it() -> None:
    """A scenario without an arrival says nothing of that pod any more."""
    assert (Admit(B), Restart(order=("b",), signal="KILL"), Remove("b")) == without(SCENARIO, [0]).steps


def test_what_does_not_matter_is_dropped() -> None:
    """Where any restart will do, all that is left is a plain one on one plain node."""
    shrunk = shrink(SCENARIO, lambda candidate: any(isinstance(step, Restart) for step in candidate.steps))

    assert (Restart(),) == shrunk.scenario.steps
    assert 1 == len(shrunk.scenario.machine.nodes)
    assert "none" == shrunk.scenario.kubelet.topology_manager_policy


def test_budget_ends_the_search() -> None:
    """The best so far is the answer, and it is told that more was possible."""
    shrunk = shrink(SCENARIO, lambda _: True, budget=Budget(tries=1))

    assert not shrunk.finished
    assert 1 == shrunk.tries


def test_impossible_scenarios_are_not_run() -> None:
    """A pod cannot be removed before it came."""
    assert possible(SCENARIO)
    assert not possible(replace(SCENARIO, steps=(Remove("a"),)))
    assert not possible(replace(SCENARIO, machine=Machine("no CPUs", (NumaNode(0, 4 << 30),))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("expected 4294967296 (4Gi) on {0,1}", "expected # on {#}"),
        ("pods.a.message", "pods.*.message"),
        ("memory 1024 (1Ki) on {0}; memory 22 on {1}", "memory # on {#}"),
        ("represent quantity as int64", "represent quantity as int64"),
        ("machine.0.hugepages-1Gi.free", "machine.#.hugepages#.free"),
    ],
)
def test_signatures_know_no_names_and_numbers(text: str, expected: str) -> None:
    """What differs from one scenario to the next is not part of what a failure is."""
    assert expected == abstract(text, {"a"})
