"""`cpu_manager_state` as text: which format it is in, and the books that it holds.

Formats (`cpu_file.py`): 2 has policy, default set and entries; 3 has `podEntries` as well, which only its checksum tells
from format 2 where there are none; 4 is format 2 with the content once more as text under `data`. The checksum is FNV-1a over
Go's dump of the struct, as for the memory manager (behaviour.md 4.3). Only files that some kubelet wrote are modelled.

>>> decode('{"policyName":"none","defaultCpuSet":"","checksum":1353318690}')[0]
CpuFile(policy='none', version=2)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pinproof.errors import InputError, Problem
from pinproof.reference.checkpoint import data_checksum, fnv1a32
from pinproof.reference.cpu_file import CpuFile
from pinproof.reference.cpu_manager import CpuBooks
from pinproof.reference.cpu_picker import Cpus
from pinproof.scenario.cpuset import CpuSet

Document = Mapping[str, Any]


def decode(text: str) -> tuple[CpuFile, CpuBooks]:
    """The kind of a file, and what is in it; InputError for a text that no kubelet wrote."""
    try:
        document = json.loads(text)
        version = _version(document)
        content: Document = json.loads(document["data"]) if version == 4 else document
        return CpuFile(content["policyName"], version), _books(content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problem = Problem("restart.cpuState", f"only a file that a kubelet wrote is modelled: {error}")
        raise InputError("scenario", problem) from None


def _version(document: Document) -> Literal[2, 3, 4]:
    if "data" in document:
        if document["dataChecksum"] != data_checksum(document["data"]):
            raise ValueError("its dataChecksum does not verify")
        return 4
    for version in (2, 3):
        if document["checksum"] == fnv1a32(dump(document, with_pods=version == 3).encode()):
            return version
    raise ValueError("its checksum does not verify")


def dump(document: Document, *, with_pods: bool) -> str:
    """The text that is hashed: Go's dump of the struct with its checksum set to 0."""
    entries = _map({uid: _map(held) for uid, held in document.get("entries", {}).items()})
    pods = {uid: _pod(entry["cpuSet"]) for uid, entry in document.get("podEntries", {}).items()}
    return (
        f"(*state.CPUManagerCheckpoint){{PolicyName:(string){document['policyName']} "
        f"DefaultCPUSet:(string){document['defaultCpuSet']} Entries:(map[string]map[string]string){entries} "
        + f"PodEntries:(state.PodCPUAssignments){_map(pods)} " * with_pods
        + "Checksum:(checksum.Checksum)0}"
    )


def _map(items: Mapping[str, str]) -> str:
    return "map[" + " ".join(f"{key}:{items[key]}" for key in sorted(items, key=str.encode)) + "]"


def _pod(cpus: str) -> str:
    elements = " ".join(f"{cpu}:{{}}" for cpu in sorted(CpuSet.parse(cpus)))
    return f"{{CPUSet:(cpuset.CPUSet){{elems:(map[int]struct {{}})map[{elements}]}}}}"


def _books(content: Document) -> CpuBooks:
    return CpuBooks(
        default=_cpus(content["defaultCpuSet"]),
        entries={
            uid: {container: _cpus(cpus) for container, cpus in held.items()}
            for uid, held in content.get("entries", {}).items()
        },
        pods={uid: _cpus(entry["cpuSet"]) for uid, entry in content.get("podEntries", {}).items()},
    )


def _cpus(text: str) -> Cpus:
    return sum(1 << cpu for cpu in CpuSet.parse(text))
