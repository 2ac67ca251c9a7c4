"""A real kubelet that is killed at a point, whose disk or runtime fails: each is reached by design, and nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pinproof.build import trapping
from pinproof.history import Block, History, Observation, Told
from pinproof.scenario.faults import AtCall, AtWrite, CallFault, Disk, Forgetting, Method, Point, Runtime, StateFile
from pinproof.scenario.steps import Admit, Crash, Exit, Remove, Restart, Scenario, Step
from pinproof.subjects.kubelet import places
from pinproof.subjects.kubelet.faults import traps
from pinproof.subjects.kubelet.subject import KubeletSubject
from pinproof.subjects.registry import DEFAULT, open_subject
from pinproof.waiting import looks
from tests.test_kubelet_subject import GIB, MACHINE, STATIC, descendants, ended, guaranteed

MEMORY: StateFile = "memory_manager_state"
CPU: StateFile = "cpu_manager_state"
PINNED = replace(STATIC, cpu_manager_policy="static", kube_reserved=(("cpu", "1"), ("memory", "924Mi")))

A, B = guaranteed("a", "4Gi"), guaranteed("b", "2Gi")
WITH_INIT = guaranteed("i", "2Gi", init="3Gi")

BOOKS_DIFFER = "start memory manager error: [memorymanager] the expected machine state is different from the real one"
OF_A = {"a": {"c": (Block((0,), "memory", 4 * GIB),)}}
OF_BOTH = {**OF_A, "b": {"c": (Block((0,), "memory", 2 * GIB),)}}


@pytest.fixture(scope="module")
def subject() -> Iterator[KubeletSubject]:
    opened = open_subject(DEFAULT)
    assert isinstance(opened, KubeletSubject)
    yield opened
    opened.close()


def run(subject: KubeletSubject, *steps: Step) -> list[Observation]:
    """The observations after the steps."""
    history = perform(subject, *steps)
    assert history.complete, history.trouble
    return list(history.observations[1:])


def perform(subject: KubeletSubject, *steps: Step) -> History:
    return subject.run(Scenario("crash", MACHINE, PINNED, steps))


def written(seen: Observation) -> tuple[int, dict[str, list[str]]]:
    """Of a state file: bytes reserved on node 0, and the containers with blocks, by UID."""
    state = json.loads(seen.state_file or "")
    entries = state.get("entries") or {}
    return state["machineState"]["0"]["memoryMap"]["memory"]["reserved"], {
        uid: [*each] for uid, each in entries.items()
    }


def calls(subject: KubeletSubject) -> list[tuple[str, dict[str, Any]]]:
    """What the kubelets of the last scenario did: method and facts."""
    lines = map(json.loads, subject.gather()["calls.jsonl"].splitlines())
    return [(line["method"], line["request"]) for line in lines]


def inside(subject: KubeletSubject) -> Path:
    """The kubelet's directory on the node of the last scenario."""
    assert subject._node is not None
    return Path("/proc", str(descendants(subject._node.agent.pid)[1]), "root", "var", "lib", "kubelet")


def drafts(subject: KubeletSubject) -> list[str]:
    """Texts of the state files that had no name yet."""
    return [path.read_text() for path in inside(subject).glob(".[0-9]*")]


def is_killed(seen: Observation, point: str) -> bool:
    return (seen.running, seen.refusal, [note.text for note in seen.notes]) == (
        False,
        None,
        [f"the kubelet was killed: {point}"],
    )


# Writes


@pytest.mark.parametrize(
    ("point", "reserved", "owners", "unnamed"),
    [
        (AtWrite(MEMORY, 1, "before"), 0, {}, 0),
        (AtWrite(MEMORY, 1, "unnamed"), 0, {}, 1),
        (AtWrite(MEMORY, 1, "after"), 4 * GIB, {}, 0),
        (AtWrite(MEMORY, 2, "before"), 4 * GIB, {}, 0),
        (AtWrite(MEMORY, 2, "unnamed"), 4 * GIB, {}, 1),
        (AtWrite(MEMORY, 2, "after"), 4 * GIB, {"a.1": ["c"]}, 0),
        (AtWrite(CPU, 2, "after"), 0, {}, 0),
    ],
)
def test_every_moment_of_an_admissions_writes(
    subject: KubeletSubject, point: AtWrite, reserved: int, owners: dict[str, list[str]], unnamed: int
) -> None:
    """The machine state is written before the entries, and the CPUs before both."""
    (crashed,) = run(subject, Crash(Admit(A), point))

    assert is_killed(crashed, f"{point.moment} write {point.number} of {point.file}")
    assert (reserved, owners) == written(crashed)
    assert unnamed == len(drafts(subject))


def test_a_pod_whose_admission_was_interrupted_is_admitted_anew(subject: KubeletSubject) -> None:
    """Nothing of it was written, so nothing of it is left."""
    _, back, other = run(subject, Crash(Admit(A), AtWrite(MEMORY, 1, "unnamed")), Restart(), Admit(B))

    assert (True, OF_A, {"a": {"c": Told("0", "1")}}) == (back.running, back.assignments, back.told)
    assert OF_BOTH == other.assignments


@pytest.mark.parametrize(
    ("point", "refusal"),
    [
        (AtWrite(MEMORY, 1), BOOKS_DIFFER),
        (
            AtWrite(CPU, 1),
            'start cpu manager error: current set of available CPUs "0-15" doesn\'t match with CPUs in state "0,2-15"',
        ),
    ],
)
def test_a_kubelet_that_died_between_two_writes_starts_no_more(
    subject: KubeletSubject, point: Point, refusal: str
) -> None:
    """The first write of an admission takes from the books what only the second gives to the pod."""
    _, back, again = run(subject, Crash(Admit(A), point), Restart(), Restart())

    assert [(False, refusal)] * 2 == [(seen.running, seen.refusal) for seen in (back, again)]


def test_a_start_is_interrupted_too(subject: KubeletSubject) -> None:
    """Without a file the first writes of a start make it: empty, then with the machine; the next kubelet goes on from either."""
    lost = Restart(state="lose")
    _, crashed, back = run(subject, Admit(A), Crash(lost, AtWrite(MEMORY, 1)), Restart())

    assert is_killed(crashed, f"after write 1 of {MEMORY}")
    assert {} == json.loads(crashed.state_file or "")["machineState"]
    assert (True, OF_A) == (back.running, back.assignments)


def test_what_an_interrupted_start_decided_counts_for_nothing(subject: KubeletSubject) -> None:
    """The start admits a again and is killed at b; both come back."""
    both = (Admit(A), Admit(B))
    *_, crashed, back = run(subject, *both, Crash(Restart(state="lose"), AtWrite(MEMORY, 5, "before")), Restart())

    assert (4 * GIB, {"a.1": ["c"]}) == written(crashed)
    assert OF_BOTH == back.assignments


def test_the_end_of_an_init_container_is_interrupted(subject: KubeletSubject) -> None:
    """What it held is given back when the app container is about to start, and only then."""
    _, crashed, back = run(subject, Admit(WITH_INIT), Crash(Exit("i", "init"), AtWrite(MEMORY, 2)), Restart())

    assert (2 * GIB, {"i.1": ["c"]}) == written(crashed)
    assert {"init", "c"} == set((back.told or {})["i"])


@pytest.mark.parametrize("during", [Admit(A), Restart()])
def test_a_point_that_is_not_reached_kills_nobody(subject: KubeletSubject, during: Admit | Restart) -> None:
    """The step ends as it would without, and says that the point was not reached."""
    first: tuple[Step, ...] = (Admit(A),) if isinstance(during, Restart) else ()

    seen = run(subject, *first, Crash(during, AtWrite(MEMORY, 9)))[-1]

    assert (True, None, OF_A) == (seen.running, seen.refusal, seen.assignments)
    assert [f"the step ended without coming to the point: after write 9 of {MEMORY}"] == [n.text for n in seen.notes]


# Calls


@pytest.mark.parametrize(
    ("point", "made"),
    [
        (AtCall("RunPodSandbox", 1, "before"), []),
        (AtCall("RunPodSandbox", 1, "after"), []),
        (AtCall("CreateContainer", 1, "before"), []),
        (AtCall("CreateContainer", 1, "after"), ["created"]),
        (AtCall("StartContainer", 1, "before"), ["created"]),
        (AtCall("StartContainer", 1, "after"), ["running"]),
    ],
)
def test_every_call_of_an_admission(subject: KubeletSubject, point: AtCall, made: list[str]) -> None:
    """All of it is in the file by then; the runtime has done the call or not."""
    (crashed,) = run(subject, Crash(Admit(A), point))
    assert subject._node is not None
    left = [container["state"] for container in subject._node.observe()["containers"]]

    assert is_killed(crashed, f"{point.moment} {point.method} 1")
    assert (4 * GIB, {"a.1": ["c"]}) == written(crashed)
    assert made == left


@pytest.mark.parametrize(
    "point", [AtCall("RunPodSandbox", 1, "after"), AtCall("CreateContainer", 1, "after"), AtCall("StartContainer")]
)
def test_a_pod_whose_containers_were_not_started_comes_back(subject: KubeletSubject, point: AtCall) -> None:
    """The next kubelet goes on with what the runtime has."""
    _, back = run(subject, Crash(Admit(A), point), Restart())

    assert (OF_A, {"a": {"c": Told("0", "1")}}) == (back.assignments, back.told)


@pytest.mark.parametrize("method", ["StopContainer", "StopPodSandbox"])
def test_calls_of_a_removal(subject: KubeletSubject, method: Method) -> None:
    """The pod is gone from the kubelet, its block goes at the next admission."""
    _, crashed, back, other = run(
        subject, Admit(A), Crash(Remove("a"), AtCall(method, 1, "before")), Restart(), Admit(B)
    )

    assert is_killed(crashed, f"before {method} 1")
    assert ({}, OF_A) == (back.pods, back.assignments)
    assert {"b"} == set(other.assignments or {})


def test_a_call_after_the_end_of_a_container(subject: KubeletSubject) -> None:
    """A container that was to be started again is, by the next kubelet."""
    again = Crash(Exit("a", "c", 1), AtCall("CreateContainer", 1, "after"))

    _, crashed, back = run(subject, Admit(A), again, Restart())

    assert is_killed(crashed, "after CreateContainer 1")
    assert ({"a": {"c": Told("0", "1")}}, OF_A) == (back.told, back.assignments)


def kubelet(subject: KubeletSubject) -> int:
    """The process of the subject's kubelet; 0 before there is one."""
    try:
        found = descendants(subject._node.agent.pid)[2:] if subject._node else []
    except OSError:
        return 0  # one of them, of a moment, ended while it was asked for its children
    return found[0] if found else 0


def has_assigned(pid: int) -> bool:
    """Whether a kubelet has written an assignment of memory."""
    try:
        return '"entries":{"' in Path("/proc", str(pid), "root", places.STATE.lstrip("/")).read_text()
    except OSError:
        return False  # its files are not made yet


def test_a_death_that_is_not_ours_is_no_crash(subject: KubeletSubject) -> None:
    """A kubelet that somebody else kills, while a point is armed, makes the history incomplete."""

    def kill() -> None:
        any((pid := kubelet(subject)) and has_assigned(pid) for _ in looks(60, pause=0.01))
        os.kill(pid, signal.SIGKILL)  # which waits for the runtime, that answers after two seconds

    subject.close()
    killer = threading.Thread(target=kill)
    killer.start()
    history = perform(
        subject,
        Runtime(CallFault("RunPodSandbox", "late", 3)),
        Crash(Admit(A), AtWrite(MEMORY, 9)),
    )
    killer.join()

    assert not history.complete
    assert "it was killed by signal 9" in history.trouble


# Disks

CANNOT = "could not restore state from checkpoint"


def drain(manager: str, file: str) -> str:
    return (
        f'please drain this node and delete the {manager} manager checkpoint file "/var/lib/kubelet/{file}" '
        "before restarting Kubelet"
    )


@pytest.mark.parametrize(("file", "manager"), [(MEMORY, "memory"), (CPU, "CPU")])
@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ("full", "rename /var/lib/kubelet/.TEMP /var/lib/kubelet/{} : no space left on device"),
        ("read-only", "rename /var/lib/kubelet/.TEMP /var/lib/kubelet/{} : read-only file system"),
        ("unreadable", "open /var/lib/kubelet/{} : permission denied"),
    ],
)
def test_a_start_without_a_file_fails_on_such_a_disk(
    subject: KubeletSubject, file: StateFile, manager: str, state: Any, trouble: str
) -> None:
    """It says what failed and what to do; when the disk works again, so does the kubelet."""
    lost = Restart(state="lose") if file == MEMORY else Restart(cpu_state="lose")
    _, refused, _, back = run(subject, Disk(state, file), lost, Disk("works"), Restart())

    reason = trouble.replace(" :", ":").format(file)
    assert refused.refusal == f"start {manager.lower()} manager error: {CANNOT}: {reason}, {drain(manager, file)}"
    assert (True, {}) == (back.running, back.assignments)


@pytest.mark.parametrize(("state", "runs"), [("full", True), ("read-only", True), ("unreadable", False)])
def test_a_start_with_its_file(subject: KubeletSubject, state: Any, *, runs: bool) -> None:
    """Nothing has to be written, so a full disk does no harm; a file that cannot be read does."""
    *_, seen = run(subject, Admit(A), Disk(state, MEMORY), Restart())

    assert (runs, 4 * GIB) == (seen.running, written(seen)[0])


@pytest.mark.parametrize("state", ["full", "read-only"])
def test_an_admission_on_such_a_disk(subject: KubeletSubject, state: Any) -> None:
    """The pod runs and is pinned, the file has the old text; the next write that succeeds has all of it."""
    _, silent, _, mended = run(subject, Disk(state), Admit(A), Disk("works"), Admit(B))

    assert ({}, {"a": {"c": Told("0", "1")}}) == (silent.assignments, silent.told)
    assert OF_BOTH == mended.assignments
    assert silent.pod_resources is not None
    assert (Block((0,), "memory", 4 * GIB),) == silent.pod_resources["a"]["c"].memory


# The container runtime


@pytest.mark.parametrize("method", ["CreateContainer", "StartContainer"])
def test_a_call_that_fails_is_made_again(subject: KubeletSubject, method: Method) -> None:
    """The pod has its place all the same."""
    _, seen = run(subject, Runtime(CallFault(method, "fails")), Admit(A))
    made = [name for name, _ in calls(subject) if name == method]

    assert (OF_A, {"a": {"c": Told("0", "1")}}) == (seen.assignments, seen.told)
    assert 2 == len(made)


def test_an_answer_that_comes_late(subject: KubeletSubject) -> None:
    """The containers of the sandbox wait for it."""
    began = time.monotonic()
    _, seen = run(subject, Runtime(CallFault("RunPodSandbox", "late")), Admit(A))

    assert {"a": {"c": Told("0", "1")}} == seen.told
    assert time.monotonic() - began > 2


@pytest.mark.parametrize(
    ("method", "told"),
    [("RunPodSandbox", {}), ("CreateContainer", {}), ("StartContainer", {"a": {"c": Told("0", "1")}})],
)
def test_a_call_that_hangs(subject: KubeletSubject, method: Method, told: Any) -> None:
    """The pod is admitted and gets no further, others are admitted beside it, and the next kubelet starts them all."""
    _, hung, other, back = run(subject, Runtime(CallFault(method, "hangs")), Admit(A), Admit(B), Restart())

    assert (OF_A, told) == (hung.assignments, hung.told)
    assert OF_BOTH == other.assignments == back.assignments
    assert {"a": {"c": Told("0", "1")}, "b": {"c": Told("0", "2")}} == back.told


def test_a_removal_whose_call_hangs(subject: KubeletSubject) -> None:
    """The memory of the pod is given to another, though nothing has ended its container."""
    *_, seen = run(subject, Admit(A), Runtime(CallFault("StopContainer", "hangs")), Remove("a"), Admit(B))

    assert {"b": {"c": (Block((0,), "memory", 2 * GIB),)}} == seen.assignments


def test_a_runtime_that_forgets(subject: KubeletSubject) -> None:
    """Every pod is made anew on its node; one with an init container begins with that."""
    *_, before, forgotten, after = run(
        subject, Admit(A), Admit(WITH_INIT), Exit("i", "init"), Runtime(Forgetting()), Exit("i", "init")
    )

    assert before.assignments == forgotten.assignments
    assert {"a": {"c"}, "i": {"init"}} == {name: set(told) for name, told in (forgotten.told or {}).items()}
    assert Told("0", "1") == (forgotten.told or {})["a"]["c"]
    assert (before.told or {})["i"]["c"] == (after.told or {})["i"]["c"]


# The mechanism


def test_only_a_scenario_that_needs_them_has_traps(subject: KubeletSubject) -> None:
    """Opening files is trapped where a file is to be unreadable, and nothing where no disk or crash is spoken of."""
    shown = []
    for steps in ((Admit(A),), (Admit(A), Disk("full"))):
        run(subject, *steps)
        assert subject._node is not None
        kubelet = descendants(subject._node.agent.pid)[2]
        status = Path(f"/proc/{kubelet}/status").read_text().splitlines()
        shown.append(next(line.split()[1] for line in status if line.startswith("Seccomp:")))

    assert shown[1] == "2"
    assert shown[0] == own_seccomp()
    assert ("", "renames", "opens") == tuple(
        traps(Scenario("s", MACHINE, STATIC, steps))
        for steps in ((), (Disk("full"),), (Crash(Admit(A), AtCall("StartContainer")), Disk("unreadable")))
    )


def own_seccomp() -> str:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in status if line.startswith("Seccomp:"))


def test_a_node_on_which_something_went_wrong_serves_no_other(subject: KubeletSubject) -> None:
    """The scenario after it finds a fresh kubelet."""
    run(subject, Runtime(CallFault("StopContainer", "fails", 9)), Admit(A))
    boots = subject.boots

    (seen,) = run(subject, Admit(A))

    assert (boots + 1, OF_A) == (subject.boots, seen.assignments)


KILLED = """
import sys
from tests.test_kubelet_crashes import *
subject = open_subject(DEFAULT)
subject._after = lambda *_: None  # keep the node
steps = Disk("unreadable"), Disk("works"), Runtime(CallFault("StartContainer", "hangs")), Admit(A)
subject.run(Scenario("killed", MACHINE, PINNED, steps))
print(subject._node.agent.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_of_a_kubelet_that_is_trapped(subject: KubeletSubject, how: signal.Signals) -> None:
    """After Ctrl-C and after `kill -9`, while a call is held, no agent, kubelet or mount remains."""
    mounts = Path("/proc/self/mountinfo").read_text()
    runner = subprocess.Popen(
        [sys.executable, "-c", KILLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with runner:
        assert runner.stdout is not None
        everything = descendants(int(runner.stdout.readline()))
        watches = [os.pidfd_open(pid) for pid in everything]

        runner.send_signal(how)

    assert len(everything) >= 3
    assert [] == [pid for pid, watch in zip(everything, watches, strict=True) if not ended(watch)]
    assert mounts == Path("/proc/self/mountinfo").read_text()


def test_a_trapped_kubelet_dies_with_its_agent(subject: KubeletSubject) -> None:
    """The kernel ends it; nobody answers for its system calls any more."""
    run(subject, Disk("full"), Admit(A))
    assert subject._node is not None
    _, node, kubelet, *_ = descendants(subject._node.agent.pid)
    watch = os.pidfd_open(kubelet)

    os.kill(node, signal.SIGKILL)

    assert ended(watch)
    subject.close()


REFUSED = """
import ctypes, platform, struct
from pinproof.errors import SubjectError
from tests.test_kubelet_crashes import *
libc = ctypes.CDLL(None, use_errno=True)
allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
program = struct.pack("HxxxxxxP", 1, ctypes.addressof(allow))
assert libc.prctl(38, 1, 0, 0, 0) == 0  # no new privileges
number = {"x86_64": 317, "aarch64": 277}[platform.machine()]
assert libc.syscall(number, 1, 8, program) > 0  # a filter with a listener; there can be one alone over a process
print(trapping.hindrance())
subject = open_subject(DEFAULT)
subject.run(Scenario("plain", MACHINE, PINNED, (Admit(A),)))
try:
    subject.run(Scenario("trapped", MACHINE, PINNED, (Disk("full"),)))
except SubjectError as error:
    print(error.step, "|", error.message)
subject.close()
"""


def test_a_machine_that_does_not_let_kubelets_be_trapped() -> None:
    """Scenarios without crashes and disks run there; others end with an error that says why, and doctor knows it before."""
    done = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True, check=True)

    hindrance, error = done.stdout.splitlines()
    assert "" == trapping.hindrance() != hindrance
    step, _, message = error.partition(" | ")
    assert "node agent, traps" == step
    assert (
        f"the kernel does not let system calls be trapped (seccomp user notification): {hindrance.lower()}" == message
    )
