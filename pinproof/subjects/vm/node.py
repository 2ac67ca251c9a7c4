"""A virtual machine as a node that scenarios are carried out on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pinproof.errors import SubjectError
from pinproof.scenario.machine import Machine
from pinproof.subjects.kubelet.agent import Agent, AgentError, Reply
from pinproof.subjects.kubelet.configuration import minor_of
from pinproof.subjects.kubelet.node import Node, Setting
from pinproof.subjects.vm import configuration
from pinproof.vm import board, sizing, templates, totals
from pinproof.vm.folders import Folder
from pinproof.vm.guest import Boot, Guest, Means

KASLR = "kaslr"
CONSOLE = "console.txt"
"""Of a case's artefacts: what the kernel and the first process said."""

_KUBELETS = "/kubelets"
_RUNTIME_LOG = "/var/log/containerd.log"
_LIMIT = 256 << 10


class VmNode(Node):
    """A machine that runs; its kubelet may run or not."""

    def __init__(self, means: Means, setting: Setting, *, kubelets: Path, releases: frozenset[str]) -> None:
        """Start a machine like that of the setting.

        Args:
            means: what machines are made of.
            setting: that of the first kubelet, which is not started yet.
            kubelets: the disk with them.
            releases: which are on it.

        Raises:
            NotObservableError: no virtual machine can be like it.
            SubjectError: it does not start.
        """
        # Not as a node of the kubelet subject is set up: nothing is made here.
        board.check(setting.machine)
        self.setting = setting
        self.timeouts = means.timeouts
        self._traps = ""
        self._machine = setting.machine
        self._means = means
        self._releases = releases
        self._folder = Folder()
        try:
            sizes = sizing.sizes(means, setting.machine, kubelets=kubelets)
            made = templates.template(setting.machine, sizes, means, kubelets=kubelets)
            self._guest = Guest(means, self._folder.path, kubelets=kubelets, base=made.disk)
            self._boot = Boot(setting.machine, sizes)
            self.agent = self._set_up(templates.thaw(self._guest, made, seconds=self.timeouts.seconds("power")))
        except BaseException:
            self._folder.close()
            raise

    def reboot(self, machine: Machine | None = None, kernel: str = "", *, orderly: bool = False) -> None:
        """Take the machine's power and give it back; what was written before is on its disk. No kubelet runs afterwards.

        Args:
            orderly: the kubelet is told to end, then everything else, and the machine switches itself off.
            machine: what it is afterwards, where it changed; with words for the kernel, what these make of it.
            kernel: words for the kernel; `kaslr` lets it choose its place in memory.

        Raises:
            NotObservableError: no virtual machine can be so.
            SubjectError: it does not start.
        """
        if orderly:
            self._shut_down()
        else:
            self.agent.call("still", seconds=self.timeouts.seconds("stop"))
            self._guest.cut()
            self.agent.close()
        words = kernel.split()
        more = tuple(word for word in words if word != KASLR)
        boot = replace(self._boot, random=KASLR in words, words=more)
        if machine is not None and machine != self._machine:
            board.check(machine)
            sizes = boot.sizes if more else sizing.sizes(self._means, machine, kubelets=self._guest.kubelets)
            boot, self._machine = replace(boot, machine=machine, sizes=sizes), machine
        self._boot = boot
        self.agent = self._started()

    def is_like(self, machine: Machine, kubelets: Path) -> bool:
        """Whether the machine that runs now is this one, booted as usual, with this disk of kubelets."""
        usual = not self._boot.random and not self._boot.words
        return usual and self._boot.machine == machine and self._guest.kubelets == kubelets

    def renew(self) -> None:
        """Leave nothing of the kubelet that ran, of its pods, and of what the kernel said of them. Raises SubjectError."""
        self.agent.call("renew", seconds=self.timeouts.seconds("clean"))
        self._check_memory(sizing.shown(self.agent, self._boot.machine, self.timeouts))

    def pages(self) -> Reply:
        """Where the memory of running containers lies, in the kernel's own words, once they have touched it."""
        return self.ask("touch memory", "admission", "pages")

    def artefacts(self, *, since: int) -> dict[str, str]:
        """File name → text, bounded; with the console, and the runtime's log."""
        found = {CONSOLE: self._guest.console[-_LIMIT:]}
        with contextlib.suppress(AgentError):  # of a machine that has ended the console is all there is
            found |= super().artefacts(since=since)
            seen = self.agent.call("pages", seconds=1)
            for one in seen["containers"]:
                name = f"numa_maps-{one['uid']}-{one['container']}.txt"
                found[name] = f"{one['numa_maps']}\ncpuset.mems {one['mems']}effective {one['effective']}"[-_LIMIT:]
            found["kernel.log"] = seen["kernel_log"][-_LIMIT:]
            (log,) = self.read(_RUNTIME_LOG)
            found["containerd.log"] = (log or "")[-_LIMIT:]
        return found

    def close(self) -> None:
        """Switch the machine off and leave nothing of it."""
        self.agent.close()
        self._folder.close()

    def _become(self, machine: Machine) -> None:
        self.reboot(machine)

    def _configuration(self, setting: Setting) -> str:
        return configuration.text(setting.kubelet, minor=minor_of(setting.release))

    def _shut_down(self) -> None:
        """Let the machine end by itself. Raises SubjectError if it does not."""
        if self.agent.call("observe", seconds=self.timeouts.seconds("observe"))["running"]:
            self.stop("TERM")
        self.agent.call("shutdown")
        if not self.agent.ended(self.timeouts.seconds("stop")):
            raise SubjectError(
                "shut a virtual machine down",
                f"it goes on; its console ends with\n{self._guest.last_words}",
                fault="this machine, or pinproof",
                remedy="set PINPROOF_SLOW=3 on a slow machine",
            )
        self.agent.close()

    def _started(self) -> Agent:
        """Give the machine power and wait until it is up. Raises SubjectError."""
        return self._set_up(self._guest.start(self._boot))

    def _set_up(self, agent: Agent) -> Agent:
        """Wait until a machine is up, and make it ready for kubelets. Raises SubjectError."""
        try:
            self._check_memory(sizing.shown(agent, self._boot.machine, self.timeouts))
            agent.call(
                "setup",
                seconds=self.timeouts.seconds("power"),
                kubelets={release: f"{_KUBELETS}/{release}" for release in self._releases},
                page_sizes=board.page_sizes(self._boot.machine),
                time=time.time_ns(),
            )
        except BaseException as error:
            agent.close()
            if isinstance(error, AgentError):
                raise self._guest.failing(error) from error
            raise
        return agent

    def _check_memory(self, seen: Mapping[int, int]) -> None:
        """Raises SubjectError where the kernel does not show what the machine is to have, and should."""
        wrong = totals.differences(self._boot.machine, seen)
        if not wrong or self._boot.random:
            return
        words = ", ".join(f"node {node} {totals.in_words(much)}" for node, much in wrong.items())
        if self._boot.words:
            raise SubjectError(
                "start a virtual machine",
                f"with {' '.join(self._boot.words)} its kernel shows other memory than the scenario says: {words}",
                fault="the scenario",
                remedy="let the restart's topology say what these words make of the machine",
            )
        raise SubjectError(
            "start a virtual machine",
            f"its kernel shows other memory than it did before: {words}",
            fault="this machine, or pinproof",
            remedy="remove vm-sizes and vm-templates in pinproof's cache directory and run again",
        )
