"""One node: an agent, its made machine, and at most one kubelet process on it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinproof.errors import SubjectError
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.subjects.kubelet import configuration, places
from pinproof.subjects.kubelet.agent import Agent, AgentError, Reply
from pinproof.subjects.kubelet.faults import Traps
from pinproof.subjects.kubelet.made import made_files
from pinproof.subjects.kubelet.observe import JUDGED, capture_error
from pinproof.subjects.kubelet.refusal import Ending, ending, starved
from pinproof.subjects.kubelet.timeouts import Timeouts, Wait
from pinproof.waiting import looks

Files = Iterable[tuple[str, str | None]]
"""(path, text) pairs to write in this order; None deletes."""

_FIRST_PAUSE = 0.002
_LONGEST_PAUSE = 0.05
_LOG_LIMIT = 256 << 10


@dataclass(frozen=True, slots=True)
class Setting:
    """What a kubelet process runs with."""

    machine: Machine
    kubelet: KubeletConfig
    release: str
    """Which of the node's kubelet binaries, by its version."""

    def serves(self, other: Setting) -> bool:
        """Whether a kubelet with this setting is one with the other: 0.5Gi and 512Mi are equal, and are read differently."""
        return self == other and self._written() == other._written()

    def _written(self) -> list[str | None]:
        return [quantity.written for entry in self.kubelet.reserved_memory for _, quantity in entry.limits]


class Node:
    """A node that is set up; its kubelet may run or not."""

    def __init__(
        self,
        agent: Agent,
        setting: Setting,
        *,
        binaries: Mapping[str, Path],
        timeouts: Timeouts,
        traps: Traps = "",
    ) -> None:
        """Set the node up; `binaries` are all the releases that may be asked of it. Raises SubjectError."""
        self.agent = agent
        self.setting = setting
        self.timeouts = timeouts
        self._traps = traps
        self._machine = setting.machine
        made = made_files(setting.machine)
        kubelets = {release: str(path) for release, path in binaries.items()}
        seconds = timeouts.seconds("setup")
        agent.call("setup", seconds=seconds, kubelets=kubelets, trees=made.trees, files=made.files)

    @property
    def unprivileged(self) -> bool:
        """Whether the node's root is an ordinary user outside."""
        return self.agent.namespaces == "user"

    def start(self, setting: Setting, files: Files = ()) -> Ending | None:
        """Start a kubelet with a setting, after writing more files; None once it runs, else how it ended.

        Raises SubjectError if it neither gets ready nor ends.
        """
        self._launch(setting, files)
        self.setting = setting
        reply = self.agent.call("await_ready", seconds=self.timeouts.seconds("ready"))
        if reply.get("ready"):
            return None
        if reply.get("exited") is None:
            raise self._hangs(reply)
        return self.ending(reply)

    def _launch(self, setting: Setting, files: Files) -> None:
        """Make the node's machine, configuration and files what they are to be, and start a kubelet."""
        if setting.machine != self._machine:
            self._become(setting.machine)
        self.write([(places.CONFIG, self._configuration(setting)), (f"{places.MANIFESTS}/.keep", ""), *files])
        self.agent.call(
            "start",
            kubelet=setting.release,
            args=configuration.arguments(),
            env=configuration.ENVIRONMENT,
            traps=self._traps,
        )

    def _become(self, machine: Machine) -> None:
        """Be another machine from now on; no kubelet runs."""
        made = made_files(machine)
        self.agent.call("machine", trees=made.trees, files=made.files)
        self._machine = machine

    def _configuration(self, setting: Setting) -> str:
        """Text of the kubelet's configuration file."""
        minor = configuration.minor_of(setting.release)
        return configuration.text(setting.kubelet, minor=minor, user_namespace=self.unprivileged)

    def ending(self, reply: Reply) -> Ending:
        """How the kubelet ended, of which the reply has code and signal. Raises SubjectError if only this machine is to blame."""
        code = reply["exited"] if "exited" in reply else reply["exit_code"]
        # The agent answers like a shell: 128 and the signal; a Go program never exits with such a code by itself.
        ended = ending(self.log(), code=code, signal=code - 128 if 128 < code < 160 else None)
        if error := starved(ended):
            raise error
        return ended

    def stop(self, signal: str) -> None:
        """Stop the kubelet by TERM or KILL; containers go on."""
        self.agent.call("stop", seconds=self.timeouts.seconds("stop"), signal=signal)

    def exit(self, uid: str, container: str, code: int) -> None:
        """Let a container that runs end with a code."""
        self.agent.call("exit", uid=uid, container=container, code=code)

    def write(self, files: Files, *, together: bool = False) -> None:
        """Write files, each seen by the kubelet whole or not at all; `together`: all at once, in no order."""
        self.agent.call("write", files=[list(pair) for pair in files], together=together)

    def read(self, *paths: str) -> list[str | None]:
        """Texts of files; None for those that do not exist."""
        texts = self.agent.call("read", paths=list(paths))["files"]
        return [texts.get(path) for path in paths]

    def observe(self, *, everything: bool = True, allocatable: bool = True) -> Reply:
        """The agent's report, with the judged metrics; without `everything`, only files, pods and containers.

        A kubelet answers a hundred PodResources calls a second and no more, so `allocatable` is asked for with thrift.
        """
        return self.agent.call(
            "observe",
            seconds=self.timeouts.seconds("observe"),
            pod_resources=everything,
            allocatable=allocatable,
            metrics=everything,
            metric_prefixes=JUDGED,
        )

    def forget(self, uids: Sequence[str], *, also: Files = ()) -> None:
        """Withdraw pods, write more files, and wait until the kubelet knows none of the pods."""
        self.write([*((places.manifest(uid), None) for uid in uids), *also])
        reply = self.agent.call("await_gone", seconds=self.timeouts.seconds("removal"), uids=list(uids))
        if reply.get("timeout"):
            raise capture_error("remove a pod", self._expired("removal", reply))

    def ask(self, step: str, wait: Wait, op: str, **fields: object) -> Reply:
        """A request that waits inside the agent; raises CaptureError with what it last saw if that is in vain."""
        reply = self.agent.call(op, seconds=self.timeouts.seconds(wait), **fields)
        if reply.get("timeout"):
            raise capture_error(step, self._expired(wait, reply))
        return reply

    def until(self, step: str, wait: Wait, look: Callable[[], tuple[bool, object]]) -> None:
        """Look again and again until `look` says so; raises CaptureError with what it saw last."""
        seen: object = None
        for _ in looks(self.timeouts.seconds(wait), pause=_FIRST_PAUSE, longest=_LONGEST_PAUSE):
            done, seen = look()
            if done:
                return
        raise capture_error(step, self._expired(wait, seen))

    def log(self, *, about: str = "") -> str:
        """What the latest kubelet has logged; only the lines that contain a text, if one is given."""
        return str(self.agent.call("log", about=about)["log"])

    def artefacts(self, *, since: int) -> dict[str, str]:
        """File name → text, bounded: what helps to understand a run; `since` is the first runtime call of interest."""
        calls = self.agent.call("calls", since=since)["calls"]
        metrics = self.agent.call(
            "observe", seconds=self.timeouts.seconds("observe"), pod_resources=False, metrics=True
        ).get("metrics")
        paths = (places.STATE, places.CPU_STATE, places.CONFIG)
        files = {Path(path).name: text for path, text in zip(paths, self.read(*paths), strict=True)}
        texts = {"kubelet.log": self.log(), "calls.jsonl": _lines(calls), "metrics.prom": metrics, **files}
        return {name: text[-_LOG_LIMIT:] for name, text in texts.items() if text}

    def next_call(self) -> int:
        """Number of the next call to the container runtime."""
        return int(self.agent.call("calls", since=1 << 40)["next"])

    def close(self) -> None:
        """End everything on the node."""
        with contextlib.suppress(AgentError):  # it is already gone; closing makes sure of it
            self.agent.call("shutdown")
        self.agent.close()

    def _expired(self, wait: Wait, seen: object) -> str:
        return f"the wait {wait!r} expired after {self.timeouts.seconds(wait):g} s; last seen: {str(seen)[:1000]}"

    def _hangs(self, reply: Reply) -> SubjectError:
        words = "\n".join(self.log().splitlines()[-5:])
        return SubjectError(
            "start the kubelet",
            f"{self._expired('ready', reply)}; it runs but has not started its managers; last words:\n{words}",
            fault="the kubelet under test, or a very slow machine",
            remedy="set PINPROOF_SLOW=3, or look at what it logged",
        )


def _lines(calls: Iterable[object]) -> str:
    return "".join(json.dumps(call) + "\n" for call in calls)
