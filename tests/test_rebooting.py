"""Starts with one change each, and restarts in every order, as a case asks for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.running.examine import examine
from pinproof.running.prove import KEPT, Prove
from pinproof.running.seen import NotObservableError
from pinproof.scenario.steps import Restart
from pinproof.scenario.topologies import machine
from pinproof.subjects.protocol import ADMIT_HINTS
from pinproof.subjects.reference import ReferenceSubject
from pinproof.suite import AS_IT_WAS, admit, guaranteed, permute, reboots, restart, static
from tests.wrong_models import WRONG
from tests.wrong_subject import WrongSubject

NONE, SINGLE = static(), static(topology="single-numa-node")
POD = admit(guaranteed("a", memory="6Gi"))


def prove() -> Prove:
    """On the reference."""
    return Prove(ReferenceSubject("1.36"), machine("two_even"), NONE, examine)


def test_every_change_is_against_the_case() -> None:
    """What one change leaves open is not as the one before had it."""
    case = prove()
    outcomes = reboots(
        case, POD, changes={"one node": restart(machine="one", kubelet=NONE), "policy": restart(kubelet=SINGLE)}
    )

    assert outcomes["one node"].startswith("refuses: [memorymanager] the expected machine state")
    assert {"policy": "as before", AS_IT_WAS: "as before"} == {k: outcomes[k] for k in ("policy", AS_IT_WAS)}
    (proof,) = case.proofs
    starts = [step for step in proof.scenario.steps if isinstance(step, Restart)]
    assert ["one", "two_even", "two_even"] == [step.machine.name for step in starts if step.machine]
    assert [NONE(machine("one")), SINGLE(machine("two_even")), NONE(machine("two_even"))] == [s.kubelet for s in starts]
    assert tuple(outcomes.items()) == case.tables[0].rows


def test_restarts_of_a_case_are_one_table() -> None:
    """Only one proof is kept where all is well."""
    case = prove()
    found = permute(case, POD, states=["kept", "lost", "empty"])

    assert (6, 6, 1) == (found.restarts, sum(found.outcomes().values()), len(case.proofs))
    assert ["6 restarts"] == [table.title for table in case.tables]


def test_findings_of_restarts_are_kept() -> None:
    """Not more than tell something new, and the first of them always."""
    bug = next(model for model in WRONG if model.name == "a restart with blocks on file places anew")
    wrong = WrongSubject(bug)
    case = Prove(wrong, machine("two_even"), NONE, examine)
    permute(case, *(admit(guaranteed(name, memory="4Gi")) for name in "abcd"), states=["kept"], exhaustive=True)

    assert 2 < len(case.proofs) <= KEPT
    assert all(proof.judgement.findings for proof in case.proofs[1:])


def test_exhaustive_restarts_want_a_subject_in_one_process() -> None:
    """Those of a process that has to be booted would take hours."""
    case = prove()
    steps = case.subject.capabilities.steps - {ADMIT_HINTS}
    case.subject.capabilities = replace(case.subject.capabilities, steps=steps)

    with pytest.raises(NotObservableError, match="takes too long"):
        permute(case, POD, exhaustive=True)
