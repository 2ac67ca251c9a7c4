"""Whether a pod is still active, read off the log."""

from __future__ import annotations

from pinproof.subjects.kubelet.workers import is_inactive, is_over

OVER = '"Pod is complete and the worker can now stop" podUID="a.1"'
ORPHAN = '"Pod terminated all orphaned containers successfully and worker can now stop" podUID="a.1"'
DIED = 'event={"ID":"a.1","Type":"ContainerDied","Data":"sandbox-1"}'
AGAIN = '"Pod is being synced for the first time" podUID="a.1"'


def test_a_finished_pod_is_over_when_its_worker_is() -> None:
    """Another pod's end is none of its business."""
    assert is_over("a.1", [OVER])
    assert not is_over("a.2", [OVER])


def test_an_orphan_is_inactive_once_its_sandbox_is_gone() -> None:
    """Before that the kubelet may still make a worker for it."""
    assert not is_inactive("a.1", [ORPHAN])
    assert is_inactive("a.1", [DIED, ORPHAN])
    assert is_inactive("a.1", [ORPHAN, DIED])


def test_a_worker_made_afterwards_has_to_end_as_well() -> None:
    """Until it does the pod counts as active."""
    assert not is_inactive("a.1", [ORPHAN, DIED, AGAIN])
    assert is_inactive("a.1", [ORPHAN, DIED, AGAIN, OVER])
