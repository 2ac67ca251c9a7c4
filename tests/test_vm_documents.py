"""What a kubelet in a virtual machine is told of its pods and of itself, and what no machine is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pinproof.build import cpio
from pinproof.build.layers import Directory, File, Symlink, Tree
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.steps import Admit, Exit, Restart, Scenario, Step
from pinproof.subjects.protocol import NotObservableError
from pinproof.subjects.vm.checks import check
from pinproof.subjects.vm.configuration import document
from pinproof.subjects.vm.manifest import touching, vm_pod
from pinproof.suite import container, guaranteed, pod
from pinproof.vm.folders import Folder, sweep

MIB = 1 << 20
MACHINE = Machine("one", (NumaNode(0, 1024 * MIB, CpuSet((0, 1)), distances=(10,)),))
LARGER = replace(MACHINE, nodes=(replace(MACHINE.nodes[0], memory=2048 * MIB),))


def scenario(*steps: Step) -> Scenario:
    return Scenario("try", MACHINE, KubeletConfig(), steps)


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        pytest.param({"memory": "32Mi"}, ["--memory=8388608"], id="a quarter"),
        pytest.param({"memory": "8Gi"}, ["--memory=16777216"], id="not more than 16 MiB"),
        pytest.param({"hugepages": {"2Mi": "4Mi"}}, ["--pages=2097152:4194304"], id="all huge pages"),
        pytest.param({"hugepages": {"2Mi": "1Gi"}}, ["--pages=2097152:33554432"], id="not more than 32 MiB of them"),
        pytest.param({"hugepages": {"1Gi": "2Gi"}}, ["--pages=1073741824:1073741824"], id="one that is larger"),
        pytest.param({"hugepages": {"2Mi": "1Mi"}}, [], id="less than a page"),
    ],
)
def test_a_container_touches_some_of_what_it_may_use(amounts: dict[str, Any], words: list[str]) -> None:
    assert touching(container(**amounts)) == words


def test_a_scenario_may_say_how_much_memory_is_touched() -> None:
    assert ["--memory=419430400"] == touching(container(memory="1Gi", touch="400Mi"))
    assert ["--memory=419430400"] == touching(container(memory="64Mi", limited=False, touch="400Mi"))


def test_every_container_of_a_pod_is_told_what_to_touch() -> None:
    two = pod("a", container(name="c", memory="32Mi"), init=[container(name="i", memory="64Mi")])
    spec = json.loads(vm_pod(two, uid="a.1", namespace="n1", arrival=1))["spec"]

    assert spec["containers"][0]["args"] == ["--memory=8388608"]
    assert spec["initContainers"][0]["args"] == ["--memory=16777216"]


def test_cgroups_and_the_runtime_are_real() -> None:
    made = document(KubeletConfig(feature_gates=(("X", True),)), minor=36)

    assert made["cgroupsPerQOS"] is True
    assert made["enforceNodeAllocatable"] == ["pods"]
    assert made["containerRuntimeEndpoint"] == "unix:///run/containerd/containerd.sock"
    assert made["featureGates"] == {"X": True}


def test_a_container_without_room_for_a_process_is_not_run() -> None:
    with pytest.raises(NotObservableError, match="no process runs"):
        check(scenario(Admit(guaranteed("a", memory="1Mi"))))


def test_a_machine_that_changes_ends_its_containers() -> None:
    """That is a reboot; where containers that had ended, or come in turn, show the difference, it must be called one."""
    grows = Restart(machine=LARGER)
    check(scenario(Admit(guaranteed("a", memory="64Mi")), grows))

    with pytest.raises(NotObservableError, match="started again"):
        check(scenario(Admit(guaranteed("a", memory="64Mi")), Exit("a", "c"), grows))
    check(scenario(Admit(guaranteed("a", memory="64Mi")), Exit("a", "c"), replace(grows, signal="POWER")))


def test_an_archive_for_the_kernel_has_every_file() -> None:
    """The format is described in the kernel's documentation (initramfs buffer format)."""
    tree = Tree()
    tree.update({"dev": Directory(), "init": File(b"abc", 0o755), "link": Symlink("init")})
    packed = cpio.archive(tree)

    assert packed.startswith(b"070701")
    assert packed.count(b"070701") == 4
    assert all(name in packed for name in (b"init\0", b"abc\0", b"TRAILER!!!\0"))
    assert not len(packed) % 4
    assert packed == cpio.archive(tree)


def test_a_folder_of_a_process_that_is_gone_is_removed() -> None:
    mine, gone = Folder(), Folder()
    gone._lock.release()

    assert sweep() == [gone.path]
    assert mine.path.is_dir()
    mine.close()
    assert not mine.path.exists()
