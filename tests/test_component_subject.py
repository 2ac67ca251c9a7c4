"""The component subject around its driver: requests, histories, releases, crashes. The drivers here are fakes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pinproof.errors import SubjectError
from pinproof.history import Block, CpuState, NodeState, Observation, PodVerdict, Resources, Table, Told
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, Scenario, StateEdit, StateText, Step
from pinproof.subjects.component import encode
from pinproof.subjects.component.decode import observations
from pinproof.subjects.component.subject import CRASH, PANIC, ComponentSubject
from tests.component_fakes import driver

Make = Callable[..., ComponentSubject]

GIB = 1 << 30
MACHINE = Machine("m", (NumaNode(0, GIB, CpuSet((1, 0)), hugepages=((2 << 20, 8),), distances=(10,)),))
OTHER = Machine("o", (NumaNode(2, GIB),))
LOG = "open(sys.argv[0] + '.log', 'a').write(line)\n"
UP = LOG + "say(answer(request, *[up] * (len(request['steps']) + (request['from'] is None)), snapshot=request['id']))"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes subjects on fakes; all are closed in the end."""
    subjects: list[ComponentSubject] = []

    def subject(behaviour: str, **options: Any) -> ComponentSubject:
        binary = driver(tmp_path, behaviour)
        subjects.append(ComponentSubject(binary, version="1.36.3", name="component:1.36.3", **options))
        return subjects[-1]

    yield subject
    for each in subjects:
        each.close()


def scenario(*steps: Step) -> Scenario:
    return Scenario("s", MACHINE, KubeletConfig(), steps)


def pod(name: str = "a") -> Pod:
    return Pod(name, (Container("c"),))


def asked(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "driver.log").read_text().splitlines()]


def test_a_machine_goes_out_as_it_is() -> None:
    """Sizes are bytes, CPUs ascend, pages are counted."""
    sent = json.loads(json.dumps(encode.machine(MACHINE)))

    node = {"id": 0, "memory": GIB, "cpus": [0, 1], "hugepages": [[2 << 20, 8]], "distances": [10], "socket": None}
    assert {"os": "linux", "threadsPerCore": 1, "numa": True, "nodes": [node]} == sent


def test_a_configuration_goes_out_as_written() -> None:
    """Only what is set; two spellings of an amount are two texts."""
    reserved = (MemoryReservation(0, (("memory", Quantity.parse("1024Mi")),)),)
    config = KubeletConfig("Static", reserved_memory=reserved, feature_gates=(("X", True),))

    sent = encode.kubelet(config)

    wanted = {
        "memoryManagerPolicy": "Static",
        "reservedMemory": [{"numaNode": 0, "limits": {"memory": "1024Mi"}}],
        "featureGates": {"X": True},
    }
    assert wanted == sent


def test_steps_go_out_in_the_words_of_the_protocol() -> None:
    """Every step, and what a pod may have."""
    hints = (("example.com/gpu", (((0,), True), (None, False))), ("example.com/nic", None))
    init = Container("i", restart_always=True)
    app = Container("c", (("cpu", Quantity.parse("0.5")),), hints=hints)
    steps = (
        Admit(Pod("a", (app,), (init,), limits=(("memory", Quantity.parse("1Gi")),))),
        Remove("a"),
        Exit("a", "c", 3),
        Restart(state="lose", order=("a",), machine=OTHER),
        Restart(state=StateText("x")),
        Restart(state=StateEdit("a", "b")),
    )

    sent = json.loads(json.dumps([encode.step(step) for step in steps]))

    wanted_pod = {
        "name": "a",
        "restartPolicy": "Always",
        "init": [{"name": "i", "requests": {}, "limits": {}, "sidecar": True}],
        "containers": [
            {
                "name": "c",
                "requests": {"cpu": "0.5"},
                "limits": {},
                "hints": {"example.com/gpu": [[[0], True], [None, False]], "example.com/nic": None},
            }
        ],
        "requests": {},
        "limits": {"memory": "1Gi"},
    }
    assert [
        {"admit": wanted_pod},
        {"remove": "a"},
        {"exit": {"pod": "a", "container": "c", "code": 3}},
        {"restart": {"state": "lose", "order": ["a"], "signal": "TERM", "machine": encode.machine(OTHER) | {
            "nodes": [{"id": 2, "memory": GIB, "cpus": [], "hugepages": [], "distances": None, "socket": None}]}}},
        {"restart": {"state": {"text": "x"}, "order": [], "signal": "TERM"}},
        {"restart": {"state": {"find": "a", "replace": "b", "checksum": "keep"}, "order": [], "signal": "TERM"}},
    ] == sent  # fmt: skip


def test_an_answer_becomes_observations() -> None:
    """Every field, by pod name; a part that is not told again is the same value, and one that is told as null is gone."""
    raw = {
        "running": True,
        "pods": {"a": [True], "b": [False, "R", "M"]},
        "assignments": {"a": {"c": [[[0, 1], "memory", 5]]}},
        "podAssignments": {"a": [[[0], "memory", 5]]},
        "machine": {"0": [1, [0, 1], {"memory": [9, 1, 8, 5, 3]}]},
        "policy": "Static",
        "cpu": ["0", {"a": {"c": "1"}}],
        "told": {"a": {"c": ["0-1", "1"]}},
        "counters": {"n": 1},
        "allocatable": [[[[0], "memory", 8]], "0-1"],
        "stateFile": "{}",
        "hints": [
            [
                "a",
                "c",
                {"cpu": {"cpu": "0 any!"}, "other": {"x": None, "y": "any!"}},
                "0!",
            ]
        ],
    }

    first, second = observations([raw, {"running": True, "counters": {"n": 2}, "pods": {"b": None}}])

    assert {"a": PodVerdict(True), "b": PodVerdict(False, "R", "M")} == first.pods
    assert {"a": {"c": (Block((0, 1), "memory", 5),)}} == first.assignments
    assert {"a": (Block((0,), "memory", 5),)} == first.pod_assignments
    assert {0: NodeState(1, {"memory": Table(9, 1, 8, 5, 3)}, (0, 1))} == first.machine
    assert CpuState("0", {"a": {"c": "1"}}) == first.cpu
    assert {"a": {"c": Told("0-1", "1")}} == first.told
    assert Resources((Block((0,), "memory", 8),), "0-1") == first.allocatable
    assert first.hints is not None
    assert {"cpu": {"cpu": ((None, True), ((0,), False))}, "other": {"x": None, "y": None}} == first.hints[0].answers
    assert ((0,), True) == first.hints[0].merged
    assert {"n": 2} == second.counters
    assert {"a": PodVerdict(True)} == second.pods
    assert first.assignments is second.assignments


def test_a_kubelet_that_does_not_run_shows_its_refusal_and_its_file() -> None:
    """Nothing else was observed."""
    (seen,) = observations([{"running": False, "refusal": "no", "stateFile": "x"}])

    assert Observation(running=False, refusal="no", state_file="x") == seen


def test_what_is_not_shown_is_not_claimed(make: Make) -> None:
    """A campaign leaves out what costs time."""
    subject = make(UP, show=())

    observables = subject.capabilities.observables

    assert not {"hints", "state_file"} & observables


def test_a_restart_into_another_release_is_carried_on_by_its_driver(make: Make, tmp_path: Path) -> None:
    """With the snapshot of the first, and the machine and configuration in force until then."""
    built: list[str] = []

    def components(release: str) -> Path:
        built.append(release)
        return tmp_path / "driver"

    subject = make(UP, components=components)
    changed = Restart(machine=OTHER)

    history = subject.run(scenario(changed, Restart(kubernetes="1.37.1"), Admit(pod())))

    first, second = asked(tmp_path)
    assert (4, True) == (len(history.observations), history.complete)
    assert ["1.37.1"] == built
    assert (1, None, True) == (len(first["steps"]), first["from"], first["snapshot"])
    assert (2, 1, False) == (len(second["steps"]), second["from"], second["snapshot"])
    assert [2] == [node["id"] for node in second["machine"]["nodes"]]


def test_a_release_that_cannot_be_had_is_said_at_once(make: Make) -> None:
    """The subject knows only its own, unless it is told where others come from."""
    subject = make(UP)

    with pytest.raises(SubjectError, match=r"wants 1\.37\.1"):
        subject.run(scenario(Restart(kubernetes="1.37.1")))


def test_a_panic_that_was_recovered_is_part_of_a_complete_history(make: Make) -> None:
    """A kubelet would have died of it, so the observation says so; the stack is an artefact."""
    subject = make('say(answer(request, up, down, panic={"at": 1, "text": "nil", "stack": "goroutine 1"}))')

    history = subject.run(scenario(Admit(pod())))

    assert (True, False) == (history.complete, history.observations[1].running)
    assert {PANIC: "at observation 1: nil\ngoroutine 1"} == history.artefacts


def test_a_driver_that_dies_is_an_incomplete_history_with_the_stack(make: Make) -> None:
    """It is no error of the subject, and the next scenario runs."""
    subject = make("if request['id'] == 1: sys.stderr.write('goroutine 1'); sys.exit(2)\n" + UP)

    history = subject.run(scenario())
    after = subject.run(scenario())

    assert (False, "the driver ended with code 2") == (history.complete, history.trouble)
    assert "goroutine 1" in history.artefacts[CRASH]
    assert after.complete


def test_outcomes_are_distinct_whatever_the_order_in_the_state_file(make: Make, tmp_path: Path) -> None:
    """Repetitions are asked for at once, with shuffled state files."""
    two = 'h = [answer(request, {**up, "stateFile": t, "policy": p})["histories"][0] for t, p in '
    two += '(("x", "Static"), ("y", "Static"), ("x", "None"))]\n'
    subject = make(LOG + two + 'say({"id": request["id"], "histories": h})')

    histories = subject.outcomes(scenario(), repeat=50)

    assert ["Static", "None"] == [history.observations[0].policy for history in histories]
    assert [(50, True)] == [(request["repeat"], request["shuffle"]) for request in asked(tmp_path)]
