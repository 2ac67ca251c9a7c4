"""A node of somebody else's that is given another configuration, and its own back: what is possible, and in which order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, cast

import pytest
import yaml

from pinproof.errors import SubjectError
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.steps import Admit, AdmitTogether, Restart, Scenario, Step
from pinproof.subjects.cluster.altering import alters, require_possible
from pinproof.subjects.cluster.api import Api, ApiError
from pinproof.subjects.cluster.changeable import ChangeableNode
from pinproof.subjects.cluster.changes import Changes
from pinproof.subjects.cluster.helper import Helper
from pinproof.subjects.cluster.manifest import Home
from pinproof.subjects.cluster.rewriting import joined, rewritten
from pinproof.subjects.kubelet.node import Setting
from pinproof.subjects.kubelet.observe import capture_error
from pinproof.subjects.kubelet.places import CPU_STATE, STATE
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.subjects.protocol import Found, NotObservableError
from pinproof.suite import besteffort, configured, guaranteed, static

GIB = 1 << 30
MACHINE = Machine("m", tuple(NumaNode(n, 10 * GIB, CpuSet(range(4 * n, 4 * n + 4))) for n in (0, 1)))
OWN = static(topology="single-numa-node", cpu="static")(MACHINE)
OTHER = static(topology="best-effort", cpu="static")(MACHINE)
RELEASE = "1.36.3"

# What is written


DOCUMENT = """\
# by hand
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
clusterDomain: here
memoryManagerPolicy: Static
topologyManagerPolicy: single-numa-node
topologyManagerScope: container
kubeReserved: {memory: 924Mi, ephemeral-storage: 1Gi}
evictionHard: {memory.available: 100Mi, nodefs.available: 10%}
featureGates: {Theirs: true}
"""
THERE = replace(
    OWN,
    kube_reserved=(("ephemeral-storage", "1Gi"), ("memory", "924Mi")),
    eviction_hard=(("memory.available", "100Mi"), ("nodefs.available", "10%")),
    feature_gates=(("Theirs", True),),
)


def changed(wanted: KubeletConfig) -> dict[str, Any]:
    """The fields of the document that are not as they were."""
    before, after = yaml.safe_load(DOCUMENT), yaml.safe_load(rewritten(DOCUMENT, THERE, joined(THERE, wanted)))
    return {name: after.get(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_only_what_differs_is_written() -> None:
    assert {} == changed(THERE)
    assert {} == changed(OWN), "thresholds of disks, other reservations and gates are the node's"
    assert {"topologyManagerPolicy": "best-effort"} == changed(OTHER)
    assert {"topologyManagerScope": "pod"} == changed(replace(OWN, topology_manager_scope="pod"))


def test_a_field_that_is_left_out_is_the_kubelets_own_default() -> None:
    assert {"topologyManagerPolicy": None} == changed(replace(OWN, topology_manager_policy="none"))


def test_maps_of_the_node_keep_what_the_scenario_does_not_speak_of() -> None:
    wanted = replace(
        OWN,
        kube_reserved=(("memory", "1Gi"),),
        eviction_hard=(("memory.available", "200Mi"),),
        feature_gates=(("Ours", False),),
    )

    assert {
        "kubeReserved": {"memory": "1Gi", "ephemeral-storage": "1Gi"},
        "evictionHard": {"memory.available": "200Mi", "nodefs.available": "10%"},
        "featureGates": {"Theirs": True, "Ours": False},
    } == changed(wanted)
    assert {"evictionHard": {"nodefs.available": "10%"}} == changed(replace(OWN, eviction_hard=()))


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "no Kubelet"), ("- a", "no Kubelet"), ("kind: Pod", "no Kubelet"), ("a: ]", "while parsing")],
)
def test_a_text_that_is_no_configuration_is_not_rewritten(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rewritten(text, OWN, OTHER)


# What is possible


THEIRS = guaranteed("theirs", memory="2Gi", cpu="1")
OURS = Admit(guaranteed("a", memory="2Gi", cpu="1"))
ALL = CpuSet(range(8))


def why(*own: Step, kubelet: KubeletConfig = OWN, there: tuple[Any, ...] = (), cpus: CpuSet = ALL) -> str:
    """Why the steps are not carried out on a node with the pods that are there; empty where they are."""
    before = tuple(Admit(pod) for pod in there)
    found = Found(MACHINE, OWN, before)
    whole = Scenario("s", MACHINE, kubelet, (*before, *own))
    mine = replace(whole, steps=own)
    try:
        require_possible(whole, mine, found, there, release=RELEASE, cpus=cpus, part=Fraction(1))
    except NotObservableError as error:
        return str(error)
    return ""


def test_what_is_possible() -> None:
    assert "" == why(OURS)
    assert "" == why(OURS, Restart())
    assert "" == why(OURS, Restart(kubelet=OTHER), there=(THEIRS,))
    assert "" == why(OURS, Restart(state="lose", cpu_state="lose"), there=(THEIRS,))
    assert "" == why(AdmitTogether((guaranteed("a", memory="2Gi"), guaranteed("b", memory="2Gi"))), kubelet=OTHER)
    assert "" == why(OURS, kubelet=OTHER, there=(besteffort("b"),))


def test_another_beginning_wants_a_node_where_nobody_holds_anything() -> None:
    assert "pods that are there ask for memory or CPUs: theirs" in why(OURS, kubelet=OTHER, there=(THEIRS,))


def test_a_kubelet_that_would_not_start_is_never_started() -> None:
    """Its books are of another reservation; the file of its CPU manager is of another policy."""
    more = static(topology="single-numa-node", cpu="static", reserved="1Gi")(MACHINE)
    without = static(topology="single-numa-node")(MACHINE)

    assert "the expected machine state is different" in why(OURS, Restart(kubelet=more))
    assert "the kubelet would not run" in why(OURS, Restart(kubelet=without))
    assert "" == why(OURS, Restart(kubelet=more, state="lose"))


def test_pods_of_others_are_not_lost() -> None:
    """They fill a NUMA node of which 8Gi are reserved after the restart."""
    big = guaranteed("big", memory="9Gi")
    most = static(topology="single-numa-node", cpu="static", reserved={0: "8Gi", 1: "2Gi"})(MACHINE)

    assert "pods that are there would be rejected: big (" in why(Restart(state="lose", kubelet=most), there=(big,))


def test_pods_fit_with_either_configuration() -> None:
    """A kubelet that starts may still read the former Node object."""
    most = static(topology="best-effort", cpu="static", reserved="9Gi")(MACHINE)

    assert "its pods ask for 4096Mi of memory; 2048Mi are free" in why(
        Restart(state="lose", kubelet=most), Admit(guaranteed("a", memory="4Gi"))
    )


def test_cpus_that_the_kernel_lacks_are_given_to_no_cgroup() -> None:
    without = static(topology="single-numa-node")(MACHINE)

    assert "" == why(OURS, kubelet=without)
    assert "CPUs into the cgroup of all pods that the kernel does not have" in why(
        OURS, kubelet=without, cpus=CpuSet(range(2))
    )


def test_what_alters_a_node() -> None:
    def scenario(*steps: Step) -> Scenario:
        return Scenario("s", MACHINE, OWN, steps)

    assert not alters(scenario(OURS, Restart()))
    assert alters(scenario(OURS, Restart(), Restart(state="lose")))
    assert alters(scenario(Restart(cpu_state="lose")))
    assert alters(scenario(Restart(kubelet=OTHER)))


# How it is done


class Place:
    """A node as its helper knows it: files, and how far a change has come."""

    def __init__(self, *, path: str = "/etc/kubelet.yaml", directory: str = "", runs: bool = True) -> None:
        self.files: dict[str, str | None] = {"/etc/kubelet.yaml": DOCUMENT, "/k/memory_manager_state": "m"}
        self.before = dict(self.files)
        self.record: dict[str, Any] = {}
        self.asked: list[str] = []
        self.starts = 0.0
        self.lost: tuple[str, ...] = ()
        """Questions of which the answer is lost."""

        self.dead = False
        self._path, self._directory, self._runs = path, directory, runs

    def ask(self, question: str, *rest: str, once: bool = False) -> dict[str, Any]:
        """Answer as the helper."""
        del once
        if self.dead:
            raise capture_error(f"ask the node, {question}", "no route to host")
        self.asked.append(question)
        answer: Callable[..., dict[str, Any] | None] = getattr(self, f"_{question}")
        given = answer(*rest) or {}
        if question in self.lost:
            raise ApiError("ask", "the connection was lost", fault="", remedy="")
        return given

    def _configuration(self, unit: str) -> dict[str, Any]:
        del unit
        if self._path == "of another service":
            return {"runs": False}
        text = self.files.get(self._path, "")
        return {"runs": True, "path": self._path, "directory": self._directory, "text": text}

    def _saved(self) -> dict[str, Any]:
        return {"saved": dict(self.record) or None}

    def _save(self, root: str, *paths: str) -> None:
        del root
        assert self.record.get("stage", "saved") == "saved"
        self.before = {path: self.files.get(path) for path in paths}
        self.record = {"stage": "saved", "words": ""}

    def _change(self, text: str) -> None:
        self.files |= json.loads(text)["files"]
        self.record = {"stage": "changed", "words": ""}
        self.starts += 1
        if not self._runs:
            self._return("", "")
            self.record["words"] = 'E0101 10:00:00.0 1 run.go:1] "command failed" err="it is wrong"\n'

    def _confirm(self, root: str) -> None:
        del root
        if self.record["stage"] != "changed":
            raise capture_error("ask the node, confirm", f"the change is {self.record['stage']}")
        self.record["stage"] = "confirmed"

    def _return(self, root: str, unit: str) -> None:
        del root, unit
        self.files |= self.before
        self.record["stage"] = "returned"
        self.starts += 1

    def _forget(self, root: str) -> None:
        del root
        assert self.record["stage"] in ("saved", "returned")
        self.record = {}


class OnPlace(ChangeableNode):
    """The node, whose kubelet starts at once and says that it has what is in its file."""

    told: KubeletConfig | None = None
    """What it says instead."""

    def __init__(self, place: Place) -> None:
        helper = cast(Helper, place)
        changes = Changes(helper, root="/k", seconds=60)
        setting = Setting(MACHINE, THERE, RELEASE)
        super().__init__(
            "n", cast(Api, None), helper, Home("ns", "i"), setting, Timeouts(0.001), real=False, changes=changes
        )
        self._place = place

    def _take_up(self, name: str, api: Api, home: Home) -> None:
        del api
        self.name, self.home = name, home

    def _reading(self, name: str) -> float:
        del name
        return self._place.starts

    def _has_taken_up(self, before: float) -> tuple[bool, object]:
        return self._place.starts > before, "no new kubelet answers"

    def _await_same_verdicts(self) -> None:
        pass

    def _told(self) -> KubeletConfig:
        policy = yaml.safe_load(self._place.files["/etc/kubelet.yaml"] or "")["topologyManagerPolicy"]
        return self.told or replace(THERE, topology_manager_policy=policy)


WITH_OTHER = Setting(MACHINE, OTHER, RELEASE)


def test_a_configuration_comes_and_goes() -> None:
    place = Place()
    node = OnPlace(place)

    node.begin_anew(WITH_OTHER)
    assert ["configuration", "save", "change", "saved", "confirm"] == place.asked
    assert "best-effort" in (place.files["/etc/kubelet.yaml"] or "")
    assert [None, None] == [place.files[f"/k/{name}"] for name in ("memory_manager_state", "cpu_manager_state")]
    assert node.altered
    assert node.restore()
    assert not node.altered

    assert {"/etc/kubelet.yaml": DOCUMENT, "/k/memory_manager_state": "m", "/k/cpu_manager_state": None} == place.files
    assert {} == place.record
    assert THERE == node.setting.kubelet


def test_a_second_change_is_made_from_the_nodes_own_file() -> None:
    place = Place()
    node = OnPlace(place)
    node.begin_anew(WITH_OTHER)

    node.start(replace(WITH_OTHER, kubelet=replace(OWN, topology_manager_policy="restricted")))

    assert 1 == place.asked.count("save")
    assert "restricted" in (place.files["/etc/kubelet.yaml"] or "")


def test_an_answer_that_is_lost_is_no_matter() -> None:
    """The kubelet that carries the answers is the one that is restarted."""
    place = Place()
    place.lost = ("change", "return")
    node = OnPlace(place)

    node.begin_anew(WITH_OTHER)

    assert node.restore()
    assert DOCUMENT == place.files["/etc/kubelet.yaml"]


def test_a_kubelet_that_does_not_run_with_it_is_told_of() -> None:
    place = Place(runs=False)
    node = OnPlace(place)

    with pytest.raises(Exception, match="has its own again; it said: it is wrong"):
        node.begin_anew(WITH_OTHER)

    assert node.altered
    assert node.restore()
    assert "return" not in place.asked, "the node has done it by itself"
    assert {} == place.record


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place(path="of another service"), r"is not kubelet.service of the node's systemd"),
        (Place(path=""), "no configuration file that could be changed"),
        (Place(directory="/etc/kubelet.d"), "has parts in /etc/kubelet.d"),
    ],
)
def test_a_configuration_that_is_elsewhere_is_not_changed(place: Place, words: str) -> None:
    node = OnPlace(place)

    with pytest.raises(NotObservableError, match=words):
        node.begin_anew(WITH_OTHER)

    assert ["configuration"] == place.asked
    assert not node.altered


def test_what_counts_beside_the_file_is_noticed() -> None:
    """A flag of the kubelet, say."""
    node = OnPlace(Place())
    node.told = THERE

    with pytest.raises(
        NotObservableError, match="not what counts for its kubelet: topology_manager_policy is to be best-"
    ):
        node.begin_anew(WITH_OTHER)

    assert node.altered


def test_no_other_release_or_machine() -> None:
    place = Place()

    with pytest.raises(NotObservableError, match="no other machine and no other release"):
        OnPlace(place).begin_anew(replace(WITH_OTHER, release="1.35.4"))

    assert [] == place.asked


@pytest.mark.parametrize("stage", ["saved", "changed", "confirmed", "returning", "returned"])
def test_what_a_killed_run_has_left_is_put_back_from_every_stage(stage: str) -> None:
    place = Place()
    OnPlace(place).begin_anew(WITH_OTHER)
    if stage in ("saved", "returned"):
        place.files |= place.before
    place.record["stage"] = stage
    place.asked.clear()

    assert OnPlace(place).restore()

    assert (stage not in ("saved", "returned")) == ("return" in place.asked)
    assert DOCUMENT == place.files["/etc/kubelet.yaml"]
    assert {} == place.record
    assert not OnPlace(place).restore()


def test_a_node_that_does_not_answer_is_one_message() -> None:
    place = Place()
    node = OnPlace(place)
    node.begin_anew(WITH_OTHER)
    place.dead = True

    with pytest.raises(SubjectError, match="no route to host") as raised:
        node.restore()

    assert "pinproof-saved.json" in raised.value.remedy
    assert node.altered


def test_state_files_are_read_by_their_names() -> None:
    class Told(OnPlace):
        def texts(self) -> tuple[str | None, str | None]:
            return "memory", None

    assert [None, "memory"] == Told(Place()).read(CPU_STATE, STATE)


def test_a_reservation_of_another_kind_is_possible() -> None:
    """What a scenario leaves out is as if it were the default, so a node's own `systemReserved` goes."""
    own = configured("own", memory_manager_policy="Static", system_reserved={"memory": "1Gi"})(MACHINE)

    document: Mapping[str, Any] = yaml.safe_load(rewritten(f"{DOCUMENT}systemReserved: {{memory: 1Gi}}\n", own, OWN))

    assert "systemReserved" not in document
    assert {"memory": "924Mi"} == document["kubeReserved"]
