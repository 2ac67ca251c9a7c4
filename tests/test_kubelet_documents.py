"""Configuration and manifests: a kubelet is told what the scenario says and nothing more."""

from __future__ import annotations

import json

import pytest

from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.quantity import Quantity
from pinproof.subjects.kubelet import upgrade
from pinproof.subjects.kubelet.configuration import document, minor_of
from pinproof.subjects.kubelet.lifecycle import LivePod
from pinproof.subjects.kubelet.manifest import static_pod

TESTED = {
    "memoryManagerPolicy",
    "topologyManagerPolicy",
    "cpuManagerPolicy",
    "reservedMemory",
    "evictionHard",
    "kubeReserved",
}


def test_what_a_scenario_leaves_out_is_left_out() -> None:
    """A scenario without settings writes none of the fields under test, so the kubelet's defaults hold."""
    made = document(KubeletConfig(), minor=36, user_namespace=False)

    assert set() == TESTED & made.keys()


def test_what_a_scenario_sets_is_written() -> None:
    """Set fields appear under upstream's names, quantities as they were written; an empty eviction map is a map."""
    config = KubeletConfig(
        memory_manager_policy="Static",
        reserved_memory=(MemoryReservation(1, (("memory", Quantity.parse("0.5Gi")),)),),
        eviction_hard=(),
        feature_gates=(("MemoryManager", True),),
    )

    made = document(config, minor=30, user_namespace=True)

    assert "Static" == made["memoryManagerPolicy"]
    assert [{"numaNode": 1, "limits": {"memory": "0.5Gi"}}] == made["reservedMemory"]
    assert {} == made["evictionHard"]
    assert {"KubeletInUserNamespace": True, "MemoryManager": True} == made["featureGates"]


@pytest.mark.parametrize(("field", "first"), [("podLogsDir", 30), ("failCgroupV1", 31), ("crashLoopBackOff", 35)])
def test_a_field_is_written_from_the_minor_that_knows_it(field: str, first: int) -> None:
    """An older kubelet is not told of a field that it does not have."""
    older, newer = (document(KubeletConfig(), minor=minor, user_namespace=False) for minor in (first - 1, first))

    assert (False, True) == (field in older, field in newer)


@pytest.mark.parametrize("version", ["1.36", "1.36.3", "v1.36.0-rc.1", "1.36.0-alpha.1.4+abc"])
def test_a_version_names_its_minor(version: str) -> None:
    """Pre-releases and builds are of the minor they lead to."""
    assert 36 == minor_of(version)


def test_a_manifest_carries_identity_and_order() -> None:
    """UID, namespace and the time of creation are ours; a name that YAML would misread stays a text."""
    pod = Pod("y", (Container("c"),))

    first, second = (json.loads(static_pod(pod, uid="u", namespace="n", arrival=n)) for n in (1, 2))

    assert ("y", "n", "u") == tuple(first["metadata"][key] for key in ("name", "namespace", "uid"))
    assert first["metadata"]["creationTimestamp"] < second["metadata"]["creationTimestamp"]


def test_a_manifest_carries_resources_as_written() -> None:
    """Requests and limits go out unchanged, and a sidecar keeps its restart policy."""
    memory = (("memory", Quantity.parse("0.5Gi")),)
    pod = Pod("a", (Container("c", memory, memory),), (Container("s", restart_always=True),), restart_policy="Never")

    spec = json.loads(static_pod(pod, uid="u", namespace="n", arrival=1))["spec"]

    assert {"requests": {"memory": "0.5Gi"}, "limits": {"memory": "0.5Gi"}} == spec["containers"][0]["resources"]
    assert ("Never", "Always") == (spec["restartPolicy"], spec["initContainers"][0]["restartPolicy"])


def test_the_record_for_an_upgrade_has_the_checksum_of_a_kubelet() -> None:
    """The record of what was told is sealed as kubelets seal theirs; value read from a 1.36.3 kubelet's own file."""
    from pinproof.reference.checkpoint import data_checksum

    told = '{"limits":{"cpu":"2","memory":"%s"},"requests":{"cpu":"2","memory":"%s"}}'
    containers = f'"s":{told % ("1Gi", "1Gi")},"x":{told % ("3Gi", "3Gi")}'
    theirs = f'{{"entries":{{"a.1":{{"ContainerResources":{{{containers}}},"PodLevelResources":null}}}}}}'

    _, ours = upgrade.record([LivePod(Pod("a", (Container("x"),)), "a.1", "n1", 1)])

    assert 2919201035 == data_checksum(theirs)
    assert json.loads(ours)["checksum"] == data_checksum(json.loads(ours)["data"])


def test_only_a_step_over_the_first_minor_with_a_record_needs_one() -> None:
    """1.32 to 1.33 and beyond does; others do not, backwards neither."""
    steps = [
        ("1.32.2", "1.33.1"),
        ("1.32.2", "1.36.3"),
        ("1.33.1", "1.36.3"),
        ("1.31.0", "1.32.2"),
        ("1.36.3", "1.32.2"),
    ]

    assert [True, True, False, False, False] == [upgrade.needs_record(*step) for step in steps]


def test_pods_have_no_cgroups_to_resize() -> None:
    """From 1.36 a kubelet without pod cgroups is kept from resizing them, unless the scenario has gates of its own for it."""
    gate = "InPlacePodLevelResourcesVerticalScaling"
    off = KubeletConfig(feature_gates=(("PodLevelResources", False),))
    chosen = KubeletConfig(feature_gates=((gate, True),))

    seen = [
        document(config, minor=minor, user_namespace=False)["featureGates"].get(gate)
        for config, minor in ((KubeletConfig(), 35), (KubeletConfig(), 36), (off, 36), (chosen, 36))
    ]

    assert [None, False, None, True] == seen
