"""A scenario carried out on a node, step by step, into a history.

After every step the node is waited for: each pod is rejected or its containers have come to what must follow. Then
everything is observed once. Nothing is judged here, and nothing is waited for by time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pinproof.errors import CaptureError
from pinproof.history import History, Note, Observation
from pinproof.scenario.faults import CallFault, Disk, Forgetting, Runtime
from pinproof.scenario.pod import Pod
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
from pinproof.subjects.kubelet import faults, observe, places, upgrade
from pinproof.subjects.kubelet.agent import Reply
from pinproof.subjects.kubelet.identities import Identities
from pinproof.subjects.kubelet.lifecycle import LivePod
from pinproof.subjects.kubelet.manifest import static_pod
from pinproof.subjects.kubelet.node import Node, Setting
from pinproof.subjects.kubelet.observe import Names, capture_error
from pinproof.subjects.kubelet.refusal import Ending
from pinproof.subjects.kubelet.state_edit import edited
from pinproof.subjects.kubelet.timeouts import Wait
from pinproof.subjects.kubelet.workers import is_inactive, is_over

Status = Mapping[str, Any]


def speaks_of_uids(scenario: Scenario) -> bool:
    """Whether UIDs matter, which are as the scenario has them for a node's first scenario alone.

    They do in state files of its own, and where the machine changes: a refusal names the pod whose node is gone.
    """
    restarts = [step for step in scenario.steps if isinstance(step, Restart)]
    return any(
        isinstance(step.state, StateEdit | StateText)
        or isinstance(step.cpu_state, StateText)
        or step.machine is not None
        for step in restarts
    )


class Performance:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, node: Node, *, identities: Identities, refused: Ending | None) -> None:
        """The node's kubelet has been started with the scenario's setting; `refused` is how it ended, if it did."""
        self.pods: dict[str, LivePod] = {}
        """Every incarnation that has not been removed, by UID."""

        self.spoiled = ""
        """Why the node cannot serve another scenario; empty while it can."""

        self._scenario = scenario
        self._node = node
        self._identities = identities
        self._names = Names()
        self._baseline: Mapping[str, int] = {}
        self._ending = refused
        self._crashing = False
        self._made_by = node.setting.release
        """The release of the last kubelet that ran: what runs was made by it, or by one whose containers it recognised."""

        self._arrivals = 0
        self._containers: list[Mapping[str, Any]] = []
        self._observations: list[Observation] = []
        self._notes: list[Note] = []
        if refused:
            self.spoiled = "the kubelet does not run"

    def run(self, subject: str) -> History:
        """Carry everything out. A wait in vain or an unreadable observation ends it early, as an incomplete history."""
        where = "start"
        try:
            self._observe(0)
            for number, step in enumerate(self._scenario.steps, 1):
                where = f"step {number}, {type(step).__name__.lower()}"
                self._carry_out(step)
                self._observe(number)
        except CaptureError as error:
            self.spoiled = f"{where}: {error.message}"
            return self._history(subject, trouble=f"{where}: {error.step}: {error.message}")
        return self._history(subject)

    def _history(self, subject: str, trouble: str = "") -> History:
        return History(subject, bridged(self._observations), complete=not trouble, trouble=trouble)

    def _carry_out(self, step: Step) -> None:
        """Carry out a step; where no kubelet runs, nothing happens to pods until it is started again."""
        match step:
            case Crash() if not self._ending or isinstance(step.during, Restart):
                self._crash(step)
            case Restart():
                self._restart(step)
            case Disk():
                faults.spoil(self._node.agent, step)
            case Runtime(fault):
                self._disturb(fault)
            case _ if self._ending:
                self._note("the kubelet does not run; the step was left out")
            case _:
                self._happens(step)

    def _happens(self, step: Step) -> None:
        """Carry out a step that concerns pods."""
        match step:
            case Admit(pod):
                self._admit(self._arriving(pod))
            case AdmitTogether(pods):
                self._admit(*[self._arriving(pod) for pod in pods])
            case Remove(name):
                self._remove(name)
            case Exit(name, container, code):
                self._exit(name, container, code)

    # Steps

    def _arriving(self, pod: Pod) -> LivePod:
        if self._live(pod.name):  # the step that removes it came while no kubelet ran, and was left out
            self._remove(pod.name)
        uid, namespace = self._identities.next(pod.name)
        self._arrivals += 1
        return LivePod(pod, uid, namespace, self._arrivals)

    def _admit(self, *arriving: LivePod) -> None:
        """Pods that come with one request: its files appear at once, in no order."""
        for live in arriving:
            self.pods[live.uid] = live
            self._names.pods[live.uid] = live.pod.name
            self._names.namespaces[live.namespace] = live.uid
        self._deliver(arriving)
        self._settle(*arriving)

    def _deliver(self, arriving: Sequence[LivePod]) -> None:
        """Let the node have pods."""
        self._node.write([self._manifest(live) for live in arriving], together=len(arriving) > 1)

    def _manifest(self, live: LivePod) -> tuple[str, str]:
        """The file of a pod: where it is, and its text."""
        text = static_pod(live.pod, uid=live.uid, namespace=live.namespace, arrival=live.arrival)
        return places.manifest(live.uid), text

    def _remove(self, name: str) -> None:
        live = self._live(name)
        if live is None:
            self._note(f"no pod {name!r} is on the node; nothing was removed")
        else:
            self._node.forget([live.uid])
            del self.pods[live.uid]
            if faults.wants_own_node(self._scenario):
                # What can go wrong with a removal comes after the kubelet has ceased to list the pod.
                self._node.until(f"end {name}", "finish", lambda: self._have_ended({live.uid}))

    def _exit(self, name: str, container: str, code: int) -> None:
        live = self._live(name)
        newest = self._newest(live.uid, container) if live else None
        if live is None or newest is None or newest["state"] != "running":
            self._note(f"container {container!r} of pod {name!r} does not run; nothing ended")
            return
        self._node.exit(live.uid, container, code)
        live.exits(container, code, attempt=newest["attempt"])
        self._settle(live)

    def _restart(self, step: Restart) -> None:
        node, before = self._node, self._node.setting
        setting = Setting(
            machine=step.machine or before.machine,
            kubelet=step.kubelet or before.kubelet,
            release=step.kubernetes or before.release,
        )
        if not self._ending or step.boots:
            self._stop(step)
        if setting != before or (step.state, step.cpu_state) != ("keep", "keep"):
            self.spoiled = "a restart changed the node"
        files = [*self._returning(step.order), *self._state(step), *self._record(before.release, setting.release)]
        self._ending = node.start(setting, files)
        self._baseline = {}
        if self._ending:
            self.spoiled = "the kubelet does not run"
        else:
            self._expect_new_containers(setting.release)
            self._expect_stuck_pods(setting.release)
        self._settle(*self.pods.values())
        self._await_end_of_rejected()

    def _stop(self, step: Restart) -> None:
        """Stop what the step stops: the kubelet, if it runs, or with POWER its whole node."""
        self._node.stop(step.signal)

    def _record(self, before: str, after: str) -> Iterator[tuple[str, str | None]]:
        """What a restart from one release into another needs beside the state files."""
        if upgrade.needs_record(before, after):
            yield upgrade.record(self.pods.values())

    def _crash(self, step: Crash) -> None:
        """Begin a step in which the kubelet is killed. What it rejected in it, it never told anybody."""
        before = {uid for uid, live in self.pods.items() if live.rejected}
        if isinstance(step.during, Restart) and not self._ending:
            self._node.stop(step.during.signal)
            self._ending = Ending("stopped", "")  # what counts is what the new one does
        faults.arm(self._node.agent, step.at)
        self._crashing = True
        self._carry_out(step.during)
        self._crashing = False
        crashed = faults.disarm(self._node.agent)
        if crashed:
            self._ending = crashed
            for uid, live in self.pods.items():
                live.rejected = uid in before
        elif self._ending and self._ending.kind == "killed":
            raise capture_error("watch the kubelet", f"it was killed by {self._ending.message}")
        self._note(faults.remark(step.at, reached=crashed is not None))

    def _disturb(self, fault: CallFault | Forgetting) -> None:
        faults.upset(self._node.agent, fault)
        if isinstance(fault, Forgetting):
            alive = [live for live in self.pods.values() if not live.terminal]
            for live in alive:
                live.begin_anew()
            self._settle(*alive)

    def _expect_new_containers(self, release: str) -> None:
        """Where this kubelet does not recognise the app containers that run: those that it makes in their place."""
        if upgrade.makes_containers_anew(self._made_by, release):
            for live in self.pods.values():
                for container in live.pod.containers:
                    newest = self._newest(live.uid, container.name)
                    if newest is not None and newest["state"] == "running":
                        live.attempts[container.name] = newest["attempt"] + 1
        self._made_by = release

    def _expect_everything_anew(self) -> None:
        """No container survives, so all that ran are made in another attempt, init containers that had ended too."""
        for live in self.pods.values():
            if live.terminal:
                continue
            live.completed.clear()
            live.ended.clear()
            for name in live.awaited():
                newest = self._newest(live.uid, name)
                if newest is not None:
                    live.attempts[name] = newest["attempt"] + 1

    def _expect_stuck_pods(self, release: str) -> None:
        """Where this kubelet never starts an init container that was created: the pods that have one."""
        for live in self.pods.values() if upgrade.leaves_created(release) else ():
            newest = [self._newest(live.uid, init.name) for init in live.pod.init_containers]
            live.stuck = any(each is not None and each["state"] == "created" for each in newest)

    def _returning(self, order: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
        """Manifests for a restart: those of terminal pods go, the others come in the order asked for."""
        for live in [live for live in self.pods.values() if live.terminal]:
            del self.pods[live.uid]
            yield places.manifest(live.uid), None
        ranks = {name: rank for rank, name in enumerate(order)}
        for live in sorted(self.pods.values(), key=lambda live: ranks.get(live.pod.name, len(ranks))):
            self._arrivals += 1
            live.arrival = self._arrivals
            yield self._manifest(live)

    def _state(self, step: Restart) -> Iterator[tuple[str, str | None]]:
        match step.cpu_state:
            case "lose":
                yield places.CPU_STATE, None
            case StateText(text):
                yield places.CPU_STATE, text
        match step.state:
            case "lose":
                yield places.STATE, None
            case StateText(text):
                yield places.STATE, text
            case StateEdit():
                (before,) = self._node.read(places.STATE)
                after = edited(before or "", step.state)
                if after == before:
                    self._note(f"the state file has no {step.state.find!r}; it was left as it is")
                yield places.STATE, after

    # Waiting

    def _settle(self, *pods: LivePod) -> None:
        """Wait until the kubelet has done with each pod what must be done now."""
        if self._ending or not pods:
            return
        awaited = {live.uid: live.awaited() for live in pods}
        what = f"admit {', '.join(live.pod.name for live in pods)}"
        wait: Wait = "admission" if len(pods) == 1 else "readmission"
        if faults.troubles_runtime(self._scenario):
            wait = "trouble"
        reply = self._node.ask(what, wait, "await_pods", pods={u: list(names) for u, names in awaited.items()})
        if self._ended(reply):
            return
        for live in pods:
            live.rejected = reply["pods"][live.uid]["state"] == "rejected"
            if not live.rejected:
                self._settle_containers(live)

    def _settle_containers(self, live: LivePod) -> None:
        for container, attempt in live.attempts.items():
            what = f"start {live.pod.name}/{container} again"
            wanted = {"uid": live.uid, "container": container, "state": "running", "attempt": attempt}
            if self._ended(self._node.ask(what, "exit", "await_container", **wanted)):
                return
        live.attempts.clear()
        if live.over:
            self._node.until(f"end {live.pod.name}", "finish", lambda: self._is_over(live))
        elif live.ended:
            self._node.until(f"end containers of {live.pod.name}", "exit", lambda: self._has_noticed(live))

    def _is_over(self, live: LivePod) -> tuple[bool, object]:
        if self._ended_or_hangs(live.uid, self._node.observe(everything=False)):
            return True, ""
        return is_over(live.uid, self._log_about(live.uid)), "its worker has not come to its end in the log"

    def _ended_or_hangs(self, uid: str, reply: Reply) -> bool:
        """Whether nothing more will come of a pod for now: the kubelet has ended, or waits for its container runtime."""
        return self._ended(reply) or uid in reply.get("hanging", ())

    def _has_noticed(self, live: LivePod) -> tuple[bool, object]:
        """Whether the kubelet knows of every container that has ended for good."""
        reply = self._node.observe(everything=False)
        if self._ended_or_hangs(live.uid, reply):
            return True, ""
        status = _status(reply, live.uid)
        states = {each["name"]: each.get("state", {}) for each in status.get("containerStatuses") or ()}
        return all("terminated" in states.get(name, {}) for name in live.ended), states

    def _await_end_of_rejected(self) -> None:
        """Wait until nothing is left of pods that ran and were not admitted again.

        While their containers are being ended they count as active, and for how long is the housekeeping's business.
        """
        rejected = {live.uid for live in self.pods.values() if live.rejected}
        if rejected and not self._ending:
            self._node.until("end the rejected pods", "finish", lambda: self._have_ended(rejected))

    def _have_ended(self, uids: set[str]) -> tuple[bool, object]:
        reply = self._node.observe(everything=False)
        uids = {uid for uid in uids if not self._ended_or_hangs(uid, reply)}
        running = [each for each in reply["containers"] if each["uid"] in uids and each["state"] == "running"]
        unfinished = sorted(uid for uid in uids if not is_inactive(uid, self._log_about(uid)))
        return not running and not unfinished, (running, unfinished)

    def _log_about(self, uid: str) -> list[str]:
        return self._node.log(about=f'"{uid}"').splitlines()

    # Seeing

    def _observe(self, number: int) -> None:
        """Observe what the kubelet came to by a step; number 0 is its start."""
        reply = self._node.observe(allocatable=self._is_end(number))
        self._containers = reply["containers"]
        if not reply["running"] and self._ending is None:
            self._ends(reply)
        try:
            if number == 0 and reply["running"]:
                self._baseline = observe.counters(reply.get("metrics") or "")
            seen = observe.observation(
                reply, self._names, baseline=self._baseline, refusal=self._ending.refusal if self._ending else None
            )
        except CaptureError:
            self._observations.append(observe.raw(reply))
            raise
        self._observations.append(replace(seen, notes=tuple(self._notes)))
        self._notes.clear()

    def _is_end(self, number: int) -> bool:
        """Whether a step is the first or last one that a kubelet process sees of the scenario."""
        steps = self._scenario.steps
        return number in (0, len(steps)) or any(isinstance(step, Restart) for step in steps[number - 1 : number + 1])

    def _ended(self, reply: Reply) -> bool:
        """Take note of a kubelet that ended where it was expected to run."""
        if "exited" not in reply and reply.get("running", True):
            return False
        if self._ending is None:
            self._ends(reply)
        return True

    def _ends(self, reply: Reply) -> None:
        self._ending = self._node.ending(reply)
        self.spoiled = "the kubelet has ended"
        if self._ending.kind == "killed" and not self._crashing:
            raise capture_error("watch the kubelet", f"it was killed by {self._ending.message}")

    def _live(self, name: str) -> LivePod | None:
        """The newest incarnation of a pod that is still on the node."""
        return next((live for live in reversed(self.pods.values()) if live.pod.name == name), None)

    def _newest(self, uid: str, container: str) -> Mapping[str, Any] | None:
        mine = [each for each in self._containers if each["uid"] == uid and each["container"] == container]
        return mine[-1] if mine else None

    def _note(self, text: str) -> None:
        self._notes.append(Note("subject", text))


def bridged(observations: Sequence[Observation]) -> tuple[Observation, ...]:
    """Observations with `allocatable` filled in where it was not asked for, if it is the same before and after.

    It is a constant of a kubelet process; if it is not, the gap stays and the value counts as not observed.
    """
    filled = list(observations)
    last: int | None = None
    for number, seen in enumerate(observations):
        if seen.allocatable is None:
            continue
        if last is not None and observations[last].allocatable == seen.allocatable:
            for gap in range(last + 1, number):
                if filled[gap].running:
                    filled[gap] = replace(filled[gap], allocatable=seen.allocatable)
        last = number
    return tuple(filled)


def _status(reply: Reply, uid: str) -> Status:
    items = (reply.get("pods") or {}).get("items") or ()
    return next((item["status"] for item in items if item["metadata"]["uid"] == uid), {})
