"""The sockets of a made machine are its own, whatever the host has."""

from __future__ import annotations

import re

from pinproof.scenario.topologies import machine
from pinproof.subjects.kubelet.made import made_files


def test_cpuinfo_counts_the_sockets_of_the_machine() -> None:
    """CAdvisor counts the different values of `physical id` there."""
    cpuinfo = made_files(machine("four_snc2")).files["/proc/cpuinfo"]

    assert {"0", "1"} == set(re.findall(r"(?m)^physical id\s*: (\d+)$", cpuinfo))
    assert 16 == len(re.findall(r"(?m)^processor\s*:", cpuinfo))


def test_threads_share_a_core() -> None:
    """Sixteen CPUs with two threads a core are eight cores."""
    cpuinfo = made_files(machine("smt_two")).files["/proc/cpuinfo"]

    assert 8 == len(set(re.findall(r"(?m)^core id\s*: (\d+)$", cpuinfo)))
