"""Pod-level resources, hints of another provider, and Windows in scenario files: what they mean, and what cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from textwrap import dedent

import pytest

from pinproof.errors import InputError
from pinproof.running.examine import abilities
from pinproof.scenario.pod import Container, Pod, Resources
from pinproof.scenario.pod_level import with_resources
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.reader import parse_scenario
from pinproof.scenario.steps import Admit, Scenario
from pinproof.scenario.writer import write_scenario
from pinproof.subjects.kubelet.manifest import static_pod

HEAD = "apiVersion: pinproof/v1alpha1\nkind: Scenario\nmetadata: {name: x}\n"


def scenario(body: str, *, topology: str = "two_even") -> Scenario:
    """A scenario with a usual beginning."""
    return parse_scenario(f"{HEAD}topology: {topology}\n{dedent(body)}", source="case.yaml")


def read_pod(text: str) -> Pod:
    """The pod of a scenario that admits one."""
    (step,) = scenario(f"steps: [{{admit: {text}}}]").steps
    assert isinstance(step, Admit)
    return step.pod


def problems(body: str, *, topology: str = "two_even") -> list[str]:
    """What is said, without lines."""
    with pytest.raises(InputError) as caught:
        scenario(body, topology=topology)
    return [str(problem).rpartition(" (line")[0] for problem in caught.value.problems]


def amounts(**texts: str) -> Resources:
    """Resources by name; `hugepages_2Mi` is a resource too."""
    return tuple(sorted((name.replace("_", "-"), Quantity.parse(text)) for name, text in texts.items()))


def test_pod_level_resources_in_both_forms() -> None:
    """`resources` of the short form and `spec.resources` of a manifest mean the same."""
    whole = "resources: {requests: {cpu: 2, memory: 2Gi}, limits: {cpu: 2, memory: 2Gi}}"
    short = read_pod(f"{{name: a, {whole}, containers: [{{name: c, memory: 1Gi}}]}}")
    full = read_pod(
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{{whole}, containers: "
        "[{name: c, resources: {limits: {memory: 1Gi}}}]}}"
    )

    assert short == full
    assert amounts(cpu="2", memory="2Gi") == short.requests == short.limits


@pytest.mark.parametrize(
    ("written", "requests"),
    [
        ({"limits": amounts(cpu="4", memory="4Gi")}, amounts(cpu="4", memory="3Gi")),
        ({"limits": amounts(cpu="4")}, amounts(cpu="4", memory="3Gi")),
        ({"requests": amounts(cpu="4")}, amounts(cpu="4")),
        ({"limits": amounts(memory="4Gi"), "requests": amounts(memory="4Gi")}, amounts(memory="4Gi")),
    ],
)
def test_pod_level_requests_are_filled_in(written: dict[str, Resources], requests: Resources) -> None:
    """With a limit, a request that is left out is the sum of the containers, or else the limit; without one, nothing."""
    gib = amounts(memory="1Gi")
    pod = Pod("a", (Container("c", gib), Container("d", gib)), (Container("s", gib, restart_always=True),))

    assert requests == with_resources(pod, **written).requests


def test_pod_level_huge_pages_are_filled_in() -> None:
    """Huge pages that only containers limit are the pod's too, and count as request and limit."""
    pages = amounts(cpu="1", hugepages_2Mi="4Mi")
    pod = with_resources(Pod("a", (Container("c", pages, pages), Container("d", pages, pages))), amounts(cpu="2"))

    assert amounts(hugepages_2Mi="8Mi") == pod.limits
    assert amounts(cpu="2", hugepages_2Mi="8Mi") == pod.requests


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ("{requests: {memory: 1Gi}}", "requests.memory: 1Gi is below the containers' sum of 2Gi; ask for that or more"),
        ("{limits: {memory: 1Gi}, requests: {memory: 3Gi}}", "requests.memory: the request 3Gi is above the limit 1Gi"),
        ("{requests: {ephemeral-storage: 1}}", "requests.ephemeral-storage: ephemeral-storage cannot be asked for"),
        ("{requests: {cpu: 1, hugepages-2Mi: 2Mi}}", "requests.hugepages-2Mi: huge pages need a limit"),
        ("{limits: {memory: 2Gi, hugepages-2Mi: 3Mi}}", "requests.hugepages-2Mi: 3Mi is not a whole number of pages"),
        ("{claims: []}", "claims: not supported in this version of pinproof: dynamic resources"),
    ],
)
def test_pod_level_resources_that_contradict(resources: str, expected: str) -> None:
    """What the API would refuse is said with its place."""
    pod = f"{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{resources: {resources}, containers: "
    pod += "[{name: c, resources: {requests: {memory: 2Gi}}}]}}"

    told = problems(f"steps: [{{admit: {pod}}}]")

    assert any(problem.startswith(f"steps[0].admit.spec.resources.{expected}") for problem in told), told


def test_pod_level_limit_below_a_container() -> None:
    """No app container may be allowed more than its pod."""
    told = problems("steps: [{admit: {name: a, resources: {limits: {cpu: 1}}, containers: [{name: c, cpu: 2}]}}]")

    assert "steps[0].admit.resources.limits.cpu: 1 is below the limit 2 of container c" in told


@pytest.mark.parametrize(
    ("requests", "limits", "expected"),
    [
        (amounts(cpu="1", memory="1Gi"), amounts(cpu="1", memory="1Gi"), "Guaranteed"),
        (amounts(cpu="1", memory="1Gi"), amounts(cpu="2", memory="1Gi"), "Burstable"),
        (amounts(memory="1Gi"), amounts(memory="1Gi"), "Burstable"),
    ],
)
def test_pod_level_resources_decide_the_class(requests: Resources, limits: Resources, expected: str) -> None:
    """The containers have no say; for a kubelet without the feature they have all of it."""
    pod = Pod("a", (Container("c"),), requests=requests, limits=limits)

    assert (expected, "BestEffort") == (pod.qos(), pod.qos(pod_level=False))


def test_hints_of_another_provider() -> None:
    """Null is no preference, an empty list impossible, nodes: null any node; nodes are sorted."""
    pod = read_pod(
        "{name: a, hints: {example.com/b: [{nodes: [1, 0], preferred: true}, {nodes: null, preferred: false}]},"
        " containers: [{name: c, hints: {example.com/d: [], example.com/c: null}}]}"
    )

    assert (("example.com/b", (((0, 1), True), (None, False))),) == pod.hints
    assert (("example.com/c", None), ("example.com/d", ())) == pod.containers[0].hints


def test_memory_that_cannot_be_touched() -> None:
    """A process needs memory beside what it touches, and no limit is none that it could meet."""
    told = problems(
        """
        steps:
        - admit: {name: a, containers: [{name: c, memory: 64Mi, touch: 64Mi}]}
        - admit: {name: b, containers: [{name: c, memory: 64Mi, touch: "0"}]}
        - admit: {name: d, containers: [{name: c, requests: {memory: 64Mi}, touch: 400Mi}]}
        """
    )

    assert told == [
        "steps[0].admit.containers[0].touch: 64Mi is not below the limit 64Mi: a process needs some beside it",
        "steps[1].admit.containers[0].touch: 0 is no memory; leave it out, or give an amount",
    ]


def test_hints_that_cannot_be() -> None:
    """A device has a domain, a node exists (also after the machine changed), and a hint says whether it is preferred."""
    told = problems(
        """
        steps:
        - admit: {name: a, containers: [{name: c, hints: {example.com/gpu: [{nodes: [1], preferred: true}]}}]}
        - admit: {name: b, hints: {cpu: null, example.com/gpu: [{nodes: []}]}, containers: [{name: c}]}
        - admit: {name: d, hints: {example.com/gpu: [{nodes: [7], preferred: true}]}, containers: [{name: c}]}
        - admit: {name: e, hints: {example.com/gpu: [{nodes: [0, 1], preferred: true}, {nodes: [1, 0], preferred: false}]},
                  containers: [{name: c}]}
        - restart: {topology: one}
        """
    )

    assert told == [
        "steps[1].admit.hints.cpu: 'cpu' is not the name of a device: write it with its domain, such as example.com/gpu",
        "steps[1].admit.hints.example.com/gpu[0].nodes: must have at least one entry",
        "steps[1].admit.hints.example.com/gpu[0].preferred: this is required and missing",
        "steps[2].admit.hints.example.com/gpu[0]: there is no node 7; the machine has 0, 1",
        "steps[3].admit.hints.example.com/gpu[1]: the same nodes as in a hint before; name every set of nodes once",
        "steps[4].restart.topology: hints of the pod a: there is no node 1; the machine has 0",
        "steps[4].restart.topology: hints of the pod d: there is no node 7; the machine has 0",
        "steps[4].restart.topology: hints of the pod e: there is no node 1; the machine has 0",
    ]


def test_windows() -> None:
    """A machine has an operating system, linux unless it says otherwise; on Windows there are no huge pages."""
    node = '{id: 0, memory: 1Gi, cpus: "0-1"%s}'
    windows = scenario("", topology="{os: windows, nodes: [" + node % "" + "]}").machine
    told = problems("", topology="{os: windows, nodes: [" + node % ", hugepages: {2Mi: 1}" + "]}")

    assert ("windows", "linux") == (windows.os, scenario("").machine.os)
    assert ["topology.nodes[0].hugepages: a kubelet knows no huge pages on Windows; leave them out"] == told


def test_written_additions_read_back() -> None:
    """A scenario with all of it is written as it was read."""
    hints = (("example.com/a", None), ("example.com/b", ()), ("example.com/c", (((0, 1), True), (None, False))))
    whole = amounts(cpu="2", memory="2Gi")
    pod = Pod("a", (Container("c", hints=hints),), requests=whole, limits=whole, hints=hints)
    plain = scenario("")
    machine = replace(plain.machine, os="windows")
    made = replace(plain, machine=machine, steps=(Admit(pod),))

    assert made == parse_scenario(write_scenario(made))


def test_what_a_subject_must_be_able_to_do() -> None:
    """Hints and Windows need a subject inside the kubelet's process; pod-level resources do not."""
    plain = scenario("steps: [{admit: {name: a, resources: {limits: {cpu: 1}}, containers: [{name: c}]}}]")
    hinted = scenario("steps: [{admit: {name: a, hints: {example.com/a: null}, containers: [{name: c}]}}]")
    windows = scenario("", topology='{os: windows, nodes: [{id: 0, memory: 1Gi, cpus: "0"}]}')

    wanted = [abilities(made) for made in (plain, hinted, windows)]

    assert [{"admit"}, {"admit", "admit.hints"}, {"machine.windows"}] == wanted


def test_static_pod_has_all_pod_level_resources() -> None:
    """A kubelet is sent requests and limits in full: nobody fills them in for a static pod of 1.37."""
    pod = with_resources(Pod("a", (Container("c"),)), limits=amounts(cpu="2", memory="2Gi"))

    spec = json.loads(static_pod(pod, uid="u", namespace="n", arrival=0))["spec"]

    both = {"cpu": "2", "memory": "2Gi"}
    assert {"requests": both, "limits": both} == spec["resources"]
