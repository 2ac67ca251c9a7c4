"""A8: a state file that a power cut left empty, cut off or mixed up.

Symptom: "could not restore state from checkpoint: invalid character" and, in the pod status manager, a panic. Promised: a missing
file is made anew; any other is refused with its path, without a panic, and stays as it is for whoever wants to look. Releases:
the memory manager panics from 1.36 on, where a file without a checksum is not verified, and never before.
https://github.com/kubernetes/kubernetes/issues/135711
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, edited, guaranteed, replaced, restart, static

STATIC = static()
POD = admit(guaranteed("a", memory="4Gi"))
WHOLE = (
    '{"policyName":"Static","machineState":{"0":{"numberOfAssignments":0,"memoryMap":{"memory":{"total":11274289152,'
    '"systemReserved":536870912,"allocatable":10737418240,"reserved":0,"free":10737418240}},"cells":[0]},"1":'
    '{"numberOfAssignments":0,"memoryMap":{"memory":{"total":11274289152,"systemReserved":536870912,"allocatable":'
    '10737418240,"reserved":0,"free":10737418240}},"cells":[1]}},"checksum":216252238}'
)
PATH = '"/var/lib/kubelet/memory_manager_state"'
REMEDY = f"please drain this node and delete the memory manager checkpoint file {PATH} before restarting Kubelet"


def refused_and_kept(prove: Prove, damaged: str, words: str) -> None:
    """Every start is refused with these words, the file and the remedy, without a panic; without the file the pod is booked."""
    seen = prove(POD, restart(state=replaced(damaged)), restart(), restart(state="lose"))

    for step in (2, 3):
        refusal = seen.observation(step).refusal or ""
        assert not seen.observation(step).running
        assert f"could not restore state from checkpoint: {words}" in refusal
        assert REMEDY in refusal
        assert "panic" not in refusal
        assert damaged == seen.observation(step).state_file
    assert seen.admitted("a")
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-RESTART-032", "MM-RESTART-033", machines="two_even", kubelet=[STATIC, static(topology="restricted")])
def test_no_bytes(prove: Prove) -> None:
    """The usual trace of a power cut: the name is there, the blocks are not. It is no missing file."""
    refused_and_kept(prove, "", "unexpected end of JSON input")


@case("MM-RESTART-032", "MM-RESTART-033", machines="two_even", kubelet=STATIC)
def test_cut_off(prove: Prove) -> None:
    """In a key, after a value, before the last brace."""
    for length in (1, 40, 200, len(WHOLE) - 1):
        refused_and_kept(prove, WHOLE[:length], "unexpected end of JSON input")


@case("MM-RESTART-032", "MM-RESTART-033", machines="two_even", kubelet=STATIC)
def test_two_in_one(prove: Prove) -> None:
    """The rest of a longer file behind a shorter one."""
    refused_and_kept(prove, WHOLE + WHOLE[-30:], "invalid character")


@case("MM-RESTART-032", "MM-RESTART-033", machines="two_even", kubelet=STATIC)
def test_bytes_of_nothing(prove: Prove) -> None:
    """Zeros where the text should be, or something else altogether."""
    for damaged in ("\x00" * 64, "policyName: Static"):
        refused_and_kept(prove, damaged, "invalid character")


@case("MM-REG-A8-001", machines="two_even", kubelet=STATIC)
def test_null_in_a_file_without_checksum(prove: Prove) -> None:
    """A node that is `null` in a file that nobody can verify is refused like any other damage: it crashes no kubelet."""
    seen = prove(restart(state=replaced('{"policyName":"Static","machineState":{"0":null}}')))

    assert not seen.running
    assert PATH in seen.refusal


@case("MM-REG-A8-002", machines="two_even", kubelet=STATIC, until="1.36")
def test_null_in_a_whole_file(prove: Prove) -> None:
    """With the checksum of the sound file it is refused. From 1.37 on the second copy in the file is what counts."""
    seen = prove(restart(state=edited('"memoryMap":{"memory":{"total"', '"memoryMap":{"memory":null,"was":{"total"')))

    assert not seen.running
    assert PATH in seen.refusal
