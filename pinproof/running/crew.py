"""Workers: processes side by side, or this process where a person wants to look inside (`-n 0`).

The parent gives a worker one task at a time and hears its reports as they are made. Nothing survives the parent: a worker
whose pipe is closed ends, and with it its subject. Ctrl-C is the parent's business alone, which then tells the workers.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, Protocol, Self, TypeVar

from pinproof.errors import PinproofError, SubjectError, bugs_told

Task = TypeVar("Task")
Report = TypeVar("Report")
Task_contra = TypeVar("Task_contra", contravariant=True)
Report_co = TypeVar("Report_co", covariant=True)

SIZE = "PINPROOF_WORKERS"
"""Environment variable: how many processes of a crew there are."""

GRACE_SECONDS = 10.0
"""For a worker to give up what it does; then it is ended by force."""


@dataclass(frozen=True, slots=True)
class Done:
    """A worker is free again."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A worker is no more, and the others cannot go on."""

    message: str
    exit_code: int

    @classmethod
    def by(cls, error: PinproofError) -> Self:
        """What an error says; the error itself cannot be sent from one process to another."""
        return cls(str(error), error.exit_code)


class Hand(Protocol[Task_contra, Report_co]):
    """Does the work of one worker."""

    def carry_out(self, task: Task_contra) -> Iterator[Report_co]:
        """The reports of a task, each as soon as it can be made. Raises PinproofError where nothing more can be done."""


Stopped = Callable[[], bool]
"""Whether what was begun is to be given up."""

Hire = Callable[[Stopped], AbstractContextManager[Hand[Task, Report]]]
"""Makes a worker and leaves nothing of it behind; can be sent to another process."""


class Crew(Protocol[Task_contra, Report_co]):
    """Some workers."""

    def free(self) -> int:
        """How many wait for a task."""

    def busy(self) -> int:
        """How many do one."""

    def give(self, task: Task_contra) -> None:
        """Let a free one do it."""

    def messages(self, seconds: float) -> Iterator[Report_co | Done | Broken]:
        """What they say, waiting for the first word for so long at most."""

    def close(self) -> None:
        """End them, whatever they do."""


class Alone(Generic[Task, Report]):
    """One worker: this process."""

    def __init__(self, worker: Hand[Task, Report]) -> None:
        self._worker = worker
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

    def messages(self, seconds: float) -> Iterator[Report | Done | Broken]:
        """Carry it out."""
        del seconds
        while self._tasks:
            try:
                yield from self._worker.carry_out(self._tasks.popleft())
            except PinproofError as error:
                yield Broken.by(error)
            yield Done()

    def close(self) -> None:
        """The worker is whoever's who made it."""


class Processes(Generic[Task, Report]):
    """Workers that are processes, each hired in its own."""

    def __init__(self, hire: Hire[Task, Report], number: int, *, grace: float = GRACE_SECONDS) -> None:
        """`grace`: seconds that each has to give up what it does and to clear up, when it is no more needed."""
        os.environ[SIZE] = str(number)  # for subjects whose processes share something
        self._grace = grace
        context = get_context("spawn")
        self._workers: dict[Connection, BaseProcess] = {}
        self._free: list[Connection] = []
        for rank in range(number):
            mine, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, hire), name=f"pinproof-{rank}", daemon=False)
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

    def messages(self, seconds: float) -> Iterator[Report | Done | Broken]:
        """What has come by now, or comes within the time."""
        ready = wait(list(self._workers), seconds)
        for connection in [connection for connection in self._workers if connection in ready]:
            message = self._hear(connection)
            if isinstance(message, Done):
                self._free.append(connection)
            yield message

    def _hear(self, connection: Connection) -> Report | Done | Broken:
        try:
            message: Report | Done | Broken = connection.recv()
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
            process.join(self._grace)
            if process.is_alive():
                process.terminate()
                process.join(self._grace)
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


_REPORT = "report it with these lines; `-n 0` shows it in one process"


def _serve(connection: Connection, hire: Hire[Task, Report]) -> None:
    """The life of a process, which ignores Ctrl-C: tasks in, reports out, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    gone = (OSError, EOFError)  # the parent has closed the pipe, or is no more
    with suppress(*gone), connection:
        try:
            with bugs_told("run scenarios", remedy=_REPORT, but=gone), hire(connection.poll) as worker:
                _work(connection, worker)
        except PinproofError as error:
            connection.send(Broken.by(error))


def _work(connection: Connection, worker: Hand[Task, Report]) -> None:
    """The parent says nothing while a task is carried out, so whatever there is to be heard then is the end."""
    while True:
        for report in worker.carry_out(connection.recv()):
            connection.send(report)
        connection.send(Done())
