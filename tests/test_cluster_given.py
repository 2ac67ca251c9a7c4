"""A history of a node that was given is judged from when somebody looked, beside pods that were there before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pinproof.history import CpuState, History, Observation, Pages
from pinproof.judge import Judgement, judge
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.model import predict
from pinproof.running.examine import examine
from pinproof.running.given import as_given, require_empty
from pinproof.running.seen import Seen
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.steps import Admit, Remove, Restart, Scenario, Step
from pinproof.scenario.topologies import machine
from pinproof.subjects.kubelet.subject import CAPABILITIES
from pinproof.subjects.protocol import NotObservableError
from pinproof.subjects.reference import ReferenceSubject
from pinproof.suite import Prove, besteffort, guaranteed, static
from tests.suite_functions import functions

GIB = 1 << 30
MACHINE = Machine("m", tuple(NumaNode(n, 10 * GIB, CpuSet(range(4 * n, 4 * n + 4))) for n in (0, 1)))
CONFIG = static(topology="single-numa-node", cpu="static")(MACHINE)
THEIRS = Admit(guaranteed("theirs", memory="2Gi", cpu="1"))
OURS = Admit(guaranteed("a", memory="2Gi", cpu="1"))
REQUESTS = "kubelet_memory_manager_pinning_requests_total"


def scenario(*steps: Step) -> Scenario:
    """On a node that has one pod."""
    return Scenario("s", MACHINE, CONFIG, (THEIRS, *steps))


def seen(*steps: Step) -> list[Observation]:
    """What a right kubelet shows that has counted 100 of everything before."""
    made = predict(scenario(*steps), behaviour_of("1.36")).histories[0].observations
    restart = next((at for at, step in enumerate(steps, 2) if isinstance(step, Restart)), len(made))
    zero = made[1].counters or {}
    return [
        replace(each, counters=since(each.counters or {}, zero)) if at < restart else each
        for at, each in enumerate(made)
    ]


def since(now: Mapping[str, int], zero: Mapping[str, int]) -> dict[str, int]:
    return {name: value - zero.get(name, 0) for name, value in now.items()}


def judged(observations: list[Observation], *steps: Step) -> Judgement:
    whole = scenario(*steps)
    observed = History("cluster:x", (Observation(running=True), *observations[1:]), unseen=1)
    prediction = as_given(predict(whole, behaviour_of("1.36")), whole, observed)
    return judge(whole, prediction, observed, CAPABILITIES)


@pytest.mark.parametrize("steps", [(), (OURS,), (OURS, Remove("a")), (OURS, Restart(), Remove("a"))])
def test_a_right_kubelet_passes(steps: tuple[Step, ...]) -> None:
    assert "passed" == judged(seen(*steps), *steps).outcome


def test_counters_are_compared_from_the_first_look_on() -> None:
    wrong = seen(OURS)
    wrong[-1] = replace(wrong[-1], counters={**(wrong[-1].counters or {}), REQUESTS: 2})

    assert f"counters.{REQUESTS}" in [finding.path for finding in judged(wrong, OURS).findings]


def test_a_neighbour_that_loses_its_memory_is_found() -> None:
    wrong = seen(OURS)
    (books, own) = wrong[-1].assignments or {}, (wrong[-1].assignments or {})["a"]
    assert {"a", "theirs"} == set(books)
    wrong[-1] = replace(wrong[-1], assignments={"a": own})

    assert "failed" == judged(wrong, OURS).outcome


def tidied(observation: Observation, pod: str) -> Observation:
    """As the CPU manager leaves it that has looked around."""
    assert observation.cpu is not None
    (cpus,) = observation.cpu.entries[pod].values()
    default = CpuSet.parse(observation.cpu.default) | CpuSet.parse(cpus)
    left = {name: held for name, held in observation.cpu.entries.items() if name != pod}
    return replace(observation, cpu=CpuState(str(default), left))


def test_cpus_of_a_pod_that_is_gone_may_be_given_back_already() -> None:
    steps = (OURS, Remove("a"))
    right = seen(*steps)
    assert "passed" == judged([*right[:-1], tidied(right[-1], "a")], *steps).outcome


def test_cpus_of_a_pod_that_is_there_may_not() -> None:
    right = seen(OURS)
    assert "failed" == judged([*right[:-1], tidied(right[-1], "a")], OURS).outcome
    assert "failed" == judged([*right[:-1], tidied(right[-1], "theirs")], OURS).outcome


class Kernel(ReferenceSubject):
    """The reference with a kernel that puts the memory of every container on the nodes of its blocks, or on others."""

    def __init__(self, *, astray: int = 0) -> None:
        super().__init__("1.36")
        self.capabilities = replace(self.capabilities, observables=self.capabilities.observables | {"pages"})
        self._astray = astray

    def run(self, scenario: Scenario) -> History:
        history = super().run(scenario)
        return replace(history, observations=tuple(self._lying(each) for each in history.observations))

    def _lying(self, seen: Observation) -> Observation:
        lying = {
            pod: {name: self._pages(blocks[0].affinity) for name, blocks in containers.items()}
            for pod, containers in (seen.assignments or {}).items()
        }
        return replace(seen, pages=lying)

    def _pages(self, nodes: tuple[int, ...]) -> Pages:
        on = ",".join(str((node + self._astray) % 2) for node in nodes)
        return Pages({int(node): 1 << 20 for node in on.split(",")}, {}, on, on, on)


def touched(subject: ReferenceSubject) -> Prove:
    """The case of touched memory on a subject."""
    case = functions()["cluster/test_touched::test_touched_memory_lies_on_the_nodes_of_the_blocks"]
    ((name, configuration),) = case.case.parameters()
    prove = Prove(subject, machine(name), configuration, examine)
    case.body(prove)
    return prove


def test_memory_that_lies_elsewhere_fails_the_case() -> None:
    assert ["passed", "passed"] == [proof.judgement.outcome for proof in touched(Kernel()).proofs]
    with pytest.raises(AssertionError):
        touched(Kernel(astray=1))


def test_cases_of_an_empty_node_want_one() -> None:
    """Pods that ask for nothing are in nobody's way, and no case is told of them."""
    require_empty([Admit(besteffort("b"))])
    with pytest.raises(NotObservableError, match="pods that are there ask for memory or CPUs: theirs"):
        require_empty([Admit(besteffort("b")), THEIRS])

    observed = History("cluster:x", (Observation(running=True), *seen(OURS)[1:]), unseen=1)
    told = Seen(observed, CAPABILITIES).begun(scenario(OURS))
    assert ["a"] == told.pods()
    assert [] == told.pods(after=0)


def test_what_was_not_captured_is_no_verdict() -> None:
    wrong = seen(OURS)
    wrong[-1] = replace(wrong[-1], machine=None)

    assert "unknown" == judged(wrong, OURS).outcome
