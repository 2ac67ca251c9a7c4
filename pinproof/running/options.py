"""Options of a run, as pytest options and as one value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from pinproof.errors import InputError, Problem
from pinproof.running.places import shipped, suites_of
from pinproof.subjects.cluster.spec import with_options
from pinproof.subjects.registry import DEFAULT

FACTS = "pinproof"
"""Key under which the controller of a parallel run tells its workers about the subject."""

DEFAULT_SUBJECT = DEFAULT

MARKERS = (
    "case(case): what the function proves, over which machines and configurations (set by pinproof.suite.case)",
    "requirement(id): an entry of requirements/ that the case proves (set by pinproof.suite.case)",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user asked of a run."""

    subject: str
    """As written: `kubelet:1.36.3`."""

    out: Path
    """Where the report and the artefacts of failures go."""

    ledger: Path
    """A ledger file, or a folder of them."""

    slow: float
    """Factor on every named wait and on the hang guard."""

    seed: int
    """Seed of everything that is drawn."""

    keep: bool
    """Keep the artefacts of cases that passed as well."""

    from_report: Path | None
    """A report of an earlier run to select cases from."""

    only: Literal["failed", "unfinished"]
    """What to select from that report."""

    nightly: bool = False
    """Take the cases that take minutes as well."""


def add_options(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("pinproof", "conformance of the kubelet's Memory Manager")
    group.addoption(
        "--subject",
        metavar="S",
        help="what to test: kubelet:VERSION|TREE|BINARY, component:VERSION|TREE|BINARY, kind:VERSION, cluster:KUBECONFIG, "
        "reference[:MINOR] "
        f"(default {DEFAULT_SUBJECT})",
    )
    group.addoption(
        "--node", metavar="NAMES", help="nodes of a cluster: names, or a label such as pool=numa (default all)"
    )
    group.addoption(
        "--disruptive",
        metavar="NAMES",
        help="nodes of a cluster that may be cordoned and whose kubelet may be restarted, with other configurations too",
    )
    group.addoption("--drain", action="store_true", help="evict the pods of nodes that may be disrupted first")
    group.addoption("--out", metavar="DIR", default="out", help="where the report goes (default out)")
    group.addoption("--ledger", metavar="PATH", help="known failures: a file or folder (default: the shipped ledger)")
    group.addoption("--slow", metavar="N", default="1", help="factor on every wait, for slow machines (default 1)")
    group.addoption("--seed", metavar="N", default="0", help="seed of everything that is drawn (default 0)")
    group.addoption(
        "--keep", action="store_true", help="keep artefacts of passed cases too, and the cluster of a kind subject"
    )
    group.addoption("--nightly", action="store_true", help="the exhaustive cases as well, which take minutes each")
    group.addoption("--from-report", metavar="FILE", help="select cases from the report.json of an earlier run")
    group.addoption(
        "--only",
        choices=["failed", "unfinished"],
        default="failed",
        help="what to take from --from-report: failed cases, or those without a verdict (default failed)",
    )


def settings_of(config: pytest.Config) -> Settings:
    """The options of a run; raises InputError that names every option which makes no sense."""
    problems: list[Problem] = []
    slow = _number("--slow", config.getoption("--slow"), problems)
    seed = _number("--seed", config.getoption("--seed"), problems)
    subject = _subject(config, problems)
    ledger, report = config.getoption("--ledger"), config.getoption("--from-report")
    for option, path in (("--ledger", ledger), ("--from-report", report)):
        if path and not Path(path).exists():
            problems.append(Problem(option, f"there is no {path}"))
    if problems:
        raise InputError("options", *problems)
    return Settings(
        subject=subject,
        out=Path(config.getoption("--out")).absolute(),
        ledger=Path(ledger) if ledger else shipped("ledger"),
        slow=slow,
        seed=int(seed),
        keep=config.getoption("--keep"),
        from_report=Path(report) if report else None,
        only=config.getoption("--only"),
        nightly=config.getoption("--nightly"),
    )


def _subject(config: pytest.Config, problems: list[Problem]) -> str:
    """The subject, with the options that are for it alone."""
    subject = config.getoption("--subject") or DEFAULT_SUBJECT
    try:
        return with_options(
            subject,
            node=config.getoption("--node"),
            disruptive=config.getoption("--disruptive"),
            drain=config.getoption("--drain"),
        )
    except InputError as error:
        problems += error.problems
        return str(subject)


def _number(option: str, text: str, problems: list[Problem]) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if option == "--slow" and 0 < number < math.inf:
        return number
    if option == "--seed" and number >= 0 and number.is_integer():
        return number
    wanted = "a positive number such as 2" if option == "--slow" else "a whole number from 0"
    problems.append(Problem(option, f"{text!r} is not {wanted}"))
    return 1.0


def wanted(config: pytest.Config) -> bool:
    """Whether this pytest run is one of suites: a subject is named, or a path lies in a folder of suites.

    The plug-in is loaded in every pytest run of an environment; it keeps quiet in all others.
    """
    if config.getoption("--subject"):
        return True
    if hasattr(config, "workerinput"):
        return FACTS in config.workerinput
    paths = [argument.partition("::")[0] for argument in config.args]
    return any(suites_of(Path(path).absolute()) for path in paths)
