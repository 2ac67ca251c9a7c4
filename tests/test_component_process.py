"""The driver's process: an answer for each request, and a stack for every way a driver can end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pinproof.errors import SubjectError
from pinproof.subjects.component.binary import release_of
from pinproof.subjects.component.process import CrashError, Process
from pinproof.subjects.kubelet.timeouts import Timeouts
from tests.component_fakes import driver

Start = Callable[..., Process]

ECHO = 'say({"id": request["id"], "asked": request})'
FATAL = "sys.stderr.write('fatal error: all goroutines are asleep\\ngoroutine 1:'); sys.exit(2)"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Makes processes of fakes; all are closed in the end."""
    processes: list[Process] = []

    def make(behaviour: str, *, scale: float = 1.0) -> Process:
        processes.append(Process(driver(tmp_path, behaviour), timeouts=Timeouts(scale)))
        return processes[-1]

    yield make
    for process in processes:
        process.close()


def test_one_process_serves_many_requests(start: Start) -> None:
    """It is started for the first request and kept; long lines and any text pass."""
    process = start(ECHO)
    asked = {"id": 2, "text": "ä\n" * 200_000}

    process.call({"id": 1})
    reply = process.call(asked)

    assert (1, asked) == (process.starts, reply["asked"])


def test_a_driver_that_dies_leaves_its_stack_and_the_next_request_starts_another(start: Start) -> None:
    """A fatal error of Go cannot be recovered, so it ends the process."""
    process = start(f"if request['id'] == 1: {FATAL}\n{ECHO}")

    with pytest.raises(CrashError, match="code 2") as caught:
        process.call({"id": 1})
    reply = process.call({"id": 2})

    assert "fatal error: all goroutines are asleep\ngoroutine 1:" == caught.value.stack
    assert 2 == reply["id"]


def test_a_driver_that_hangs_is_asked_for_its_stacks(start: Start) -> None:
    """Go answers SIGQUIT with every stack; nothing is waited for longer than the limit."""
    hang = (
        "def last_words(*_):\n"
        "    os.write(2, b'goroutine 1 [running]')\n"
        "    os._exit(2)\n"
        "signal.signal(signal.SIGQUIT, last_words)\n"
        "time.sleep(60)"
    )
    process = start(hang, scale=0.01)

    with pytest.raises(CrashError, match="did not answer in time") as caught:
        process.call({"id": 1})

    assert "goroutine 1 [running]" == caught.value.stack
    assert process.pid is None


def test_a_request_that_is_none_is_told_as_our_fault(start: Start) -> None:
    """The driver says what it could not read."""
    process = start('say({"id": 1, "error": "unknown step"})')

    with pytest.raises(SubjectError, match="unknown step"):
        process.call({"id": 1})


@pytest.mark.parametrize("behaviour", ["print('hello', flush=True)", "sys.exit(0)"])
def test_another_program_is_no_driver(start: Start, behaviour: str) -> None:
    """What does not speak the protocol is no finding about a release."""
    process = start(behaviour)

    with pytest.raises(SubjectError, match="driver"):
        process.call({"id": 1})


def test_a_driver_says_its_release(tmp_path: Path) -> None:
    """As a kubelet does."""
    binary = driver(tmp_path, ECHO)

    release = release_of(binary)

    assert "1.36.3" == release


def test_a_file_without_a_release_is_no_driver(tmp_path: Path) -> None:
    """The message names the file and the way out."""
    binary = tmp_path / "text"
    binary.write_text("x")

    with pytest.raises(SubjectError, match="pinproof build component"):
        release_of(binary)
