"""Kubelets that are killed, disks and runtimes that fail, on the component subject. Needs Go, as the build of a driver does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from pinproof.build import component
from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.history import Observation
from pinproof.running.pods import container, guaranteed
from pinproof.scenario.faults import AtCall, AtWrite, CallFault, Disk, Forgetting, Method, Runtime, StateFile
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Admit, Crash, Exit, Remove, Restart, Scenario, StateText, Step
from pinproof.scenario.topologies import machine
from pinproof.subjects.component import encode
from pinproof.subjects.component.subject import ComponentSubject
from pinproof.subjects.protocol import NotObservableError
from pinproof.suite import static

TWO = machine("two_even")
GIB = 1 << 30
MEMORY: StateFile = "memory_manager_state"
CPU: StateFile = "cpu_manager_state"
DIFFERENT = "start memory manager error: [memorymanager] the expected machine state is different from the real one"
A = Admit(guaranteed("a", memory="2Gi"))
B = Admit(guaranteed("b", memory="3Gi"))


@pytest.fixture(scope="module")
def subject() -> Iterator[ComponentSubject]:
    """The managers of the default release."""
    made = ComponentSubject(component(DEFAULT_RELEASE), version=DEFAULT_RELEASE)
    yield made
    made.close()


def seen(subject: ComponentSubject, *steps: Step) -> tuple[Observation, ...]:
    """What is observed after each step."""
    history = subject.run(Scenario("s", TWO, static()(TWO), steps))
    assert history.complete, history.trouble
    return history.observations[1:]


def with_init(name: str) -> Pod:
    """A pod whose init container must end before its app container starts."""
    return guaranteed(name, containers=[container("c", memory="1Gi")], init=[container("i", memory="1Gi")])


def test_points_and_faults_go_out_in_the_words_of_the_protocol() -> None:
    """Every kind of them."""
    assert [
        {"crash": {"during": {"remove": "a"}, "at": {"write": {"file": CPU, "number": 2, "moment": "unnamed"}}}},
        {"crash": {"during": {"remove": "a"}, "at": {"call": {"method": "StartContainer", "number": 1, "moment": "after"}}}},
        {"disk": {"state": "read-only", "file": None}},
        {"runtime": {"forgets": True}},
        {"runtime": {"call": "StopContainer", "how": "fails", "times": 2}},
    ] == [
        encode.step(step)
        for step in (
            Crash(Remove("a"), AtWrite(CPU, 2, "unnamed")),
            Crash(Remove("a"), AtCall("StartContainer", 1, "after")),
            Disk("read-only"),
            Runtime(Forgetting()),
            Runtime(CallFault("StopContainer", "fails", 2)),
        )
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["StopContainer", "StopPodSandbox", "RemoveContainer"])
def test_calls_that_a_component_does_not_make(subject: ComponentSubject, method: Method) -> None:
    """It does not claim to have come to them, nor that it did not."""
    with pytest.raises(NotObservableError, match=f"makes no {method}"):
        seen(subject, A, Crash(Remove("a"), AtCall(method)))


@pytest.mark.parametrize(
    ("number", "moment", "comes_back"),
    [(1, "before", True), (1, "unnamed", True), (1, "after", False), (2, "before", False), (2, "after", True)],
)
def test_killed_while_it_admits(subject: ComponentSubject, number: int, moment: str, *, comes_back: bool) -> None:
    """The books of a NUMA node are written before the assignment. A kubelet killed between these does not start again."""
    at = AtWrite(MEMORY, number, moment)  # type: ignore[arg-type]
    killed, again = seen(subject, Crash(A, at), Restart())

    assert (False, None) == (killed.running, killed.refusal)
    assert (number == 2 and moment == "after") == ('"size":2147483648' in (killed.state_file or ""))
    assert comes_back == again.running
    assert again.refusal == (None if comes_back else DIFFERENT)
    if comes_back:
        assert again.assignments is not None
        assert [2 * GIB] == [block.size for block in again.assignments["a"]["c"]]


def test_a_point_that_is_not_reached_kills_nobody(subject: ComponentSubject) -> None:
    """Neither in its own step nor in the next."""
    first, second = seen(subject, Crash(A, AtWrite(MEMORY, 3)), B)

    assert (True, True) == (first.running, second.running)
    assert {"a", "b"} == (second.assignments or {}).keys()


def test_killed_while_it_starts(subject: ComponentSubject) -> None:
    """A pod that it had rejected by then comes back: nobody ever heard of it."""
    pods = [Admit(guaranteed(name, memory=memory)) for name, memory in (("big", "15Gi"), ("a", "1Gi"), ("b", "1Gi"))]
    late, early = ("a", "big", "b"), ("big", "a", "b")
    rejected = seen(subject, *pods, Restart(state="lose", order=late))[-1]
    start = Crash(
        Restart(state="lose", order=late), AtWrite(MEMORY, 5)
    )  # two when it begins, two for a, the first for b
    *_, killed, again = seen(subject, *pods, start, Restart(state="lose", order=early))

    assert {"a": True, "big": False, "b": True} == {n: verdict.admitted for n, verdict in (rejected.pods or {}).items()}
    assert not killed.running
    assert {"a": True, "big": True, "b": True} == {n: verdict.admitted for n, verdict in (again.pods or {}).items()}


@pytest.mark.parametrize(
    ("state", "error"), [("full", "no space left on device"), ("read-only", "read-only file system")]
)
def test_disk_on_which_nothing_can_be_written(subject: ComponentSubject, state: str, error: str) -> None:
    """A kubelet does not start without a file; with one it goes on, and its file stays as it was."""
    bad = Disk(state, MEMORY)  # type: ignore[arg-type]
    before, _, later, _, refused, _, again = seen(
        subject, A, bad, B, Restart(), Restart(state="lose"), Disk("works"), Restart()
    )

    assert {"a", "b"} == (later.assignments or {}).keys()
    assert before.state_file == later.state_file
    assert refused.refusal is not None
    assert f"rename /var/lib/kubelet/.TEMP /var/lib/kubelet/memory_manager_state: {error}, please" in refused.refusal
    assert {"a", "b"} == (again.assignments or {}).keys()


def test_file_that_cannot_be_opened(subject: ComponentSubject) -> None:
    """No kubelet starts, until it can."""
    *_, refused, _, again = seen(subject, A, Disk("unreadable", CPU), B, Restart(), Disk("works", CPU), Restart())

    assert (refused.refusal or "").startswith(
        "start cpu manager error: could not restore state from checkpoint: "
        "open /var/lib/kubelet/cpu_manager_state: permission denied, please drain"
    )
    assert {"a", "b"} == (again.assignments or {}).keys()


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (AtCall("RunPodSandbox"), set()),
        (AtCall("CreateContainer", 1, "after"), set()),
        (AtCall("StartContainer", 1, "after"), {"c"}),
        (AtCall("CreateContainer", 2), {"c"}),
    ],
)
def test_killed_at_a_call(subject: ComponentSubject, at: AtCall, told: set[str]) -> None:
    """What had started goes on; what had not is made by the next kubelet, with what its file says."""
    both = guaranteed("a", containers=[container("c", memory="2Gi"), container("d", memory="1Gi")])
    killed, again = seen(subject, Crash(Admit(both), at), Restart())
    _, reached = seen(subject, Crash(Admit(both), at), Crash(Restart(), AtCall("CreateContainer", 2 - len(told))))
    _, passed = seen(subject, Crash(Admit(both), at), Crash(Restart(), AtCall("CreateContainer", 3 - len(told))))

    assert not killed.running
    assert again.told is not None
    assert {"c", "d"} == again.told["a"].keys()
    assert (False, True) == (reached.running, passed.running)


def test_killed_before_an_init_container_gives_back(subject: ComponentSubject) -> None:
    """Its successor was created and not started, so the next kubelet makes it again, which frees the memory."""
    ends = Exit("a", "i")
    *_, killed, again = seen(subject, Admit(with_init("a")), Crash(ends, AtWrite(MEMORY, 1, "before")), Restart())

    assert not killed.running
    assert {"c"} == (again.assignments or {})["a"].keys()
    assert {"i", "c"} == (again.told or {})["a"].keys()


def test_forgotten_containers_are_made_anew(subject: ComponentSubject) -> None:
    """Init containers run first again, by then without memory of their own."""
    ended, forgotten, again = seen(
        subject, Admit(with_init("a")), Exit("a", "i"), Runtime(Forgetting()), Exit("a", "i")
    )[1:]

    assert ended.told is not None
    assert forgotten.told is not None
    assert again.told is not None
    assert {"i", "c"} == ended.told["a"].keys()
    assert {"i": ""} == {name: told.cpuset_mems for name, told in forgotten.told["a"].items()}
    assert ended.told["a"]["c"] == again.told["a"]["c"]


def test_a_call_that_hangs_holds_up_its_pod_until_a_restart(subject: ComponentSubject) -> None:
    """The pod is admitted, and so is the next one."""
    hangs = Runtime(CallFault("CreateContainer", "hangs"))
    _, one, two, again = seen(subject, hangs, A, B, Restart())

    assert {"a", "b"} == (two.assignments or {}).keys()
    assert ({}, {}) == (one.told, two.told)
    assert {"a", "b"} == (again.told or {}).keys()


@pytest.mark.parametrize("how", ["fails", "late"])
def test_calls_that_fail_are_tried_again(subject: ComponentSubject, how: str) -> None:
    """The managers notice nothing."""
    for method in ("RunPodSandbox", "CreateContainer", "StartContainer"):
        fault = Runtime(CallFault(method, how, 2))  # type: ignore[arg-type]
        (plain,), (_, upset) = seen(subject, A), seen(subject, fault, A)

        assert plain.told == upset.told
        assert plain.assignments == upset.assignments


@pytest.mark.parametrize(("release", "starts"), [("1.31.0", False), (DEFAULT_RELEASE, True)])
def test_init_container_that_was_created_and_not_started(release: str, *, starts: bool) -> None:
    """The kubelets of 1.31.0 wait for it for ever (kubernetes/kubernetes#126440), so that its end never comes."""
    steps = (Crash(Admit(with_init("a")), AtCall("StartContainer")), Restart(), Exit("a", "i"))
    with closing(ComponentSubject(component(release), version=release)) as subject:
        *_, last = seen(subject, *steps)

    assert ({"i", "c"} if starts else {"i"}) == (last.told or {})["a"].keys()


def test_what_a_killed_kubelet_has_left_is_seen(subject: ComponentSubject) -> None:
    """The books have the reservation, the assignments do not; CPUs are of nobody yet."""
    config = static(cpu_manager_policy="static", reserved_system_cpus="0")(TWO)
    steps = (Crash(Admit(guaranteed("a", memory="2Gi", cpu="1")), AtWrite(MEMORY, 1, "after")),)
    killed = subject.run(Scenario("s", TWO, config, steps)).observations[-1]

    assert killed.machine is not None
    assert killed.cpu is not None
    assert 2 * GIB == killed.machine[0].memory["memory"].reserved
    assert {} == killed.assignments
    assert {"a": {"c": "1"}} == killed.cpu.entries


def test_a_file_that_no_kubelet_wrote_is_not_looked_into(subject: ComponentSubject) -> None:
    """The kubelet is killed before it has read it."""
    start = Restart(state=StateText("nonsense"), cpu_state="lose")
    (killed,) = seen(subject, Crash(start, AtWrite(CPU, 1)))

    assert Observation(running=False, state_file="nonsense") == killed


def test_every_order_of_giving_back_is_seen(subject: ComponentSubject) -> None:
    """Two containers are forgotten in Go's map order, and one is still there when the kubelet is killed."""
    both = guaranteed("a", containers=[container("c", memory="2Gi"), container("d", memory="1Gi")])
    steps = (Admit(both), Remove("a"), Crash(B, AtWrite(MEMORY, 1)))
    histories = subject.outcomes(Scenario("s", TWO, static()(TWO), steps), repeat=100)

    left = [history.observations[-1].assignments or {} for history in histories]
    assert [["c"], ["d"]] == sorted(list(held["a"]) for held in left)
