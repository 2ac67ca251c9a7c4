"""A machine as files: what cAdvisor reads is what the machine says."""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.subjects.kubelet.made import CPUS, HUGEPAGES, NODES, made_files

MIB = 1 << 20
GIB = 1 << 30

TWO = Machine(
    "two",
    (
        NumaNode(0, 4 * GIB, CpuSet(range(4)), ((2 * MIB, 5),), (10, 21)),
        NumaNode(3, 2 * GIB, CpuSet(range(4, 8)), ((GIB, 1),), (21, 10)),
    ),
    threads_per_core=2,
)


def test_a_node_shows_its_memory_in_kibibytes() -> None:
    """`MemTotal` of a node is its memory divided by 1024, in the words of the kernel."""
    nodes = made_files(TWO).trees[NODES]

    assert nodes is not None
    assert "Node 3 MemTotal:        2097152 kB" == str(nodes["node3/meminfo"]).splitlines()[0]


def test_a_node_without_memory_still_says_so() -> None:
    """A memory-less node has a meminfo with 0 kB, and is not among those with memory."""
    bare = replace(TWO, nodes=(TWO.nodes[0], NumaNode(1, 0, CpuSet(range(4, 8)))))

    nodes = made_files(bare).trees[NODES]

    assert nodes is not None
    assert "Node 1 MemTotal:              0 kB" == str(nodes["node1/meminfo"]).splitlines()[0]
    assert "0\n" == nodes["has_memory"]


def test_every_page_size_exists_on_every_node() -> None:
    """A page size that one node has is offered by all, and the pools of the machine are the sums."""
    made = made_files(TWO)
    nodes, pools = made.trees[NODES], made.trees[HUGEPAGES]

    assert nodes is not None
    assert pools is not None
    assert "0\n" == nodes["node0/hugepages/hugepages-1048576kB/nr_hugepages"]
    assert "5\n" == pools["hugepages-2048kB/nr_hugepages"]
    assert "1\n" == pools["hugepages-1048576kB/nr_hugepages"]


def test_distances_are_left_out_where_there_are_none() -> None:
    """A node without distances has no such file, rather than an empty one."""
    blind = replace(TWO, nodes=tuple(replace(node, distances=None) for node in TWO.nodes))

    seeing, unseeing = made_files(TWO).trees[NODES], made_files(blind).trees[NODES]

    assert seeing is not None
    assert unseeing is not None
    assert "21 10\n" == seeing["node3/distance"]
    assert [] == [path for path in unseeing if path.endswith("distance")]


def test_cores_are_adjacent_threads_and_unique_in_the_machine() -> None:
    """With two threads a core, CPUs 4 and 5 are one core, and no core id occurs on two nodes."""
    cpus = made_files(TWO).trees[CPUS]

    assert cpus is not None
    assert ["0", "0", "1", "1", "2", "2", "3", "3"] == [str(cpus[f"cpu{n}/topology/core_id"]).strip() for n in range(8)]
    assert "4-5\n" == cpus["cpu5/topology/thread_siblings_list"]
    assert "3\n" == cpus["cpu5/topology/physical_package_id"]


def test_a_node_links_its_cpus() -> None:
    """A CPU's directory appears under its node as well, where cAdvisor looks for the topology."""
    nodes = made_files(TWO).trees[NODES]

    assert nodes is not None
    assert {"link": "../../cpu/cpu4"} == nodes["node3/cpu4"]


def test_a_kernel_without_numa_hides_the_nodes() -> None:
    """Without NUMA there are no node directories, and the memory is still there."""
    made = made_files(replace(TWO, numa=False))

    assert made.trees[NODES] is None
    assert "MemTotal:        6291456 kB" == made.files["/proc/meminfo"].splitlines()[0]


def test_no_tunable_of_the_host_is_left_to_the_kubelet() -> None:
    """All six kernel tunables that a kubelet would write are covered, with the values it wants."""
    sysctls = {path: text.strip() for path, text in made_files(TWO).files.items() if path.startswith("/proc/sys/")}

    assert {
        "/proc/sys/vm/overcommit_memory": "1",
        "/proc/sys/vm/panic_on_oom": "0",
        "/proc/sys/kernel/panic": "10",
        "/proc/sys/kernel/panic_on_oops": "1",
        "/proc/sys/kernel/keys/root_maxkeys": "1000000",
        "/proc/sys/kernel/keys/root_maxbytes": "25000000",
    } == sysctls
