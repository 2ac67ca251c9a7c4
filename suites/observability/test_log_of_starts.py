"""A kubelet that refuses to start: its log says what is wrong, where, and what to do."""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, case, configured, edited, guaranteed, none_policy, replaced, restart, static

NONE, OFF = static(), none_policy()
FILE = "/var/lib/kubelet/memory_manager_state"
POD = admit(guaranteed("a", memory="4Gi"))
ABSENT = static(reserved={0: "512Mi", 7: "512Mi"}, slug="absent_node")
NOTHING = configured("nothing_due", memory_manager_policy="Static", eviction_hard={})
WRONG_TOTAL = static(reserved_memory={0: {"memory": "1Gi"}}, slug="wrong_total")


def drifted(machine: Machine) -> Machine:
    """4096 bytes of node 0's `MemTotal` are on node 1."""
    change = {0: -4096, 1: 4096}
    return replace(machine, nodes=tuple(replace(n, memory=n.memory + change[n.id]) for n in machine.nodes))


def errors(prove: Prove) -> list[tuple[str, str]]:
    """Messages and errors that were logged as such, in order."""
    return [(line.message, line.fields.get("err", "")) for line in prove.words().errors()]


@case("MM-LOG-005", machines="two_even", kubelet=NONE, until="1.36")
def test_damaged_file_and_remedy(prove: Prove) -> None:
    """The error of the memory manager has the file's path, and says to drain the node and to delete the file."""
    prove(POD, restart(state=edited('"numberOfAssignments":1', '"numberOfAssignments":0')))

    check_remedy(prove, "checkpoint is corrupted")


@case("MM-LOG-005", machines="two_even", kubelet=NONE)
def test_cut_file_and_remedy(prove: Prove) -> None:
    """A file of some bytes."""
    prove(POD, restart(state=replaced('{"policyName":"Sta')))

    check_remedy(prove, "unexpected end of JSON input")


@case("MM-LOG-005", machines="two_even", kubelet=NONE)
def test_other_policy_and_remedy(prove: Prove) -> None:
    """A file of another policy is named like a damaged one, with both policies."""
    prove(POD, restart(kubelet=OFF))

    check_remedy(prove, '[memorymanager] configured policy "None" differs from state checkpoint policy "Static"')


def check_remedy(prove: Prove, why: str) -> None:
    """The memory manager's error, and the kubelet's last one, which repeats it."""
    message = "Could not initialize checkpoint manager, please drain node and remove policy state file"
    remedy = f'please drain this node and delete the memory manager checkpoint file "{FILE}" before restarting Kubelet'
    text = f"could not restore state from checkpoint: {why}, {remedy}"
    logged = errors(prove)

    assert (message, text) in logged
    assert ("Failed to start ContainerManager", f"start memory manager error: {text}") == logged[-1]


@case("MM-LOG-006", machines="two_even", kubelet=NONE)
def test_other_machine_and_remedy(prove: Prove) -> None:
    """State that does not fit the machine: the error says to drain the node and to remove the file."""
    prove(POD, restart(machine=drifted(prove.machine)))

    why = "[memorymanager] the expected machine state is different from the real one"
    assert ("Invalid state, please drain node and remove policy state file", why) in errors(prove)


@case("MM-LOG-007", machines="two_even", kubelet=NONE)
def test_other_machine_and_file(prove: Prove) -> None:
    """Whoever reads the errors finds the path of the file that is to be removed."""
    prove(POD, restart(machine=drifted(prove.machine)))

    assert FILE in " ".join(f"{message} {error}" for message, error in errors(prove))


@case("MM-LOG-008", machines="two_even", kubelet=NONE, since="1.32")
def test_field_that_differs(prove: Prove) -> None:
    """What differs, and by how much: the total, by a page."""
    prove(POD, restart(machine=drifted(prove.machine)))

    fields = difference(prove)
    assert "TotalMemSize" == fields["field"]
    assert 4096 == abs(int(fields["TotalMemSize1"]) - int(fields["TotalMemSize2"]))


@case("MM-LOG-009", machines="two_even", kubelet=NONE)
def test_node_and_type_that_differ(prove: Prove) -> None:
    """Where it differs: on which NUMA node, and of which type."""
    prove(POD, restart(machine=drifted(prove.machine)))

    fields = difference(prove)
    assert fields.get("node") in {"0", "1"}
    assert "memory" == fields.get("resource")


def difference(prove: Prove) -> dict[str, str]:
    """Fields of the line that tells two states of memory apart."""
    text = "Memory states for the NUMA node and resource are different"
    lines = [line for line in prove.words().lines if line.message == text]
    assert 1 == len(lines)
    return dict(lines[0].fields)


@case("MM-LOG-010", machines="two_even", kubelet=WRONG_TOTAL)
def test_reservation_that_does_not_add_up(prove: Prove) -> None:
    """The error names the memory manager, both amounts and where the second one comes from."""
    prove()

    why = 'the total amount "1Gi" of type "memory" is not equal to the value "100Mi" determined by Node Allocatable feature'
    logged = errors(prove)
    assert ("Failed to initialize memory manager", why) in logged
    assert ("command failed", f"failed to run Kubelet: {why}") == logged[-1]


@case("MM-LOG-011", machines="two_even", kubelet=[ABSENT, NOTHING])
def test_reservation_that_makes_no_sense(prove: Prove) -> None:
    """A node that does not exist, and nothing at all: logged by the memory manager and as the last word."""
    prove()

    why = {
        "absent_node": "the reserved memory configuration references a NUMA node 7 that does not exist on this machine",
        "nothing_due": "[memorymanager] you should specify the system reserved memory",
    }[prove.configuration.slug]
    logged = errors(prove)
    assert ("Failed to initialize memory manager", why) in logged
    assert ("command failed", f"failed to run Kubelet: {why}") == logged[-1]


@case("MM-LOG-006", machines="two_even", kubelet=static(reserved={0: "512Mi"}, slug="on_0"))
def test_node_of_a_pod_that_is_gone(prove: Prove) -> None:
    """The remedy, and which container had memory on the node that the machine no longer has."""
    one_node = replace(prove.machine, nodes=prove.machine.nodes[:1])
    prove(admit(guaranteed("x", memory="9Gi")), POD, restart(machine=one_node))

    why = "[memorymanager] (pod: a.2, container: c) the memory assignment uses the NUMA that does not exist"
    assert ("Invalid state, please drain node and remove policy state file", why) in errors(prove)
