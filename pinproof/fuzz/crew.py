"""Workers of a campaign (`running/crew.py`), each with a subject of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

from pinproof.fuzz.confirm import Open
from pinproof.fuzz.trial import Bench
from pinproof.fuzz.worker import Plan, Report, Task, Worker
from pinproof.running import crew
from pinproof.running.crew import Broken, Done
from pinproof.subjects.protocol import Subject
from pinproof.subjects.registry import closing_seconds

__all__ = ["Broken", "Crew", "Done", "Message", "alone", "processes"]

Crew = crew.Crew[Task, Report]
Message = Report | Done | Broken


def alone(plan: Plan, open_: Open, subject: Subject) -> Crew:
    """This process; the subject is whoever's who opened it."""
    return crew.Alone(Worker(plan, Bench(subject), open_))


def processes(plan: Plan, open_: Open, number: int) -> Crew:
    """So many processes."""
    return crew.Processes(partial(_hired, plan, open_), number, grace=closing_seconds(plan.subject))


@contextmanager
def _hired(plan: Plan, open_: Open, stopped: Callable[[], bool]) -> Iterator[Worker]:
    with closing(open_(plan.subject)) as subject:
        yield Worker(plan, Bench(subject), open_, stopped=stopped)
