"""What the cluster subject reads from the command line, kubelets, kernels and API servers. Pure parts."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from pinproof.errors import InputError, SubjectError
from pinproof.reference.checkpoint import decode
from pinproof.reference.cpu_text import decode as decode_cpu
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.steps import Admit, Exit, Remove, Restart
from pinproof.subjects.cluster import access, helper, initial, share
from pinproof.subjects.cluster.beginning import choose, require_same
from pinproof.subjects.cluster.discovery import configuration_of, shape_of
from pinproof.subjects.cluster.node import containers
from pinproof.subjects.cluster.spec import Spec, parse, with_options
from pinproof.subjects.protocol import Found, NotObservableError
from pinproof.suite import container, guaranteed, pod, static

GIB = 1 << 30
MACHINE = Machine("m", tuple(NumaNode(n, 10 * GIB, CpuSet(range(4 * n, 4 * n + 4))) for n in (0, 1)))
CONFIG = static(topology="single-numa-node", cpu="static")(MACHINE)
STATIC = "1.36.3"


# The command line


def test_a_kubeconfig_alone_is_all_nodes_of_its_current_context() -> None:
    assert Spec(Path("/k")) == parse("/k")


def test_everything_that_can_be_said() -> None:
    text = "/k?node=a,b&context=c&image=r/i:1&share=0.25&root=/var/lib/k0s/kubelet/&disruptive=a,b"
    wanted = Spec(Path("/k"), ("a", "b"), "", "c", "r/i:1", Fraction(1, 4), "/var/lib/k0s/kubelet", frozenset("ab"))

    assert wanted == parse(text)
    assert ((), "pool=numa") == (parse("/k?node=pool=numa").nodes, parse("/k?node=pool=numa").selector)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "say which kubeconfig"),
        ("/k?nodes=a", "?nodes: there is no such option"),
        ("/k?share=0", "'0' is not a share above 0 and up to 1"),
        ("/k?share=x&root=here&node=A_b", "3 problems"),
        ("/k?node=a&node=b", "is given twice"),
        ("/k?image=", "has no value"),
        ("/k?disruptive=a&drain=1", "'1' is neither yes nor no"),
        ("/k?drain=yes", "say which node may be disrupted"),
    ],
)
def test_what_cannot_be_used_is_told(text: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        parse(text)
    assert words in str(raised.value)


def test_options_of_a_run_become_part_of_the_subject() -> None:
    assert "cluster:/k?node=a&disruptive=a" == with_options("cluster:/k", node="a", disruptive="a")
    assert "cluster:/k?share=1&node=x=y" == with_options("cluster:/k?share=1", node="x=y", disruptive=None)
    assert "kind:1.36.3" == with_options("kind:1.36.3", node=None, disruptive=None)
    assert parse(with_options("cluster:/k", node=None, disruptive="a", drain=True).removeprefix("cluster:")).drain
    with pytest.raises(InputError, match="--node: is for nodes of a cluster"):
        with_options("kind:1.36.3", node="a", disruptive=None)


# Machines and configurations


def answer(*, mems: str = "0-1", cpus: str = "0-3") -> dict[str, Any]:
    """What the helper says of a machine of two NUMA nodes."""
    files = {"devices/system/node/online": "0-1\n", "devices/system/cpu/online": "0-3\n"}
    for node, has in enumerate(("0-1", "2-3")):
        place = f"devices/system/node/node{node}"
        files |= {f"{place}/cpulist": has, f"{place}/distance": "10 21" if node == 0 else "21 10"}
        files[f"{place}/meminfo"] = f"Node {node} MemTotal: 1048576 kB\n"
        files[f"{place}/hugepages/hugepages-2048kB/nr_hugepages"] = "4"
    files |= {f"devices/system/cpu/cpu{n}/topology/physical_package_id": str(n // 2) for n in range(4)}
    return {"files": files, "meminfo": "MemTotal: 2097152 kB\n", "mems": mems, "cpus": cpus}


def test_a_machine_is_real_where_the_kernel_has_its_nodes_and_cpus() -> None:
    shape = shape_of(answer(), "n")

    assert [(0, GIB, CpuSet([0, 1])), (1, GIB, CpuSet([2, 3]))] == [
        (node.id, node.memory, node.cpus) for node in shape.machine.nodes
    ]
    assert ((2 << 20, 4),) == shape.machine.nodes[0].hugepages
    assert shape.real
    assert not shape_of(answer(mems="0"), "n").real
    assert not shape_of(answer(cpus="0-1"), "n").real


def test_a_machine_that_cannot_be_read_is_told() -> None:
    with pytest.raises(SubjectError, match="read the machine of n"):
        shape_of({**answer(), "files": {}}, "n")


def test_a_configuration_has_the_fields_that_decide() -> None:
    config = configuration_of(
        {
            "memoryManagerPolicy": "Static",
            "cpuManagerPolicy": "static",
            "topologyManagerPolicy": "restricted",
            "topologyManagerScope": "pod",
            "reservedSystemCPUs": "0",
            "kubeReserved": {"memory": "924Mi"},
            "evictionHard": {"memory.available": "100Mi"},
            "reservedMemory": [{"numaNode": 0, "limits": {"memory": "1Gi"}}],
            "featureGates": {"A": True},
            "maxPods": 110,
        },
        "n",
    )

    assert ("Static", "static", "restricted", "pod") == (
        config.memory_manager_policy,
        config.cpu_manager_policy,
        config.topology_manager_policy,
        config.topology_manager_scope,
    )
    assert ((("memory", "924Mi"),), (("A", True),)) == (config.kube_reserved, config.feature_gates)
    assert "1Gi" == str(config.reserved_memory[0].limits[0][1])


def test_what_the_reference_has_no_word_for_is_told() -> None:
    with pytest.raises(SubjectError, match="cpuManagerPolicyOptions"):
        configuration_of({"cpuManagerPolicyOptions": {"full-pcpus-only": "true"}}, "n")


def test_another_node_than_the_case_wants_is_not_applicable() -> None:
    found = Found(MACHINE, CONFIG, ())
    require_same(found, Machine("other name", MACHINE.nodes), CONFIG, STATIC)

    smaller = Machine("m", (MACHINE.nodes[0],))
    with pytest.raises(NotObservableError, match="the case wants NUMA nodes 0: 10Gi and 4 CPUs, the node has"):
        require_same(found, smaller, CONFIG, STATIC)
    with pytest.raises(
        NotObservableError, match="topology_manager_policy is to be restricted, and is single-numa-node"
    ):
        require_same(found, MACHINE, static(topology="restricted", cpu="static")(MACHINE), STATIC)


def test_another_spelling_of_the_same_configuration_is_the_same() -> None:
    """The kubelet tells what it was not asked for as well."""
    told = replace(CONFIG, eviction_hard=(("imagefs.available", "0%"), ("memory.available", "100Mi")))

    renamed = replace(MACHINE, name="worker", provenance="Imported.")
    require_same(Found(renamed, told, ()), MACHINE, CONFIG, STATIC)


# What is there already


def document(
    name: str, *, uid: str, created: str = "2026-01-01T00:00:00Z", phase: str = "Running", **more: Any
) -> dict[str, Any]:
    """A pod of somebody's, pinned."""
    spec = {
        "initContainers": [{"name": "i", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}],
        "containers": [
            {"name": "c", "resources": {"limits": {"cpu": "2", "memory": "2Gi", "example.com/device": "1"}}}
        ],
    }
    status = {"phase": phase, "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 0}}}]}
    metadata = {"name": name, "namespace": "ns", "uid": uid, "creationTimestamp": created, **more}
    return {"metadata": metadata, "spec": spec, "status": status}


def test_residents_are_the_pods_that_have_not_ended_by_age() -> None:
    young = document("young", uid="u1", created="2026-01-02T00:00:00Z")
    old = document("old", uid="u2")
    mirror = document(
        "static", uid="u3", created="2026-01-03T00:00:00Z", annotations={"kubernetes.io/config.hash": "h"}
    )
    over = document("over", uid="u4", phase="Succeeded")

    there = initial.residents([young, over, mirror, old])

    assert [("ns-old", "u2", "ns/old"), ("ns-young", "u1", "ns/young"), ("ns-static", "h", "ns/static")] == [
        (resident.pod.name, resident.uid, resident.place) for resident in there
    ]
    assert "Guaranteed" == there[0].pod.qos()
    assert ["cpu", "memory"] == [name for name, _ in there[0].pod.containers[0].limits]


UID = "67f56869-b721-4d97-941a-28614be0abe0"
MEMORY = (
    '{"policyName":"Static","machineState":{"0":{"numberOfAssignments":1,"memoryMap":{"memory":{"total":10737418240,'
    '"systemReserved":536870912,"allocatable":10200547328,"reserved":2147483648,"free":8053063680}},"cells":[0]},"1":'
    '{"numberOfAssignments":0,"memoryMap":{"memory":{"total":10737418240,"systemReserved":536870912,"allocatable":'
    '10200547328,"reserved":0,"free":10200547328}},"cells":[1]}},"entries":{"UID":{"c":[{"numaAffinity":[0],"type":'
    '"memory","size":2147483648}]}},"checksum":0}'
).replace("UID", UID)
CPU = f'{{"policyName":"static","defaultCpuSet":"0,3-7","entries":{{"{UID}":{{"c":"1-2","i":"1"}}}},"checksum":0}}'


def test_state_files_with_other_uids_have_checksums_that_fit() -> None:
    uids = {UID: "ns-old.1"}

    memory, cpu = initial.with_uids(MEMORY, uids), initial.cpu_with_uids(CPU, uids)

    assert memory is not None
    assert cpu is not None
    assert ["ns-old.1"] == list(decode(memory).entries or ())
    assert json.loads(memory)["checksum"] != 0
    assert ["ns-old.1"] == list(decode_cpu(cpu)[1].entries)
    assert (None, None) == (initial.with_uids(None, uids), initial.cpu_with_uids(None, uids))


def test_entries_that_no_pod_has_are_stale() -> None:
    beside = json.dumps({"data": MEMORY, "checksum": 1})

    assert {UID} == initial.stale((MEMORY, CPU), ())
    assert {UID} == initial.stale((beside, None), ())
    assert set() == initial.stale((MEMORY, CPU, None, "damaged"), {UID})


def found(pods: list[dict[str, Any]], memory: str, cpu: str) -> Found:
    there = initial.residents(pods)
    ways = initial.ways(there, {pod["metadata"]["uid"]: pod for pod in pods}, memory, cpu)
    names = {resident.uid: resident.pod.name for resident in there}
    return choose((Found(MACHINE, CONFIG, steps) for steps in ways), STATIC, names, memory, cpu, node="n")


def test_a_kubelet_that_ran_all_the_time_is_led_to_by_its_pods_alone() -> None:
    """Its init container has given back what it had."""
    led = found([document("old", uid=UID)], MEMORY, CPU)

    assert [Admit, Exit] == [type(step) for step in led.before]


def test_a_kubelet_that_was_restarted_is_led_to_by_its_files() -> None:
    """It has taken memory once more for the init container, beside what the container has; the files say so."""
    (held,) = json.loads(MEMORY)["entries"][UID]["c"]
    state = json.loads(MEMORY)
    state["entries"][UID]["i"] = [{**held, "size": 1073741824}]
    books = state["machineState"]["0"]
    books["numberOfAssignments"] = 2
    books["memoryMap"]["memory"] |= {"reserved": 3221225472, "free": 6979321856}
    memory = initial.with_uids(json.dumps(state, separators=(",", ":")), {UID: "x"}).replace("x", UID)  # type: ignore[union-attr]

    led = found([document("old", uid=UID)], memory, CPU)

    assert [Admit, Exit, Restart] == [type(step) for step in led.before]


def test_books_that_nothing_leads_to_are_not_applicable() -> None:
    """Memory of a pod on the other node than the first that was free."""
    elsewhere = json.loads(MEMORY)
    elsewhere["machineState"]["0"], elsewhere["machineState"]["1"] = (
        elsewhere["machineState"]["1"] | {"cells": [0]},
        elsewhere["machineState"]["0"] | {"cells": [1]},
    )

    with pytest.raises(NotObservableError, match="the reference cannot begin with what is on n"):
        found([document("old", uid=UID)], json.dumps(elsewhere), CPU)


# The share


NODE = {"status": {"allocatable": {"cpu": "4", "memory": "10Gi", "hugepages-2Mi": "0", "pods": "110"}}}


def test_what_is_free_is_allocatable_without_what_others_ask_for() -> None:
    there = [guaranteed("a", memory="2Gi", cpu="1"), pod("b", container(requests={"memory": "1Gi"}))]

    assert {"cpu": 2900, "memory": 7 * GIB, "hugepages-2Mi": 0} == share.free(NODE, there)


def test_pods_that_are_there_together_count_together() -> None:
    two = [Admit(guaranteed("a", memory="3Gi", cpu="1")), Admit(guaranteed("b", memory="3Gi", cpu="1"))]
    available = {"cpu": 4000, "memory": 10 * GIB}

    share.check(two, available, Fraction(6, 10))
    share.check([two[0], Remove("a"), two[1]], available, Fraction(1, 2))
    with pytest.raises(NotObservableError, match="ask for 6144Mi of memory; 10240Mi are free on the node, of which"):
        share.check(two, available, Fraction(1, 2))
    with pytest.raises(NotObservableError, match="ask for 2 of cpu; 3 are free"):
        share.check(two, {**available, "cpu": 3000}, Fraction(6, 10))


# Documents


def test_the_helper_has_no_privilege_and_writes_nothing() -> None:
    made = helper.document("h", "n", image="i", root="/var/lib/k0s/kubelet", privileged=False)["spec"]

    (only,) = made["containers"]
    assert not made["hostPID"]
    assert ["ALL"] == only["securityContext"]["capabilities"]["drop"]
    assert only["securityContext"]["readOnlyRootFilesystem"]
    assert all(mount["readOnly"] for mount in only["volumeMounts"])
    assert {"/var/lib/k0s/kubelet", "/sys"} == {volume["hostPath"]["path"] for volume in made["volumes"]}
    disruptive = helper.document("h", "n", image="i", root="/r", privileged=True)["spec"]
    assert disruptive["hostPID"]
    assert disruptive["containers"][0]["securityContext"]["privileged"]


def test_the_manifests_give_what_is_asked_for_and_no_more() -> None:
    documents = list(yaml.safe_load_all(access.manifests()))
    given = set()
    for document in documents:
        if document["kind"] not in ("Role", "ClusterRole"):
            continue
        inside = document["kind"] == "Role"
        for rule in document["rules"]:
            given |= {(verb, resource, inside) for verb in rule["verbs"] for resource in rule["resources"]}
    asked = {(need.verb, need.resource, need.inside) for need in (*access.NEEDS, *access.DISRUPTION, *access.DRAIN)}

    assert asked <= given
    assert {("get", "namespaces", False), ("watch", "pods", True)} == given - asked


def test_containers_are_told_of_by_what_the_api_server_has() -> None:
    pod = document("a", uid="u")
    pod["status"]["containerStatuses"] = [
        {"name": "c", "restartCount": 2, "state": {"running": {}}},
        {"name": "d", "state": {"waiting": {"reason": "ContainerCreating"}}},
    ]

    assert [("i", "exited", 0), ("c", "running", 2)] == [
        (each["container"], each["state"], each["attempt"]) for each in containers(pod)
    ]
