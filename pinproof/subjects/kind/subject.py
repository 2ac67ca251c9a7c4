"""The kind subject: workers of a cluster that carry out scenarios."""

from __future__ import annotations

import os
import platform
import secrets
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from pinproof.build import cache
from pinproof.engine import Engine
from pinproof.engine import keep as keep_engine
from pinproof.errors import CaptureError, SubjectError
from pinproof.history import History
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.contents import releases
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Restart, Scenario, begun
from pinproof.subjects.cluster.api import Api
from pinproof.subjects.kind import configuration
from pinproof.subjects.kind.checks import check
from pinproof.subjects.kind.cluster import PLAIN, Maker
from pinproof.subjects.kind.engine import Commands
from pinproof.subjects.kind.holding import Held, Holdings, Wanted
from pinproof.subjects.kind.node import KindNode
from pinproof.subjects.kind.performance import KindPerformance
from pinproof.subjects.kind.places import OWN_KUBELET
from pinproof.subjects.kind.spec import Spec
from pinproof.subjects.kubelet.binary import KubeletBinary
from pinproof.subjects.kubelet.configuration import minor_of
from pinproof.subjects.kubelet.faults import Traps, traps
from pinproof.subjects.kubelet.identities import Identities
from pinproof.subjects.kubelet.node import Setting
from pinproof.subjects.kubelet.observe import rejected
from pinproof.subjects.kubelet.performance import speaks_of_uids
from pinproof.subjects.kubelet.refusal import Ending
from pinproof.subjects.kubelet.subject import CAPABILITIES as OF_A_KUBELET
from pinproof.subjects.kubelet.sweep import Books
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.subjects.protocol import ADMIT_WAYS, NODE_STEPS, POWER_CUT, Capabilities, NotObservableError

KEEP: Final = "PINPROOF_KEEP"
"""Environment variable: leave the cluster as it is at the end."""

CREW: Final = ("PYTEST_XDIST_WORKER_COUNT", "PINPROOF_WORKERS")
"""Environment variables that say how many processes share a run."""

CAPABILITIES: Final = Capabilities(
    observables=OF_A_KUBELET.observables | {"events", "made", "enforced"},
    steps=NODE_STEPS | ADMIT_WAYS | {"admitTogether", POWER_CUT, "crash", "disk"},
)

_RESIZES_ALWAYS: Final = 35
"""First minor in which the gate for resizing pods is locked."""

_POSSIBLE_CPUS: Final = Path("/sys/devices/system/cpu/possible")

_SWEEPER: Final = Pod(
    "sweeper",
    (
        Container(
            "c",
            requests=(("cpu", Quantity.parse("100m")), ("memory", Quantity.parse("1Pi"))),
            limits=(("cpu", Quantity.parse("100m")), ("memory", Quantity.parse("1Pi"))),
        ),
    ),
)
"""Fits no machine: its admission gives back what pods that are gone still hold, and then it is rejected."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a cluster is made of; each is looked for or built when it is first needed. They raise SubjectError."""

    engine: Callable[[ExitStack], Engine]
    """Have an engine until the stack is closed."""

    kind: Callable[[], Path]
    image: Callable[[Engine], str]
    runtime: Callable[[], Path]
    wrapper: Callable[[], Path | None]
    kubelets: Callable[[str], Path]
    """Release → kubelet, for restarts into another one."""


class KindSubject:
    """Holds a worker of a cluster from its first scenario on, and lets it serve one scenario after the other."""

    capabilities = CAPABILITIES

    def __init__(
        self, spec: Spec, means: Means, *, name: str, kubelet: KubeletBinary | None = None, slow: float | None = None
    ) -> None:
        """Nothing is made before the first scenario; `kubelet` replaces that of the node image."""
        self.timeouts = Timeouts.from_environment(slow)
        self.name = name
        self.version = kubelet.version if kubelet else spec.version
        self._spec = spec
        self._means = means
        self._kubelet = kubelet
        self._stack = ExitStack()
        self._node: KindNode | None = None
        self._held: Held | None = None
        self._kubelets: dict[str, str] = {}
        self._books: Books | None = None
        self._spoiled = "it is new"
        self._proved = False
        self._runs = 0
        self._prefix = secrets.token_hex(3)
        self._gathered: Mapping[str, str] = {}
        self.resets = 0
        """How often the worker was made as good as new."""

        self.discarded: list[str] = []
        """Why, in order."""

    def properties(self) -> Mapping[str, str]:
        """Facts for reports."""
        facts = {
            "subject": self.name,
            "kubernetes": self.version,
            "cluster": self._spec.version,
            "kernel": platform.release(),
            "architecture": platform.machine(),
        }
        return facts | ({"kubelet.sha256": self._kubelet.digest()} if self._kubelet else {})

    def run(self, scenario: Scenario) -> History:
        """Carry out the scenario.

        Raises:
            SubjectError: no cluster can be had, or its worker does not answer.
            NotObservableError: it wants what an API server does not do.
        """
        check(scenario)
        if crashes_over_containers(scenario, self.version) and not _may_have_cgroups(scenario):
            raise NotObservableError(
                "pods have no cgroups here, for the machine has more CPUs than this host, and a kubelet from 1.35 on crashes "
                "over containers of an earlier one that have none (kubernetes#137993)"
            )
        self._gathered = {}
        node = self._ready_node()
        try:
            refused = self._ready(node, scenario)
            node.begin()
            self._runs += 1
            performance = KindPerformance(
                scenario, node, identities=Identities(), prefix=f"{self._prefix}{self._runs}", refused=refused
            )
            history = performance.run(self.name)
            self._after(node, performance)
        except BaseException:
            # Also for Ctrl-C: what state the worker is in, nobody knows.
            self._gathered = self._collect()
            self._spoiled = "a scenario was broken off"
            raise
        return history

    def prepare(self) -> None:
        """Have a worker of a cluster. Raises SubjectError."""
        self._ready_node()

    def gather(self) -> Mapping[str, str]:
        """File name → text, bounded: logs, pods, events and files of the last scenario."""
        return self._gathered or self._collect()

    def close(self) -> None:
        """Let go of the worker; the last one out deletes the cluster. May be called twice."""
        node, self._node = self._node, None
        if node is not None:
            node.close()
        self._stack.close()

    # A worker

    def _ready_node(self) -> KindNode:
        if self._node is None:
            try:
                self._node = self._take()
            except BaseException:
                self._stack.close()
                raise
        return self._node

    def _take(self) -> KindNode:
        """Hold a worker. Raises SubjectError."""
        means = self._means
        engine = means.engine(self._stack)
        commands = Commands(engine.name, self.timeouts, engine.env)
        image, runtime, wrapper = means.image(engine), means.runtime(), means.wrapper()
        maker = Maker(commands, means.kind(), runtime, wrapper)
        holdings = Holdings(maker)
        for left in holdings.clean():
            self.discarded.append(f"deleted {left}, which a run that was killed had left")
        workers = self._spec.workers or _crew()
        release = self._spec.version.replace(".", "-")
        key = f"{release}-{cache.digest(self._spec.image, str(workers), maker.where)[:6]}"
        held = holdings.take(
            Wanted(key, image, self._spec.version, workers, programs=cache.digest(str(runtime), str(wrapper)))
        )
        self._stack.callback(_give_back, holdings, held, engine)
        self._held = held
        self._kubelets = {self._spec.version: OWN_KUBELET}
        if self._kubelet:
            name = f"kubelet-{self._kubelet.digest()[:12]}"
            self._kubelets[self.version] = held.folder.program(name, self._kubelet.path)
        return KindNode(
            held.node,
            commands,
            Api(held.folder.kubeconfig, timeouts=self.timeouts),
            machine=held.folder.machine(held.rank),
            kubelets=self._kubelets,
            release=self.version,
        )

    # Booting

    def _ready(self, node: KindNode, scenario: Scenario) -> Ending | None:
        """Let the worker's kubelet run with the setting; how it ended, if it refuses it."""
        self._need(releases(scenario))
        setting = Setting(scenario.machine, scenario.kubelet, self.version)
        cgroups = _may_have_cgroups(scenario)
        wanted = traps(scenario)
        same = node.setting.serves(setting) and (node.cgroups, node.traps) == (cgroups, wanted)
        if not self._spoiled and same and not speaks_of_uids(scenario):
            return None
        self.discarded.append(self._spoiled or "a scenario needs another node")
        refused = self._reset(node, setting, cgroups=cgroups, traps=wanted)
        if refused and not self._proved:
            plain = self._reset(node, Setting(PLAIN, KubeletConfig(), self.version), cgroups=False)
            if plain:
                raise SubjectError(
                    "start the kubelet",
                    f"it {plain.kind} even a plain configuration on a plain machine: {plain.message}\n"
                    + "\n".join(node.log().splitlines()[-5:]),
                    fault="the kubelet under test, or what this machine forbids",
                    remedy="run `pinproof doctor`; try a released kubelet on the same cluster",
                )
            refused = self._reset(node, setting, cgroups=cgroups, traps=wanted)
        self._proved = True
        return refused

    def _reset(self, node: KindNode, setting: Setting, *, cgroups: bool, traps: Traps = "") -> Ending | None:
        self._spoiled = "it was not made ready"
        refused = node.reset(setting, cgroups=cgroups, traps=traps)
        self.resets += 1
        self._books = None if refused else Books.of(node)
        self._spoiled = ""
        return refused

    def _need(self, releases: frozenset[str]) -> None:
        """Let the worker have the kubelets that a scenario restarts into."""
        held = self._held
        for release in releases - self._kubelets.keys():
            if held is not None:
                self._kubelets[release] = held.folder.program(f"kubelet-{release}", self._means.kubelets(release))

    # After a scenario

    def _after(self, node: KindNode, performance: KindPerformance) -> None:
        """Clean the worker for the next scenario, or note why it cannot serve one before it is reset."""
        why = performance.spoiled
        if not why:
            try:
                why = self._sweep(node, performance)
            except CaptureError as error:
                why = f"it could not be cleaned: {error.message}"
        if why:
            self._gathered = self._collect() if performance.spoiled else {}
        self._spoiled = why

    def _sweep(self, node: KindNode, performance: KindPerformance) -> str:
        """Delete the pods and let an admission tidy the books; why that did not make the worker as good as new."""
        node.forget(performance.created, grace=0)
        if Books.of(node) == self._books:
            return ""
        uid, _ = node.create(_SWEEPER, name=f"sweeper-{self._prefix}{self._runs}", alias="sweeper.0")
        node.bind(uid)
        node.until("clean the node", "clean", lambda: self._tidied(node, uid))
        left = Books.of(node)
        node.forget([uid], grace=0)
        return "" if left == self._books else f"the books are not empty again: {left.texts}"

    def _tidied(self, node: KindNode, sweeper: str) -> tuple[bool, object]:
        """Whether the sweeper has been looked at.

        The books tell it first: what a kubelet rejects in the two seconds after its start stays Pending for ten.
        """
        over = rejected(node.status(sweeper))
        left = Books.of(node)
        return over or left == self._books, left.texts

    def _collect(self) -> Mapping[str, str]:
        if self._node is None:
            return {}
        try:
            return self._node.artefacts(since=0)
        except SubjectError as error:
            return {"gathering.txt": f"{error}\n"}


def _give_back(holdings: Holdings, held: Held, engine: Engine) -> None:
    keep = bool(os.environ.get(KEEP))
    holdings.give_back(held, keep=keep)
    if keep or not holdings.has_kept():
        keep_engine(engine, wanted=keep)
    if keep:
        sys.stderr.write(f"{held.node} is kept: kubectl --kubeconfig {held.folder.kubeconfig} get pods -A -o wide\n")


def _crew() -> int:
    """How many processes share this run."""
    for variable in CREW:
        if os.environ.get(variable, "").isdecimal():
            return max(1, int(os.environ[variable]))
    return 1


def _may_have_cgroups(scenario: Scenario) -> bool:
    """Whether every kubelet of the scenario can make its cgroups here; containers outlive restarts, so all or none does."""
    here = CpuSet.parse(_POSSIBLE_CPUS.read_text())
    machine, config = scenario.machine, scenario.kubelet
    possible = [configuration.may_have_cgroups(machine, config, here)]
    for step in map(begun, scenario.steps):
        if isinstance(step, Restart):
            machine, config = step.machine or machine, step.kubelet or config
            possible.append(configuration.may_have_cgroups(machine, config, here))
    return all(possible)


def crashes_over_containers(scenario: Scenario, release: str) -> bool:
    """Whether kubelets from 1.35 on come after earlier ones; `release` is the first."""
    restarts = (step for step in map(begun, scenario.steps) if isinstance(step, Restart) and step.kubernetes)
    minors = [minor_of(each) for each in (release, *(step.kubernetes or "" for step in restarts))]
    return any(before < _RESIZES_ALWAYS <= after for before, after in pairwise(minors))
