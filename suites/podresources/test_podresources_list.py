"""PodResources `List`: what consumers such as NUMA-aware schedulers are told of pods."""

from __future__ import annotations

from pinproof.suite import (
    Prove,
    admit,
    besteffort,
    block,
    burstable,
    case,
    container,
    exits,
    guaranteed,
    none_policy,
    remove,
    restart,
    sidecar,
    static,
)

NONE = static()
RESTRICTED = static(topology="restricted")
WITH_CPUS = static(topology="restricted", cpu="static")
ALL_PODS = static(gates={"KubeletPodResourcesListUseActivePods": False}, slug="static_all_pods")


@case("MM-PODRES-001", machines="two_even", kubelet=[none_policy(), none_policy(topology="restricted")])
def test_policy_none_lists_containers_without_memory(prove: Prove) -> None:
    """Under policy None a Guaranteed pod is listed, and no memory of it."""
    listed = prove(admit(guaranteed("a", memory="4Gi"))).pod_resources("a")

    assert {"c": ()} == {name: resources.memory for name, resources in listed.items()}


@case("MM-PODRES-002", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_every_container_is_listed_with_its_request(prove: Prove) -> None:
    """Sizes are those of the requests, in bytes, on the node of each container."""
    both = [container("x", memory="6Gi"), container("y", memory="5Gi")]
    seen = prove(admit(guaranteed("a", containers=both)), admit(guaranteed("b", memory="64Mi")))

    assert (block(0, memory="6Gi"),) == seen.pod_resources("a")["x"].memory
    assert (block(1, memory="5Gi"),) == seen.pod_resources("a")["y"].memory
    assert (block(0, memory="64Mi"),) == seen.pod_resources("b")["c"].memory


@case("MM-PODRES-003", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_list_agrees_with_state_file_and_runtime(prove: Prove) -> None:
    """The same nodes in three places: PodResources, the state file, and what the runtime was told."""
    seen = prove(admit(guaranteed("a", memory="9Gi")), admit(guaranteed("b", memory="4Gi")))

    assert [(block(1, memory="4Gi"),)] == [r.memory for r in seen.pod_resources("b").values()]
    assert [block(1, memory="4Gi")] == seen.blocks("b")
    assert seen.mems("b") == "1"


@case("MM-PODRES-004", machines=["two_even", "three"], kubelet=[NONE, RESTRICTED])
def test_block_over_two_nodes_is_listed_once(prove: Prove) -> None:
    """Memory of a group is one entry of full size with both nodes, not one for each node."""
    seen = prove(admit(guaranteed("a", memory="12Gi")))

    assert (block((0, 1), memory="12Gi"),) == seen.pod_resources("a")["c"].memory


@case("MM-PODRES-005", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_huge_pages_are_listed_in_bytes(prove: Prove) -> None:
    """Every memory type is an entry of its own, in bytes, not in pages."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "64Mi", "1Gi": "2Gi"})))

    expected = (block(0, hugepages_1Gi="2Gi"), block(0, hugepages_2Mi="64Mi"), block(0, memory="1Gi"))
    assert expected == seen.pod_resources("a")["c"].memory


@case("MM-PODRES-006", machines="two_even", kubelet=[NONE, RESTRICTED, WITH_CPUS])
def test_pods_that_are_not_pinned_are_listed_without_memory(prove: Prove) -> None:
    """BestEffort and Burstable pods are listed beside Guaranteed ones, with nothing."""
    seen = prove(admit(besteffort("a")), admit(burstable("b", memory="1Gi")), admit(guaranteed("g", memory="1Gi")))

    listed = {name: seen.pod_resources(name)["c"] for name in ("a", "b", "g")}
    assert {"a": (), "b": (), "g": (block(0, memory="1Gi"),)} == {name: r.memory for name, r in listed.items()}
    assert {""} == {resources.cpus for resources in listed.values()}


@case("MM-PODRES-007", machines="two_even", kubelet=NONE)
def test_regular_init_containers_are_not_listed(prove: Prove) -> None:
    """Not while they run, nor after; the app container is listed from the admission on."""
    a = guaranteed("a", memory="2Gi", init=[container("i", memory="4Gi")])
    seen = prove(admit(a), exits("a", "i"))

    assert [["c"], ["c"]] == [sorted(seen.pod_resources("a", after=step)) for step in (1, 2)]


@case("MM-PODRES-007", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_app_that_reuses_init_memory_is_listed_in_full(prove: Prove) -> None:
    """Reuse changes what is taken from the node, not what the app container has."""
    a = guaranteed("a", memory="4Gi", init=[container("i", memory="6Gi")])

    assert (block(0, memory="4Gi"),) == prove(admit(a)).pod_resources("a")["c"].memory


@case("MM-PODRES-008", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_sidecars_are_listed(prove: Prove) -> None:
    """Sidecars run beside the apps and are listed with their memory."""
    a = guaranteed("a", memory="3Gi", init=[sidecar("s", memory="2Gi")])
    listed = prove(admit(a)).pod_resources("a")

    expected = {"s": (block(0, memory="2Gi"),), "c": (block(0, memory="3Gi"),)}
    assert expected == {name: resources.memory for name, resources in listed.items()}


@case("MM-PODRES-009", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_rejected_pod_is_not_listed(prove: Prove) -> None:
    """A pod whose second container failed is not listed, though the state file still has the first one's memory."""
    both = [container("x", memory="1Gi"), container("y", memory="1000Gi")]
    seen = prove(admit(guaranteed("a", containers=both)))

    assert {} == seen.pod_resources("a")
    assert [block(0, memory="1Gi")] == seen.blocks("a", "x")


@case("MM-PODRES-009", machines="two_even", kubelet=WITH_CPUS)
def test_finished_pod_of_several_containers_is_not_listed(prove: Prove) -> None:
    """It is listed until the last of its containers has ended, whichever way each of them ended."""
    both = [container("x", memory="1Gi", cpu="2"), container("y", memory="1Gi", cpu="1")]
    a = guaranteed("a", containers=both, restart_policy="Never")
    seen = prove(admit(a), exits("a", "x", code=1), exits("a", "y"))

    assert [["x", "y"], ["x", "y"], []] == [sorted(seen.pod_resources("a", after=n)) for n in (1, 2, 3)]


@case("MM-PODRES-009", machines="two_even", kubelet=NONE)
def test_running_pod_is_listed_and_a_finished_one_is_not(prove: Prove) -> None:
    """A pod that is done is not listed, though its memory waits for the next admission to be given back."""
    never = guaranteed("a", memory="4Gi", restart_policy="Never")
    seen = prove(admit(never), admit(guaranteed("b", memory="2Gi")), exits("a", "c"))

    assert {} == seen.pod_resources("a")
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert (block(0, memory="2Gi"),) == seen.pod_resources("b")["c"].memory


@case("MM-PODRES-020", machines="two_even", kubelet=ALL_PODS, since="1.34")
def test_gate_lists_finished_pods_until_they_are_forgotten(prove: Prove) -> None:
    """With the gate off a pod that is done is listed with the memory it still holds, and after the next admission without."""
    a = guaranteed("a", memory="4Gi", restart_policy="Never")
    seen = prove(admit(a), exits("a", "c"), admit(besteffort("b")))

    assert (block(0, memory="4Gi"),) == seen.pod_resources("a", after=2)["c"].memory
    assert () == seen.pod_resources("a")["c"].memory


@case("MM-PODRES-020", machines="two_even", kubelet=ALL_PODS, since="1.34")
def test_gate_lists_pods_of_several_containers_that_are_over(prove: Prove) -> None:
    """All containers of a pod that is done are listed."""
    both = [container("x", memory="1Gi"), container("y", memory="2Gi")]
    seen = prove(
        admit(guaranteed("a", containers=both, restart_policy="Never")), exits("a", "x"), exits("a", "y", code=1)
    )

    expected = {"x": (block(0, memory="1Gi"),), "y": (block(0, memory="2Gi"),)}
    assert expected == {name: resources.memory for name, resources in seen.pod_resources("a").items()}


@case("MM-PODRES-020", machines="two_even", kubelet=ALL_PODS, since="1.34")
def test_gate_lists_rejected_pods(prove: Prove) -> None:
    """Every pod that the kubelet knows is listed, whether it runs or was rejected, and of whatever QoS class."""
    seen = prove(admit(guaranteed("a", memory="1000Gi")), admit(besteffort("b")), admit(guaranteed("d", memory="1Gi")))

    listed = {name: resources["c"].memory for name in ("a", "b", "d") if (resources := seen.pod_resources(name))}
    assert {"a": (), "b": (), "d": (block(0, memory="1Gi"),)} == listed


@case("MM-PODRES-010", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_removed_pod_is_not_listed(prove: Prove) -> None:
    """A deleted pod is gone from the list at once, before the state file has forgotten it."""
    seen = prove(admit(guaranteed("a", memory="4Gi")), remove("a"))

    assert {} == seen.pod_resources("a")
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-PODRES-011", machines="two_even", kubelet=[NONE, WITH_CPUS])
def test_list_is_the_same_after_a_restart(prove: Prove) -> None:
    """Containers, sidecars, groups: everything is listed as before the kubelet was restarted."""
    first = guaranteed("a", memory="3Gi", cpu="2", init=[sidecar("s", memory="2Gi", cpu="1")])
    seen = prove(admit(first), admit(guaranteed("b", memory="8Gi", cpu="3")), admit(besteffort("d")), restart())

    assert (block(1, memory="8Gi"),) == seen.pod_resources("b")["c"].memory
    for name in ("a", "b", "d"):
        assert seen.pod_resources(name, after=3) == seen.pod_resources(name)


@case("MM-PODRES-012", machines="two_even", kubelet=WITH_CPUS)
def test_exclusive_cpus_are_listed_beside_memory(prove: Prove) -> None:
    """Whole CPUs of a Guaranteed container are listed with its memory; a fraction has memory and no CPUs."""
    seen = prove(admit(guaranteed("a", memory="4Gi", cpu="2")), admit(guaranteed("b", memory="4Gi", cpu="1500m")))

    whole, part = (seen.pod_resources(name)["c"] for name in ("a", "b"))
    assert ("1-2", (block(0, memory="4Gi"),)) == (whole.cpus, whole.memory)
    assert ("", (block(0, memory="4Gi"),)) == (part.cpus, part.memory)


@case("MM-PODRES-012", machines="two_even", kubelet=NONE)
def test_no_cpus_are_listed_without_a_cpu_policy(prove: Prove) -> None:
    """CPU manager policy none hands out no CPUs, and a container's memory is listed all the same."""
    listed = prove(admit(guaranteed("a", memory="4Gi", cpu="2"))).pod_resources("a")["c"]

    assert ("", (block(0, memory="4Gi"),)) == (listed.cpus, listed.memory)


@case("MM-PODRES-013", machines="two_even", kubelet=static(topology="restricted", scope="pod"))
def test_scope_pod_lists_each_container_on_the_nodes_of_the_pod(prove: Prove) -> None:
    """Containers keep entries of their own, each with the nodes that the pod was given."""
    both = [container("x", memory="8Gi"), container("y", memory="4Gi")]
    listed = prove(admit(guaranteed("a", containers=both))).pod_resources("a")

    expected = {"x": (block((0, 1), memory="8Gi"),), "y": (block((0, 1), memory="4Gi"),)}
    assert expected == {name: resources.memory for name, resources in listed.items()}
