"""Boots after which the kernel shows other memory on a node than before: by KASLR, by `crashkernel=`, by a module that is gone.

With KASLR the kernel chooses at each boot where its 32 MiB lie, and the totals of two nodes move although nobody changed anything
(https://github.com/kubernetes/kubernetes/issues/131253).
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, guaranteed, mib, restart, static

NONE = static(reserved="64Mi")
DIFFERENT = "[memorymanager] the expected machine state is different from the real one"


def less(machine: Machine, node: int, size: int) -> Machine:
    """The machine with so many bytes less on a node."""
    return replace(machine, nodes=tuple(replace(n, memory=n.memory - size * (n.id == node)) for n in machine.nodes))


@case("MM-BOOT-003", machines="small_drift", kubelet=NONE)
def test_unchanged_boots_with_kaslr(prove: Prove) -> None:
    """Three of them, with a pod that has room to spare. Six of seven places for the kernel are not on the node of before."""
    seen = prove(admit(guaranteed("a", memory="256Mi")), *[restart(signal="POWER", kernel="kaslr")] * 3)

    assert [""] * 4 == [seen.observation(step).refusal or "" for step in range(1, 5)]


@case("MM-BOOT-003", machines="small_drift", kubelet=NONE)
def test_unchanged_boots_without_kaslr(prove: Prove) -> None:
    """The control: the same machine with a kernel that lies where it lay."""
    seen = prove(admit(guaranteed("a", memory="256Mi")), *[restart(signal="POWER")] * 3)

    assert [(True, (0,))] * 4 == [(seen.at(step).running, seen.pages("a", after=step).nodes) for step in range(1, 5)]
    assert [{0: mib(512), 1: mib(3072)}] * 4 == [seen.kernel(after=step).totals for step in range(1, 5)]


@case("MM-BOOT-004", machines="small_two", kubelet=NONE)
def test_memory_kept_for_a_crashed_kernel(prove: Prove) -> None:
    """`crashkernel=64M` takes as much of the last node. Without it the kubelet starts again, and the pods have what they had."""
    pods = [admit(guaranteed(name, memory="256Mi")) for name in "ab"]
    seen = prove(
        *pods,
        restart(signal="POWER", kernel="crashkernel=64M", machine=less(prove.machine, 1, mib(64))),
        restart(signal="POWER", machine=prove.machine),
    )

    assert DIFFERENT in (seen.observation(3).refusal or "")
    assert [(0,), (1,)] == [seen.pages(name).nodes for name in "ab"]


@case("MM-BOOT-004", machines="small_two", kubelet=NONE)
def test_memory_kept_for_a_crashed_kernel_and_the_state_removed(prove: Prove) -> None:
    """The remedy that the kubelet names: it starts over on the smaller machine, and the pages follow the new books."""
    seen = prove(
        admit(guaranteed("a", memory="256Mi")),
        restart(signal="POWER", state="lose", kernel="crashkernel=64M", machine=less(prove.machine, 1, mib(64))),
        admit(guaranteed("b", memory="384Mi")),
    )

    assert mib(512 - 64) == seen.kernel().totals[1]
    assert [block(1, memory="384Mi")] == seen.blocks("b")
    assert [(0,), (1,)] == [seen.pages(name).nodes for name in "ab"]


@case("MM-BOOT-004", machines="small_two", kubelet=NONE)
def test_module_is_gone_and_comes_back(prove: Prove) -> None:
    """Node 1 has 128Mi less for a boot."""
    pods = [admit(guaranteed(name, memory="256Mi")) for name in "ab"]
    seen = prove(
        *pods,
        restart(signal="POWER", machine=less(prove.machine, 1, mib(128))),
        restart(signal="POWER", machine=prove.machine),
    )

    assert DIFFERENT in (seen.observation(3).refusal or "")
    assert [(0,), (1,)] == [seen.pages(name).nodes for name in "ab"]
