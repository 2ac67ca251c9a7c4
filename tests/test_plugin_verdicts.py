"""How a case ends, and what the run makes of it."""

from __future__ import annotations

import pytest

from tests.plugin_runs import FITS, TOLD, Project

pytest_plugins = ["pytester"]

WRONG = "test_fits[two_even~static_none]"


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """An empty project."""
    return Project(pytester)


def test_a_right_subject_passes_and_the_report_says_what_was_proved(project: Project) -> None:
    """Exit 0, every case passed, each requirement with its outcome."""
    result = project.suite(FITS, TOLD).run("reference")

    assert 0 == result.ret
    assert {"passed"} == set(project.outcomes().values())
    assert ["MM-A-001"] == project.report()["cases"][0]["requirements"]
    result.stdout.fnmatch_lines(["PASSED (reference): 2 cases passed*", "report: */out/report.html*"])


def test_a_finding_fails_a_case_whose_assertions_hold(project: Project) -> None:
    """The literal assertions do not look at counters; the judge does."""
    result = project.suite(FITS).run("wrong")

    assert 1 == result.ret
    assert {WRONG: "failed"} == project.outcomes()
    result.stdout.fnmatch_lines(["*counters.kubelet_memory_manager_pinning_requests_total*", "*expected*1", "*seen*2"])


@pytest.mark.parametrize("parallel", [(), ("-n", "1")])
def test_tables_of_a_failing_case_are_on_the_terminal(project: Project, parallel: tuple[str, ...]) -> None:
    """And in the report, those of cases that passed as well."""
    table = "prove.tables.append(Table('by order', ('order', 'outcome'), (('b a', 'gone'),)))"
    text = "from pinproof.report import Table\n" + FITS.replace("    assert", f"    {table}\n    assert")
    failing = text.replace('admitted("a")', 'rejected("a")').replace("test_fits", "test_other")
    result = project.suite(text, failing).run("reference", *parallel)

    result.stdout.fnmatch_lines(["*- by order -*", "order  outcome", "b a    gone"])
    rows = [table["rows"] for case in project.report()["cases"] for table in case["tables"]]
    assert [[["b a", "gone"]]] * 2 == rows


def test_a_finding_is_shown_beside_a_failing_assertion(project: Project) -> None:
    """Both are there: what the case says, and what the reference says."""
    result = project.suite(FITS.replace('admitted("a")', 'rejected("a")')).run("wrong")

    result.stdout.fnmatch_lines(["*assert False*", "E*found: step 1: admit a: counters*", "*what the judge found*"])
    assert "rejected" in project.report()["cases"][0]["message"]


def test_what_is_kept_of_a_failure_can_be_replayed(project: Project) -> None:
    """Scenario, both histories, the difference, the logs, and the command."""
    project.suite(FITS).run("wrong")

    (folder,) = (project.path / "out" / "failures").iterdir()
    kept = {file.name for file in folder.iterdir()}
    wanted = {"scenario.yaml", "observed.json", "predicted.json", "diff.txt", "kubelet.log", "REPRODUCE.md"}
    assert wanted <= kept
    assert "pinproof replay out/failures" in (folder / "REPRODUCE.md").read_text().replace("'", "")


def test_passed_cases_leave_nothing_unless_asked(project: Project) -> None:
    """`--keep` keeps them too."""
    project.suite(FITS).run("reference")
    before = (project.path / "out" / "failures").exists()
    project.run("reference", "--keep")

    assert not before
    assert (project.path / "out" / "failures").is_dir()


def test_what_the_subject_cannot_show_is_not_applicable_once(project: Project) -> None:
    """Neither a pass nor a failure, and one line for the reason."""
    result = project.suite(FITS, TOLD, TOLD.replace("test_told", "test_more")).run("blind")

    assert 0 == result.ret
    assert 2 == list(project.outcomes().values()).count("not_applicable")
    result.stdout.fnmatch_lines(["2 cases are not applicable: blind does not show told"])


def test_a_step_the_subject_cannot_do_is_not_applicable(project: Project) -> None:
    """It is not even run."""
    project.suite(FITS, FITS.replace("test_fits", "test_again").replace("))\n", "), restart())\n", 1)).run("blind")

    assert "not_applicable" == project.outcomes()["test_again[two_even~static_none]"]


def test_nothing_applicable_is_no_success(project: Project) -> None:
    """All cases skipped ends in 10, where pytest alone ends in 0."""
    result = project.suite(TOLD).run("blind")

    assert 10 == result.ret
    result.stdout.fnmatch_lines(["NO VERDICT (blind): no case ran*"])


def test_a_torn_capture_is_unknown(project: Project) -> None:
    """Exit 10, with the reason."""
    result = project.suite(FITS).run("torn")

    assert 10 == result.ret
    assert {WRONG: "unknown"} == project.outcomes()
    result.stdout.fnmatch_lines(["*/metrics is garbage*"])


def test_a_case_that_skips_itself_has_not_run(project: Project) -> None:
    """A skip cannot make a run complete."""
    result = project.suite(FITS, FITS.replace("test_fits", "test_idle").replace("assert", "pytest.skip()\n#")).run("ok")

    assert 10 == result.ret
    assert "not_run" == project.outcomes()["test_idle[two_even~static_none]"]


def test_a_case_that_proves_nothing_fails(project: Project) -> None:
    """An empty body is a mistake."""
    result = project.suite(FITS.replace("seen = prove(", "pass  # (").replace("assert", "pass  #")).run("reference")

    assert 1 == result.ret
    result.stdout.fnmatch_lines(["*never called prove*"])


def test_a_case_that_crashes_is_an_error(project: Project) -> None:
    """A bug in the case is not the kubelet's."""
    result = project.suite(FITS.replace("assert", "1 / 0\n    assert")).run("reference")

    assert 1 == result.ret
    assert {WRONG: "error"} == project.outcomes()


def test_a_case_that_hangs_has_no_verdict_and_does_not_stop_the_others(project: Project) -> None:
    """The hang guard ends it, and the next case gets another subject."""
    more = [FITS.replace("test_fits", name) for name in ("test_two", "test_xx")]
    result = project.suite(FITS, "@pytest.mark.timeout(1)", *more).run("hang")

    assert 10 == result.ret
    assert ["passed", "unknown", "passed"] == list(project.outcomes().values())


def test_no_subject_is_told_once(project: Project) -> None:
    """Exit 12 before anything else happens, with step, fault and next command."""
    result = project.suite(FITS, TOLD).run("dead")

    assert 12 == result.ret
    assert 1 == result.stderr.str().count("no compiler")
    assert "collected" not in result.stdout.str()


@pytest.mark.parametrize("parallel", [(), ("-n", "2")])
def test_a_subject_that_cannot_start_ends_the_run_at_once(project: Project, parallel: tuple[str, ...]) -> None:
    """Not the same message for every case."""
    cases = [FITS.replace("test_fits", f"test_{number}") for number in range(5)]
    result = project.suite(*cases).run("dying", *parallel)

    assert 12 == result.ret
    assert {"not_run"} == set(project.outcomes().values())
    assert 1 == result.stdout.str().count("next: free some")
    first = min((project.path / "out" / "failures").iterdir())
    assert ["kubelet.log"] == [file.name for file in first.iterdir()]


@pytest.mark.parametrize("parallel", [(), ("-n", "2")])
@pytest.mark.parametrize(("kind", "words"), [("clinging", "a process does not end"), ("buggy", "too many values")])
def test_a_subject_that_is_not_closed_is_told_of(
    project: Project, kind: str, words: str, parallel: tuple[str, ...]
) -> None:
    """Something of it may be left, so the run is no pass, whichever process it was in; what was proved is in the report."""
    result = project.suite(FITS).run(kind, *parallel)

    assert 12 == result.ret
    assert {"passed"} == set(project.outcomes().values())
    assert words in project.report()["subject"]["trouble"]
    assert words in result.stdout.str()


def test_a_subject_lost_later_ends_the_run_after_three(project: Project) -> None:
    """One lost case may be chance; what passed before counts."""
    cases = [FITS.replace("test_fits", f"test_{number}") for number in range(6)]
    result = project.suite(*cases).run("failing_later")

    assert 12 == result.ret
    assert ["passed", "not_run", "not_run", "not_run", "not_run", "not_run"] == list(project.outcomes().values())


def test_a_worker_that_dies_takes_one_case_with_it(project: Project) -> None:
    """That case is an error; another worker does the rest, and the run cannot pass."""
    cases = [FITS.replace("test_fits", f"test_{number}") for number in range(4)]
    result = project.suite(*cases).run("crashing", "-n", "1")

    assert 1 == result.ret
    assert ["error", "passed", "passed", "passed"] == sorted(project.outcomes().values())
