"""The cluster subject: a node of somebody else's cluster that carries out scenarios, and is left as it was found."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Final

from pinproof.errors import CaptureError, SubjectError
from pinproof.history import History, Observation
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.steps import Scenario
from pinproof.subjects.cluster import access, discovery, initial, lease, premises, share
from pinproof.subjects.cluster.altering import alters, require_possible
from pinproof.subjects.cluster.api import Api, Document, RefusedError
from pinproof.subjects.cluster.apinode import configz
from pinproof.subjects.cluster.beginning import choose, configuration_differs, require_machine, require_same
from pinproof.subjects.cluster.changeable import ChangeableNode
from pinproof.subjects.cluster.changes import Changes
from pinproof.subjects.cluster.disruption import Disruption
from pinproof.subjects.cluster.draining import drain
from pinproof.subjects.cluster.helper import Helper
from pinproof.subjects.cluster.manifest import Home
from pinproof.subjects.cluster.performance import ClusterPerformance
from pinproof.subjects.cluster.spec import Spec
from pinproof.subjects.kind.checks import check
from pinproof.subjects.kubelet.node import Setting
from pinproof.subjects.kubelet.subject import CAPABILITIES as OF_A_KUBELET
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.subjects.protocol import Capabilities, Found, NotObservableError

STEPS: Final = frozenset({"admit", "admitTogether", "remove", "exit"})
DISRUPTIVE: Final = frozenset({"restart", "restart.order", "restart.kubelet", "restart.state", "restart.cpu_state"})

POLICIES: Final = ("memoryManagerPolicy", "topologyManagerPolicy", "topologyManagerScope", "cpuManagerPolicy")

_SWEEPS: Final = 3


class ClusterSubject:
    """Has a node of a cluster from its first scenario on, until it is closed."""

    def __init__(self, spec: Spec, api: Api, nodes: Sequence[Document], *, name: str, timeouts: Timeouts) -> None:
        """`nodes` are those that may be used, all of one minor. Nothing is done to the cluster before the first scenario."""
        self.timeouts = timeouts
        self.name = name
        self.version = _release(nodes[0])
        self.capabilities = Capabilities(
            observables=OF_A_KUBELET.observables - {"told"} | {"pages"},
            steps=STEPS | (DISRUPTIVE if spec.disruptive else frozenset()),
        )
        self._spec = spec
        self._api = api
        self._nodes = {str(node["metadata"]["name"]): node for node in nodes}
        self._stack = ExitStack()
        self._taken: lease.Taken | None = None
        self._node: ChangeableNode | None = None
        self._machine = ""
        self._cpus = CpuSet()
        """Those that the cgroups of the node's pods may be given."""

        self._room: share.Amounts = {}
        """What was free on the node when it was as it was found."""

        self._clean_as: KubeletConfig | None = None
        """The configuration that an altered node was begun anew with, while no scenario has changed it since."""

        self._there: tuple[initial.Resident, ...] = ()
        self._found: Found | None = None
        self._known: object = None
        """What was found when that was worked out."""

        self._prefix = secrets.token_hex(3)
        self._runs = 0
        self._gathered: Mapping[str, str] = {}

    def properties(self) -> Mapping[str, str]:
        """Facts for reports."""
        names = [self._taken.node] if self._taken else list(self._nodes)
        facts = {"subject": self.name, "kubernetes": self.version, "nodes": ", ".join(names)}
        info = self._nodes[names[0]]["status"]["nodeInfo"]
        facts |= {
            "kernel": info["kernelVersion"],
            "architecture": info["architecture"],
            "runtime": info["containerRuntimeVersion"],
        }
        return facts | self._configured(names[0]) | ({"machine": self._machine} if self._machine else {})

    def _configured(self, node: str) -> dict[str, str]:
        """Policies and gates of a node's kubelet; nothing where it does not tell, which is told when it is taken."""
        try:
            told = configz(self._api, node)
        except (SubjectError, RefusedError):
            return {}
        gates = ", ".join(f"{name}={on}" for name, on in sorted((told.get("featureGates") or {}).items()))
        policies = {name: str(told.get(name, "")) for name in POLICIES}
        return {**policies, "featureGates": gates or "those of the release"}

    def prepare(self) -> None:
        """Have a node and learn what it is. Raises SubjectError."""
        self._ready_node()

    def found(self) -> Found:
        """The node as it is now, after what earlier scenarios have left in its books was given back."""
        node = self._ready_node()
        with _explained("look at the node"):
            if self._found and self._clean_as and self._there == initial.residents(node.others()):
                return self._found  # which is what will be there again
            self._restore(node)
            state, cpu = self._tidy(node)
            there = initial.residents(node.others())
            documents = {pod["metadata"]["uid"]: pod for pod in node.others()}
        known = (there, state, cpu)
        if self._found is None or known != self._known:
            setting = node.setting
            ways = (
                Found(setting.machine, setting.kubelet, steps) for steps in initial.ways(there, documents, state, cpu)
            )
            names = {resident.uid: resident.pod.name for resident in there}
            self._found = choose(ways, self.version, names, state, cpu, node=node.name)
            self._known, self._there = known, there
        return self._found

    def own(self, scenario: Scenario) -> Scenario:
        """The steps after those that led to the node. Raises NotObservableError for a scenario that begins on another node."""
        before = (self._found or self.found()).before
        if scenario.steps[: len(before)] != before:
            raise NotObservableError("there are pods on the node, or books, that the scenario does not begin with")
        return replace(scenario, steps=scenario.steps[len(before) :])

    def run(self, scenario: Scenario) -> History:
        """Carry out the scenario.

        Raises:
            SubjectError: the cluster does not answer, or its node is not ours any more.
            NotObservableError: it wants another node than this, more than its share, or what is not done to it.
        """
        node = self._ready_node()
        found = self._found or self.found()
        own = self.own(scenario)
        self._require_possible(node, found, scenario, own)
        check(own)
        self._gathered = {}
        with _explained("carry out a scenario"):
            self._require_node(node)
            document = self._api.get(f"/api/v1/nodes/{node.name}")
            if not node.altered:
                self._room = share.free(document, (each.pod for each in self._there))
            share.check(own.steps, self._room, self._spec.share)
            self._let_begin(node, found, scenario, own)
            return self._perform(node, own, skipped=len(scenario.steps) - len(own.steps))

    def gather(self) -> Mapping[str, str]:
        """File name → text, bounded: pods, events and files of the last scenario."""
        return self._gathered or self._collect()

    def close(self) -> None:
        """Leave the cluster as it was found. May be called twice."""
        self._node = self._taken = self._found = None
        self._stack.close()

    # A scenario

    def _require_possible(self, node: ChangeableNode, found: Found, scenario: Scenario, own: Scenario) -> None:
        """Raises NotObservableError for what cannot be done, or is not done to a node."""
        if node.name not in self._spec.disruptive:
            require_same(found, scenario.machine, scenario.kubelet, self.version)
            return
        require_machine(found, scenario.machine)
        there = [each.pod for each in self._there]
        require_possible(scenario, own, found, there, release=self.version, cpus=self._cpus, part=self._spec.share)

    def _let_begin(self, node: ChangeableNode, found: Found, scenario: Scenario, own: Scenario) -> None:
        """Let the node be as the scenario begins: as it was found, or with another configuration and nothing in its books."""
        config = scenario.kubelet
        if not configuration_differs(found.machine, config, found.kubelet, self.version):
            if node.altered:
                self._restore(node)
                if self.found() != found:
                    raise NotObservableError(
                        "the kubelet was restarted, and has other books for the pods that are there"
                    )
        else:
            if config != self._clean_as:
                self._clean_as = None
                node.begin_anew(replace(node.setting, kubelet=config))
                self._clean_as = config
            self._tidy(node)
        if alters(own):
            node.save()
            self._clean_as = None

    def _restore(self, node: ChangeableNode) -> None:
        """Give the node back what it had, if anything of it was changed."""
        self._clean_as = None
        if node.altered and node.restore():
            sys.stderr.write(f"pinproof: {node.name} has its own configuration again\n")

    def _perform(self, node: ChangeableNode, own: Scenario, *, skipped: int) -> History:
        node.begin()
        self._runs += 1
        performance = ClusterPerformance(own, node, prefix=f"{self._prefix}{self._runs}", there=self._there)
        try:
            history = performance.run(self.name)
            if performance.spoiled:
                self._gathered = self._collect()
            try:
                performance.require_same(self._there)
            except CaptureError as error:
                history = replace(history, complete=False, trouble=f"{error.step}: {error.message}")
        except BaseException:
            self._gathered = self._collect()
            raise
        finally:
            node.forget(performance.created)
        unseen = tuple(Observation(running=True) for _ in range(skipped))
        return replace(history, observations=(*unseen, *history.observations), unseen=skipped)

    def _require_node(self, node: ChangeableNode) -> None:
        """Raises SubjectError where the node is not ours any more, or not ready."""
        lost = self._taken.lost if self._taken else "it was given back"
        trouble = f"our lease is lost: {lost}" if lost else node.trouble()
        if trouble:
            raise SubjectError(
                f"use node {node.name}",
                trouble,
                fault="the node, or who else uses it",
                remedy=f"see `kubectl describe node {node.name}`; give another node with --node",
            )

    def _tidy(self, node: ChangeableNode) -> tuple[str | None, str | None]:
        """Let the kubelet give back what pods that are gone still hold, ours and others'; returns the state files' texts."""
        for attempt in range(_SWEEPS):
            texts = node.texts()
            stale = initial.stale(texts, {pod["metadata"]["uid"] for pod in node.others()})
            if not stale:
                return texts
            self._runs += 1
            node.sweep(f"sweeper-{self._prefix}{self._runs}-{attempt}")
        raise NotObservableError(
            f"the books of {node.name} hold what no pod has, and it is not given back: {sorted(stale)}"
        )

    def _collect(self) -> Mapping[str, str]:
        if self._node is None:
            return {}
        try:
            return self._node.artefacts(since=0)
        except (SubjectError, RefusedError) as error:
            return {"gathering.txt": f"{error}\n"}

    # A node

    def _ready_node(self) -> ChangeableNode:
        if self._node is None:
            try:
                with _explained("take up a node"):
                    self._node = self._take()
            except BaseException:
                self.close()
                raise
        return self._node

    def _take(self) -> ChangeableNode:
        """Have a node: a lease, a helper pod, and what it tells."""
        api, timeouts, spec = self._api, self.timeouts, self._spec
        access.require(api, disruptive=bool(spec.disruptive), drain=spec.drain)
        self._taken = self._lease()
        name = self._taken.node
        disruption = Disruption(api, self._taken)
        self._stack.callback(disruption.restore)
        disruption.restore()  # what a run that was killed has changed
        if name in spec.disruptive:
            disruption.cordon()
            if spec.drain:
                evicted = drain(api, name, timeouts)
                sys.stderr.write(f"pinproof: {name}: {evicted} pods were evicted\n")
        helper, left_altered = self._helper(name)
        shape = discovery.shape_of(helper.ask("machine"), name)
        told = configz(api, name)
        home = Home(premises.NAMESPACE, spec.image, pull="IfNotPresent")
        changes = Changes(helper, root=spec.root, seconds=timeouts.seconds("ready"))
        setting = Setting(shape.machine, discovery.configuration_of(told, name), self.version)
        node = ChangeableNode(name, api, helper, home, setting, timeouts, real=shape.real, changes=changes)
        self._stack.callback(self._empty, node)
        if left := node.clean():
            sys.stderr.write(f"pinproof: {name} had {left} pods of a run that was killed; they are deleted\n")
        if left_altered:
            node.restore()
            sys.stderr.write(f"pinproof: {name} had the configuration of a run that was killed; it has its own again\n")
        self._machine = discovery.told(shape, node.setting.kubelet)
        self._cpus = shape.cpus if told.get("cgroupsPerQOS", True) else shape.machine.cpus
        others = len(initial.residents(node.others())) - 1
        sys.stderr.write(f"pinproof: {name}: kubelet {self.version}, {self._machine}; pods that are there: {others}\n")
        for note in shape.notes:
            sys.stderr.write(f"pinproof: {name}: {note}\n")
        return node

    def _helper(self, name: str) -> tuple[Helper, bool]:
        """A helper on the node, and whether a run that was killed has left the node altered: then the helper can put it back."""
        for privileged in (name in self._spec.disruptive, True):
            helper = Helper(
                self._api,
                name,
                image=self._spec.image,
                root=self._spec.root,
                timeouts=self.timeouts,
                privileged=privileged,
            )
            self._stack.callback(helper.close)
            altered = bool(helper.ask("saved")["saved"])
            if privileged or not altered:
                break
            helper.close()
        return helper, altered

    def _lease(self) -> lease.Taken:
        """A lease in our namespace, which may go while we come. It is all undone by the stack, in reverse order."""
        self._stack.callback(premises.await_gone, self._api, self.timeouts)
        self._stack.callback(premises.leave, self._api)
        for last in (False, False, True):
            premises.enter(self._api, self.timeouts)
            try:
                taken = lease.take(self._api, self._nodes)
            except RefusedError as refused:
                if last or refused.code not in (403, 404):
                    raise
            else:
                self._stack.callback(taken.give_back)
                return taken
        raise AssertionError("not reached")

    def _empty(self, node: ChangeableNode) -> None:
        """Delete everything of ours on the node, its books being as they were before."""
        unanswered = (CaptureError, NotObservableError, RefusedError)
        try:
            with suppress(*unanswered):
                node.clean()
            self._restore(node)
            with suppress(*unanswered):
                self._tidy(node)
        finally:
            node.close()


@contextmanager
def _explained(step: str) -> Iterator[None]:
    """What an API server refuses is a SubjectError."""
    try:
        yield
    except RefusedError as refused:
        raise SubjectError(
            step,
            f"the API server answered {refused}",
            fault="the cluster, or what this user may do in it",
            remedy="`pinproof cluster manifests` has the rights that are needed",
        ) from refused


def _release(node: Document) -> str:
    """`1.36.3` of `v1.36.3-vendor.1`."""
    return str(node["status"]["nodeInfo"]["kubeletVersion"]).removeprefix("v").partition("-")[0].partition("+")[0]
