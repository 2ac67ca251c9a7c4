"""The driver's process: one JSON line out, one JSON line in.

A driver that dies or hangs says something about the release under test, since nothing but upstream's code runs in it for
longer than a moment. So both are a `CrashError` with the stack of what ran, for the caller to make a finding of; the next
request starts another process.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, Any, Final, cast

from pinproof.errors import SubjectError
from pinproof.subjects.kubelet.timeouts import Timeouts

Reply = dict[str, Any]

_CHUNK: Final = 1 << 16
_STACK: Final = 64_000
"""Characters of a stack that are kept: Go prints what was running first."""

_LAST_WORDS: Final = 5.0
"""Seconds that a hung driver has to print its stacks."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


class CrashError(Exception):
    """The driver died or hung while it carried out a request; `stack` is what it said of it."""

    def __init__(self, what: str, stack: str) -> None:
        self.what = what
        self.stack = stack
        super().__init__(f"{what}\n{stack}" if stack else what)


class Process:
    """A driver that is started for the first request, and again for the first one after a crash."""

    def __init__(self, binary: Path, *, timeouts: Timeouts) -> None:
        self.binary = binary
        self.starts = 0
        """Processes started so far."""

        self._timeouts = timeouts
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._buffer = bytearray()
        self._answered = False

    @property
    def pid(self) -> int | None:
        """Process id, None while there is none."""
        return self._process.pid if self._process else None

    def call(self, request: Reply, *, seconds: float = 0.0) -> Reply:
        """Ask and wait for the answer, `seconds` longer than a plain request may take.

        Raises:
            CrashError: the driver died or hung.
            SubjectError: it cannot be started, or what it says is not the protocol.
        """
        process = self._process or self._start()
        deadline = time.monotonic() + seconds + self._timeouts.seconds("reply")
        try:
            pipe = cast(IO[bytes], process.stdin)
            pipe.write(_encode(request).encode() + b"\n")
            pipe.flush()
            line = self._line(process, deadline)
        except OSError:
            line = b""
        except BaseException:  # such as Ctrl-C: an answer to come would be taken for that of the next request
            self.close()
            raise
        if not line:
            raise self._crashed(process)
        return self._read(line)

    def close(self) -> None:
        """End the process. May be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # it is gone; what it did not read does not matter
                    pipe.close()
        try:
            process.wait(self._timeouts.seconds("stop"))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._stderr:
            self._stderr.close()

    def _start(self) -> subprocess.Popen[bytes]:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process; has no name
        self._buffer.clear()
        try:
            self._process = subprocess.Popen(
                [str(self.binary)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                start_new_session=True,  # Ctrl-C is for us alone: we end the driver, in order
            )
        except OSError as error:
            self._stderr.close()
            raise _unusable(self.binary, f"cannot be run: {error.strerror}") from error
        self.starts += 1
        return self._process

    def _line(self, process: subprocess.Popen[bytes], deadline: float) -> bytes:
        """The next line; empty if the driver ends before it, or does not answer in time."""
        pipe = cast(IO[bytes], process.stdout)
        start = 0
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer)
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(pipe.fileno(), _CHUNK) if ready else b""
            if not chunk:
                return b""
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _read(self, line: bytes) -> Reply:
        try:
            reply: Reply = json.loads(line)
        except ValueError:
            self.close()
            raise _unusable(self.binary, f"does not speak the protocol; it said {line[:120]!r}") from None
        self._answered = True
        if "error" in reply:
            raise SubjectError(
                "component driver",
                str(reply["error"]),
                fault="pinproof: the driver and this version of it do not fit together",
                remedy="build the driver again with `pinproof build component`",
            )
        return reply

    def _crashed(self, process: subprocess.Popen[bytes]) -> Exception:
        """What became of the driver; it is gone afterwards. One that never answered at all is no driver."""
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            what = "the driver did not answer in time"
            process.send_signal(signal.SIGQUIT)  # Go prints every stack and ends
            try:
                process.wait(_LAST_WORDS)
            except subprocess.TimeoutExpired:
                process.kill()
        else:
            what = f"the driver ended with {_ending(process.returncode)}"
        stack = self._said()
        self.close()
        if not self._answered and process.returncode != -signal.SIGKILL and "goroutine" not in stack:
            return _unusable(self.binary, f"is no driver: {what}; {stack[-200:] or 'it said nothing'}")
        return CrashError(what, stack)

    def _said(self) -> str:
        if self._stderr is None:
            return ""
        self._stderr.seek(0)
        return self._stderr.read(_STACK).decode(errors="replace").strip()


def _ending(code: int) -> str:
    return f"code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _unusable(binary: Path, message: str) -> SubjectError:
    return SubjectError(
        "start the component driver",
        f"{binary} {message}",
        fault="the file given as the driver",
        remedy="build it with `pinproof build component`",
    )
