"""Scenario files: what they mean, and what is said about those that mean nothing."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from pinproof.errors import InputError
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import NumaNode
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.reader import parse_scenario, read_scenario
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, Scenario, StateEdit, StateText
from pinproof.scenario.topologies import machine

HEAD = "apiVersion: pinproof/v1alpha1\nkind: Scenario\nmetadata: {name: x}\n"


def scenario(body: str, *, topology: str = "two_even", base: Path | None = None) -> Scenario:
    """A scenario with a usual beginning."""
    return parse_scenario(f"{HEAD}topology: {topology}\n{dedent(body)}", source="case.yaml", base=base)


def problems(body: str, *, topology: str = "two_even") -> list[str]:
    """What is said about a scenario with a usual beginning, without lines."""
    with pytest.raises(InputError) as caught:
        scenario(body, topology=topology)
    return [str(problem).rpartition(" (line")[0] for problem in caught.value.problems]


def q(text: str) -> Quantity:
    return Quantity.parse(text)


def test_topology_inside() -> None:
    """A machine can stand in the scenario itself; sizes are quantities, huge pages are counted."""
    node = '{id: 3, memory: 10Gi, cpus: "0-3,8", hugepages: {2Mi: 512, 1Gi: 0}, distances: [10], socket: 1}'

    read = scenario("", topology=f"\n  nodes: [{node}]").machine

    expected = NumaNode(
        id=3,
        memory=10 * 2**30,
        cpus=CpuSet([0, 1, 2, 3, 8]),
        hugepages=((2**21, 512), (2**30, 0)),
        distances=(10,),
        socket=1,
    )
    assert (expected,) == read.nodes


def test_kubelet_fields() -> None:
    """Fields of KubeletConfiguration keep the spelling of their quantities; what is left out keeps its default."""
    read = scenario(
        """
        kubelet:
          memoryManagerPolicy: Static
          reservedSystemCPUs: 0
          kubeReserved: {memory: 1024Mi, cpu: 1}
          evictionHard: {memory.available: 5%}
          featureGates: {MemoryManager: true}
          reservedMemory: [{numaNode: 0, limits: {memory: 0.5Gi}}]
        """
    )

    expected = KubeletConfig(
        memory_manager_policy="Static",
        reserved_system_cpus="0",
        kube_reserved=(("memory", "1024Mi"), ("cpu", "1")),
        eviction_hard=(("memory.available", "5%"),),
        feature_gates=(("MemoryManager", True),),
        reserved_memory=(MemoryReservation(0, (("memory", q("512Mi")),)),),
    )
    assert expected == read.kubelet


def test_short_form() -> None:
    """`cpu`, `memory` and `hugepages` are request and limit; a limit alone is the request too."""
    read = scenario(
        """
        steps:
        - admit:
            name: a
            initContainers: [{name: side, limits: {memory: 1Gi, cpu: 1}, restartPolicy: Always}]
            containers: [{name: c, cpu: 0.5, memory: 1e9, hugepages: {2Mi: 64Mi}, requests: {ephemeral-storage: 1}}]
            restartPolicy: Never
        """
    )

    both = (("cpu", q("500m")), ("hugepages-2Mi", q("64Mi")), ("memory", q("1G")))
    side = (("cpu", q("1")), ("memory", q("1Gi")))
    expected = Pod(
        name="a",
        containers=(Container("c", requests=(both[0], ("ephemeral-storage", q("1")), *both[1:]), limits=both),),
        init_containers=(Container("side", requests=side, limits=side, restart_always=True),),
        restart_policy="Never",
    )
    assert (Admit(expected),) == read.steps


def test_manifest() -> None:
    """A full manifest means the same as its short form; what has no say in memory may stand in it."""
    manifest = scenario(
        """
        steps:
        - admit:
            apiVersion: v1
            kind: Pod
            metadata: {name: a, labels: {app: db}, creationTimestamp: 2026-01-01T00:00:00Z}
            spec:
              nodeName: n
              containers:
              - name: c
                image: registry.k8s.io/pause
                command: [sleep, "1"]
                resources: {requests: {cpu: 1}, limits: {cpu: 2, memory: 1Gi}}
        """
    )
    short = scenario(
        "steps: [{admit: {name: a, containers: [{name: c, requests: {cpu: 1}, limits: {cpu: 2, memory: 1Gi}}]}}]"
    )

    assert short == manifest


def test_restart(tmp_path: Path) -> None:
    """A restart may lose, replace or edit the state file, and change machine, configuration and release."""
    (tmp_path / "state.json").write_bytes(b"{}\r\n")

    read = scenario(
        """
        kubelet: {memoryManagerPolicy: Static, topologyManagerPolicy: restricted}
        steps:
        - restart: {}
        - restart: {state: lose, signal: KILL, topology: one, kubernetes: 1.35.4}
        - restart: {state: state.json, kubelet: {memoryManagerPolicy: null, topologyManagerScope: pod}}
        - restart: {state: {find: "1", replace: "2", checksum: recompute}}
        - restart: {state: {text: foreign}, kubernetes: 1.30}
        """,
        base=tmp_path,
    )

    changed = KubeletConfig(topology_manager_policy="restricted", topology_manager_scope="pod")
    expected = (
        Restart(),
        Restart(state="lose", signal="KILL", machine=machine("one"), kubernetes="1.35.4"),
        Restart(state=StateText("{}\r\n"), kubelet=changed),
        Restart(state=StateEdit("1", "2", "recompute")),
        Restart(state=StateText("foreign"), kubernetes="1.30"),
    )
    assert expected == read.steps


def test_events() -> None:
    """Pods are removed by name, containers end with a code."""
    read = scenario(
        "steps: [{admit: {name: a, containers: [{name: c}]}}, {exit: {pod: a, container: c, code: 3}}, {remove: a}]"
    )

    assert (Exit("a", "c", 3), Remove("a")) == read.steps[1:]


def test_refusable_configurations_stay_possible() -> None:
    """What a kubelet itself refuses at start is no error of the file: that is what suites test."""
    read = scenario(
        """
        kubelet:
          memoryManagerPolicy: static
          topologyManagerPolicy: best_effort
          kubeReserved: {memory: -1Gi, hugepages-2Mi: 1Gi}
          reservedMemory:
          - {numaNode: 7, limits: {memory: 1Gi}}
          - {numaNode: 0, limits: {memory: 1Gi, cpu: 3}}
          - {numaNode: 0, limits: {memory: 0}}
        """,
        topology="sixteen",
    )

    assert "static" == read.kubelet.memory_manager_policy


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "kubelet: {memorymanagerPolicy: Static}",
            "kubelet.memorymanagerPolicy: unknown key; did you mean memoryManagerPolicy?",
        ),
        ("kubelet: {featureGates: {A: yes please}}", "kubelet.featureGates.A: must be true or false, not 'yes please'"),
        (
            "kubelet: {topologyManagerScope: on}",
            "kubelet.topologyManagerScope: must be a text, not the truth value true; put it in quotes",
        ),
        ("steps: {}", "steps: must be a list, not a mapping"),
        ("steps: [{remove: a}]", "steps[0].remove: there is no pod a; none was admitted before"),
        ("steps: [{restart: }]", "steps[0].restart: must not be empty; a plain restart is written restart: {}"),
        ("steps: [{restart: {order: [a]}}]", "steps[0].restart.order[0]: there is no pod a; none was admitted before"),
        (
            "steps: [{restart: {kubernetes: v1.36}}]",
            "steps[0].restart.kubernetes: 'v1.36' is not a Kubernetes release; write it like 1.36.3",
        ),
        (
            "steps: [{restart: {signal: TERN}}]",
            "steps[0].restart.signal: must be 'TERM', 'KILL', 'POWER' or 'REBOOT', not 'TERN'; did you mean TERM?",
        ),
        (
            "steps: [{restart: {state: {find: a}}}]",
            "steps[0].restart.state: an edit needs find and replace; a whole file is given as text",
        ),
        ("steps: [{admit: {name: a, containers: []}}]", "steps[0].admit.containers: must have at least one entry"),
        (
            "steps: [{admit: {name: A, containers: [{name: c}]}}]",
            "steps[0].admit.name: 'A' cannot name a pod: lower-case letters, digits, '-' and '.', at most 253",
        ),
        (
            "steps: [{}]",
            "steps[0]: a step has exactly one of admit, admitTogether, remove, exit, restart, crash, disk and runtime, not none",
        ),
    ],
)
def test_names_place_and_remedy(body: str, expected: str) -> None:
    """An error names the place in the file and what would be right."""
    assert [expected] == problems(body)


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ("memory: 1GiB", "memory: '1GiB' is not a quantity"),
        ("memory: -1Gi", "memory: -1Gi is negative"),
        ("memory: 1Gi, limits: {memory: 2Gi}", "limits.memory: memory is given apart and as request and limit at once"),
        ("requests: {cpu: 2}, limits: {cpu: 1}", "requests.cpu: the request 2 is above the limit 1"),
        ("cpu: 1, hugepages: {2Mi: 3Mi}", "hugepages.2Mi: 3Mi is not a whole number of pages of 2Mi"),
        ("hugepages: {2Mi: 4Mi}", ": huge pages need cpu or memory beside them"),
        ("cpu: 1, requests: {hugepages-1Gi: 1Gi}", "requests.hugepages-1Gi: huge pages need a limit"),
        ("limits: {nvidia.com/gpu: 1}", "limits.nvidia.com/gpu: nvidia.com/gpu is not a resource pinproof knows"),
        ("restartPolicy: Always", "restartPolicy: only an init container can have one"),
    ],
)
def test_pods_the_api_refuses(container: str, expected: str) -> None:
    """A pod that no API server would take never reaches a kubelet."""
    told = problems(f"steps: [{{admit: {{name: a, containers: [{{name: c, {container}}}]}}}}]")

    assert f"steps[0].admit.containers[0].{expected}".replace(".:", ":") in told[0]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            "ephemeralContainers: []",
            "ephemeralContainers: not supported in this version of pinproof: ephemeral containers",
        ),
        ("overhead: {cpu: 1}", "overhead: not supported in this version of pinproof: pod overhead"),
    ],
)
def test_manifest_fields_not_modelled(spec: str, expected: str) -> None:
    """A field of a manifest that would change the outcome and is not modelled is refused, never ignored."""
    told = problems(
        f"steps: [{{admit: {{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{containers: [{{name: c}}], {spec}}}}}}}]"
    )

    assert [f"steps[0].admit.spec.{expected}"] == told


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ("{id: 0, memory: 1Gi, cpus: 0, distances: [10, 20]}", "topology.nodes[0].distances: 2 distances for 1 nodes"),
        ("{id: 0, memory: 1000, cpus: 0}", "topology.nodes[0].memory: '1000' is not a whole number of KiB"),
        (
            "{id: 0, memory: 1Gi, cpus: 0, hugepages: {1Gi: 2}}",
            "topology.nodes[0].hugepages: huge pages of 2Gi do not fit",
        ),
        (
            "{id: 0, memory: 1Gi, cpus: 0, hugepages: {3Mi: 2}}",
            "topology.nodes[0].hugepages.3Mi: '3Mi' is not a page size",
        ),
        ("{id: 0, memory: 1Gi, cpus: 0-x}", "topology.nodes[0].cpus: '0-x' is not a list of CPUs"),
        ("{id: 0, memory: 1Gi, cpus: 0-9999}", "topology.nodes[0].cpus: CPU 9999 is above 8191"),
        ("{id: 0, memory: 1Gi, cpus: 3-1}", "topology.nodes[0].cpus: the range '3-1' runs backwards"),
        ("{id: 0, memory: 1Gi}", "topology.nodes: no node has CPUs"),
        ("{id: 0, memory: 0, cpus: 0}", "topology.nodes: no node has memory"),
        ("{id: 0, memory: 1Gi, cpus: 0}, {id: 0, memory: 1Gi, cpus: 1}", "topology.nodes[1].id: node 0 stands twice"),
        ("{id: 1, memory: 1Gi, cpus: 0}, {id: 0, memory: 1Gi, cpus: 1}", "topology.nodes[1].id: node 0 comes after 1"),
        (
            "{id: 0, memory: 1Gi, cpus: 0-3}, {id: 1, memory: 1Gi, cpus: 3}",
            "topology.nodes[1].cpus: CPU 3 belongs to node 0 already",
        ),
        (
            "{id: 0, memory: 1Gi, cpus: 0, distances: [10, 20]}, {id: 1, memory: 1Gi, cpus: 1}",
            "topology.nodes[1].distances: missing",
        ),
    ],
)
def test_impossible_machines(nodes: str, expected: str) -> None:
    """A machine that cannot be is refused."""
    assert problems("", topology=f"\n  nodes: [{nodes}]")[0].startswith(expected)


def test_reservation_larger_than_its_node() -> None:
    """No machine can give a reservation that is larger than its node, after a restart either."""
    told = problems(
        """
        kubelet: {reservedMemory: [{numaNode: 0, limits: {memory: 1Gi}}, {numaNode: 1, limits: {memory: 11Gi}}]}
        steps: [{restart: {topology: {nodes: [{id: 0, memory: 512Mi, cpus: 0}]}}}]
        """
    )

    expected = [
        "kubelet.reservedMemory[1].limits.memory: 11Gi is more than node 1 has, 10752Mi; reserve less",
        "steps[0].restart.topology: 1Gi is more than node 0 has, 512Mi; reserve less",
    ]
    assert expected == told


def test_pods_in_time() -> None:
    """A pod is there from its admission to its removal, whether the kubelet took it or not."""
    told = problems(
        """
        steps:
        - admit: {name: a, containers: [{name: c}]}
        - admit: {name: a, containers: [{name: c}]}
        - exit: {pod: a, container: d}
        - remove: a
        - remove: a
        - admit: {name: a, containers: [{name: c}]}
        - restart: {order: [a, a]}
        """
    )

    expected = [
        "steps[1].admit.name: the pod a is there already; remove it first, or use another name",
        "steps[2].exit.container: the pod a has no container d, but c",
        "steps[4].remove: the pod a was removed before",
        "steps[6].restart.order[1]: the pod a stands twice in the order; name it once",
    ]
    assert expected == told


def test_all_problems_at_once_in_order_of_lines() -> None:
    """Malformed, impossible and contradictory parts of a file are told together."""
    told = problems(
        """
        kubelet: {memoryManagerPolicy: 3, memoryManagerPolicy: Static}
        steps:
        - admit: {name: a, containers: [{name: c, memory: 1Gib}]}
        - admit: {name: b, containers: [{name: c}, {name: c}]}
        - exit: {pod: b, container: x}
        - remove: unknown_after_unreadable
        """,
        topology="\n  nodes: [{id: 0, memory: 1Gi, cpus: 0, distances: [1, 2, 3]}]",
    )

    places = [problem.partition(":")[0] for problem in told]
    expected = [
        "topology.nodes[0].distances",
        "kubelet.memoryManagerPolicy",
        "kubelet.memoryManagerPolicy",
        "steps[0].admit.containers[0].memory",
        "steps[1].admit.containers[1].name",
        "steps[2].exit.container",
        "steps[3].remove",
    ]
    assert expected == places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "case.yaml: the file is empty"),
        ("a: [", "case.yaml: line 2, column 1: this is not YAML"),
        ("a: 1\n---\nb: 2", "case.yaml: line 2, column 1: a second document begins here"),
        ("a:\n\t- b", "case.yaml: line 2, column 1: a tab cannot indent YAML"),
        ("a: \0", "case.yaml: this is not a YAML document"),
        ("- a", "case.yaml: must be a mapping of keys to values, not a list"),
        (HEAD + "topology: two_evn", "did you mean two_even?"),
        (HEAD + "topology: no/such.yaml", "no/such.yaml: cannot be read: No such file or directory"),
        (HEAD + "topology: one\n<<: {a: b}", "merge keys (<<) are not read"),
        (HEAD + "topology: one\n[a]: b", "a key must be a plain word"),
        (HEAD + "topology: one\nsteps: &a [*a]", "more than 60 levels of nesting"),
        (
            HEAD + "topology: one\nsteps: !!python/name:os.system x",
            "the tag tag:yaml.org,2002:python/name:os.system is not read",
        ),
    ],
)
def test_not_a_document(text: str, expected: str) -> None:
    """A file that is no document at all is refused with the line, and nothing in it is executed."""
    with pytest.raises(InputError) as caught:
        parse_scenario(text, source="case.yaml")

    assert expected in str(caught.value)


def test_aliases_do_not_explode() -> None:
    """A few lines of aliases cannot make a document of a million values."""
    bomb = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10) if i else 'x'}]" for i in range(9))

    with pytest.raises(InputError, match="more than 200000 values"):
        parse_scenario(bomb)


@pytest.mark.parametrize("text", ["- " * 50_000, "[" * 50_000, "{a: " * 50_000])
def test_deep_nesting(text: str) -> None:
    """A text that is nested absurdly deep is refused and does not exhaust the stack."""
    with pytest.raises(InputError, match="more than 60 levels of nesting"):
        parse_scenario(text)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and one that is no text are told by name."""
    (tmp_path / "image.yaml").write_bytes(b"\xff\xfe\x00")

    for name, expected in (
        ("none.yaml", "cannot be read"),
        ("image.yaml", "not a text in UTF-8"),
        (".", "cannot be read"),
    ):
        with pytest.raises(InputError, match=expected):
            read_scenario(tmp_path / name)
