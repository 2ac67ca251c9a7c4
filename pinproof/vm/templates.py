"""Frozen machines: one for each shape, with its container runtime up, of which every scenario gets a copy.

A template is a machine's memory in files, its disk, and the rest of its state. A copy maps the memory copy-on-write and begins
where the template was frozen, a moment after its start instead of after its boot.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pinproof.build import cache
from pinproof.build.progress import Progress
from pinproof.scenario.machine import Machine
from pinproof.subjects.kubelet.agent import Agent
from pinproof.vm import sizing
from pinproof.vm.folders import Folder
from pinproof.vm.guest import Boot, Guest, Means
from pinproof.vm.qmp import Monitor

STEP: Final = "make a template of a machine"
RECIPE: Final = "1"
"""Part of every key; raise it when a change here must have all templates made anew."""

MOST: Final = 8
"""Templates that are kept; each takes some hundred megabytes. Those that were not used for the longest time go."""

_PLACE: Final = "vm-templates"
_SPACE: Final = 3 * cache.GIB
_STATE, _DISK = "state", "disk.qcow2"
_SHARED: Final = [{"capability": "x-ignore-shared", "state": True}]
"""Memory stays in its files and is not part of the state."""


@dataclass(frozen=True, slots=True)
class Template:
    """A machine that was frozen."""

    path: Path
    machine: Machine
    sizes: tuple[int, ...]

    @property
    def disk(self) -> Path:
        """What the machine had written; never written again."""
        return self.path / _DISK

    def boot(self) -> Boot:
        """How a copy begins: it waits for the state."""
        backends = _backends(self.path, self.sizes, shared=False)
        return Boot(self.machine, self.sizes, backends=backends, arguments=("-incoming", "defer"))


def template(machine: Machine, sizes: tuple[int, ...], means: Means, *, kubelets: Path) -> Template:
    """The template of a machine, made if there is none yet.

    Args:
        machine: what is frozen.
        sizes: bytes of its nodes' backends.
        means: what machines are made of.
        kubelets: any disk of kubelets; only its size matters, since it is not read before a copy begins.

    Raises:
        SubjectError: it cannot be made.
    """
    shape = (repr(machine.nodes), str(machine.threads_per_core), str(sizes), str(kubelets.stat().st_size))
    key = cache.digest(RECIPE, *means.settings(), *shape)
    final = cache.directory() / _PLACE / key
    cache.build_once(final, lambda work: _make(work / "out", machine, sizes, means, kubelets), what=STEP)
    cache.used(means.image.disk.parent)  # its disk lies over that
    return Template(cache.used(final), machine, sizes)


def thaw(guest: Guest, made: Template, *, seconds: float) -> Agent:
    """Let a machine over a template's disk go on where the template was frozen. Raises SubjectError."""
    agent = guest.start(made.boot())
    try:
        with Monitor(guest.monitor, seconds=seconds) as monitor:
            monitor.do("migrate-set-capabilities", capabilities=_SHARED)
            monitor.do("migrate-incoming", uri=f"exec:cat {made.path / _STATE}")
            monitor.migrated()
            monitor.do("cont")
    except BaseException:
        agent.close()
        raise
    return agent


def _make(target: Path, machine: Machine, sizes: tuple[int, ...], means: Means, kubelets: Path) -> None:
    cache.require_space(STEP, _SPACE)
    cache.forget(cache.directory() / _PLACE, most=MOST, but=target.parent.name)
    folder = Folder()
    try:
        with Progress(f"{STEP} {machine.name}"):
            guest = Guest(means, folder.path, kubelets=kubelets)
            with guest.running(Boot(machine, sizes, backends=_backends(target, sizes, shared=True))) as agent:
                sizing.shown(agent, machine, means.timeouts)
                agent.call("ready", seconds=means.timeouts.seconds("power"))
                agent.call("sync", seconds=means.timeouts.seconds("stop"))
                _freeze(guest, target, means.timeouts.seconds("power"))
            shutil.move(guest.disk, target / _DISK)
    finally:
        folder.close()


def _freeze(guest: Guest, target: Path, seconds: float) -> None:
    with Monitor(guest.monitor, seconds=seconds) as monitor:
        monitor.do("stop")
        monitor.do("migrate-set-capabilities", capabilities=_SHARED)
        monitor.do("migrate", uri=f"exec:cat > {target / _STATE}")
        monitor.migrated()
        monitor.quit()


def _backends(place: Path, sizes: Sequence[int], *, shared: bool) -> tuple[str, ...]:
    how = "on" if shared else "off"
    return tuple(
        f"memory-backend-file,mem-path={place}/m{number},share={how},reserve=off" for number in range(len(sizes))
    )
