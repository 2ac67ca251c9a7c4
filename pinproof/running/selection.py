"""Which cases a run takes, and in which order. Every worker of a parallel run comes to the same answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pinproof.errors import InputError
from pinproof.report import read_report
from pinproof.requirements import read_requirements
from pinproof.running.case import Case, segment
from pinproof.running.facts import Facts
from pinproof.running.options import Settings
from pinproof.running.places import case_id, registry_of, suites_of

HANG_SECONDS = 120.0
"""A case that takes longer hangs; each wait inside has a shorter, named limit of its own."""

NIGHTLY_HANG_SECONDS = 900.0
"""The same of an exhaustive case."""

_FAILED = frozenset({"failed", "error", "unexpected_pass"})
_UNFINISHED = frozenset({"unknown", "not_run"})


@dataclass(slots=True)
class Selected:
    """What was collected, as the process that writes the report has to know it."""

    cases: list[dict[str, Any]] = field(default_factory=list)
    """id, nodeid, requirements, machine and configuration of every case that is to run."""

    collected: int = 0
    """Cases before anything was left out."""

    other_minors: int = 0
    """Cases of other Kubernetes minors, which are not taken."""

    exhaustive: list[dict[str, Any]] = field(default_factory=list)
    """The same of the cases that run with `--nightly` only, and were not asked for."""

    whole: bool = False
    """Nothing was left out but cases of other minors and exhaustive ones: the ledger can be judged as a whole."""

    trouble: str = ""
    """Why the subject could not be started."""

    def packed(self) -> dict[str, Any]:
        """Plain data, to be sent by a worker."""
        names = ("cases", "collected", "other_minors", "exhaustive", "whole", "trouble")
        return {name: getattr(self, name) for name in names}


def case_of(item: pytest.Item) -> Case | None:
    """The case that a collected test is, None for other tests."""
    mark = item.get_closest_marker("case")
    return mark.args[0] if mark else None


def parametrise(metafunc: pytest.Metafunc) -> None:
    """Make one test of each machine and configuration of a case."""
    mark = metafunc.definition.get_closest_marker("case")
    if mark is None:
        return
    case: Case = mark.args[0]
    if "prove" not in metafunc.fixturenames:
        raise pytest.Collector.CollectError(f"{metafunc.definition.nodeid}: a case takes the argument prove")
    pairs = case.parameters()
    metafunc.parametrize("prove", pairs, ids=[segment(*pair) for pair in pairs], indirect=True)


def select(items: list[pytest.Item], config: pytest.Config, settings: Settings, facts: Facts) -> Selected:
    """Take what applies, in the order in which a subject runs it best; changes `items`.

    Raises:
        pytest.UsageError: a test of a suite is no case, or names a requirement that is not in the registry.
        InputError: the report to select from cannot be read.
    """
    _check(items)
    cases = [item for item in items if case_of(item)]
    now = [item for item in cases if settings.nightly or not _is_nightly(item)]
    fitting = [item for item in now if (case := case_of(item)) and case.applies(facts.minor)]
    taken = _from_report(fitting, settings)
    left_out = [item for item in cases if item not in set(taken)]
    items[:] = [item for item in items if not case_of(item)] + _ordered(taken)
    for item in taken:
        if item.get_closest_marker("timeout") is None:
            limit = NIGHTLY_HANG_SECONDS if _is_nightly(item) else HANG_SECONDS
            item.add_marker(pytest.mark.timeout(limit * settings.slow * facts.patience))
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    return Selected(
        cases=[_packed(item) for item in taken],
        collected=len(cases),
        other_minors=len(now) - len(fitting),
        exhaustive=[_packed(item) for item in cases if item not in set(now)],
        whole=len(taken) == len(fitting) and covers_suites(config.args),
    )


def _is_nightly(item: pytest.Item) -> bool:
    case = case_of(item)
    return case is not None and case.nightly


def _check(items: list[pytest.Item]) -> None:
    bare = [item.nodeid for item in items if case_of(item) is None and suites_of(item.path)]
    if bare:
        raise pytest.UsageError("tests of a suite need @case(...): " + ", ".join(bare))
    try:
        known = {place: read_requirements(place) for place in {registry_of(item.path) for item in items}}
    except InputError as error:
        raise pytest.UsageError(str(error)) from None
    unknown = {
        name: f"{name} ({item.nodeid})"
        for item in items
        if (case := case_of(item))
        for name in case.requirements
        if name not in known[registry_of(item.path)]
    }
    if unknown:
        raise pytest.UsageError("requirements/ does not have: " + ", ".join(unknown.values()))


def _from_report(items: list[pytest.Item], settings: Settings) -> list[pytest.Item]:
    if settings.from_report is None:
        return items
    outcomes = _FAILED if settings.only == "failed" else _UNFINISHED
    wanted = {case.id for case in read_report(settings.from_report).cases if case.outcome in outcomes}
    return [item for item in items if id_of(item) in wanted]


def _ordered(items: list[pytest.Item]) -> list[pytest.Item]:
    """Cases of one machine and configuration next to each other, so that their kubelet is booted once."""
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        first.setdefault(_group(item), index)
    return sorted(items, key=lambda item: first[_group(item)])


def _group(item: pytest.Item) -> str:
    return segment(*item.callspec.params["prove"])  # type: ignore[attr-defined]  # every case is parametrised


def id_of(item: pytest.Item) -> str:
    """Id of a case."""
    return case_id(item.path, item.nodeid.partition("::")[2])


def group_of(nodeid: str) -> str:
    """The first segment of a node id's parameters, `machine~slug`, or the file of a test without parameters."""
    _, bracket, parameters = nodeid.partition("[")
    return parameters.partition("-")[0].rstrip("]") if bracket else nodeid.partition("::")[0]


def _packed(item: pytest.Item) -> dict[str, Any]:
    case = case_of(item)
    machine, configuration = item.callspec.params["prove"]  # type: ignore[attr-defined]  # every case is parametrised
    return {
        "id": id_of(item),
        "nodeid": item.nodeid,
        "requirements": list(case.requirements if case else ()),
        "machine": machine,
        "configuration": configuration.slug,
    }


def covers_suites(arguments: list[str]) -> bool:
    """Whether the paths of a run take in a whole folder of suites, not a part of it."""
    return any(Path(argument).name == "suites" or (Path(argument) / "suites").is_dir() for argument in arguments)
