"""The machines that come with pinproof: the sizes suites rely on, and where each comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinproof.errors import InputError
from pinproof.scenario.machine import Machine
from pinproof.scenario.topologies import directory, machine, names, parse_machine, read_machine

MI = 2**20
RESERVE = 512

USABLE = {
    "one": {0: 10240},
    "two_even": {0: 10240, 1: 10240},
    "two_uneven": {0: 10240, 1: 4096},
    "three": {0: 10240, 1: 10240, 2: 10240},
    "four_snc2": dict.fromkeys(range(4), 10240),
    "eight_nps4": dict.fromkeys(range(8), 4096),
    "sixteen": dict.fromkeys(range(16), 2048),
    "ids_offset": {1: 10240, 2: 10240},
    "ids_gaps": {0: 10240, 2: 10240, 5: 10240},
    "ids_lexical": {2: 10240, 9: 10240, 10: 10240, 11: 10240},
    "cxl": {0: 10240, 1: 10240, 2: 20480},
    "memoryless": {0: 10240, 1: -512, 2: 10240},
    "hugepages_even": {0: 10240, 1: 10240},
    "hugepages_uneven": {0: 10240, 1: 10240},
    "hugepages_one_node": {0: 10240, 1: 10240},
    "smt_two": {0: 10240, 1: 10240},
    "no_numa": {0: 10240, 1: 10240},
    "small_two": {0: 0, 1: 0},
    "small_three": {0: 0, 1: -256, 2: -128},
    "small_eight": {0: 0} | dict.fromkeys(range(1, 8), -320),
    "small_pages": {0: -32, 1: -64},
    "small_drift": {0: 0, 1: 2560},
    "grace_blackwell": {0: 491008, 1: 491008} | dict.fromkeys(range(2, 34), -512),
}
"""Topology → node → MiB that are left after the suites' reserve of 512 MiB and the huge pages."""

CPUS = {
    "two_uneven": [8, 4],
    "four_snc2": [4] * 4,
    "eight_nps4": [4] * 8,
    "sixteen": [2] * 16,
    "ids_lexical": [4] * 4,
    "cxl": [8, 8, 0],
    "small_two": [2, 2],
    "small_three": [2, 2, 0],
    "small_eight": [1] * 8,
    "small_pages": [2, 2],
    "small_drift": [2, 2],
    "grace_blackwell": [72, 72] + [0] * 32,
}
"""CPUs a node where they are not 8."""


def usable(shape: Machine) -> dict[int, int]:
    """MiB a node has for pods."""
    return {
        node.id: node.memory // MI - RESERVE - sum(size * pages for size, pages in node.hugepages) // MI
        for node in shape.nodes
    }


def test_all_are_described_here() -> None:
    """A topology file is known to this test and the other way round."""
    assert sorted(USABLE) == list(names())


@pytest.mark.parametrize("name", names())
def test_sizes(name: str) -> None:
    """Suites choose pod sizes by what a node has left, so that must not change."""
    shape = machine(name)

    assert USABLE[name] == usable(shape)
    assert CPUS.get(name, [8] * len(shape.nodes)) == [len(node.cpus) for node in shape.nodes]


@pytest.mark.parametrize("name", names())
def test_named_and_explained(name: str) -> None:
    """A topology is named as its file, is no word that tools split, and says where it comes from."""
    shape = machine(name)

    assert name == shape.name
    assert name.isidentifier()
    assert len(shape.provenance) > 40


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("four_snc2", (10, 12, 21, 21)),
        ("eight_nps4", (10, 12, 12, 12, 32, 32, 32, 32)),
        ("two_even", (10, 21)),
        ("no_numa", None),
    ],
)
def test_distances(name: str, expected: tuple[int, ...] | None) -> None:
    """Distances are near within a socket and far between sockets."""
    assert expected == machine(name).nodes[0].distances


def test_special_shapes() -> None:
    """What makes some machines special is there."""
    assert [0, 0, 1, 1] == [node.socket for node in machine("four_snc2").nodes]
    assert 2 == machine("smt_two").threads_per_core
    assert [(0, 0), (1, 0)] == [(node.id, node.memory) for node in machine("no_numa").seen()]
    assert ((2**30, 0),) == machine("hugepages_one_node").nodes[0].hugepages
    assert ((2**21, 1024), (2**30, 4)) == machine("hugepages_uneven").nodes[1].hugepages


def test_by_name_and_by_path() -> None:
    """A machine is found by its name and by the path of a file."""
    assert machine("three") == read_machine("three") == read_machine(directory() / "three.yaml")
    assert machine("three") == read_machine("./three.yaml", base=directory())


def test_unknown_name() -> None:
    """An unknown name is told with the nearest one."""
    with pytest.raises(InputError, match="did you mean two_uneven"):
        machine("two-uneven")


def test_all_problems_of_a_file(tmp_path: Path) -> None:
    """A topology file is told everything that is wrong with it."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        "apiVersion: pinproof/v1alpha1\nkind: Topology\nmetadata: {nam: mine}\nthreadsPerCore: 2\n"
        'nodes:\n- {id: 0, memory: 1Gi, cpus: "0-2", distances: [10, 20]}\n'
    )

    with pytest.raises(InputError) as caught:
        read_machine(file)

    expected = [
        "metadata.name: this is required and missing (line 3)",
        "metadata.nam: unknown key; did you mean name? (line 3)",
        "nodes[0].cpus: 3 CPUs do not make whole cores of 2 threads (line 6)",
        "nodes[0].distances: 2 distances for 1 nodes; give one number for each node (line 6)",
    ]
    assert expected == [str(problem) for problem in caught.value.problems]


def test_not_a_topology() -> None:
    """A scenario is no topology."""
    with pytest.raises(InputError, match="must be 'Topology', not 'Scenario'"):
        parse_machine("apiVersion: pinproof/v1alpha1\nkind: Scenario\nmetadata: {name: x}\nnodes: []")
