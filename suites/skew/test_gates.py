"""Gates around pod-level resources that change between two starts, with an upgrade or without, on a node with pods.

A *managed* pod has pod-level resources, and gate `PodLevelResourceManagers` is on: only then the file says more than a kubelet
without the gate understands. The pods stand where a kubelet that knew nothing of them would not put them.
"""

from __future__ import annotations

from pinproof.suite import (
    Configuration,
    Prove,
    Seen,
    admit,
    block,
    case,
    container,
    gib,
    guaranteed,
    pod_level,
    remove,
    restart,
    static,
)

GATE = {"PodLevelResourceManagers": True}
OFF = static(topology="restricted", scope="pod", cpu="static")
ON = static(topology="restricted", scope="pod", cpu="static", gates=GATE)
ALPHA = static(topology="restricted", scope="pod", cpu="static", gates={"PodLevelResources": True})

BEFORE, FIRST, NEXT = "1.35.4", "1.36.3", "1.37.1"
"""The last minor without the gate, the first with it, and the one after."""

REMEDY = 'please drain this node and delete the memory manager checkpoint file "/var/lib/kubelet/memory_manager_state"'
CPU_REMEDY = 'please drain this node and delete the CPU manager checkpoint file "/var/lib/kubelet/cpu_manager_state"'
CORRUPTED = f"could not restore state from checkpoint: checkpoint is corrupted, {REMEDY}"
CPU_CORRUPTED = f"could not restore state from checkpoint: checkpoint is corrupted, {CPU_REMEDY}"
CPU_FOREIGN = (
    "could not restore state from checkpoint: json: cannot unmarshal object into Go struct field "
    f"CPUManagerCheckpointV1.entries of type string, {CPU_REMEDY}"
)
DIFFERENT = "[memorymanager] the expected machine state is different from the real one"

FIRST_POD = admit(guaranteed("first", memory="8Gi", cpu="6"))
LAST_POD = admit(guaranteed("b", memory="1Gi", cpu="1"))
PLAIN = (FIRST_POD, admit(guaranteed("a", memory="4Gi", cpu="2")), remove("first"), LAST_POD)
WHOLE = pod_level("a", container("own", memory="2Gi", cpu="1"), container("shared", cpu=None), memory="4Gi", cpu="2")
MANAGED = (FIRST_POD, admit(WHOLE), remove("first"), LAST_POD)
"""After either, `a` is on node 1 and `b` on node 0."""

NEW = admit(guaranteed("n", memory="1Gi", cpu="1"))


def stays(seen: Seen, *steps: int) -> None:
    """Both plain pods are where they were, after each of these steps."""
    for step in steps:
        now = seen.at(step)
        assert (now.admitted("a"), now.admitted("b")) == (True, True)
        assert [[block(1, memory="4Gi")], [block(0, memory="1Gi")]] == [now.blocks(pod) for pod in "ab"]
        assert ["8-9", "1"] == [now.exclusive_cpus(pod) for pod in "ab"]


def refused(seen: Seen, step: int, words: str) -> None:
    """The kubelet did not start and said why, and the state file is the one from before."""
    now = seen.observation(step)
    assert not now.running
    assert words in (now.refusal or "")
    assert seen.observation(step - 1).state_file == now.state_file


@case("MM-SKEW-007", machines="hugepages_even", kubelet=OFF, since="1.36")
def test_gate_is_switched_on_and_off_before_anything_changes(prove: Prove) -> None:
    """The file stays in its old format for as long as nothing that it records changes."""
    seen = prove(*PLAIN, restart(kubelet=ON), restart(kubelet=OFF), NEW)

    stays(seen, 5, 6, 7)


@case("MM-SKEW-007", machines="hugepages_even", kubelet=OFF, since="1.36", until="1.36")
def test_gate_cannot_be_switched_off_after_something_changed(prove: Prove) -> None:
    """One admission, and both files are of the new format; the CPU manager's is met first. The gate on again, all is there."""
    seen = prove(*PLAIN, restart(kubelet=ON), NEW, restart(kubelet=OFF), restart(kubelet=ON))

    stays(seen, 5, 6, 8)
    refused(seen, 7, CPU_FOREIGN)
    assert [block(0, memory="1Gi")] == seen.blocks("n")


@case("MM-SKEW-007", machines="hugepages_even", kubelet=OFF, since="1.37")
def test_gate_can_be_switched_off_after_something_changed(prove: Prove) -> None:
    """From 1.37 on the format does not depend on the gate."""
    seen = prove(*PLAIN, restart(kubelet=ON), NEW, restart(kubelet=OFF), restart(kubelet=ON))

    stays(seen, 5, 6, 7, 8)
    assert [block(0, memory="1Gi")] == seen.blocks("n")


@case("MM-SKEW-006", "MM-SKEW-007", machines="hugepages_even", kubelet=ON, since="1.36", until="1.36")
def test_older_release_refuses_both_files_of_the_gate(prove: Prove) -> None:
    """Each by its name, though no pod used the gate."""
    seen = prove(
        *PLAIN,
        restart(kubernetes=BEFORE, kubelet=OFF),
        restart(cpu_state="lose"),
        restart(kubernetes=prove.subject.version, kubelet=ON),
    )

    refused(seen, 5, CPU_CORRUPTED)
    refused(seen, 6, CORRUPTED)
    assert [[block(1, memory="4Gi")], [block(0, memory="1Gi")]] == [seen.blocks(pod) for pod in "ab"]


@case("MM-SKEW-006", "MM-SKEW-007", machines="hugepages_even", kubelet=ON, since="1.37", until="1.37")
def test_older_releases_take_files_of_the_gate(prove: Prove) -> None:
    """From 1.37 on, gate on and off, as long as no pod is managed."""
    steps = (restart(kubernetes=FIRST), restart(kubelet=OFF), restart(kubernetes=BEFORE))
    seen = prove(*PLAIN, *steps, NEW, restart(kubernetes=prove.subject.version, kubelet=ON))

    stays(seen, 5, 6, 7, 8, 9)


@case("MM-SKEW-005", "MM-SKEW-007", machines="hugepages_even", kubelet=OFF, since="1.35", until="1.36")
def test_upgrade_switches_the_gate_on(prove: Prove) -> None:
    """The file of a release without the gate, or with the gate off, is taken by the next with the gate on."""
    later = {"1.35": FIRST, "1.36": NEXT}[prove.minor]
    seen = prove(*PLAIN, restart(kubernetes=later, kubelet=ON), NEW)

    stays(seen, 5, 6)


@case("MM-SKEW-005", "MM-SKEW-007", machines="hugepages_even", kubelet=ON, since="1.36", until="1.36")
def test_upgrade_switches_the_gate_off(prove: Prove) -> None:
    """1.37 with the gate off takes what 1.36 has written with the gate on."""
    seen = prove(*PLAIN, restart(kubernetes=NEXT, kubelet=OFF), NEW)

    stays(seen, 5, 6)


# --- managed pods


@case("MM-SKEW-007", machines="hugepages_even", kubelet=ON, since="1.36", until="1.36")
def test_gate_off_over_a_managed_pod_is_refused_by_the_file(prove: Prove) -> None:
    """By the CPU manager; with its file deleted, by the memory manager."""
    seen = prove(*MANAGED, restart(kubelet=OFF), restart(cpu_state="lose"))

    refused(seen, 5, CPU_FOREIGN)
    refused(seen, 6, CORRUPTED)


@case("MM-SKEW-007", machines="hugepages_even", kubelet=ON, since="1.37", until="1.37")
def test_gate_off_over_a_managed_pod_is_refused(prove: Prove) -> None:
    """The file can be read, but without the pod's own entry its books are not those of its assignments."""
    seen = prove(*MANAGED, restart(kubelet=OFF))

    refused(seen, 5, DIFFERENT)


@case("MM-SKEW-006", "MM-SKEW-007", machines="hugepages_even", kubelet=ON, since="1.37", until="1.37")
def test_older_releases_refuse_a_managed_pod(prove: Prove) -> None:
    """1.36 with the gate on as well: it does not find the pod's entry in the file of 1.37."""
    steps = (restart(kubernetes=FIRST), restart(kubelet=OFF), restart(kubernetes=BEFORE))
    seen = prove(*MANAGED, *steps)

    for step in (5, 6, 7):
        refused(seen, step, DIFFERENT)


@case("MM-SKEW-008", machines="hugepages_even", kubelet=ON, since="1.37", until="1.37")
def test_older_release_starts_on_the_files_of_a_managed_pod(prove: Prove) -> None:
    """As is documented: without the pod's own entry, and without being refused."""
    seen = prove(*MANAGED, restart(kubernetes=FIRST))

    assert seen.running


@case("MM-SKEW-007", machines="hugepages_even", kubelet=ON, since="1.36", until="1.36")
def test_upgrade_keeps_a_managed_pod(prove: Prove) -> None:
    """It runs on where it was, and its memory is counted once."""
    seen = prove(*MANAGED, restart(kubernetes=NEXT))

    assert seen.admitted("a")
    assert ([block(1, memory="4Gi")], gib(4)) == (seen.pod_blocks("a"), seen.reserved(1))


# --- pods with pod-level resources that nobody manages


def unmanaged(seen: Seen, *steps: int) -> None:
    """The pod with pod-level resources runs unpinned, and the other one is where it was."""
    for step in steps:
        now = seen.at(step)
        assert (now.admitted("a"), now.admitted("b")) == (True, True)
        assert {"b": ["c"]} == now.assigned()
        assert ("", "") == (now.mems("a", "own"), now.mems("a", "shared"))


@case("MM-SKEW-005", "MM-SKEW-006", machines="hugepages_even", kubelet=OFF, since="1.34", until="1.36")
def test_unmanaged_pod_stays_unpinned_up_and_down(prove: Prove) -> None:
    """Both ways over the release that knows how to manage it."""
    later = {"1.34": BEFORE, "1.35": FIRST, "1.36": NEXT}[prove.minor]
    seen = prove(*MANAGED, restart(kubernetes=later), NEW, restart(kubernetes=prove.subject.version))

    unmanaged(seen.at(5), 5)
    assert {"b": ["c"], "n": ["c"]} == seen.assigned()
    assert seen.admitted("a")


@case("MM-SKEW-005", "MM-SKEW-007", machines="hugepages_even", kubelet=ALPHA, since="1.32", until="1.33")
def test_served_pod_keeps_its_memory_at_an_upgrade(prove: Prove) -> None:
    """Up to 1.33 the containers of such a pod are served one by one; a later kubelet leaves alone what they have."""
    seen = prove(*MANAGED, restart(kubernetes="1.34.4"), NEW)

    for step in (4, 5, 6):
        assert seen.at(step).admitted("a")
        assert [block(0, memory="2Gi")] == seen.blocks("a", "own", after=step)


def switched_off(*gates: str) -> Configuration:
    """`PodLevelResources` switched off, and with it what depends on it in a release."""
    gone = {"PodLevelResources": False, **dict.fromkeys(gates, False)}
    return static(topology="restricted", scope="pod", cpu="static", gates=gone, slug="static_without")


@case("MM-PODLEVEL-003", "MM-SKEW-007", machines="hugepages_even", kubelet=OFF, since="1.34", until="1.37")
def test_feature_is_switched_off_over_a_running_pod(prove: Prove) -> None:
    """The kubelet refuses the pod, by name of the feature; the other pod is where it was."""
    depend: dict[str, tuple[str, ...]] = {
        "1.36": ("InPlacePodLevelResourcesVerticalScaling",),
        "1.37": (
            "InPlacePodLevelResourcesVerticalScaling",
            "PodLevelResourcesFixDefaulting",
            "PodLevelResourcesFixKubeletQOSClass",
        ),
    }
    seen = prove(*MANAGED, restart(kubelet=switched_off(*depend.get(prove.minor, ()))))

    verdict = seen.verdict("a")
    assert verdict is not None
    assert "PodLevelResourcesNotSupported" == verdict.reason
    assert [block(0, memory="1Gi")] == seen.blocks("b")
