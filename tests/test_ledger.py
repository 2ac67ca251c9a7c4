"""The ledger: strict both ways."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pinproof.errors import InputError
from pinproof.judge import Finding
from pinproof.ledger import Ledger, read_ledger
from pinproof.running.facts import Facts
from pinproof.running.places import shipped
from pinproof.running.releases import matches
from tests.plugin_runs import FITS, Project, entry

pytest_plugins = ["pytester"]

CASE = "suites/a/test_a.py::test_fits[two_even~static_none]"


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """A project with one case, which the subject `wrong` fails."""
    return Project(pytester).suite(FITS)


def test_a_known_failure_is_expected(project: Project) -> None:
    """Exit 0, and the report names the entry."""
    result = project.ledger(entry(CASE)).run("wrong")

    assert 0 == result.ret
    assert ["expected_failure"] == list(project.outcomes().values())
    result.stdout.fnmatch_lines(["*1 xfailed*"])
    assert [CASE] == project.report()["ledger"][0]["cases"]


@pytest.mark.parametrize("name", ["MM-A-001", "*::test_fits[[]two_even~*", "a/test_a.py::test_fits[*]"])
def test_wildcards_and_requirements(project: Project, name: str) -> None:
    """Brackets are literal, so the second of these names nothing and is stale."""
    result = project.ledger(entry(name)).run("wrong")

    assert (1 if "[[]" in name else 0) == result.ret


def test_another_message_is_another_defect(project: Project) -> None:
    """The entry does not cover it up."""
    assert 1 == project.ledger(entry(CASE, message="cells of node 0")).run("wrong").ret


def test_a_case_that_passes_makes_its_entry_wrong(project: Project) -> None:
    """Exit 11, and the case says which entry."""
    subject = {"kind": "reference"}
    result = project.ledger(entry(CASE, subject=subject)).run("reference")

    assert 11 == result.ret
    assert ["unexpected_pass"] == list(project.outcomes().values())
    result.stdout.fnmatch_lines(
        ["*it passes, but known.yaml: entries?0? of the ledger expects: pinning_requests_total*"]
    )


@pytest.mark.parametrize("parallel", [(), ("-n", "1")])
def test_an_entry_without_a_case_is_stale(project: Project, parallel: tuple[str, ...]) -> None:
    """Exit 11 in a whole run, whoever collects."""
    result = project.ledger(entry("MM-A-077", subject={"kind": "*"})).run("reference", *parallel)

    assert 11 == result.ret
    result.stdout.fnmatch_lines(["NO VERDICT*MM-A-077 (known.yaml: entries?0?)*"])


def test_a_partial_run_does_not_judge_the_rest_of_the_ledger(project: Project) -> None:
    """`-k` leaves its cases out, so the entry may be right."""
    project.suite(FITS, FITS.replace("test_fits", "test_more"))
    result = project.ledger(entry("*::test_more[*]", subject={"kind": "reference"})).run("reference", "-k", "fits")

    assert 0 == result.ret


def test_entries_of_other_subjects_and_versions_are_left_alone(project: Project) -> None:
    """Neither expected nor stale."""
    others = entry(CASE, subject={"kind": "wrong", "versions": "<1.32"}), entry("nothing", subject={"kind": "kubelet"})

    assert 1 == project.ledger(*others).run("wrong").ret


def test_a_malformed_ledger_ends_the_run_with_every_problem(project: Project) -> None:
    """Exit 2."""
    broken = entry(CASE, link="see the wiki", subject={"kind": "wrong", "versions": "before 1.32"}, resaon="typo")
    result = project.ledger(broken).run("wrong", apart=True)

    assert 2 == result.ret
    for words in ("entries[0].link", "'before 1.32' is not a condition", "did you mean 'reason'"):
        assert words in result.stderr.str()


def test_a_ledger_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Not an empty one."""
    with pytest.raises(InputError, match="cannot be read"):
        read_ledger(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("version", "condition", "holds"),
    [
        ("1.32.2", "", True),
        ("1.32.2", "==1.32", True),
        ("1.32.2", ">1.32", False),
        ("1.32.2", "<1.32.3", True),
        ("v1.32.0-rc.1", ">=1.30,<1.33", True),
        ("1.9.0", "<1.30", True),
    ],
)
def test_conditions_on_versions(version: str, condition: str, holds: bool) -> None:
    """A minor in a condition stands for all its patch releases."""
    assert holds is matches(version, condition)


def test_only_passes_and_failures_are_the_ledgers_business(project: Project) -> None:
    """A torn capture stays unknown whatever an entry says."""
    entries = read_ledger(project.ledger(entry("*::*", subject={"kind": "*"})).path / "ledger")
    ledger = Ledger(entries, Facts("kubelet:1.36.3", "1.36.3", {}))

    assert "unknown" == ledger.rule(CASE, (), "unknown", "pinning_requests_total").outcome
    assert "error" == ledger.rule(CASE, (), "error", "pinning_requests_total").outcome


def test_the_shipped_ledger_can_be_read() -> None:
    """Every file of it."""
    assert all(known.link for known in read_ledger(shipped("ledger")))


FINDING = Finding("required", "I-7", 1, "pod_resources.a.c", "nothing, since the pod is over", "1Gi", "I-7 says so")


def finding_ledger(place: Path, **changes: object) -> Ledger:
    """A ledger of one entry that explains findings."""
    known = {
        **entry(CASE),
        "finding": "I-7",
        "message": "since the pod is over",
        "subject": {"kind": "kubelet"},
        **changes,
    }
    if "case" not in changes:
        del known["case"]
    document = {"apiVersion": "pinproof/v1alpha1", "kind": "Ledger", "entries": [known]}
    (place / "known.yaml").write_text(yaml.safe_dump(document))
    return Ledger(read_ledger(place), Facts("kubelet:1.32.2", "1.32.2", {}))


def test_a_finding_is_explained_wherever_it_is(tmp_path: Path) -> None:
    """A case that fails by nothing but explained findings is an expected failure."""
    ruling = finding_ledger(tmp_path).rule(CASE, (), "failed", "", findings=[FINDING, FINDING])

    assert "expected_failure" == ruling.outcome


def test_a_mended_subject_is_no_known_failure(project: Project) -> None:
    """The message is in what the model expected, and the case has what it asks for: the defect is not there any more."""
    entries = read_ledger(project.ledger(entry(CASE, subject={"kind": "*"})).path / "ledger")
    ledger = Ledger(entries, Facts("kubelet:1.36.3", "1.36.3", {}))
    differs = replace(FINDING, oracle="modelled", requirement="")

    assert "failed" == ledger.rule(CASE, (), "failed", "pinning_requests_total", findings=[differs]).outcome
    assert "expected_failure" == ledger.rule(CASE, (), "failed", "pinning_requests_total", findings=[FINDING]).outcome


@pytest.mark.parametrize("other", [replace(FINDING, requirement="I-2"), replace(FINDING, expected="1Gi")])
def test_one_finding_without_an_explanation_fails_the_case(tmp_path: Path, other: Finding) -> None:
    """An explained finding does not cover up another one."""
    assert "failed" == finding_ledger(tmp_path).rule(CASE, (), "failed", "", findings=[FINDING, other]).outcome


def test_a_literal_expectation_is_not_explained_by_a_finding(tmp_path: Path) -> None:
    """Where an assertion failed as well no findings are handed in, and the case has failed."""
    assert "failed" == finding_ledger(tmp_path).rule(CASE, (), "failed", "since the pod is over").outcome


def test_a_pass_is_no_business_of_an_entry_for_findings(tmp_path: Path) -> None:
    """It names no cases, so none passes against it."""
    assert "passed" == finding_ledger(tmp_path).rule(CASE, (), "passed", "").outcome


def test_an_entry_names_a_case_or_a_finding(tmp_path: Path) -> None:
    """Both at once is malformed."""
    with pytest.raises(InputError, match="either a `case` or a `finding`"):
        finding_ledger(tmp_path, case=CASE)


@pytest.mark.parametrize(
    ("kind", "holds"),
    [("*", True), ("reference", True), (["kubelet", "reference"], True), ("kubelet", False), (["kubelet"], False)],
)
def test_an_entry_holds_for_its_kinds_of_subject(project: Project, kind: object, holds: bool) -> None:
    """One, several, or all."""
    (found,) = read_ledger(project.ledger(entry("*::*", subject={"kind": kind})).path / "ledger")

    assert holds == found.holds_for(Facts("reference:1.36", "1.36.0", {}))


@pytest.mark.parametrize(("kind", "holds"), [("kubelet", True), ("kind", True), ("component", False)])
def test_a_worker_of_a_cluster_has_a_kubelet_in_it(project: Project, kind: str, holds: bool) -> None:
    """What is known of a kubelet is known of it there."""
    (found,) = read_ledger(project.ledger(entry("*::*", subject={"kind": kind})).path / "ledger")

    assert holds == found.holds_for(Facts("kind:1.36.3", "1.36.3", {}))
