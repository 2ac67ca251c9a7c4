"""When `memory_manager_state` is written: with every change of what it records, and not otherwise."""

from __future__ import annotations

import json

from pinproof.suite import (
    Prove,
    Seen,
    admit,
    besteffort,
    burstable,
    case,
    container,
    exits,
    gib,
    guaranteed,
    remove,
    restart,
    static,
)

NONE, RESTRICTED = static(), static(topology="restricted")


def reserved_in_file(seen: Seen, *, after: int = -1) -> list[int]:
    """Bytes of memory that the file has as reserved, by node."""
    nodes = json.loads(seen.at(after).state_file)["machineState"]
    return [nodes[key]["memoryMap"]["memory"]["reserved"] for key in sorted(nodes, key=int)]


def containers_in_file(seen: Seen, *, after: int = -1) -> list[list[str]]:
    """Names of the containers of each pod in the file."""
    found = json.loads(seen.at(after).state_file).get("entries", {})
    return [sorted(containers) for containers in found.values()]


@case("MM-STATE-007", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_admission_is_written(prove: Prove) -> None:
    """When a pod runs its memory is in the file already, with the books."""
    seen = prove(admit(guaranteed("a", memory="7Gi")), admit(guaranteed("b", memory="5Gi")))

    assert [[0, 0], [gib(7), 0], [gib(7), gib(5)]] == [reserved_in_file(seen, after=step) for step in range(3)]
    assert [[], [["c"]], [["c"], ["c"]]] == [containers_in_file(seen, after=step) for step in range(3)]


@case("MM-STATE-007", machines="two_even", kubelet=NONE)
def test_clean_up_is_written(prove: Prove) -> None:
    """When a pod that is gone is collected its entry and its memory leave the file."""
    seen = prove(admit(guaranteed("a", memory="4Gi")), remove("a"), admit(besteffort("b")))

    assert [gib(4), 0] == reserved_in_file(seen, after=2)
    assert [0, 0] == reserved_in_file(seen)
    assert "entries" not in json.loads(seen.state_file)


@case("MM-STATE-007", machines="two_even", kubelet=NONE)
def test_partial_allocation_is_written(prove: Prove) -> None:
    """What the first container of a rejected pod got is in the file, as it is in the books."""
    two = [container("c", memory="6Gi"), container("d", memory="15Gi")]
    seen = prove(admit(guaranteed("a", containers=two)))

    assert seen.rejected("a")
    assert [gib(6), 0] == reserved_in_file(seen)
    assert [["c"]] == containers_in_file(seen)


@case("MM-STATE-007", machines="two_even", kubelet=NONE)
def test_release_of_an_init_container_is_written(prove: Prove) -> None:
    """When the app container starts, what its init container had beyond it leaves the file."""
    seen = prove(admit(guaranteed("a", memory="2Gi", init=[container("i", memory="4Gi")])), exits("a", "i"))

    assert [[gib(4), 0], [gib(2), 0]] == [reserved_in_file(seen, after=step) for step in (1, 2)]
    assert [["c"]] == containers_in_file(seen)


@case("MM-STATE-008", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_pods_that_are_not_pinned_leave_the_file_alone(prove: Prove) -> None:
    """Burstable and BestEffort pods change no byte of the file, in coming and in going."""
    seen = prove(
        admit(guaranteed("a", memory="4Gi")), admit(burstable("b", memory="1Gi")), admit(besteffort("e")), remove("b")
    )

    assert [seen.at(1).state_file] * 3 == [seen.at(step).state_file for step in (2, 3, 4)]


@case("MM-STATE-008", machines="two_even", kubelet=NONE)
def test_container_that_is_restarted_leaves_the_file_alone(prove: Prove) -> None:
    """A container that ends and is started again keeps its entry to the byte."""
    seen = prove(admit(guaranteed("a", memory="4Gi")), exits("a", "c", code=1))

    assert seen.at(1).state_file == seen.state_file


@case("MM-STATE-009", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_restart_leaves_the_file_alone(prove: Prove) -> None:
    """A kubelet that finds its own file leaves it as it is: the same pods, the same bytes."""
    both = [container("c", memory="1Gi", hugepages={"2Mi": "64Mi"}), container("d", memory="2Gi")]
    seen = prove(admit(guaranteed("a", containers=both)), admit(guaranteed("b", memory="9Gi")), restart())

    assert seen.at(2).state_file == seen.state_file


@case("MM-STATE-009", machines="two_even", kubelet=NONE)
def test_file_is_complete_when_the_kubelet_is_killed(prove: Prove) -> None:
    """A kubelet that was killed has left a whole file behind, which the next one takes over to the byte."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), admit(guaranteed("b", memory="1Gi")), restart(signal="KILL"))

    assert seen.at(2).state_file == seen.state_file
