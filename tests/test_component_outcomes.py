"""The component subject on the real managers: what is predicted is seen, in every order that Kubernetes leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pinproof import build
from pinproof.running.examine import examine, predicted
from pinproof.scenario.steps import Exit, Remove, Restart, Scenario
from pinproof.scenario.topologies import machine
from pinproof.subjects.component.subject import ComponentSubject
from pinproof.suite import admit, container, guaranteed, static
from tests.test_reference_model import open_restarts

VERSION = "1.36.3"
TWO = machine("two_even")
STATIC = static(topology="restricted")(TWO)


@pytest.fixture(scope="module")
def subject() -> Iterator[ComponentSubject]:
    """A driver of the default release; every other release is the same driver, so that nothing more is built."""
    binary = build.component(VERSION)
    opened = ComponentSubject(binary, version=VERSION, components=lambda _: binary)
    yield opened
    opened.close()


LIFE = Scenario(
    "life",
    TWO,
    STATIC,
    (
        admit(guaranteed("a", memory="4Gi", init=[container("i", memory="6Gi")])),
        Exit("a", "i"),
        admit(guaranteed("b", memory="7Gi")),
        admit(guaranteed("c", memory="9Gi")),
        Restart(order=("b", "a")),
        Remove("a"),
        admit(guaranteed("d", memory="1Gi")),
    ),
)


def test_a_life_is_seen_as_predicted(subject: ComponentSubject) -> None:
    """Init container, rejection, restart in another order, clean-up: all observables, hints among them."""
    proof = examine(subject, LIFE)

    assert [] == list(proof.judgement.findings)
    assert all(seen.hints is not None for seen in proof.observed.observations)


def test_a_life_goes_on_in_the_driver_of_another_release(subject: ComponentSubject) -> None:
    """Handed over at a restart, nothing is lost."""
    steps = (*LIFE.steps[:4], replace(Restart(order=("b", "a")), kubernetes="1.36.0"), *LIFE.steps[5:])

    handed_over = subject.run(replace(LIFE, steps=steps))
    at_home = subject.run(LIFE)

    assert [at.assignments for at in at_home.observations] == [over.assignments for over in handed_over.observations]
    assert [at.pods for at in at_home.observations] == [over.pods for over in handed_over.observations]


@pytest.mark.parametrize("restarts", [1, 3])
def test_every_order_of_a_restart_is_seen(subject: ComponentSubject, restarts: int) -> None:
    """Each restart after the first that is open doubles the outcomes; all of them are shown, and no other."""
    scenario = open_restarts(restarts)

    proof = examine(subject, scenario)

    assert 2**restarts == len(predicted(scenario, "1.36").histories)
    assert [] == [finding for finding in proof.judgement.findings if finding.oracle == "modelled"]


def test_nothing_is_left_behind() -> None:
    """The driver ends with its subject."""
    subject = ComponentSubject(build.component(VERSION), version=VERSION)
    subject.run(replace(LIFE, steps=()))
    pids = [process.pid for process in subject._processes.values()]

    subject.close()

    assert [] == [pid for pid in pids if pid is not None and Path(f"/proc/{pid}").exists()]
