"""Ways by which pods come: what a scenario may say of them, what a cluster is given, and what the reference predicts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pinproof.errors import InputError
from pinproof.history import Enforced, History, Observation, Told
from pinproof.judge.invariants import violations
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.model import predict
from pinproof.running.examine import abilities
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Pod
from pinproof.scenario.reader import parse_scenario
from pinproof.scenario.steps import Admit, Remove, Restart, Scenario, Step
from pinproof.scenario.topologies import machine
from pinproof.scenario.writer import write_scenario
from pinproof.subjects.cluster import ways
from pinproof.subjects.cluster.manifest import Home
from pinproof.subjects.cluster.ordering import creation_order
from pinproof.subjects.protocol import NotObservableError
from pinproof.suite import brought, guaranteed, replacement, static

HEAD = "apiVersion: pinproof/v1alpha1\nkind: Scenario\nmetadata: {name: x}\ntopology: two_even\n"
CONTAINERS = "containers: [{name: c, cpu: 100m, memory: 12Gi}]"
HOME = Home("pinproof", "image")
WIDE = guaranteed("a", memory="12Gi")
WANTED = brought(WIDE, by="Deployment")


def scenario(*steps: str) -> Scenario:
    return parse_scenario(HEAD + "steps:\n" + "".join(f"- {step}\n" for step in steps), source="case.yaml")


def problems(*steps: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        scenario(*steps)
    return [str(problem).rpartition(" (line")[0] for problem in caught.value.problems]


def test_ways_are_read_written_and_asked_for() -> None:
    """They read back as they were, and a subject must have them."""
    read = scenario(
        f"admit: {{name: a, by: Deployment, {CONTAINERS}}}",
        f"admit: {{name: b, replaces: a, {CONTAINERS}}}",
        f"admit: {{name: s, by: static, {CONTAINERS}}}",
    )

    assert (Admit(WANTED), Admit(replacement("b", of=WANTED))) == read.steps[:2]
    assert read == parse_scenario(write_scenario(read), source="again.yaml")
    assert {"admit", "admit.Deployment", "admit.replaces", "admit.static"} == abilities(read)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (
            [f"admit: {{name: a, {CONTAINERS}}}", f"admit: {{name: b, replaces: a, {CONTAINERS}}}"],
            "steps[1].admit.replaces: the pod a has no controller that would make another; give it `by: Deployment`",
        ),
        (
            [
                f"admit: {{name: a, by: DaemonSet, {CONTAINERS}}}",
                "admit: {name: b, replaces: a, containers: [{name: c}]}",
            ],
            "steps[1].admit.replaces: a controller makes equal pods; give this one the containers of the pod a",
        ),
        (
            [f"admit: {{name: b, replaces: a, {CONTAINERS}}}"],
            "steps[0].admit.replaces: there is no pod a; none was admitted before",
        ),
        (
            [f"admit: {{name: a, by: Deployment, restartPolicy: Never, {CONTAINERS}}}"],
            "steps[0].admit.restartPolicy: a Deployment has only pods that restart their containers always",
        ),
    ],
)
def test_what_no_controller_does_is_said(steps: list[str], told: str) -> None:
    """One message, with the step."""
    assert [told] == problems(*steps)


def test_a_pod_of_the_scheduler_waits_for_its_turn() -> None:
    """The gate holds it, and the selector leads it to its node."""
    spec = ways.gated(WIDE, HOME, name="a-1", node="n")["spec"]

    assert [{"name": ways.GATE}] == spec["schedulingGates"]
    assert {"kubernetes.io/hostname": "n"} == spec["nodeSelector"]
    assert "schedulerName" not in spec


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet"])
def test_a_controller_makes_such_pods(kind: Any) -> None:
    """It finds them by a label of its own; all it has is labelled with the node, by which it is found when a run was killed."""
    made = ways.controller(brought(WIDE, by=kind), HOME, name="a-1", node="n")

    labels = {"pinproof.dev/node": "n", ways.OWNER: "a-1"}
    assert (kind, labels) == (made["kind"], made["metadata"]["labels"])
    assert {ways.OWNER: "a-1"} == made["spec"]["selector"]["matchLabels"]
    assert labels == made["spec"]["template"]["metadata"]["labels"]
    assert [{"name": ways.GATE}] == made["spec"]["template"]["spec"]["schedulingGates"]


def test_a_static_pod_has_the_uid_that_it_was_given() -> None:
    made = json.loads(ways.static(WIDE, HOME, uid="u", name="a-1", node="n"))

    assert ("u", "a-1") == (made["metadata"]["uid"], made["metadata"]["name"])
    assert "schedulerName" not in made["spec"]


def predicted(*steps: Step, minor: str = "1.36") -> tuple[Observation, ...]:
    """What the reference says of two nodes of 10Gi under single-numa-node."""
    where = machine("two_even")
    config = static(topology="single-numa-node")(where)
    return predict(Scenario("s", where, config, steps), behaviour_of(minor)).histories[0].observations


def test_every_rejected_pod_of_a_controller_is_one_more_that_is_made() -> None:
    """What is removed takes its controller with it; another pod is counted for itself."""
    second = replacement("b", of=WANTED)
    seen = predicted(
        Admit(WANTED), Admit(second), Admit(brought(guaranteed("s", memory="1Gi"), by="DaemonSet")), Remove("b")
    )

    assert [{}, {"a": 2}, {"a": 3}, {"a": 3, "s": 1}, {"s": 1}] == [each.made for each in seen]


def test_a_pod_that_is_rejected_at_a_restart_is_made_again() -> None:
    where = machine("two_even")
    single = static(topology="single-numa-node")(where)
    steps = (Admit(WANTED), Restart(kubelet=single), Restart())
    history = predict(Scenario("s", where, static()(where), steps), behaviour_of("1.36")).histories[0]

    assert [{"a": 1}, {"a": 2}, {"a": 2}] == [each.made for each in history.observations[1:]]


@pytest.mark.parametrize(("kind", "listed"), [("Deployment", ["a", "b"]), ("DaemonSet", [])])
def test_a_rejected_pod_that_its_controller_deletes_is_not_listed(kind: Any, listed: list[str]) -> None:
    """1.32 lists every pod that it knows, and it knows none that the API server has no more."""
    first = brought(WIDE, by=kind)
    last = predicted(Admit(first), Admit(replacement("b", of=first)), minor="1.32")[-1]

    assert listed == sorted(last.pod_resources or ())
    assert {"a", "b"} == set(last.pods or ())


def test_a_rejected_pod_has_one_warning_with_the_words_of_its_status() -> None:
    last = predicted(Admit(WIDE), Admit(guaranteed("b", memory="1Gi")))[-1]

    assert {"a": (("TopologyAffinityError", "Resources cannot be allocated with Topology locality"),)} == last.events


@pytest.mark.parametrize(
    ("told", "kernel", "broken"),
    [
        (Told("0", "1"), Told("0", "1"), []),
        (Told("0,1", ""), Told("0-1", ""), []),
        (Told("0", ""), Told("0-1", ""), ["enforced.a.c.cpuset_mems"]),
        (Told("0", "1"), Told("0", "0-1"), ["enforced.a.c.cpuset_cpus"]),
        (Told("0", ""), Told("", ""), ["enforced.a.c.cpuset_mems"]),
        (Told("0-1-2", ""), Told("0-1-2", ""), []),
        (Told("0-1-2", ""), Told("0-2", ""), ["enforced.a.c.cpuset_mems"]),
    ],
)
def test_the_kernel_has_what_was_told(told: Told, kernel: Told, broken: list[str]) -> None:
    """I-11: lists are compared as sets; a wider one than was told is a container that may go where it should not."""
    observed = History("kind", (Observation(running=True, enforced={"a": {"c": Enforced(told, kernel)}}),))
    found = violations(Scenario("s", Machine("m", ()), KubeletConfig()), observed)

    assert broken == [violation.path for _, violation in found if violation.invariant == "I-11"]


def ordered(*steps: Step) -> tuple[int, ...]:
    return creation_order(Scenario("s", Machine("m", ()), KubeletConfig(), steps))


def test_static_pods_and_replacements_are_created_by_others() -> None:
    """So their times of creation cannot be chosen: the replacement is the last, and a static pod comes back alone."""
    b: Pod = guaranteed("b", memory="1Gi")
    second = replacement("r", of=WANTED)

    assert (0, 1) == ordered(Admit(WANTED), Admit(b), Admit(second), Restart())
    with pytest.raises(NotObservableError, match="last to be created"):
        ordered(Admit(WANTED), Admit(second), Admit(b), Restart())
    with pytest.raises(NotObservableError, match="in an order that nobody chooses"):
        ordered(Admit(brought(WIDE, by="static")), Admit(b), Restart())
