"""Decisions have names: those in the code are those that are listed, and scenarios reach them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pinproof.reference
from pinproof.history import Hinted
from pinproof.reference.behaviour import LATEST, behaviour_of
from pinproof.reference.decisions import (
    ADMISSIONS,
    BY_MEMORY,
    DECISIONS,
    Reached,
    decided_by_memory,
    name_of_refusal,
)
from pinproof.reference.model import predict
from pinproof.scenario.steps import Admit, Remove, Restart, Scenario, Step
from tests.reference_values import container, machine, pod, small, static

SOURCES = sorted(Path(pinproof.reference.__path__[0]).glob("*.py"))
TWO = machine(8, 8)


def literals() -> Iterator[str]:
    """Every text in the calls of `reach` and in the tables of branches; `*` stands for a part that is worked out."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("reach"):
                yield from texts(node.args[0])
            if isinstance(node, ast.Dict) and source.stem == "static_policy":
                yield from (text for key in node.keys if key for text in texts(key))


def texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp():
            yield from texts(node.body)
            yield from texts(node.orelse)
        case ast.JoinedStr():
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)


def reached(*steps: Step, policy: str = "best-effort", cpu: str = "none") -> Reached:
    """What a scenario on two nodes of 7 GiB for pods reaches."""
    found = Reached()
    predict(Scenario("s", TWO, static(2, policy, cpu=cpu), steps), behaviour_of(LATEST), reached=found)
    return found


def test_every_name_in_the_code_is_listed() -> None:
    """Otherwise it is in no denominator."""
    plain = {text for text in literals() if "*" not in text}

    assert set() == plain - DECISIONS.keys()


def test_every_listed_name_is_in_the_code() -> None:
    """Otherwise nothing can reach it."""
    plain = {text for text in literals() if "*" not in text}
    begun = tuple(text.partition("*")[0] for text in literals() if "*" in text)
    elsewhere = {ADMISSIONS, BY_MEMORY} | {name for name in DECISIONS if name.startswith(("refusal.", "panic."))}

    assert set() == {name for name in DECISIONS.keys() - plain - elsewhere if not name.startswith(begun)}


def test_decisions_of_a_small_scenario() -> None:
    """A pod on each node, a third that finds no room, and a restart."""
    found = reached(
        Admit(small("a", "6Gi")), Admit(small("b", "6Gi")), Admit(small("c", "6Gi")), Remove("a"), Restart()
    )

    assert 2 == found["allocate.on-1"]
    assert 1 == found["hints.none"] == found["allocate.no-extension"]
    assert 1 == found["validate.agrees"] == found["regenerate.equal"] == found["restart.pod-admitted-again"]
    assert 0 == found["release.stale"]


@pytest.mark.parametrize(
    ("memory", "decided"),
    [
        (["1Gi"], 0),  # any node would do
        (["6Gi", "6Gi"], 1),  # the second has to go elsewhere
        (["10Gi"], 1),  # needs both nodes
        (["100Gi"], 1),  # refused
        (["6Gi", "1Gi"], 0),  # the second fits the first node as well
    ],
)
@pytest.mark.parametrize("policy", ["none", "best-effort", "restricted", "single-numa-node"])
def test_memory_decides_where_boundless_memory_would_not(policy: str, memory: list[str], decided: int) -> None:
    """Compared is with nodes that have enough for anything."""
    found = reached(*(Admit(small(f"p{n}", size)) for n, size in enumerate(memory)), policy=policy)

    assert decided == found[BY_MEMORY]
    assert decided / len(memory) == decided_by_memory(found)


def test_cpus_decide_without_memory() -> None:
    """What exclusive CPUs leave no choice about is not decided by memory."""
    pods = [Admit(pod(f"p{n}", container("c", cpu="3", memory="1Gi"))) for n in range(2)]

    assert 0 == reached(*pods, policy="restricted", cpu="static")[BY_MEMORY]


def test_nobody_listens_unless_asked() -> None:
    """The prediction is the same."""
    scenario = Scenario("s", TWO, static(2, "restricted"), (Admit(small("a", "10Gi")), Restart()))

    assert predict(scenario, behaviour_of(LATEST)) == predict(scenario, behaviour_of(LATEST), reached=Reached())


def test_unknown_words_have_no_name() -> None:
    """So that a new refusal is noticed."""
    assert "refusal.other" == name_of_refusal("the kubelet has better things to do")
    assert "refusal.other" not in DECISIONS


def test_hints_are_observed_on_request() -> None:
    """Node ids, ascending; what was merged is what the Topology Manager stored."""
    scenario = Scenario("s", TWO, static(2, "restricted"), (Admit(small("a", "6Gi")),))
    start, admitted = predict(scenario, behaviour_of(LATEST), hints=True).histories[0].observations

    both, first, second = ((0, 1), False), ((0,), True), ((1,), True)
    answers = {"other": {}, "cpu": {}, "memory": {"memory": (first, both, second)}}
    assert ((), (Hinted("a", "c", answers, first),)) == (start.hints, admitted.hints)
    assert predict(scenario, behaviour_of(LATEST)).histories[0].observations[1].hints is None


def test_rejected_pod_stores_no_hint() -> None:
    """Scope pod asks once, for no container."""
    config = static(2, "single-numa-node", scope="pod")
    scenario = Scenario("s", TWO, config, (Admit(small("a", "10Gi")),))
    hints = predict(scenario, behaviour_of(LATEST), hints=True).histories[0].observations[1].hints

    answers = {"other": {}, "cpu": {}, "memory": {"memory": (((0, 1), True),)}}
    assert (Hinted("a", "", answers, None),) == hints
