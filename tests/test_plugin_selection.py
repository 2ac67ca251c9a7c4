"""Which cases a run takes, where they run, and when the plug-in keeps quiet."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from pinproof.cli.run import wiring
from pinproof.report import claim
from tests.plugin_runs import FITS, TOLD, Project

pytest_plugins = ["pytester"]

SPREAD = """
@case("MM-A-001", machines=["two_even", "three", "one"], kubelet=[static(), none_policy()])
def test_{name}(prove):
    prove(admit(besteffort("a")))
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """An empty project."""
    return Project(pytester)


def test_cases_of_other_minors_are_one_line(project: Project) -> None:
    """They are not collected, so they cannot be skipped."""
    old = FITS.replace("kubelet=[static()]", 'kubelet=[static()], until="1.31"').replace("test_fits", "test_old")
    result = project.suite(FITS, old).run("reference")

    assert 0 == result.ret
    assert ["test_fits[two_even~static_none]"] == list(project.outcomes())
    result.stdout.fnmatch_lines(["1 cases are of other minors than 1.36"])


def test_exhaustive_cases_run_when_they_are_asked_for(project: Project) -> None:
    """They are left out otherwise, which a line says; the ledger is judged as a whole all the same."""
    night = FITS.replace("kubelet=[static()]", "kubelet=[static()], nightly=True").replace("test_fits", "test_night")
    project.suite(FITS, night)

    result = project.run("reference")
    assert (0, ["test_fits[two_even~static_none]"]) == (result.ret, list(project.outcomes()))
    result.stdout.fnmatch_lines(["1 cases are exhaustive and run with --nightly only"])
    assert 0 == project.run("reference", "--nightly").ret
    assert 2 == len(project.outcomes())


def test_an_older_subject_gets_the_cases_of_its_minor(project: Project) -> None:
    """And not those that begin later."""
    new = FITS.replace("kubelet=[static()]", 'kubelet=[static()], since="1.32"').replace("test_fits", "test_new")
    project.suite(FITS, new).run("reference:1.31")

    assert ["test_fits[two_even~static_none]"] == list(project.outcomes())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FITS + "\ndef test_bare():\n    pass\n", "*need @case(...): *test_bare*"),
        (FITS.replace("MM-A-001", "MM-A-999"), "*requirements/ does not have: MM-A-999*"),
        (FITS.replace("test_fits(prove)", "test_fits()"), "*takes the argument prove*"),
    ],
)
def test_a_suite_that_cannot_be_right_is_a_usage_error(project: Project, text: str, message: str) -> None:
    """Before anything runs."""
    result = project.suite(text).run("reference")

    assert result.ret in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERRUPTED}
    result.stdout.fnmatch_lines_random([message]) if "argument" in message else result.stderr.fnmatch_lines([message])


def test_a_kubelet_is_booted_once_for_its_cases(project: Project) -> None:
    """Cases of one machine and configuration follow each other, across functions."""
    project.suite(*(SPREAD.format(name=name) for name in "xyz")).run("reference")

    machines = [line.split()[1] for line in (project.path / "runs.txt").read_text().splitlines()]
    changes = sum(first != second for first, second in pairwise(machines))
    assert 18 == len(machines)
    assert changes <= 5


def test_a_machine_and_configuration_stays_on_one_worker(project: Project) -> None:
    """Whatever `--dist` says; and the report and JUnit know the subject although the controller runs nothing."""
    result = project.suite(*(SPREAD.format(name=name) for name in "xyz")).run(
        "reference", "-n", "2", "--dist=loadgroup", "--junitxml=junit.xml", "-v"
    )

    placed: dict[str, set[str]] = {}
    for line in result.stdout.lines:
        if line.startswith("[gw"):
            placed.setdefault(line.rpartition("[")[2], set()).add(line[:5])
    tree = ElementTree.parse(project.path / "junit.xml")  # noqa: S314  # pytest has just written it
    properties = {one.get("name"): one.get("value") for one in tree.iter("property")}
    assert 0 == result.ret
    assert 6 == len(placed)
    assert {1} == {len(workers) for workers in placed.values()}
    assert "reference" == properties["subject"]
    assert "MM-A-001" == properties["requirement"]
    assert 18 == len(project.report()["cases"])


def test_failed_cases_can_be_run_again_from_a_report(project: Project) -> None:
    """Only they are selected."""
    project.suite(FITS, TOLD, FITS.replace("test_fits", "test_bad").replace('admitted("a")', 'rejected("a")'))
    project.run("reference")
    (project.path / "out" / "report.json").rename(project.path / "before.json")
    project.run("reference", "--from-report=before.json")

    assert ["test_bad[two_even~static_none]"] == list(project.outcomes())


def test_the_plug_in_keeps_quiet_elsewhere(project: Project) -> None:
    """A pytest run that is not one of suites has no subject, no header and no report."""
    project.write("test_other.py", "def test_other():\n    pass\n")
    result = project.pytester.runpytest_inprocess(*wiring(), "test_other.py")

    assert 0 == result.ret
    assert "pinproof 0" not in result.stdout.str()
    assert not (project.path / "out").exists()


def test_cases_outside_a_suites_folder_ask_for_a_subject(project: Project) -> None:
    """They cannot run without one."""
    project.write("test_lost.py", "from pinproof.suite import *\n" + FITS)
    result = project.pytester.runpytest_inprocess(*wiring(), "test_lost.py")

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["*give --subject*"])


def test_two_runs_do_not_share_an_output_folder(project: Project) -> None:
    """The second is refused at once."""
    with claim(project.path / "out"):
        result = project.suite(FITS).run("reference", apart=True)

    assert 2 == result.ret
    result.stderr.fnmatch_lines(["*another run writes there*"])


def test_options_that_make_no_sense_are_told_together(project: Project) -> None:
    """One message, exit 2."""
    result = project.suite(FITS).run("reference", "--slow=0", "--seed=x", "--from-report=none.json", apart=True)

    assert 2 == result.ret
    result.stderr.fnmatch_lines(["*--slow: '0' is not a positive*", "*--seed: 'x'*", "*there is no none.json*"])


def test_an_empty_selection_keeps_pytests_code(project: Project) -> None:
    """5, as every tool expects."""
    assert 5 == project.suite(FITS).run("reference", "-k", "nothing").ret


@pytest.mark.parametrize("parallel", [(), ("-n", "2")])
def test_a_path_that_is_not_there_is_one_error(project: Project, parallel: tuple[str, ...]) -> None:
    """Also where the workers of pytest-xdist would find nothing and say nothing."""
    result = project.suite(FITS).run("reference", "suites/nothere", *parallel, apart=True)

    assert 2 == result.ret
    result.stderr.fnmatch_lines(["*suites/nothere: no such file or folder*"])
