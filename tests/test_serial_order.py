"""Pods that arrive together: the judge finds an order that explains what was seen, and finds out when there is none."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from pinproof.errors import InputError
from pinproof.history import History, Observation
from pinproof.judge.serial import SerialOrder, without_hints
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.model import predict
from pinproof.running.examine import Proof, examine
from pinproof.running.serial import serial_order
from pinproof.scenario.pod import Pod
from pinproof.scenario.reader import parse_scenario
from pinproof.scenario.steps import Admit, AdmitTogether, Restart, Scenario
from pinproof.scenario.topologies import machine
from pinproof.scenario.writer import write_scenario
from pinproof.subjects.reference import ReferenceSubject
from pinproof.suite import container, guaranteed, static

FOUR = machine("four_snc2")
MANY = tuple(guaranteed(f"p{number}", memory=f"{900 + 291 * number}Mi") for number in range(20))
"""Three times what the machine has room for, every size once, so that who is admitted tells of the order."""

SEVERAL = guaranteed("s", containers=[container("c", memory="3Gi"), container("d", memory="40Gi")])
"""Rejected after its first container has got its memory, which only the next admission takes back."""


def scenario(*pods: Pod, topology: str = "best-effort", cpu: str = "none") -> Scenario:
    """The pods arrive together beside one that is there; then the kubelet restarts."""
    first = Admit(guaranteed("first", memory="1Gi", cpu="1"))
    config = static(topology=topology, cpu=cpu)(FOUR)
    return Scenario("together", FOUR, config, (first, AdmitTogether(pods), Restart()))


class Permuting(ReferenceSubject):
    """A right kubelet that takes pods up in an order of its own, and may be made to show something else."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__("1.36")
        self._seed = seed

    def run(self, scenario: Scenario) -> History:
        """Along choices that stand for the order."""
        pods = next(step.pods for step in scenario.steps if isinstance(step, AdmitTogether))
        chance = random.Random(self._seed)  # noqa: S311  # an order, not a secret
        choices = tuple(chance.randrange(left) for left in range(len(pods), 1, -1))
        seen = predict(scenario, behaviour_of("1.36"), hints=True, along=choices).histories[0]
        return replace(
            seen, observations=(*seen.observations[:2], self.show(seen.observations[2]), seen.observations[3])
        )

    def show(self, seen: Observation) -> Observation:
        """What is seen after they have arrived."""
        return seen


class TwoAtOnce(Permuting):
    """Lets a pod in that no order has room for: as if two were decided on the same state."""

    def show(self, seen: Observation) -> Observation:
        pods = dict(seen.pods or {})
        pods[next(name for name, verdict in pods.items() if not verdict.admitted)] = pods["first"]
        return replace(seen, pods=pods)


class Miscounting(Permuting):
    """Does right, and counts one admission too few."""

    def show(self, seen: Observation) -> Observation:
        counters = dict(seen.counters or {})
        counters["kubelet_topology_manager_admission_requests_total"] -= 1
        return replace(seen, counters=counters)


def order_of(subject: Permuting, what: Scenario) -> SerialOrder:
    return serial_order(what, subject.run(what), behaviour_of("1.36"), without_hints(subject.capabilities))


def findings(proof: Proof) -> list[tuple[int, str]]:
    return [(found.step, found.path) for found in proof.judgement.findings]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("topology", ["best-effort", "restricted", "none"])
def test_every_order_of_twenty_pods_is_explained(seed: int, topology: str) -> None:
    """In far fewer admissions than there are orders, and the rest of the scenario is judged along it."""
    proof = examine(Permuting(seed), scenario(*MANY, topology=topology))

    assert ("passed", []) == (proof.judgement.outcome, findings(proof))
    assert 3000 > order_of(Permuting(seed), scenario(*MANY, topology=topology)).tried


def test_what_no_order_explains_is_found_out() -> None:
    """And the finding says how far an order goes."""
    proof = examine(TwoAtOnce(3), scenario(*MANY[9:18], topology="restricted"))
    told = next(found for found in proof.judgement.findings if found.path == "order")

    assert "failed" == proof.judgement.outcome
    assert 2 == told.step
    assert "of the 9 pods one after the other, in some order" in told.expected
    assert "no order explains it: the longest beginning that fits is" in told.seen


def test_what_is_wrong_in_every_order_is_told_as_it_is() -> None:
    """An order is found by verdicts and blocks; a wrong counter is a difference from it."""
    proof = examine(Miscounting(5), scenario(*MANY))

    assert "failed" == proof.judgement.outcome
    assert {(2, "counters.kubelet_topology_manager_admission_requests_total")} == set(findings(proof)[-1:])


@pytest.mark.parametrize("seed", range(6))
def test_pod_that_is_rejected_half_way(seed: int) -> None:
    """What it leaves in the books is taken back by the next, and the counters tell how far each one came."""
    several = tuple(
        guaranteed(f"s{n}", containers=[container("c", memory="3Gi"), container("d", memory=f"{2 + n}Gi")])
        for n in range(8)
    )
    proof = examine(Permuting(seed), scenario(*several, SEVERAL, topology="restricted"))

    assert ("passed", []) == (proof.judgement.outcome, findings(proof))


def test_a_search_without_end_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the limit is reached nobody knows whether an order explains it."""
    monkeypatch.setattr("pinproof.running.serial.MOST_ADMISSIONS", 5)
    proof = examine(Permuting(1), scenario(*MANY, topology="restricted"))

    assert "unknown" == proof.judgement.outcome
    assert "no order of the 20 pods was found in" in proof.judgement.trouble


def test_few_pods_are_predicted_in_every_order() -> None:
    """Without a subject the reference tells all outcomes, as for every open one."""
    pods = tuple(guaranteed(f"p{number}", memory="9Gi") for number in range(3))
    few = Scenario("few", machine("two_even"), static()(machine("two_even")), (AdmitTogether(pods),))
    admitted = {
        frozenset(name for name, verdict in (history.observations[1].pods or {}).items() if verdict.admitted)
        for history in predict(few, behaviour_of("1.36")).histories
    }

    assert {frozenset(pair) for pair in (("p0", "p1"), ("p0", "p2"), ("p1", "p2"))} == admitted


def test_pods_with_and_without_cpus_of_their_own_are_refused() -> None:
    """What is left for those without depends on when their containers are created, and that is not modelled."""
    pods = guaranteed("a", memory="1Gi", cpu="2"), guaranteed("b", memory="1Gi", cpu="500m")
    with pytest.raises(InputError, match="with and without exclusive CPUs"):
        examine(Permuting(), scenario(*pods, cpu="static"))


def test_the_file_reads_back() -> None:
    """Written under `admitTogether`, in both forms of a pod."""
    written = scenario(*MANY[:2], SEVERAL)

    assert written == parse_scenario(write_scenario(written))


@pytest.mark.parametrize(
    ("pods", "message"),
    [
        ("[]", "at least one entry"),
        ("[{name: a, containers: [{name: c}]}, {name: a, containers: [{name: c}]}]", "the pod a is there already"),
        ("[{name: a, containers: [{name: c, requests: {memory: 2}, limits: {memory: 1}}]}]", "above the limit"),
    ],
)
def test_a_mistake_is_told(pods: str, message: str) -> None:
    """As in any other step."""
    head = "apiVersion: pinproof/v1alpha1\nkind: Scenario\nmetadata: {name: x}\ntopology: two_even\n"
    with pytest.raises(InputError, match=message):
        parse_scenario(f"{head}steps:\n- admitTogether: {pods}\n")
