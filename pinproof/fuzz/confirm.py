"""Whether a kubelet shows what a faster subject showed: the last word on a finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from pinproof.build.releases import is_built
from pinproof.errors import InputError, PinproofError
from pinproof.fuzz.findings import Signature
from pinproof.fuzz.trial import Bench
from pinproof.ledger import Entry
from pinproof.running.examine import abilities
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import Subject

Open = Callable[[str], Subject]
"""Opens a subject by the name that a user gives it; a function that another process can be told by name."""


def confirm(signature: Signature, scenario: Scenario, subject: str, open_: Open, ledger: Sequence[Entry]) -> str:
    """`confirmed by SUBJECT`, `not shown by SUBJECT`, or `not tried` and why; never raises for expected trouble."""
    try:
        with closing(open_(subject)) as opened:
            missing = sorted(abilities(scenario) - opened.capabilities.steps)
            if missing:
                return f"not tried: {subject} cannot do {', '.join(missing)}"
            shown = Bench(opened).shows(scenario, signature, ledger)
    except InputError as error:
        return f"not tried: {_first_line(error)}"
    except PinproofError as error:
        return f"not tried, {subject} could not be had: {_first_line(error)}"
    return f"{'confirmed' if shown else 'not shown'} by {subject}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def kubelet_for(subject: str, version: str) -> str:
    """The kubelet that speaks for a component of this release, empty unless it is there already.

    Building one takes minutes, which nobody asked for.
    """
    kind = subject.partition(":")[0]
    return f"kubelet:{version}" if kind == "component" and is_built(version) else ""
