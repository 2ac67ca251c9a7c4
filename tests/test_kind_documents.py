"""What the kind subject hands to kind, kubelets and API servers, and what it takes from the command line."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from pinproof.errors import InputError
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.subjects.cluster import image, manifest
from pinproof.subjects.kind import configuration, machines
from pinproof.subjects.kind.cluster_config import Plan, document, patches, workers
from pinproof.subjects.kind.node import HOME
from pinproof.subjects.kind.spec import Spec, parse
from pinproof.suite import container, guaranteed, pod

GIB = 1 << 30


def test_a_version_alone_is_a_cluster_with_its_own_kubelet() -> None:
    assert Spec("1.36.3") == parse("1.36.3")


def test_everything_that_can_be_said() -> None:
    text = "v1.36.3?kubelet=/tmp/k&image=kindest/node:v1.36.3@sha256:1f&workers=4"

    assert Spec("1.36.3", "/tmp/k", "kindest/node:v1.36.3@sha256:1f", 4) == parse(text)  # noqa: S108


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is not a release"),
        ("1.36", "'1.36' is not a release"),
        ("1.36.3?kubelet", "?kubelet: has no value"),
        ("1.36.3?kublet=1.32.2", "?kublet: there is no such option"),
        ("1.36.3?workers=0", "'0' is not a number from 1 to 16"),
        ("1.36.3?image=a&image=b", "?image: is given twice"),
    ],
)
def test_what_cannot_be_used_is_said(text: str, words: str) -> None:
    with pytest.raises(InputError, match="kind:") as raised:
        parse(text)

    assert words in str(raised.value)


def test_all_faults_of_a_text_are_told_at_once() -> None:
    with pytest.raises(InputError) as raised:
        parse("x?a=1&workers=99")

    assert 3 == len(raised.value.problems)


def test_a_cluster_has_nothing_but_workers_with_made_machines() -> None:
    plan = Plan("pinproof-1", "img", [Path("/m/1"), Path("/m/2")], Path("/p"), Path("/w"))
    made = yaml.safe_load(document(plan))

    assert {"disableDefaultCNI": True, "kubeProxyMode": "none"} == made["networking"]
    assert ["control-plane", "worker", "worker"] == [node["role"] for node in made["nodes"]]
    assert {
        "/sys/devices/system/node": "/m/2/node",
        "/sys/devices/system/cpu": "/m/2/cpu",
        "/sys/kernel/mm/hugepages": "/m/2/hugepages",
        "/proc/meminfo": "/m/2/meminfo",
        "/proc/cpuinfo": "/m/2/cpuinfo",
        "/pinproof/programs": "/p",
        "/pinproof/pinproof-oci": "/w",
    } == {mount["containerPath"]: mount["hostPath"] for mount in made["nodes"][2]["extraMounts"]}
    assert all(mount["readOnly"] for mount in made["nodes"][2]["extraMounts"])
    assert 'BinaryName = "/pinproof/pinproof-oci"' in made["containerdConfigPatches"][0]
    init = yaml.safe_load(made["kubeadmConfigPatches"][1])
    assert ["preflight", "addon/kube-proxy", "addon/coredns"] == init["skipPhases"]


def test_arguments_are_written_as_kinds_own_documents_have_them() -> None:
    """A list since v1beta4, which kind writes from 1.36 on; a patch in the other form would be refused by kubeadm."""
    newer, older = next(patches(36)), next(patches(35))

    assert [{"name": "unsafe-no-fsync", "value": "true"}] == newer["etcd"]["local"]["extraArgs"]
    assert {"unsafe-no-fsync": "true"} == older["etcd"]["local"]["extraArgs"]
    assert not any("timeouts" in patch for patch in patches(35))


def test_an_image_with_a_wrapper_of_its_own_is_left_alone() -> None:
    made = yaml.safe_load(document(Plan("c", "img", [], Path("/p"))))

    assert "BinaryName" not in made["containerdConfigPatches"][0]
    assert [] == made["nodes"][0]["extraMounts"]


def test_workers_are_called_as_kind_calls_them() -> None:
    assert ("c-worker", "c-worker2", "c-worker3") == workers("c", 3)


BASE = {"kind": "KubeletConfiguration", "evictionHard": {"nodefs.available": "0%"}, "clusterDNS": ["10.96.0.10"]}


def test_what_kubeadm_wrote_stays_where_the_scenario_says_nothing() -> None:
    made = configuration.document(BASE, KubeletConfig(memory_manager_policy="Static"), minor=36, cgroups=True)

    assert ["10.96.0.10"] == made["clusterDNS"]
    assert "Static" == made["memoryManagerPolicy"]
    assert "topologyManagerPolicy" not in made
    assert "featureGates" not in made


def test_the_default_threshold_of_memory_is_not_lost_to_that_of_disks() -> None:
    made = configuration.document(BASE, KubeletConfig(), minor=36, cgroups=True)

    assert "100Mi" == made["evictionHard"]["memory.available"]
    assert "0%" == made["evictionHard"]["nodefs.available"]


def test_thresholds_that_are_asked_for_are_the_only_ones() -> None:
    asked = KubeletConfig(eviction_hard=(("memory.available", "1Gi"),))

    assert {"memory.available": "1Gi"} == configuration.document(BASE, asked, minor=36, cgroups=True)["evictionHard"]


def test_an_older_kubelet_is_not_given_fields_it_does_not_know() -> None:
    assert "crashLoopBackOff" not in configuration.document(BASE, KubeletConfig(), minor=34, cgroups=True)
    assert "crashLoopBackOff" in configuration.document(BASE, KubeletConfig(), minor=35, cgroups=True)


def test_a_kubelet_that_ends_stays_down() -> None:
    assert "Restart=no" in configuration.drop_in("/log")


def test_a_pod_is_nobodys_to_schedule_and_keeps_its_quantities_as_they_are_written() -> None:
    made = manifest.pod(guaranteed("a", memory="0.5Gi", cpu="1"), HOME, name="a-x-0", node="n")

    assert "pinproof.dev/none" == made["spec"]["schedulerName"]
    assert "nodeName" not in made["spec"]
    assert {"cpu": "1", "memory": "0.5Gi"} == made["spec"]["containers"][0]["resources"]["limits"]
    assert "a-x-0" == made["metadata"]["name"]


def test_init_containers_and_restart_policy_are_the_scenarios() -> None:
    made = manifest.pod(pod("a", container(), init=[container("i")], restart_policy="Never"), HOME, name="a", node="n")

    assert "Never" == made["spec"]["restartPolicy"]
    assert ["i"] == [each["name"] for each in made["spec"]["initContainers"]]


def test_a_machine_is_changed_in_place(tmp_path: Path) -> None:
    one = Machine("one", (NumaNode(0, 4 * GIB, CpuSet(range(2)), distances=(10,)),))
    two = Machine("two", tuple(NumaNode(n, 8 * GIB, CpuSet([n]), distances=(10, 20)) for n in (0, 1)))
    machines.write(tmp_path, one)
    before = {part: (tmp_path / part).stat().st_ino for part in ("node", "cpu", "hugepages", "meminfo", "cpuinfo")}

    machines.write(tmp_path, two)

    assert before == {part: (tmp_path / part).stat().st_ino for part in before}
    assert "0-1\n" == (tmp_path / "node" / "online").read_text()
    assert "MemTotal:       16777216 kB" in (tmp_path / "meminfo").read_text()
    assert "../../cpu/cpu1" == str((tmp_path / "node" / "node1" / "cpu1").readlink())
    assert not (tmp_path / "node" / "node0" / "cpu1").exists()


def test_a_machine_without_numa_has_an_empty_folder(tmp_path: Path) -> None:
    machines.write(tmp_path, Machine("flat", (NumaNode(0, GIB, CpuSet([0])),), numa=False))

    assert [] == list((tmp_path / "node").iterdir())


def test_the_image_of_a_program_is_always_the_same_bytes(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"ELF")

    first = image.archive(program, machine="x86_64")

    assert first == image.archive(program, machine="x86_64")
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        (described,) = json.loads(_read(tar, "manifest.json"))
        config = json.loads(_read(tar, described["Config"]))
    assert ["pinproof.dev/workload:1"] == described["RepoTags"]
    assert ("amd64", ["/pinproof-runtime", "workload"]) == (config["architecture"], config["config"]["Entrypoint"])


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file is not None
    return file.read()


def test_without_cgroups_pods_are_not_resized_where_that_can_be_turned_off() -> None:
    """A kubelet that tries without a cgroup of the pod crashes (kubernetes#137993); from 1.35 on the gate is locked."""

    def gates(minor: int, *, cgroups: bool) -> Mapping[str, bool]:
        made = configuration.document(BASE, KubeletConfig(), minor=minor, cgroups=cgroups)
        found: Mapping[str, bool] = made.get("featureGates", {})
        return found

    assert [False, False] == [gates(minor, cgroups=False)["InPlacePodVerticalScaling"] for minor in (33, 34)]
    assert not any("InPlacePodVerticalScaling" in gates(minor, cgroups=False) for minor in (32, 35, 36))
    assert "InPlacePodVerticalScaling" not in gates(33, cgroups=True)
