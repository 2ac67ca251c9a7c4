"""`cpu_manager_state` as far as it decides a start: which policy and which format is in it, and who can read that.

Formats: 2, 3 (1.36 with gate `PodLevelResourceManagers`: with pod entries) and 4 (1.37: readable as 2 as well). A kubelet
that does not know format 3 refuses it, and a format 4 file has no pod entries for 1.36. Checked against real kubelets, like the
rest of the CPU manager (docs/adr/0001).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pinproof.reference.behaviour import Behaviour
from pinproof.reference.cpu_manager import CpuBooks
from pinproof.reference.outcomes import StartRefused

STATE_FILE = "/var/lib/kubelet/cpu_manager_state"
NOT_FORMAT_1 = "json: cannot unmarshal object into Go struct field CPUManagerCheckpointV1.entries of type string"
"""The last format that is tried has texts where newer ones have maps."""


@dataclass(frozen=True, slots=True)
class CpuFile:
    """Policy and format of a file."""

    policy: str
    version: Literal[2, 3, 4]


def written_by(policy: str, behaviour: Behaviour, *, pod_level_managers: bool) -> CpuFile:
    """What a kubelet writes."""
    if behaviour.checkpoint_format == 3:
        return CpuFile(policy, 4)
    return CpuFile(policy, 3 if pod_level_managers else 2)


def read(
    on_disk: CpuFile, reader: CpuFile, books: CpuBooks, behaviour: Behaviour, *, pod_level_managers: bool
) -> CpuBooks:
    """The books of a file for a kubelet that writes `reader`; StartRefused where it cannot read it, or has another policy."""
    if on_disk.version == 3 and reader.version == 2:
        in_other_words = behaviour.reads_newest_cpu_file_first and books.entries
        raise unusable(NOT_FORMAT_1 if in_other_words else "checkpoint is corrupted")
    if on_disk.policy != reader.policy:
        raise unusable(f'configured policy "{reader.policy}" differs from state checkpoint policy "{on_disk.policy}"')
    knows_pods = pod_level_managers and 3 <= on_disk.version <= reader.version
    return books if knows_pods or not books.pods else replace(books, pods={})


def unusable(fault: str) -> StartRefused:
    """The words for a file that the kubelet cannot go by."""
    return StartRefused(
        f"could not restore state from checkpoint: {fault}, please drain this node and delete the CPU manager checkpoint "
        f'file "{STATE_FILE}" before restarting Kubelet'
    )
