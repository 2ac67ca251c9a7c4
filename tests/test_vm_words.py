"""What the kernel of a guest says, read: memory of nodes, pages of processes, processes that it killed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.history import Kernel, Pages
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.vm import totals
from pinproof.vm.pages import kernel, lying, pages

MIB = 1 << 20
ONE = Machine(
    "one", (NumaNode(0, 1024 * MIB, CpuSet((0,)), distances=(10, 20)), NumaNode(1, 512 * MIB, distances=(20, 10)))
)

NUMA_MAPS = """\
00400000 default file=/pinproof-runtime mapped=300 mapmax=3 N0=200 N1=100 kernelpagesize_kB=4
00c00000 default file=/pinproof-runtime anon=3 dirty=3 mapped=20 N0=20 kernelpagesize_kB=4
c000000000 default anon=70 dirty=70 active=0 N1=70 kernelpagesize_kB=4
7f0000000000 default file=/anon_hugepage\\040(deleted) huge anon=4 dirty=4 N0=1 N1=3 kernelpagesize_kB=2048
7f1000000000 default
7ffd00000000 default stack anon=5 dirty=5 active=1 N1=5 kernelpagesize_kB=4
"""
STATUS = "Name:\ttouched\nMems_allowed:\t00000002\nMems_allowed_list:\t1\nvoluntary_ctxt_switches:\t1\n"
OOM = (
    "<6>[ 9.1] oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=(null),cpuset=x,mems_allowed=1,global_oom,"
    "task_memcg=/kubepods/pod1,task=pinproof-runtim,pid=7,uid=0\n"
)


def test_pages_of_files_are_not_counted() -> None:
    """They lie where the file was read first, private copies of them included."""
    assert lying(NUMA_MAPS) == ({1: 75 * 4096}, {0: 2 * MIB, 1: 6 * MIB})


def test_a_container_is_what_its_process_and_its_cgroup_say() -> None:
    seen = pages({"numa_maps": NUMA_MAPS, "status": STATUS, "mems": "1\n", "effective": "1\n"})

    assert seen == Pages({1: 75 * 4096}, {0: 2 * MIB, 1: 6 * MIB}, "1", "1", "1")
    assert seen.nodes == (0, 1)


def test_a_status_without_nodes_is_none() -> None:
    with pytest.raises(ValueError, match="Mems_allowed_list"):
        pages({"numa_maps": "", "status": "Name: x", "mems": "", "effective": ""})


def test_processes_that_were_killed_are_named_with_the_reason() -> None:
    texts = {"node0": "Node 0 MemTotal:       1048576 kB\nNode 0 MemFree:  1 kB\n", "node1": None}
    seen = kernel({"kernel_log": OOM, "totals": texts})

    assert seen == Kernel({0: 1024 * MIB}, ("pinproof-runtim (CONSTRAINT_CPUSET)",))


def test_backends_grow_by_what_the_kernel_keeps() -> None:
    tried = (1100 * MIB, 520 * MIB)
    seen = {0: 1020 * MIB, 1: 513 * MIB}

    assert totals.differences(ONE, seen) == {0: -4 * MIB, 1: MIB}
    assert totals.better(ONE, tried, seen) == (1104 * MIB, 519 * MIB)
    assert not totals.differences(ONE, {0: 1024 * MIB, 1: 512 * MIB})


def test_a_node_without_memory_gets_none() -> None:
    bare = Machine("bare", (*ONE.nodes[:1], NumaNode(1, 0, distances=(20, 10))))

    assert totals.first_guess(bare)[1] == 0
    assert totals.better(bare, (1100 * MIB, 0), {0: 1024 * MIB}) == (1100 * MIB, 0)


def test_a_large_machine_keeps_a_buffer_below_four_gibibytes() -> None:
    """At the end of its first two: on the second node, if the first is smaller."""
    even = Machine("even", tuple(replace(ONE.nodes[0], id=number, memory=1536 * MIB) for number in (0, 1)))
    first, second = totals.first_guess(even)

    assert second - first == (65 + 1.5 - 34) * MIB * 64 // 63 // 8192 * 8192
