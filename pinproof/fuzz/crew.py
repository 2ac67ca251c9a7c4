"""Workers of a campaign: processes side by side, or this process where a person wants to look inside (`-n 0`).

The parent gives a worker one task at a time and hears its reports as they are made. Nothing survives the parent: a worker
whose pipe is closed ends, and with it its subject. Ctrl-C is the parent's business alone, which then tells the workers.
"""

from __future__ import annotations

import signal
import sys
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Protocol, Self

from pinproof.errors import PinproofError, SubjectError
from pinproof.fuzz.confirm import Open
from pinproof.fuzz.trial import Bench
from pinproof.fuzz.worker import Plan, Report, Task, Worker
from pinproof.subjects.protocol import Subject

GRACE_SECONDS = 10.0
"""For a worker to give up what it does; then it is ended by force."""


@dataclass(frozen=True, slots=True)
class Done:
    """A worker is free again."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A worker is no more, and the campaign cannot go on."""

    message: str
    exit_code: int

    @classmethod
    def by(cls, error: PinproofError) -> Self:
        """What an error says; the error itself cannot be sent from one process to another."""
        return cls(str(error), error.exit_code)


Message = Report | Done | Broken


class Crew(Protocol):
    """Some workers."""

    def free(self) -> int:
        """How many wait for a task."""

    def busy(self) -> int:
        """How many do one."""

    def give(self, task: Task) -> None:
        """Let a free one do it."""

    def messages(self, seconds: float) -> Iterator[Message]:
        """What they say, waiting for the first word for so long at most."""

    def close(self) -> None:
        """End them, whatever they do."""


class Alone:
    """One worker: this process."""

    def __init__(self, plan: Plan, open_: Open, subject: Subject) -> None:
        self._worker = Worker(plan, Bench(subject), open_)
        self._tasks: deque[Task] = deque()

    def free(self) -> int:
        """One, unless a task waits."""
        return 1 - len(self._tasks)

    def busy(self) -> int:
        """One while a task waits: it is done when messages are asked for."""
        return len(self._tasks)

    def give(self, task: Task) -> None:
        """Remember the task."""
        self._tasks.append(task)

    def messages(self, seconds: float) -> Iterator[Message]:
        """Carry it out."""
        del seconds
        while self._tasks:
            try:
                yield from self._worker.carry_out(self._tasks.popleft())
            except PinproofError as error:
                yield Broken.by(error)
            yield Done()

    def close(self) -> None:
        """The subject is whoever's who opened it."""


class Processes:
    """Workers that are processes, each with a subject of its own."""

    def __init__(self, plan: Plan, open_: Open, number: int) -> None:
        context = get_context("spawn")
        self._workers: dict[Connection, BaseProcess] = {}
        self._free: list[Connection] = []
        for rank in range(number):
            mine, theirs = context.Pipe()
            process = context.Process(
                target=_serve, args=(theirs, plan, open_), name=f"pinproof-fuzz-{rank}", daemon=False
            )
            process.start()
            theirs.close()
            self._workers[mine] = process
            self._free.append(mine)

    def free(self) -> int:
        """How many wait for a task."""
        return len(self._free)

    def busy(self) -> int:
        """How many do one."""
        return len(self._workers) - len(self._free)

    def give(self, task: Task) -> None:
        """To the one that has been free for longest."""
        connection = self._free.pop(0)
        try:
            connection.send(task)
        except OSError:
            self._free.append(connection)  # it is dead, which its end of the pipe tells next

    def messages(self, seconds: float) -> Iterator[Message]:
        """What has come by now, or comes within the time."""
        ready = wait(list(self._workers), seconds)
        for connection in [connection for connection in self._workers if connection in ready]:
            message = self._hear(connection)
            if isinstance(message, Done):
                self._free.append(connection)
            yield message

    def _hear(self, connection: Connection) -> Message:
        try:
            message: Message = connection.recv()
        except (EOFError, OSError):
            process = self._workers.pop(connection)
            self._free = [free for free in self._free if free is not connection]
            process.join(GRACE_SECONDS)
            return Broken.by(_died(process.exitcode))
        return message

    def close(self) -> None:
        """Close the pipes, which tells them to end; whoever does not within the grace is ended."""
        for connection in self._workers:
            connection.close()
        for process in self._workers.values():
            process.join(GRACE_SECONDS)
            if process.is_alive():
                process.terminate()
                process.join(GRACE_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
        self._workers.clear()
        self._free.clear()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that are started meanwhile ignore Ctrl-C from their first moment: a terminal sends it to all of them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _died(code: int | None) -> SubjectError:
    return SubjectError(
        "run scenarios",
        f"a worker ended by itself, with code {code}",
        fault="this machine, probably out of memory, where the code is -9; else pinproof",
        remedy="run fewer workers at once (`-n 1`); `-n 0` shows what happens in one",
    )


def _serve(connection: Connection, plan: Plan, open_: Open) -> None:
    """The life of a process, which ignores Ctrl-C: tasks in, reports out, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with suppress(OSError, EOFError), connection:  # the parent has closed the pipe, or is gone
        try:
            with closing(open_(plan.subject)) as subject:
                _work(connection, Worker(plan, Bench(subject), open_, stopped=connection.poll))
        except PinproofError as error:
            connection.send(Broken.by(error))
        except (EOFError, OSError):
            raise
        except Exception:  # noqa: BLE001  # the parent tells of it
            connection.send(Broken.by(_bug(traceback.format_exc())))


def _work(connection: Connection, worker: Worker) -> None:
    """The parent says nothing while a task is carried out, so whatever there is to be heard then is the end."""
    while True:
        for report in worker.carry_out(connection.recv()):
            connection.send(report)
        connection.send(Done())


def _bug(trace: str) -> SubjectError:
    return SubjectError(
        "run scenarios",
        f"a worker failed\n{trace}",
        fault="pinproof: this is a bug of it",
        remedy="report it with these lines; `-n 0` shows it in one process",
    )
