"""The kubelet subject: real kubelet processes that carry out scenarios."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal

from pinproof.errors import CaptureError, SubjectError
from pinproof.history import History
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.contents import releases
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.steps import Scenario
from pinproof.subjects.kubelet import places
from pinproof.subjects.kubelet.agent import Agent, AgentError
from pinproof.subjects.kubelet.binary import KubeletBinary, inspect
from pinproof.subjects.kubelet.faults import Traps, traps, wants_own_node
from pinproof.subjects.kubelet.identities import Identities
from pinproof.subjects.kubelet.node import Files, Node, Setting
from pinproof.subjects.kubelet.performance import Performance, speaks_of_uids
from pinproof.subjects.kubelet.refusal import Ending
from pinproof.subjects.kubelet.sweep import Books, sweep
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.subjects.protocol import (
    ADMIT_STATIC,
    EXPOSITION,
    FAULTS,
    NODE_STEPS,
    WITHOUT_MEMORY_MANAGER,
    Capabilities,
)

Namespaces = Literal["auto", "user", "root"]

Kubelets = Callable[[str], Path]
"""Release → kubelet binary, built if need be; for restarts with another release."""

CAPABILITIES: Final = Capabilities(
    observables=frozenset(
        {
            "running",
            "refusal",
            "pods",
            "assignments",
            "pod_assignments",
            "machine",
            "policy",
            "state_file",
            "cpu",
            "told",
            "counters",
            "pod_resources",
            "allocatable",
            EXPOSITION,
        }
    ),
    steps=NODE_STEPS | FAULTS | {"admitTogether", ADMIT_STATIC, WITHOUT_MEMORY_MANAGER},
)

_PLAIN: Final = Machine("plain", (NumaNode(0, 4 << 30, CpuSet(range(4)), distances=(10,)),))
"""A machine and configuration that every kubelet starts on; if it does not even there, it is not the scenario's doing."""


class KubeletSubject:
    """Boots a kubelet for a machine and configuration, and lets it serve scenarios until one of them spoils it."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        binary: Path,
        agent_binary: Path,
        *,
        name: str = "",
        version: str | None = None,
        namespaces: Namespaces = "auto",
        slow: float | None = None,
        cold: bool = False,
        kubelets: Kubelets | None = None,
    ) -> None:
        """Look at the binary; nothing is started before the first scenario.

        Args:
            binary: the kubelet under test.
            agent_binary: the node agent and recording runtime (`pinproof.build.runtime()`).
            name: the subject as the user wrote it.
            version: the kubelet's release, where it cannot tell by itself.
            namespaces: `user` needs no privilege; `root` needs root; `auto` takes the first that works here.
            slow: factor on every time limit; `PINPROOF_SLOW` unless given.
            cold: boot a kubelet for every scenario.
            kubelets: where other releases come from when a scenario restarts into one.

        Raises:
            SubjectError: the binary is not a kubelet that can be run here.
        """
        self.timeouts = Timeouts.from_environment(slow)
        self._binary: KubeletBinary = inspect(binary, timeouts=self.timeouts, version=version)
        self.name = name or f"kubelet:{binary}"
        self.version = self._binary.version
        self._agent_binary = agent_binary
        self._modes: tuple[str, ...] = ("user", "root") if namespaces == "auto" else (namespaces,)
        self._cold = cold
        self._kubelets = kubelets
        self._proved = False
        self._node: Node | None = None
        self._books: Books | None = None
        self._identities = Identities()
        self._first_call = 0
        self._spoiled = ""
        self._certificates: Files = ()
        """Those that the first kubelet made for itself: it takes a tenth of a second, and what is in them is always the same."""

        self._gathered: Mapping[str, str] = {}
        self.boots = 0
        """Kubelets booted on a fresh node so far."""

        self.discarded: list[str] = []
        """Why nodes were given up, in order."""

    def properties(self) -> Mapping[str, str]:
        """Facts for reports."""
        return {
            "subject": self.name,
            "kubernetes": self.version,
            "kubelet.sha256": self._binary.digest(),
            "namespaces": self._modes[0],
            "uid": str(os.geteuid()),
            "kernel": platform.release(),
            "architecture": platform.machine(),
        }

    def run(self, scenario: Scenario) -> History:
        """Carry out the scenario; raises SubjectError if no kubelet can be started, whatever the scenario."""
        setting = Setting(scenario.machine, scenario.kubelet, self.version)
        self._gathered = {}
        try:
            refused = self._ready(setting, scenario)
            node = self._current()
            self._first_call = node.next_call()
            performance = self._performance(scenario, node, refused)
            history = performance.run(self.name)
            self._after(performance, scenario)
        except BaseException:
            # Also for Ctrl-C: what state the node is in, nobody knows.
            self._gathered = self._collect()
            self._discard("a scenario was broken off")
            raise
        return history

    def _performance(self, scenario: Scenario, node: Node, refused: Ending | None) -> Performance:
        return Performance(scenario, node, identities=self._identities, refused=refused)

    def gather(self) -> Mapping[str, str]:
        """File name → text, bounded: the logs, calls and files of the last scenario."""
        return self._gathered or self._collect()

    def close(self) -> None:
        """End the node. May be called twice."""
        self._discard("the subject was closed")

    # Booting

    def _ready(self, setting: Setting, scenario: Scenario) -> Ending | None:
        """A node whose kubelet runs with the setting, kept or booted; how the kubelet ended, if it refuses the setting."""
        others = releases(scenario)
        kept = self._node
        fresh = self._spoiled or self._cold or others or speaks_of_uids(scenario) or wants_own_node(scenario)
        if kept and kept.setting.serves(setting) and not fresh:
            return None
        self._discard(self._spoiled or ("a scenario needs another node" if kept else ""))
        refused = self._boot(setting, others, traps(scenario))
        if refused and not self._proved:
            self._prove(refused, setting, others, traps(scenario))
        self._proved = True
        return refused

    def _boot(self, setting: Setting, releases: frozenset[str], traps: Traps) -> Ending | None:
        binaries = {self.version: self._binary.path}
        binaries.update((release, self._other(release)) for release in releases - {self.version})
        self._node = node = self._set_up(setting, binaries, traps)
        self._identities = Identities()
        self.boots += 1
        refused = node.start(setting, self._certificates)
        if refused and refused.kind == "killed":
            raise SubjectError(
                "start the kubelet",
                f"it was killed: {refused.message}",
                fault="this machine, probably out of memory",
                remedy="run fewer kubelets at once (`-n 1`)",
            )
        self._books = None if refused else Books.of(node)
        if not refused and not self._certificates:
            self._certificates = tuple(zip(places.PAIR, node.read(*places.PAIR), strict=True))
        return refused

    def _prove(self, refused: Ending, setting: Setting, releases: frozenset[str], traps: Traps) -> None:
        """Make sure that a refusal is the scenario's doing: the kubelet must start with nothing special at all."""
        self._discard("")
        plain = self._boot(Setting(_PLAIN, KubeletConfig(), self.version), frozenset(), "")
        if plain:
            raise SubjectError(
                "start the kubelet",
                f"it {plain.kind} even a plain configuration on a plain machine: {plain.message}",
                fault="the kubelet under test, or what this machine forbids",
                remedy="run `pinproof doctor`; try --namespaces root if you are root",
            )
        self._discard("")
        self._boot(setting, releases, traps)

    def _set_up(self, setting: Setting, binaries: Mapping[str, Path], traps: Traps) -> Node:
        """A node in the first kind of namespaces that works; that kind is kept for the next ones."""
        for mode in self._modes:
            agent = Agent(self._agent_binary, namespaces=mode, timeouts=self.timeouts)
            try:
                node = Node(agent, setting, binaries=binaries, timeouts=self.timeouts, traps=traps)
            except BaseException as error:
                agent.close()
                last = mode == self._modes[-1] or os.geteuid() != 0
                if last or not isinstance(error, AgentError):
                    raise
            else:
                self._modes = (mode,)
                return node
        raise AssertionError("there is at least one mode")

    def _other(self, release: str) -> Path:
        if self._kubelets is None:
            raise SubjectError(
                "restart into another release",
                f"the scenario wants {release}, and this subject has only {self.version}",
                fault="the scenario, or how the subject was opened",
                remedy="open it by `open_subject`, which can build releases",
            )
        return self._kubelets(release)

    # After a scenario

    def _after(self, performance: Performance, scenario: Scenario) -> None:
        """Clean the node for the next scenario, or note why it cannot serve one; until then it can still be looked at."""
        node, books = self._current(), self._books
        why = performance.spoiled or ("every scenario gets a cold node" if self._cold else "")
        if not why and (books is None or speaks_of_uids(scenario)):
            why = "its books were the scenario's own"
        if not why and wants_own_node(scenario):
            why = "something had gone wrong on it"
        if not why and books:
            try:
                sweep(node, list(performance.pods), books, self._identities)
            except CaptureError as error:
                why = f"it could not be cleaned: {error.message}"
        self._spoiled = why

    def _current(self) -> Node:
        if self._node is None:
            raise RuntimeError("no node")
        return self._node

    def _collect(self) -> Mapping[str, str]:
        if self._node is None:
            return {}
        try:
            return self._node.artefacts(since=self._first_call)
        except SubjectError as error:
            return {"gathering.txt": f"{error}\n"}

    def _discard(self, why: str) -> None:
        node = self._node
        if node is None:
            return
        self._node = self._books = None
        self._spoiled = ""
        if why:
            self.discarded.append(why)
        self._part_with(node)

    def _part_with(self, node: Node) -> None:
        """Have done with a node that serves no more scenarios as it is."""
        node.close()
