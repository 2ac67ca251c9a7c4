"""State files that a kubelet does not take over: changed, foreign, or at odds with themselves. It leaves them alone.

Those that cannot be read at all are a regression of the catalogue: `suites/regressions/test_135711_damaged_file.py`.
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, edited, gib, guaranteed, none_policy, replaced, restart, static

NONE, RESTRICTED, OFF = static(), static(topology="restricted"), none_policy()
CPU = static(topology="restricted", cpu="static")

REMEDY = (
    "please drain this node and delete the memory manager checkpoint file "
    '"/var/lib/kubelet/memory_manager_state" before restarting Kubelet'
)
CORRUPTED = f"could not restore state from checkpoint: checkpoint is corrupted, {REMEDY}"
DIFFERENT = "[memorymanager] the expected machine state is different from the real one"
ENTRY = '"entries":{"a.1":{"c":[{"numaAffinity":[0],"type":"memory","size":4294967296}]}},'
ONLY_ENTRIES = f'{{"policyName":"Static","machineState":{{}},{ENTRY}"checksum":721671941}}'
UNUSED = (
    '{"policyName":"Static","machineState":{"0":{"numberOfAssignments":0,"memoryMap":{"memory":{"total":11274289152,'
    '"systemReserved":536870912,"allocatable":10737418240,"reserved":0,"free":10737418240}},"cells":[0]}},'
    '"checksum":1567028222}'
)
POD = admit(guaranteed("a", memory="4Gi"))


@case("MM-RESTART-030", machines="two_even", kubelet=[NONE, RESTRICTED], until="1.36")
def test_changed_number(prove: Prove) -> None:
    """A number that was changed is noticed by the checksum; the message names the file and the remedy."""
    seen = prove(POD, restart(state=edited('"numberOfAssignments":1', '"numberOfAssignments":0')))

    assert not seen.running
    assert CORRUPTED in seen.refusal


@case("MM-RESTART-030", machines="two_even", kubelet=NONE, until="1.36")
def test_changed_checksum(prove: Prove) -> None:
    """A checksum that is another number is noticed, on a machine without pods too."""
    seen = prove(restart(state=edited('"checksum":', '"checksum":1')))

    assert not seen.running
    assert CORRUPTED in seen.refusal


@case("MM-RESTART-030", machines="two_even", kubelet=OFF, until="1.36")
def test_damage_under_policy_none(prove: Prove) -> None:
    """The file is verified with policy None as well."""
    seen = prove(restart(state=edited('"checksum":', '"checksum":1')))

    assert not seen.running
    assert CORRUPTED in seen.refusal


@case("MM-RESTART-031", machines="two_even", kubelet=NONE, until="1.35")
def test_file_without_checksum_was_damaged(prove: Prove) -> None:
    """Up to 1.35 a file without checksum is a damaged one."""
    seen = prove(POD, restart(state=edited('"checksum":', '"was":')))

    assert not seen.running
    assert CORRUPTED in seen.refusal


@case("MM-RESTART-037", machines="two_even", kubelet=NONE, since="1.36", until="1.36")
def test_file_without_checksum_is_taken(prove: Prove) -> None:
    """From 1.36 on a file without checksum is one that was written without, and its books are checked as any other's."""
    seen = prove(POD, restart(state=edited('"checksum":', '"was":')))

    assert seen.running
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-RESTART-034", machines="two_even", kubelet=OFF)
def test_policy_switched_on_over_a_file(prove: Prove) -> None:
    """The file of policy None keeps policy Static from starting, without pods too."""
    seen = prove(restart(kubelet=NONE))

    assert not seen.running
    assert 'configured policy "Static" differs from state checkpoint policy "None"' in seen.refusal
    assert REMEDY in seen.refusal


@case("MM-RESTART-034", machines="two_even", kubelet=NONE)
def test_policy_switched_off_over_a_file(prove: Prove) -> None:
    """The file of policy Static keeps policy None from starting; back under Static, its pods are where they were."""
    seen = prove(POD, restart(kubelet=OFF), restart(kubelet=NONE))

    assert not seen.observation(2).running
    assert 'configured policy "None" differs from state checkpoint policy "Static"' in (
        seen.observation(2).refusal or ""
    )
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-RESTART-034", machines="two_even", kubelet=RESTRICTED)
def test_cpu_policy_switched_on_over_a_file(prove: Prove) -> None:
    """The CPU manager's own file is as strict, and its message names that file."""
    seen = prove(restart(kubelet=CPU))

    assert not seen.running
    assert 'configured policy "static" differs from state checkpoint policy "none"' in seen.refusal
    assert '"/var/lib/kubelet/cpu_manager_state"' in seen.refusal


@case("MM-RESTART-035", machines="two_even", kubelet=NONE, until="1.36")
def test_books_with_an_assignment_too_many(prove: Prove) -> None:
    """A file whose checksum is right is replayed all the same: assignments must be as many as there are blocks."""
    edit = edited('"numberOfAssignments":1', '"numberOfAssignments":2', checksum="recompute")
    seen = prove(POD, restart(state=edit))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-035", machines="two_even", kubelet=NONE, until="1.36")
def test_books_that_have_an_assignment_free(prove: Prove) -> None:
    """A block whose memory the books have as free would be handed out twice."""
    before, after = '"reserved":4294967296,"free":6442450944', '"reserved":0,"free":10737418240'
    seen = prove(POD, restart(state=edited(before, after, checksum="recompute")))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-035", machines="two_even", kubelet=NONE, until="1.36")
def test_books_with_another_group(prove: Prove) -> None:
    """The group of a node must be that of its blocks."""
    seen = prove(POD, restart(state=edited('"cells":[0]', '"cells":[0,1]', checksum="recompute")))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-035", machines="two_even", kubelet=NONE, until="1.36")
def test_books_without_their_assignment(prove: Prove) -> None:
    """Memory that no block accounts for, as a crash between two writes leaves it, is noticed."""
    seen = prove(POD, restart(state=edited(ENTRY, "", checksum="recompute")))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-035", machines="two_even", kubelet=NONE, until="1.36")
def test_assignments_without_books(prove: Prove) -> None:
    """Blocks without a machine to be on are refused."""
    seen = prove(POD, restart(state=replaced(ONLY_ENTRIES)))

    assert not seen.running
    assert "[memorymanager] machine state can not be empty when it has memory assignments" in seen.refusal


@case("MM-RESTART-035", machines="two_even", kubelet=NONE, until="1.36")
def test_assignment_on_an_unknown_node(prove: Prove) -> None:
    """A block on a node that does not exist is refused by the name of its pod."""
    seen = prove(POD, restart(state=edited('"numaAffinity":[0]', '"numaAffinity":[7]', checksum="recompute")))

    assert not seen.running
    assert "(pod: a.1, container: c) the memory assignment uses the NUMA that does not exist" in seen.refusal


@case("MM-RESTART-035", machines="two_even", kubelet=NONE, until="1.36")
def test_assignment_of_an_unknown_type(prove: Prove) -> None:
    """A block of huge pages that the machine does not offer is refused by the name of its pod."""
    edit = edited('"type":"memory"', '"type":"hugepages-1Gi"', checksum="recompute")
    seen = prove(POD, restart(state=edit))

    assert not seen.running
    assert "(pod: a.1, container: c) the memory assignment uses memory resource that does not exist" in seen.refusal


@case("MM-RESTART-036", machines="one", kubelet=[NONE, RESTRICTED])
def test_sound_file_of_another_day(prove: Prove) -> None:
    """A file that fits machine and configuration is taken, whoever put it there; pods it does not know are booked."""
    seen = prove(POD, restart(state=replaced(UNUSED)))

    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert gib(6) == seen.free(0)
