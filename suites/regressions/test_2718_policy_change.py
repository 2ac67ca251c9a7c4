"""A4: the memory manager's policy is changed while its state file lies there, and the kubelet does not start.

Symptom: `configured policy "Static" differs from state checkpoint policy "None", please drain this node and delete ...`. It is
meant so: what another policy wrote says nothing. Machine configuration operators delete the file for that reason.
https://github.com/openshift/machine-config-operator/pull/2718
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, exits, guaranteed, none_policy, replaced, restart, static

OFF, STATIC = none_policy(), static()
POD = admit(guaranteed("a", memory="4Gi"))
FILE = (
    "please drain this node and delete the memory manager checkpoint file "
    '"/var/lib/kubelet/memory_manager_state" before restarting Kubelet'
)


@case("MM-RESTART-034", machines="two_even", kubelet=OFF)
def test_none_to_static(prove: Prove) -> None:
    """Refused with both policies and the file in the message, pod or no pod."""
    seen = prove(POD, restart(kubelet=STATIC))

    assert not seen.running
    assert 'configured policy "Static" differs from state checkpoint policy "None"' in seen.refusal
    assert FILE in seen.refusal


@case("MM-RESTART-034", machines="two_even", kubelet=STATIC)
def test_static_to_none(prove: Prove) -> None:
    """Refused the other way round as well; the container that runs keeps its node, and so does the file."""
    seen = prove(POD, restart(kubelet=OFF))

    assert not seen.running
    assert 'configured policy "None" differs from state checkpoint policy "Static"' in seen.refusal
    assert seen.at(1).state_file == seen.state_file
    assert "0" == seen.mems("a", after=1)


@case("MM-RESTART-024", machines="two_even", kubelet=OFF)
def test_none_to_static_with_the_file_removed(prove: Prove) -> None:
    """It starts; the pod is booked at once, and pinned when its container is created again."""
    seen = prove(POD, restart(state="lose", kubelet=STATIC), exits("a", "c", code=1))

    assert [block(0, memory="4Gi")] == seen.blocks("a", after=2)
    assert ["", "0"] == [seen.mems("a", after=step) for step in (2, 3)]


@case("MM-RESTART-032", machines="two_even", kubelet=OFF)
def test_none_to_static_with_an_empty_file(prove: Prove) -> None:
    """A file of no bytes is no removed file."""
    seen = prove(restart(state=replaced(""), kubelet=STATIC))

    assert not seen.running
    assert FILE in seen.refusal
