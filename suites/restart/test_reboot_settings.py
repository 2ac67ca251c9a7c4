"""Starts with another configuration on the same machine: reservations, policies, scope, options and gates."""

from __future__ import annotations

from pinproof.suite import (
    AS_IT_WAS,
    Configuration,
    Prove,
    admit,
    case,
    configured,
    guaranteed,
    none_policy,
    reboots,
    restart,
    static,
)

POLICIES = ("none", "best-effort", "restricted", "single-numa-node")
NONE, RESTRICTED, SINGLE = static(), static(topology="restricted"), static(topology="single-numa-node")
CPU = static(topology="restricted", cpu="static")
OFF = none_policy()

AS_BEFORE = "as before"
DIFFERENT = "refuses: [memorymanager] the expected machine state is different from the real one"
OTHER_POLICY = 'refuses: {}configured policy "{}" differs from state checkpoint policy "{}"'
SUM = 'refuses: the total amount "{}" of type "memory" is not equal to the value "{}" determined by Node Allocatable feature'

PODS = [admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="6Gi"))]
GROUP = [admit(guaranteed("g", memory="15Gi"))]


def written(slug: str, *amounts: str, kube: str = "924Mi", **more: object) -> Configuration:
    """Policy Static with these amounts reserved on nodes 0 and 1."""
    reserved = [(node, {"memory": amount}) for node, amount in enumerate(amounts)]
    return configured(
        slug, memory_manager_policy="Static", reserved_memory=reserved, kube_reserved={"memory": kube}, **more
    )


REFUSED = {
    "moved": (written("moved", "256Mi", "768Mi"), DIFFERENT),
    "moved by a byte": (written("byte", "536870911", "536870913"), DIFFERENT),
    "on one node": (written("one_node", "1Gi"), DIFFERENT),
    "more, and kubeReserved": (written("more", "512Mi", "1Gi", kube="1436Mi"), DIFFERENT),
    "less, and kubeReserved": (written("less", "256Mi", "256Mi", kube="412Mi"), DIFFERENT),
    "more, and systemReserved": (
        written("system", "1Gi", "512Mi", system_reserved={"memory": "512Mi"}),
        DIFFERENT,
    ),
    "more, and the threshold": (
        written("threshold", "512Mi", "768Mi", eviction_hard={"memory.available": "356Mi"}),
        DIFFERENT,
    ),
    "kubeReserved alone": (written("kube", "512Mi", "512Mi", kube="1Gi"), SUM.format("1Gi", "1124Mi")),
    "the threshold alone": (
        written("threshold_alone", "512Mi", "512Mi", eviction_hard={"memory.available": "200Mi"}),
        SUM.format("1Gi", "1124Mi"),
    ),
    "no threshold": (written("no_threshold", "512Mi", "512Mi", eviction_hard={}), SUM.format("1Gi", "924Mi")),
    "reservedMemory alone": (written("reserved", "512Mi", "256Mi"), SUM.format("768Mi", "1Gi")),
}
"""Change → the configuration, and what the kubelet says of it."""

ACCEPTED = {
    "other units": written("units", "524288Ki", "536870912"),
    "for the system instead": written(
        "for_system", "512Mi", "512Mi", kube="424Mi", system_reserved={"memory": "500Mi"}
    ),
    "by the threshold instead": written(
        "by_threshold", "512Mi", "512Mi", kube="824Mi", eviction_hard={"memory.available": "200Mi"}
    ),
    "CPUs reserved": written("cpus", "512Mi", "512Mi", reserved_system_cpus="0-1"),
}
"""Change → the configuration: on every node as much is reserved as before."""


@case("MM-REBOOT-006", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_reservations_without_pods(prove: Prove) -> None:
    """What is reserved on a node is in the state file of a machine that never ran a pod; for whom, is not."""
    changes = {name: restart(kubelet=config) for name, (config, _) in REFUSED.items()}
    changes |= {name: restart(kubelet=config) for name, config in ACCEPTED.items()}
    found = reboots(prove, changes=changes)

    assert {name: said for name, (_, said) in REFUSED.items()} == {name: found[name] for name in REFUSED}
    assert {AS_BEFORE} == {found[name] for name in (*ACCEPTED, AS_IT_WAS)}


@case("MM-REBOOT-006", machines="two_even", kubelet=NONE)
def test_reservations_under_pods(prove: Prove) -> None:
    """The same with pods on both nodes, who are where they were whenever the kubelet starts."""
    changes = {name: restart(kubelet=config) for name, config in ACCEPTED.items()}
    changes |= {name: restart(kubelet=config) for name, (config, _) in REFUSED.items()}
    found = reboots(prove, *PODS, changes=changes)

    assert {name: said for name, (_, said) in REFUSED.items()} == {name: found[name] for name in REFUSED}
    assert {AS_BEFORE} == {found[name] for name in (*ACCEPTED, AS_IT_WAS)}


@case("MM-REBOOT-006", machines="two_even", kubelet=NONE)
def test_reservations_under_a_group(prove: Prove) -> None:
    """The sum over a group's nodes may be what it was: totals are compared node by node in every release."""
    changes = {name: restart(kubelet=REFUSED[name][0]) for name in ("moved", "moved by a byte")}
    found = reboots(prove, *GROUP, changes=changes)

    assert {"moved": DIFFERENT, "moved by a byte": DIFFERENT, AS_IT_WAS: AS_BEFORE} == found


@case("MM-REBOOT-007", machines="two_even", kubelet=[static(topology=policy) for policy in POLICIES])
def test_topology_manager(prove: Prove) -> None:
    """From every policy to every other one, in either scope: pods of one node stay where they are."""
    changes = {
        f"{policy}, scope {scope}": restart(kubelet=static(topology=policy, scope=scope))
        for policy in POLICIES
        for scope in ("container", "pod")
    }
    found = reboots(prove, *PODS, changes=changes)

    assert dict.fromkeys((*changes, AS_IT_WAS), AS_BEFORE) == found


@case("MM-REBOOT-007", machines="two_even", kubelet=[static(topology=policy) for policy in POLICIES[:3]])
def test_topology_manager_under_a_group(prove: Prove) -> None:
    """A pod over both nodes stays under every policy but `single-numa-node`, which rejects it."""
    changes = {
        f"{policy}, scope {scope}": restart(kubelet=static(topology=policy, scope=scope))
        for policy in POLICIES[:3]
        for scope in ("container", "pod")
    }
    found = reboots(prove, *GROUP, changes=changes)

    assert dict.fromkeys((*changes, AS_IT_WAS), AS_BEFORE) == found
    last = reboots(prove, *GROUP, changes={"single": restart(kubelet=SINGLE)})
    assert "g: rejected, TopologyAffinityError" == last["single"]


@case("MM-REBOOT-007", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_options_and_gates(prove: Prove) -> None:
    """Options of the Topology Manager and gates that are not about memory are not in the file."""
    topology = "best-effort"
    found = reboots(
        prove,
        *PODS,
        changes={
            "closest nodes": restart(kubelet=static(topology=topology, options={"prefer-closest-numa-nodes": "true"})),
            "gate off": restart(kubelet=static(gates={"CPUManagerPolicyBetaOptions": False})),
            "gate on": restart(kubelet=static(gates={"CPUManagerPolicyAlphaOptions": True})),
        },
    )

    assert dict.fromkeys(("closest nodes", "gate off", "gate on", AS_IT_WAS), AS_BEFORE) == found


@case("MM-REBOOT-008", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_memory_manager_off(prove: Prove) -> None:
    """Policy None over a file of policy Static, with and without a reservation; then Static again."""
    found = reboots(
        prove,
        *PODS,
        changes={
            "None": restart(kubelet=OFF),
            "None, nothing reserved": restart(kubelet=configured("nothing")),
            "None, reserved as before": restart(
                kubelet=configured("none", kube_reserved={"memory": "924Mi"}, reserved_memory={0: {"memory": "1Gi"}})
            ),
        },
    )

    assert AS_BEFORE == found.pop(AS_IT_WAS)
    assert {OTHER_POLICY.format("[memorymanager] ", "None", "Static")} == set(found.values())


@case("MM-REBOOT-008", machines="two_even", kubelet=OFF)
def test_memory_manager_on(prove: Prove) -> None:
    """Policy Static over a file of policy None, with every policy of the Topology Manager."""
    changes = {policy: restart(kubelet=static(topology=policy)) for policy in POLICIES}
    found = reboots(prove, *PODS, changes=changes)

    assert AS_BEFORE == found.pop(AS_IT_WAS)
    assert {OTHER_POLICY.format("[memorymanager] ", "Static", "None")} == set(found.values())


@case("MM-REBOOT-008", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_policy_that_is_not_there(prove: Prove) -> None:
    """A policy by another name is refused before the file is looked at; BestEffort is for Windows, since 1.32."""
    words = 'policy "BestEffort" is not available for platform "linux"'
    before_1_32 = prove.minor in ("1.29", "1.30", "1.31")
    found = reboots(prove, PODS[0], changes={"BestEffort": restart(kubelet=static(memory_manager_policy="BestEffort"))})

    assert (
        f"refuses: {'unknown policy: ' + chr(34) + 'BestEffort' + chr(34) if before_1_32 else words}"
        == found["BestEffort"]
    )
    assert AS_BEFORE == found[AS_IT_WAS]


@case("MM-REBOOT-008", machines="two_even", kubelet=CPU)
def test_cpu_manager(prove: Prove) -> None:
    """The CPU manager's policy is in its own file, and the CPUs reserved for the system must not be a pod's."""
    pods = [admit(guaranteed("a", memory="6Gi", cpu="2"))]
    found = reboots(
        prove,
        *pods,
        changes={
            "none": restart(kubelet=RESTRICTED),
            "another CPU reserved": restart(kubelet=static(cpu="static", reserved_system_cpus="7")),
            "a pod's CPU reserved": restart(kubelet=static(cpu="static", reserved_system_cpus="1")),
        },
    )

    assert {
        "none": OTHER_POLICY.format("", "none", "static"),
        "another CPU reserved": AS_BEFORE,
        "a pod's CPU reserved": 'refuses: not all reserved cpus: "1" are present in defaultCpuSet: "0,3-15"',
        AS_IT_WAS: AS_BEFORE,
    } == found
