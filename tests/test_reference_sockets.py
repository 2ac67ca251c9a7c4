"""Sockets of different sizes: a socket is free by the average of the machine, as upstream has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinproof.reference.behaviour import MINORS, behaviour_of
from pinproof.reference.cpu_picker import cpus_of, listed, pick, topology_of
from pinproof.reference.model import predict
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.reader import read_scenario

FINDING = Path(__file__).parent.parent / "docs" / "findings" / "cpu-of-another-pod.yaml"


@pytest.mark.parametrize("minor", MINORS)
def test_a_socket_that_only_counts_as_free_is_taken_whole(minor: str) -> None:
    """With a CPU that another container owns; found on 1.36.3 (docs/findings/cpu-of-another-pod.md)."""
    (history,) = predict(read_scenario(str(FINDING)), behaviour_of(minor)).histories

    cpu = history.observations[-1].cpu
    assert cpu is not None
    assert {"owner": {"c": "0"}, "thief": {"c": "0-5"}} == cpu.entries
    assert "6-9" == cpu.default


def test_a_free_socket_of_another_size_is_not_seen() -> None:
    """Two sockets over three nodes: the smaller one is free and would do, but three CPUs are an average socket."""
    cpus = (CpuSet((0, 1)), CpuSet((2, 3)), CpuSet((4, 5)))
    nodes = tuple(NumaNode(at, 1 << 30, own, socket=at // 2) for at, own in enumerate(cpus))

    taken = pick(topology_of(Machine("uneven", nodes)), cpus_of(range(2, 6)), 3)

    assert taken is not None
    assert "2-4" == listed(taken)
