"""Client of the node agent: one JSON line for a request, one for its reply.

The agent is a process of ours (`driver/`) that holds a node's namespaces, its recording runtime and its kubelet. It ends
when its standard input ends, so closing a pipe is the whole clean-up, and `kill -9` of this process closes it as well.
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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from pinproof.errors import SubjectError
from pinproof.subjects.kubelet.timeouts import Timeouts

Reply = dict[str, Any]

_FAULT = "pinproof or this machine"
_CHUNK = 1 << 20


class AgentError(SubjectError):
    """The agent ended, answered nonsense, did not answer in time, or could not do what it was asked."""


class Agent:
    """A running node agent."""

    def __init__(
        self,
        binary: Path,
        *,
        namespaces: str,
        timeouts: Timeouts,
        command: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start it; where it runs somewhere else, by `command`, with more in its environment. Raises AgentError."""
        self.namespaces = namespaces
        self._timeouts = timeouts
        self._next = 0
        self._buffer = bytearray()
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process; has no name
        try:
            self._process = subprocess.Popen(
                list(command) or [str(binary), "agent", "--namespaces", namespaces],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env={
                    **os.environ,
                    "GOGC": "400",
                    **(env or {}),
                },  # it is small: collecting garbage less often costs nothing
                # Ctrl-C is for us alone: we end the agent, in order.
                start_new_session=True,
            )
        except OSError as error:
            self._stderr.close()
            remedy = "build it again with `pinproof build runtime`, or run `pinproof doctor`"
            raise AgentError("start the node agent", f"{binary}: {error}", fault=_FAULT, remedy=remedy) from error

    @property
    def pid(self) -> int:
        """Process id of the agent."""
        return self._process.pid

    def call(self, op: str, *, seconds: float = 0.0, **fields: object) -> Reply:
        """Ask and wait for the answer; `seconds` is how long the request itself may wait inside the agent.

        Raises AgentError with what the agent answered, or with why it did not.
        """
        self._next += 1
        number = self._next
        request = {"id": number, "op": op, **fields}
        if seconds:
            request["timeout_ms"] = round(seconds * 1000)
        self._send(op, json.dumps(request, separators=(",", ":")).encode() + b"\n")
        reply = self._receive(op, number, time.monotonic() + seconds + self._timeouts.seconds("reply"))
        if "error" in reply:
            remedy = "run `pinproof doctor`; if it finds nothing, report this with the artefacts of the run"
            step = f"node agent, {reply.get('step', op)}"
            raise AgentError(step, str(reply["error"]), fault=_FAULT, remedy=remedy)
        return reply

    def ended(self, seconds: float) -> bool:
        """Whether the process ends by itself within so many seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """End the agent and with it everything on its node. May be called twice."""
        if self._stderr.closed:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):  # it is gone; what it did not read does not matter
                    pipe.close()
        try:
            self._process.wait(self._timeouts.seconds("stop"))
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._stderr.close()

    def _send(self, op: str, line: bytes) -> None:
        pipe = cast(IO[bytes], self._process.stdin)
        try:
            pipe.write(line)
            pipe.flush()
        except (OSError, ValueError) as error:
            raise self._gone(op) from error

    def _receive(self, op: str, number: int, deadline: float) -> Reply:
        """The reply with a number; replies to requests that were given up are dropped."""
        while True:
            reply = self._line(op, deadline)
            if reply.get("id") == number or (reply.get("id") == 0 and "error" in reply):
                return reply

    def _line(self, op: str, deadline: float) -> Reply:
        pipe = cast(IO[bytes], self._process.stdout)
        start = 0
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer)
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                remedy = "set PINPROOF_SLOW=3 on a slow machine; else report this"
                raise AgentError(f"node agent, {op}", "no answer in time", fault=_FAULT, remedy=remedy)
            chunk = os.read(pipe.fileno(), _CHUNK)
            if not chunk:
                raise self._gone(op)
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        try:
            return cast(Reply, json.loads(line))
        except ValueError as error:
            remedy = "build the runtime again with `pinproof build runtime`"
            raise AgentError(f"node agent, {op}", f"not JSON: {line[:200]!r}", fault=_FAULT, remedy=remedy) from error

    def _gone(self, op: str) -> AgentError:
        try:
            code: object = self._process.wait(1)
        except subprocess.TimeoutExpired:
            code = "unknown"
        self._stderr.seek(0)
        words = self._stderr.read()[-2000:].decode(errors="replace").strip()
        message = f"the agent ended with code {code}: {words or 'it said nothing'}"
        return AgentError(f"node agent, {op}", message, fault=_FAULT, remedy="run `pinproof doctor`")
