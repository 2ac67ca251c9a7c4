"""Restarts on a state file that cannot be read or written, after every step and in every order of the pods."""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, guaranteed, permute, static

PODS = (admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="3Gi")))
FILE = "/var/lib/kubelet/memory_manager_state"
AS_BEFORE = "as before"


@case("MM-DISK-001", machines="two_even", kubelet=static())
def test_file_that_cannot_be_opened(prove: Prove) -> None:
    """Every start is refused, with pods and without, and the next one, on a disk that works, has everything."""
    found = permute(prove, *PODS, states=["unreadable", "kept"])

    assert {f"refuses: open {FILE}: permission denied": ["unreadable"], AS_BEFORE: ["kept"]} == found.by_state()


@case("MM-DISK-003", machines="two_even", kubelet=static())
def test_file_that_cannot_be_written(prove: Prove) -> None:
    """A restart that finds its file writes nothing, so it does not notice, in any order."""
    found = permute(prove, *PODS, states=["on a full disk", "on a read-only disk"])

    assert {AS_BEFORE: ["on a full disk", "on a read-only disk"]} == found.by_state()


@case("MM-DISK-002", machines="two_even", kubelet=static())
def test_file_that_cannot_be_made(prove: Prove) -> None:
    """A start without a file has to make one, and is refused where it cannot."""
    found = permute(prove, *PODS, states=["lost on a full disk", "lost on a read-only disk"])

    nameless = f"refuses: rename /var/lib/kubelet/.TEMP {FILE}: "
    assert {
        nameless + "no space left on device": ["lost on a full disk"],
        nameless + "read-only file system": ["lost on a read-only disk"],
    } == found.by_state()
