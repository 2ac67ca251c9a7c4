"""What QEMU and the guest's kernel are told of a machine, and which machines cannot be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.subjects.protocol import NotObservableError
from pinproof.vm import board

MIB, GIB = 1 << 20, 1 << 30
TWO = Machine(
    "two",
    (
        NumaNode(0, GIB, CpuSet((0, 1)), ((2 * MIB, 16), (GIB, 0)), (10, 21, 31)),
        NumaNode(1, GIB, CpuSet((2, 3)), ((2 * MIB, 8), (GIB, 0)), (21, 10, 17)),
        NumaNode(2, 512 * MIB, CpuSet(), ((2 * MIB, 0), (GIB, 0)), (31, 17, 10)),
    ),
)


def test_nodes_are_built_with_their_memory_cpus_and_distances() -> None:
    made = board.arguments(TWO, [GIB + 64 * MIB, GIB, 512 * MIB], ["ram"] * 3)

    assert ["-m", "2686976K", "-smp", "4,sockets=2,cores=2,threads=1"] == made[:4]
    assert ["-object", "ram,id=m0,size=1114112K", "-numa", "node,nodeid=0,memdev=m0"] == made[4:8]
    assert "cpu,node-id=1,socket-id=1,core-id=0,thread-id=0" in made
    assert {"dist,src=0,dst=2,val=31", "dist,src=2,dst=1,val=17"} <= set(made)
    assert not [word for word in made if word.startswith("cpu,node-id=2")]


def test_a_node_without_memory_has_no_backend() -> None:
    bare = replace(TWO, nodes=(TWO.nodes[0], replace(TWO.nodes[1], memory=0), TWO.nodes[2]))
    made = board.arguments(bare, [GIB, 0, 512 * MIB], ["ram"] * 3)

    assert "node,nodeid=1" in made
    assert not [word for word in made if "id=m1" in word]


def test_threads_of_a_core_are_neighbours() -> None:
    assert board.Sockets(2, 2, 2).place(5) == (1, 0, 1)


def test_nodes_of_a_socket_share_it() -> None:
    halves = replace(TWO, nodes=tuple(replace(node, socket=0) for node in TWO.nodes))

    assert board.sockets(halves) == board.Sockets(1, 4, 1)


def test_the_kernel_is_told_of_pools_node_by_node() -> None:
    """A size that is offered without a page needs no word."""
    assert board.kernel_words(TWO) == ["hugepagesz=2048K", "hugepages=0:16,1:8"]
    assert board.page_sizes(TWO) == ["2048kB", "1048576kB"]


def test_an_even_number_of_pages_stays_as_it_is() -> None:
    assert board.padded([GIB, 0, GIB]) == ((GIB, 0, GIB), [])


@pytest.mark.parametrize(
    ("sizes", "larger", "page"),
    [
        pytest.param([GIB, GIB + 4096], [GIB, GIB + 8192], 2 * GIB + 8192 - 16 * MIB, id="below 4 GiB"),
        pytest.param([2 * GIB, GIB - 4096, 0], [2 * GIB, GIB, 0], 5 * GIB - 16 * MIB, id="around the hole"),
    ],
)
def test_an_odd_page_is_taken_from_the_kernel_again(sizes: list[int], larger: list[int], page: int) -> None:
    """QEMU rounds a machine's memory up to two pages; the kernel must not see the second."""
    assert board.padded(sizes) == (tuple(larger), [f"memmap=4K${page:#x}"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"numa": False}, "without NUMA", id="no NUMA"),
        pytest.param({"os": "windows"}, "windows", id="Windows"),
        pytest.param({"nodes": (replace(TWO.nodes[0], id=1),)}, "without a gap", id="gap"),
        pytest.param({"nodes": (replace(TWO.nodes[0], distances=None),)}, "no distances", id="no distances"),
        pytest.param(
            {"nodes": (replace(TWO.nodes[0], memory=1024 * MIB + 1024),)}, "multiple of a page", id="half a page"
        ),
        pytest.param({"nodes": (replace(TWO.nodes[0], memory=32 * MIB),)}, "less than 64Mi", id="tiny node"),
        pytest.param({"nodes": (replace(TWO.nodes[0], memory=0),)}, "node 0 without", id="no memory where it begins"),
        pytest.param({"nodes": (replace(TWO.nodes[0], memory=480 * GIB),)}, "at most 48Gi", id="too large"),
        pytest.param({"nodes": (replace(TWO.nodes[0], cpus=CpuSet(range(1, 3))),)}, "sockets", id="CPU 0 is missing"),
        pytest.param(
            {"nodes": (TWO.nodes[0], replace(TWO.nodes[1], cpus=CpuSet((2,))), TWO.nodes[2])},
            "sockets",
            id="uneven sockets",
        ),
    ],
)
def test_what_cannot_be_had_is_said_beforehand(change: Mapping[str, Any], why: str) -> None:
    with pytest.raises(NotObservableError, match=why):
        board.check(replace(TWO, **change))
