"""Scenario files → `Scenario`. Everything that is wrong with a file is told at once, with its place and line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pinproof.errors import InputError
from pinproof.scenario import yamltext
from pinproof.scenario.checks import Timeline
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.configs import config_of
from pinproof.scenario.document import (
    CallFaultDocument,
    CpuStateDocument,
    CrashDocument,
    DiskDocument,
    DuringDocument,
    KubeletDocument,
    PointDocument,
    RestartDocument,
    ScenarioDocument,
    StateDocument,
    StepDocument,
    TopologyBody,
)
from pinproof.scenario.draft import Draft
from pinproof.scenario.faults import AtCall, AtWrite, CallFault, Disk, Forgetting, Point, Runtime
from pinproof.scenario.machine import Machine
from pinproof.scenario.machines import machine_of
from pinproof.scenario.shortform import check_pod, pod_of
from pinproof.scenario.steps import (
    Admit,
    AdmitTogether,
    Crash,
    Exit,
    Remove,
    Restart,
    Scenario,
    StateEdit,
    StateText,
    Step,
)
from pinproof.scenario.topologies import read_machine, read_text, say_impossible
from pinproof.scenario.yamltext import Location


def read_scenario(path: str | Path) -> Scenario:
    """Read a scenario file; raises InputError with all its problems.

    Paths inside the file (of topologies, of state files) are relative to it.
    """
    file = Path(path)
    return parse_scenario(read_text(file), source=str(path), base=file.parent)


def parse_scenario(text: str, *, source: str = "<scenario>", base: Path | None = None) -> Scenario:
    """Read a scenario document; `base` is the folder that its paths are relative to. Raises InputError."""
    return _Reader(text, source, base or Path()).scenario()


EVENTS = tuple(field.alias or name for name, field in StepDocument.model_fields.items())
"""The keys that a step may have."""


class _Reader:
    """Reads one document part by part; a part that is malformed is left out of the checks of the others."""

    def __init__(self, text: str, source: str, base: Path) -> None:
        self.source, self.base = source, base
        self.draft = Draft(ScenarioDocument, yamltext.load(text, source))

    def scenario(self) -> Scenario:
        machine = self.machine("topology")
        document = self.draft.part(KubeletDocument, "kubelet")
        kubelet = config_of(document) if document else KubeletConfig()
        timeline = Timeline(self.draft.say, machine, kubelet, at=("kubelet",))
        steps = [self.step(index, timeline) for index in range(self.draft.length("steps"))]
        self.draft.refuse(self.source)
        if self.draft.whole is None or machine is None:
            raise AssertionError("a document without a problem is whole")
        name = self.draft.whole.metadata.name
        return Scenario(name=name, machine=machine, kubelet=kubelet, steps=tuple(step for step in steps if step))

    def machine(self, *at: str | int) -> Machine | None:
        """The machine at a place; None where there is none that could be built, which has been told."""
        try:
            raw = self.draft.raw(*at)
        except LookupError:
            return None
        if isinstance(raw, str):
            try:
                return read_machine(raw, base=self.base)
            except InputError as error:
                for problem in error.problems:
                    self.draft.say(at, f"{error.source}: {problem}")
                return None
        body = self.draft.part(TopologyBody, *at)
        impossible = say_impossible(self.draft, *at)
        return machine_of(body) if body and not impossible else None

    def step(self, index: int, timeline: Timeline) -> Step | None:
        """The step at an index, checked against what happened before it."""
        at: Location = ("steps", index)
        document = self.draft.part(StepDocument, *at)
        if document is None:
            timeline.unreadable()
            return None
        given = sorted(document.model_fields_set)
        if len(given) != 1:
            found, names = " and ".join(given) or "none", ", ".join(EVENTS[:-1]) + " and " + EVENTS[-1]
            self.draft.say(at, f"a step has exactly one of {names}, not {found}")
            timeline.unreadable()
            return None
        step = self._event(document, at, timeline)
        if step is None:
            self.draft.say((*at, given[0]), "must not be empty; a plain restart is written restart: {}")
            timeline.unreadable()
            return None
        timeline.follow(step, (*at, given[0]))
        return step

    def _event(self, document: StepDocument, at: Location, timeline: Timeline) -> Step | None:
        if document.admit_together is not None:
            for index, pod in enumerate(document.admit_together):
                for place, message in check_pod(pod):
                    self.draft.say((*at, "admitTogether", index, *place), message)
            return AdmitTogether(tuple(pod_of(pod) for pod in document.admit_together))
        if document.crash is not None:
            return self._crash(document.crash, (*at, "crash"), timeline)
        if document.disk is not None:
            disk = document.disk
            return Disk(disk.state, disk.file) if isinstance(disk, DiskDocument) else Disk(disk)
        if document.runtime is not None:
            return self._runtime(document.runtime, (*at, "runtime"))
        return self._plain_event(document, at, timeline)

    def _plain_event(
        self, document: StepDocument | DuringDocument, at: Location, timeline: Timeline
    ) -> Admit | Remove | Exit | Restart | None:
        """An event that a crash can interrupt."""
        if document.admit is not None:
            for place, message in check_pod(document.admit):
                self.draft.say((*at, "admit", *place), message)
            return Admit(pod_of(document.admit))
        if document.remove is not None:
            return Remove(document.remove)
        if document.exit is not None:
            return Exit(pod=document.exit.pod, container=document.exit.container, code=document.exit.code)
        if document.restart is not None:
            return self._restart(document.restart, (*at, "restart"), timeline)
        return None

    def _crash(self, document: CrashDocument, at: Location, timeline: Timeline) -> Crash | None:
        point = self._point(document.at, (*at, "at"))
        given = sorted(document.during.model_fields_set)
        during = self._plain_event(document.during, (*at, "during"), timeline) if len(given) == 1 else None
        if during is None:
            found = " and ".join(given) or "none"
            self.draft.say((*at, "during"), f"one of admit, remove, exit and restart is interrupted, not {found}")
            return Crash(Restart(), point)  # the document is refused; what follows is read as if
        return Crash(during, point)

    def _point(self, document: PointDocument, at: Location) -> Point:
        if (document.write is None) == (document.call is None):
            self.draft.say(at, "a point is either a write or a call; give one of the two")
        if document.call is None:
            return AtWrite(document.write or "memory_manager_state", document.number, document.moment)
        if document.moment == "unnamed":
            self.draft.say((*at, "moment"), "only a write can be unnamed; write before or after")
            return AtCall(document.call, document.number)
        return AtCall(document.call, document.number, document.moment)

    def _runtime(self, document: CallFaultDocument | Literal["forgets"], at: Location) -> Runtime:
        if not isinstance(document, CallFaultDocument):
            return Runtime(Forgetting())
        if document.how == "hangs" and "times" in document.model_fields_set:
            self.draft.say((*at, "times"), "a method that hangs does so for every call; leave times out")
        return Runtime(CallFault(document.call, document.how, document.times))

    def _restart(self, document: RestartDocument, at: Location, timeline: Timeline) -> Restart:
        kubelet = config_of(document.kubelet, timeline.kubelet) if document.kubelet is not None else None
        return Restart(
            state=self._state(document, (*at, "state")),
            cpu_state=self._cpu_state(document, (*at, "cpuState")),
            order=tuple(document.order),
            signal=document.signal,
            kernel=document.kernel,
            machine=self.machine(*at, "topology") if document.topology is not None else None,
            kubelet=kubelet,
            kubernetes=document.kubernetes,
        )

    def _state(self, document: RestartDocument, at: Location) -> Literal["keep", "lose"] | StateEdit | StateText:
        if isinstance(document.state, StateDocument):
            return self._edit(document.state, at)
        return self._kept_or_file(document.state, at, "a mapping with find and replace")

    def _cpu_state(self, document: RestartDocument, at: Location) -> Literal["keep", "lose"] | StateText:
        if isinstance(document.cpu_state, CpuStateDocument):
            return StateText(document.cpu_state.text)
        return self._kept_or_file(document.cpu_state, at, "a mapping with text")

    def _kept_or_file(self, word: str, at: Location, otherwise: str) -> Literal["keep", "lose"] | StateText:
        if word == "keep":
            return "keep"
        if word == "lose":
            return "lose"
        try:
            return StateText(read_text(self.base / word))
        except InputError as error:
            self.draft.say(at, f"{error}; write keep, lose, a file, or {otherwise}")
            return "keep"

    def _edit(self, state: StateDocument, at: Location) -> StateEdit | StateText:
        if state.text is not None:
            if not state.model_fields_set <= {"text"}:
                self.draft.say(at, "text is the whole file; leave find, replace and checksum out")
            return StateText(state.text)
        if state.find is None or state.replace is None:
            self.draft.say(at, "an edit needs find and replace; a whole file is given as text")
        return StateEdit(find=state.find or "", replace=state.replace or "", checksum=state.checksum or "keep")
