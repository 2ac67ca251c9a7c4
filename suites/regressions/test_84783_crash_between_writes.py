"""A9: a kubelet dies between two writes of one admission, and does not start again.

Symptom: the books say that memory is taken, no entry says by whom, and every start ends with "the expected machine state is
different from the real one". Cause: an admission writes the books first and the blocks after them, each time the whole file.
Releases: the CPU manager's form is from 1.16; the memory manager's is looked at here, and every point in `suites/crashes`.
https://github.com/kubernetes/kubernetes/issues/84783
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, at_write, block, case, guaranteed, killed, restart, static

STATIC = static()
POD = admit(guaranteed("a", memory="4Gi"))


@case("MM-REG-A9-001", machines="two_even", kubelet=STATIC)
def test_books_were_written_and_blocks_were_not(prove: Prove) -> None:
    """Killed between the two writes: 4Gi of node 0 are reserved, for nobody. The pod is admitted as if it were new."""
    seen = prove(killed(POD, at_write(1, "after")), restart())

    assert seen.killed(after=1)
    assert seen.running
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-RESTART-004", machines="two_even", kubelet=STATIC)
def test_killed_after_both(prove: Prove) -> None:
    """The control: the whole allocation is in the file."""
    seen = prove(POD, restart(signal="KILL"), restart(signal="KILL"))

    assert [block(0, memory="4Gi")] == seen.blocks("a")
