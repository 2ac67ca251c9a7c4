"""The suites on version skew can fail: kubelets that take over too little, or too much, are caught.

Every one of these is the reference with one text replaced. The literal expectations of a case notice, and the comparison with
the right reference does: both are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import pytest

from pinproof.running.configuration import Configuration
from pinproof.running.examine import examine
from pinproof.running.prove import Prove
from pinproof.scenario.topologies import machine
from pinproof.skew.golden import Writer
from pinproof.subjects.protocol import Subject
from pinproof.subjects.reference import ReferenceSubject
from suites.skew import test_gates as gates
from suites.skew import test_golden_files as files
from suites.skew import test_running_node as running
from tests.wrong_model import WrongModel
from tests.wrong_subject import WrongSubject, source_of

NEWEST, NEWEST_MANAGED = Writer("1.37.1"), Writer("1.37.1", managed=True)
MANAGED = Writer("1.36.3", managed=True)

Body = Callable[[Prove], None]


@dataclass(frozen=True, slots=True)
class Caught:
    """A bug, and the case that notices."""

    model: WrongModel
    body: Body
    configuration: Configuration
    minor: str = "1.36"


def wrong(name: str, module: str, find: str, replace: str) -> WrongModel:
    """A wrong model that is not of the list that every suite is held against."""
    return WrongModel(name, module, find, replace, case="")


def memory(writer: Writer, *, gate: bool) -> Body:
    """All memory manager's files of a writer."""
    return lambda prove: files.memory_files(prove, writer, gate=gate)


def cpu(writer: Writer, *, gate: bool) -> Body:
    """All CPU manager's files of a writer."""
    return lambda prove: files.cpu_files(prove, writer, gate=gate)


CAUGHT = (
    Caught(
        wrong("unverified is empty", "restart", "        raise unusable(str(fault)) from None", "        return None"),
        memory(MANAGED, gate=False),
        files.STATIC,
    ),
    Caught(
        wrong(
            "assignments are dropped",
            "files",
            "return restart.adopt(loaded, settings.empty)",
            "return MemoryState(books=settings.empty)",
        ),
        memory(NEWEST, gate=False),
        files.STATIC,
    ),
    Caught(
        wrong("format 2 is not read", "restart", "    if reads_v2 and ", "    if False and "),
        memory(MANAGED, gate=True),
        files.MANAGED,
    ),
    Caught(
        wrong(
            "format 3 is read by its outer fields",
            "restart",
            "        return data if pod_level_managers else replace(data, pod_entries={})",
            "        return without_pods",
        ),
        memory(NEWEST_MANAGED, gate=True),
        files.MANAGED,
        minor="1.37",
    ),
    Caught(
        wrong(
            "CPU format 3 is read by anyone",
            "cpu_file",
            "    if on_disk.version == 3 and reader.version == 2:",
            "    if False:",
        ),
        cpu(MANAGED, gate=False),
        files.STATIC,
    ),
    Caught(
        wrong(
            "exclusive CPUs of a file are dropped",
            "files",
            "            file, books = cpu_text.decode(",
            "            books = CpuBooks()\n            file, _ = cpu_text.decode(",
        ),
        cpu(Writer("1.30.14"), gate=False),
        files.STATIC,
    ),
    Caught(
        wrong(
            "another release forgets the state",
            "files",
            '        if step.state == "lose":',
            '        if step.state == "lose" or step.kubernetes:',
        ),
        running.test_next_minor_and_back,
        running.ALONE,
    ),
    Caught(
        wrong(
            "the gate does not change the format",
            "restart",
            "return 2 if behaviour.checkpoint_format == 1 and pod_level_managers else behaviour.checkpoint_format",
            "return behaviour.checkpoint_format",
        ),
        gates.test_older_release_refuses_both_files_of_the_gate,
        gates.ON,
    ),
    Caught(
        wrong(
            "a refused file is deleted",
            "node",
            "            self.refusal = str(refusal)\n",
            "            self.refusal, self._files = str(refusal), StateFiles()\n",
        ),
        gates.test_older_releases_refuse_a_managed_pod,
        gates.ON,
        minor="1.37",
    ),
    Caught(
        wrong(
            "managed pods are adopted without their own entry",
            "restart",
            "        if theirs.number_of_assignments != ours.number_of_assignments:",
            "        if False:",
        ),
        gates.test_gate_off_over_a_managed_pod_is_refused,
        gates.ON,
        minor="1.37",
    ),
)
EVERY = [pytest.param(caught, id=caught.model.name.replace(" ", "-")) for caught in CAUGHT]


def noticed(caught: Caught, subject: Subject) -> tuple[bool, bool]:
    """Whether the literal expectations notice, and whether the comparison with the right model does."""
    prove = Prove(subject, machine("hugepages_even"), caught.configuration, examine)
    try:
        caught.body(prove)
    except AssertionError:
        literal = True
    else:
        literal = False
    return literal, any(proof.judgement.findings for proof in prove.proofs)


@pytest.mark.parametrize("caught", EVERY)
def test_the_right_model_passes(caught: Caught) -> None:
    """Otherwise the failure of a wrong one would mean nothing."""
    assert (False, False) == noticed(caught, ReferenceSubject(caught.minor))


@pytest.mark.parametrize("caught", EVERY)
def test_wrong_kubelets_are_caught(caught: Caught) -> None:
    """By both."""
    with closing(WrongSubject(caught.model, caught.minor)) as subject:
        assert (True, True) == noticed(caught, subject)


@pytest.mark.parametrize("caught", EVERY)
def test_bug_is_one_place(caught: Caught) -> None:
    """The text to find is there once."""
    assert 1 == source_of(caught.model.module).count(caught.model.find)
