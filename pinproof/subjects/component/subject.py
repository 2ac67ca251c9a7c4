"""The component subject: scenarios on the managers of a release, hundreds a second, every replay order within reach."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pinproof.errors import SubjectError
from pinproof.history import History, Observation
from pinproof.running.releases import minor_number
from pinproof.scenario.steps import Restart, Scenario, begun
from pinproof.subjects.component import encode
from pinproof.subjects.component.decode import observations
from pinproof.subjects.component.process import CrashError, Process
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.subjects.protocol import (
    ADMIT_HINTS,
    ADMIT_STATIC,
    FAULTS,
    MACHINE_WINDOWS,
    NODE_STEPS,
    WITHOUT_MEMORY_MANAGER,
    Capabilities,
)

Components = Callable[[str], Path]
"""Release → driver binary, built if need be; for restarts into another release."""

CRASH: Final = "crash.txt"
"""Artefact of a history during which the driver itself died or hung: its stacks. The history is incomplete."""

PANIC: Final = "panic.txt"
"""Artefact of a history in which a manager panicked, as a kubelet would have died of it. The history is complete."""

CAPABILITIES: Final = Capabilities(
    observables=frozenset(
        {
            "running",
            "refusal",
            "pods",
            "assignments",
            "pod_assignments",
            "machine",
            "policy",
            "state_file",
            "cpu",
            "told",
            "counters",
            "allocatable",
            "hints",
        }
    ),
    steps=NODE_STEPS | FAULTS | {ADMIT_STATIC, ADMIT_HINTS, MACHINE_WINDOWS},
)

_A_REPEAT: Final = 0.1
"""Seconds by which each repetition stretches the time limit."""


class ComponentSubject:
    """Carries out scenarios on a driver, a process that lives as long as the subject unless a scenario kills it."""

    def __init__(
        self,
        binary: Path,
        *,
        version: str,
        name: str = "",
        slow: float | None = None,
        components: Components | None = None,
        show: Sequence[str] = encode.SHOWN,
    ) -> None:
        """Start nothing before the first scenario.

        Args:
            binary: a driver (`pinproof.build.component()`).
            version: the release it was built from.
            name: the subject as the user wrote it.
            slow: factor on every time limit; `PINPROOF_SLOW` unless given.
            components: where drivers of other releases come from when a scenario restarts into one.
            show: observables that cost time; a campaign may leave them out.
        """
        self.name = name or f"component:{binary}"
        self.version = version
        left_out = {field for word, field in (("hints", "hints"), ("stateFile", "state_file")) if word not in show}
        refuses = (
            {WITHOUT_MEMORY_MANAGER} if minor_number(version) >= (1, 32) else set()
        )  # else it has the manager all the same
        self.capabilities = Capabilities(CAPABILITIES.observables - left_out, CAPABILITIES.steps | refuses)
        self._timeouts = Timeouts.from_environment(slow)
        self._show = tuple(show)
        self._components = components
        self._processes = {version: Process(binary, timeouts=self._timeouts)}
        self._requests = 0

    def properties(self) -> Mapping[str, str]:
        """Facts for reports."""
        with self._processes[self.version].binary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {
            "subject": self.name,
            "kubernetes": self.version,
            "component.sha256": digest,
            "kernel": platform.release(),
            "architecture": platform.machine(),
        }

    def run(self, scenario: Scenario) -> History:
        """Carry out the scenario once.

        A driver that dies or hangs is no error: the history is incomplete then and has the stacks among its artefacts.

        Raises:
            SubjectError: the driver cannot be started, whatever the scenario.
        """
        return self._perform(scenario, repeat=1, shuffle=False)[0]

    def outcomes(self, scenario: Scenario, *, repeat: int, seed: int = 0) -> tuple[History, ...]:
        """The distinct histories of so many runs, every restart of which reads the state file in an order drawn anew.

        Histories that differ only in the order in which the state file lists things are one. Raises as `run` does.
        """
        found = self._perform(scenario, repeat=repeat, shuffle=True, seed=seed)
        distinct: list[tuple[object, History]] = []
        for history in found:
            shown = _without_texts(history)
            if all(shown != other for other, _ in distinct):
                distinct.append((shown, history))
        return tuple(history for _, history in distinct)

    def close(self) -> None:
        """End the drivers. May be called twice."""
        for process in self._processes.values():
            process.close()

    def _perform(self, scenario: Scenario, *, repeat: int, shuffle: bool, seed: int = 0) -> list[History]:
        """Every distinct history of the repetitions; a scenario with several releases goes from driver to driver."""
        parts = list(_parts(scenario, self.version))
        ways = [_Way()]
        for number, part in enumerate(parts, 1):
            request = encode.request(part.scenario, show=self._show)
            request |= {"repeat": repeat, "shuffle": shuffle, "seed": seed, "snapshot": number < len(parts)}
            ways = [after for way in ways for after in self._continued(way, part.release, request)]
        return [way.history(self.name) for way in ways]

    def _continued(self, way: _Way, release: str, request: dict[str, Any]) -> list[_Way]:
        """The ways on which this one goes on, of which there is one at least."""
        if way.crash:
            return [way]
        self._requests += 1
        asked = {"id": self._requests, **request, "from": way.snapshot}
        try:
            reply = self._process(release).call(asked, seconds=_A_REPEAT * self._timeouts.scale * request["repeat"])
        except CrashError as crash:
            return [replace(way, crash=crash)]
        return [way.after(history) for history in reply["histories"]]

    def _process(self, release: str) -> Process:
        if release not in self._processes:
            if self._components is None:
                raise SubjectError(
                    "restart into another release",
                    f"the scenario wants {release}, and this subject has only {self.version}",
                    fault="the scenario, or how the subject was opened",
                    remedy="open it by `open_subject`, which can build releases",
                )
            self._processes[release] = Process(self._components(release), timeouts=self._timeouts)
        return self._processes[release]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one release sees of a scenario; all parts but the first begin with the restart into it."""

    release: str
    scenario: Scenario
    """With machine and configuration in force before its steps."""


def _parts(scenario: Scenario, release: str) -> Iterator[_Part]:
    begin, before = 0, (scenario.machine, scenario.kubelet)
    machine, kubelet = before
    for number, step in enumerate(map(begun, scenario.steps)):
        if not isinstance(step, Restart):
            continue
        if step.kubernetes and step.kubernetes != release:
            yield _Part(release, Scenario(scenario.name, *before, scenario.steps[begin:number]))
            release, begin, before = step.kubernetes, number, (machine, kubelet)
        machine, kubelet = step.machine or machine, step.kubelet or kubelet
    yield _Part(release, Scenario(scenario.name, *before, scenario.steps[begin:]))


@dataclass(frozen=True, slots=True)
class _Way:
    """One course of a scenario so far."""

    seen: tuple[Observation, ...] = ()
    panics: tuple[str, ...] = ()
    snapshot: Any = None
    crash: CrashError | None = None

    def after(self, answer: Mapping[str, Any]) -> _Way:
        """This way, and what the driver answered for the next part."""
        panic = answer.get("panic")
        text = (f"at observation {len(self.seen) + panic['at']}: {panic['text']}\n{panic['stack']}",) if panic else ()
        seen = self.seen + observations(answer["observations"])
        return _Way(seen, self.panics + text, answer.get("snapshot"))

    def history(self, subject: str) -> History:
        artefacts = {PANIC: "\n\n".join(self.panics)} if self.panics else {}
        if not self.crash:
            return History(subject, self.seen, artefacts=artefacts)
        stack = {CRASH: str(self.crash)}
        return History(subject, self.seen, complete=False, trouble=self.crash.what, artefacts=artefacts | stack)


def _without_texts(history: History) -> object:
    """What must differ for two histories to be two."""
    seen = [replace(each, state_file=None) if each.refusal is None else each for each in history.observations]
    return seen, history.complete, history.trouble
