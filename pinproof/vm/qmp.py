"""A word with a running QEMU: its monitor protocol, JSON lines over a socket."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pinproof.errors import SubjectError
from pinproof.waiting import looks

STEP: Final = "talk with a virtual machine"
_PAUSE: Final = 0.02


class Monitor:
    """A connection to a machine's monitor."""

    def __init__(self, path: Path, *, seconds: float) -> None:
        """Connect as soon as the machine's process listens. Raises SubjectError if it never does."""
        self._seconds = seconds
        self._socket = _connected(path, seconds)
        self._stream = self._socket.makefile("rw")
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection up."""
        with contextlib.suppress(OSError):  # what was not sent to a process that has ended
            self._stream.close()
        self._socket.close()

    def _greet(self) -> None:
        try:
            self._stream.readline()
        except OSError as error:  # it ended just now
            raise _error(str(error)) from error
        self.do("qmp_capabilities")

    def do(self, command: str, **arguments: object) -> Any:
        """Carry out a command; returns its answer. Raises SubjectError."""
        try:
            self._stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
            self._stream.flush()
            while line := self._stream.readline():
                said = json.loads(line)
                if "return" in said:
                    return said["return"]
                if "error" in said:
                    raise _error(f"{command}: {said['error'].get('desc')}")
        except OSError as error:
            raise _error(f"{command}: {error}") from error
        raise _error(f"{command}: it has ended")

    def quit(self) -> None:
        """End the machine's process, and wait until it has written what it held of the disk. Raises SubjectError."""
        try:
            self.do("quit")
            with contextlib.suppress(ConnectionResetError):  # the end, with something unread
                while self._stream.readline():
                    pass  # events; it closes the connection when its disks are closed
        except OSError as error:
            raise _error(f"quit: {error}") from error

    def migrated(self) -> None:
        """Wait until the machine has gone to, or come from, where it was told. Raises SubjectError."""
        for _ in looks(self._seconds, pause=_PAUSE):
            status = self.do("query-migrate").get("status", "")
            if status == "completed":
                return
            if status == "failed":
                raise _error("its state cannot be written or read")
        raise _error("its state is not written or read in time")


def _connected(path: Path, seconds: float) -> socket.socket:
    trouble = ""
    for _ in looks(seconds, pause=_PAUSE):
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(seconds)
        try:
            made.connect(str(path))
        except OSError as error:
            made.close()
            trouble = str(error)
        else:
            return made
    raise _error(f"{path}: {trouble}")


def _error(problem: str) -> SubjectError:
    return SubjectError(STEP, problem, fault="this machine, or pinproof", remedy="run `pinproof doctor`")
