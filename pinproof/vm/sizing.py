"""Finding how large a guest's memory must be so that its kernel shows exactly that of the scenario's machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pinproof.build import cache
from pinproof.build.progress import Progress
from pinproof.errors import SubjectError
from pinproof.scenario.machine import Machine
from pinproof.subjects.kubelet.agent import Agent
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.vm import totals
from pinproof.vm.folders import Folder
from pinproof.vm.guest import Boot, Guest, Means

STEP: Final = "find the memory of a machine"
_MOST_STARTS: Final = 8


def shown(agent: Agent, machine: Machine, timeouts: Timeouts) -> Mapping[int, int]:
    """Node → `MemTotal` in bytes, as the kernel of a machine that has just got power shows it. Waits for it."""
    paths = [totals.path(node.id) for node in machine.nodes]
    return totals.totals(agent.call("read", seconds=timeouts.seconds("power"), paths=paths)["files"])


def sizes(means: Means, machine: Machine, *, kubelets: Path) -> tuple[int, ...]:
    """Bytes of each node's backend, from the cache, or found by starting the machine until they are right.

    Raises SubjectError if they never are.
    """
    key = cache.digest(*means.settings(), repr(machine.nodes), str(machine.threads_per_core))
    kept = cache.directory() / "vm-sizes" / f"{key}.json"
    if kept.is_file():
        return tuple(json.loads(kept.read_text()))
    folder = Folder()
    try:
        found = _find(Guest(means, folder.path, kubelets=kubelets), means, machine)
    finally:
        folder.close()
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = kept.with_suffix(f".{folder.path.name}")
    draft.write_text(json.dumps(found))
    draft.rename(kept)
    return found


def _find(guest: Guest, means: Means, machine: Machine) -> tuple[int, ...]:
    tried = totals.first_guess(machine)
    with Progress(f"{STEP} {machine.name}"):
        for _ in range(_MOST_STARTS):
            with guest.running(Boot(machine, tried)) as agent:
                seen = shown(agent, machine, means.timeouts)
            if not totals.differences(machine, seen):
                return tried
            tried = totals.better(machine, tried, seen)
    raise SubjectError(
        STEP,
        f"after {_MOST_STARTS} starts of {machine.name} its kernel shows {dict(seen)}",
        fault="pinproof, or a kernel whose use of memory is not always the same",
        remedy="report this with the topology",
    )
