"""What is in `memory_manager_state`: its fields, their names and order, and the checksum over them."""

from __future__ import annotations

import json
from typing import Any

from pinproof.reference.checkpoint import checksum, decode
from pinproof.suite import Prove, Seen, admit, case, container, gib, guaranteed, mib, none_policy, sidecar, static

NONE, RESTRICTED, BEST_EFFORT = static(), static(topology="restricted"), static(topology="best-effort")
RESTRICTED_POD = static(topology="restricted", scope="pod")
OFF, OFF_RESTRICTED = none_policy(), none_policy(topology="restricted")

WITHOUT_POLICY = '{"policyName":"None","machineState":{},"checksum":4236770233}'
ONE_NODE = (
    '{"policyName":"Static","machineState":{"0":{"numberOfAssignments":0,"memoryMap":{"memory":{"total":11274289152,'
    '"systemReserved":536870912,"allocatable":10737418240,"reserved":0,"free":10737418240}},"cells":[0]}},'
    '"checksum":1567028222}'
)


def document(seen: Seen, *, after: int = -1) -> dict[str, Any]:
    """The state file as JSON, keys in the order of the file."""
    found: dict[str, Any] = json.loads(seen.at(after).state_file)
    return found


def entries(seen: Seen, *, after: int = -1) -> list[dict[str, Any]]:
    """What is recorded of each pod, without the UIDs."""
    return list(document(seen, after=after).get("entries", {}).values())


@case("MM-STATE-001", machines=["two_even", "no_numa"], kubelet=[OFF, OFF_RESTRICTED], until="1.36")
def test_file_of_policy_none(prove: Prove) -> None:
    """A kubelet with policy None writes the file too, to the byte, and nothing that happens on the node changes it."""
    seen = prove(admit(guaranteed("a", memory="1Gi")))

    assert WITHOUT_POLICY == seen.at(0).state_file
    assert WITHOUT_POLICY == seen.state_file


@case("MM-STATE-002", machines="one", kubelet=[NONE, RESTRICTED], until="1.36")
def test_file_of_an_unused_machine(prove: Prove) -> None:
    """The file of a kubelet that has just started with policy Static, to the byte: one line, no `entries`."""
    seen = prove()

    assert ONE_NODE == seen.state_file


@case("MM-STATE-002", machines="two_even", kubelet=NONE, until="1.36")
def test_fields_of_the_file(prove: Prove) -> None:
    """The file of a machine with pods has four fields, and no others."""
    seen = prove(admit(guaranteed("a", memory="1Gi")))

    assert ["policyName", "machineState", "entries", "checksum"] == list(document(seen))


@case("MM-STATE-003", machines=["two_even", "four_snc2"], kubelet=[NONE, RESTRICTED])
def test_entry_of_a_container(prove: Prove) -> None:
    """A container is recorded under its pod and its name, with node, type and bytes of each of its blocks."""
    seen = prove(admit(guaranteed("a", memory="4Gi")))

    assert [{"c": [{"numaAffinity": [0], "type": "memory", "size": 4294967296}]}] == entries(seen)


@case("MM-STATE-003", machines="three", kubelet=[NONE, BEST_EFFORT])
def test_entry_of_a_group(prove: Prove) -> None:
    """A block over several nodes is recorded once, in full, with its nodes in ascending order."""
    seen = prove(admit(guaranteed("a", memory="25Gi")))

    assert [{"c": [{"numaAffinity": [0, 1, 2], "type": "memory", "size": 26843545600}]}] == entries(seen)


@case("MM-STATE-003", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_entry_with_huge_pages(prove: Prove) -> None:
    """Every type that a container asks for is a block of its own, huge pages in bytes."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "64Mi", "1Gi": "1Gi"})))

    (blocks,) = (entry["c"] for entry in entries(seen))
    assert {"memory": gib(1), "hugepages-2Mi": mib(64), "hugepages-1Gi": gib(1)} == {
        block["type"]: block["size"] for block in blocks
    }


@case("MM-STATE-003", machines="two_even", kubelet=[NONE, RESTRICTED_POD])
def test_entry_of_every_container(prove: Prove) -> None:
    """Init containers, sidecars and app containers are recorded alike, those whose memory was taken over with size 0."""
    a = guaranteed(
        "a",
        containers=[container("c", memory="2Gi")],
        init=[container("i", memory="1Gi"), sidecar("s", memory="512Mi")],
    )
    seen = prove(admit(a))

    sizes = [{name: blocks[0]["size"] for name, blocks in entry.items()} for entry in entries(seen)]
    assert [{"c": gib(2), "i": 0, "s": mib(512)}] == sizes


@case("MM-STATE-004", machines="two_even", kubelet=NONE)
def test_no_entries_without_pods(prove: Prove) -> None:
    """As long as nothing is pinned the key `entries` is left out."""
    seen = prove(admit(guaranteed("a", memory="21Gi")))

    assert "entries" not in document(seen, after=0)
    assert "entries" not in document(seen)


@case("MM-STATE-005", machines="ids_lexical", kubelet=[NONE, RESTRICTED])
def test_nodes_in_the_file(prove: Prove) -> None:
    """Nodes are keys of the kernel's numbers, in the order of their text, which is not that of the numbers."""
    seen = prove(admit(guaranteed("a", memory="35Gi")))

    assert ["10", "11", "2", "9"] == list(document(seen)["machineState"])
    assert [[2, 9, 10, 11]] * 4 == [node["cells"] for node in document(seen)["machineState"].values()]
    assert [2, 9, 10, 11] == entries(seen)[0]["c"][0]["numaAffinity"]


@case("MM-STATE-005", machines="hugepages_uneven", kubelet=NONE)
def test_types_in_the_file(prove: Prove) -> None:
    """Each node has every memory type of the machine, a page size with no pages on it too."""
    nodes = document(prove())["machineState"]

    assert [["hugepages-1Gi", "hugepages-2Mi", "memory"]] * 2 == [list(nodes[key]["memoryMap"]) for key in "01"]
    assert {"total": 0, "systemReserved": 0, "allocatable": 0, "reserved": 0, "free": 0} == nodes["0"]["memoryMap"][
        "hugepages-1Gi"
    ]


@case("MM-STATE-005", machines="two_even", kubelet=NONE)
def test_books_of_a_node_in_the_file(prove: Prove) -> None:
    """A node's books stand in the file under the names and in the order that tools which read it rely on."""
    seen = prove(admit(guaranteed("a", memory="4Gi")))
    node = document(seen)["machineState"]["0"]

    assert ["numberOfAssignments", "memoryMap", "cells"] == list(node)
    assert [
        ("total", 11274289152),
        ("systemReserved", 536870912),
        ("allocatable", 10737418240),
        ("reserved", 4294967296),
        ("free", 6442450944),
    ] == list(node["memoryMap"]["memory"].items())


@case("MM-STATE-006", machines="ids_lexical", kubelet=NONE)
def test_checksum_over_many_nodes(prove: Prove) -> None:
    """The checksum is that of a dump in which nodes come in the order of their numbers, at every step."""
    seen = prove(admit(guaranteed("a", memory="35Gi")), admit(guaranteed("b", memory="1Gi")))

    for step in range(3):
        text = seen.at(step).state_file
        assert checksum(decode(text)) == json.loads(text)["checksum"]


@case("MM-STATE-006", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_checksum_over_many_blocks(prove: Prove) -> None:
    """The checksum covers every pod, container and block as the file has them, of size 0 too."""
    pages = {"2Mi": "64Mi", "1Gi": "1Gi"}
    apps = [container("c", memory="1Gi", hugepages=pages), container("d", memory="2Gi")]
    a = guaranteed("a", containers=apps, init=[container("i", memory="1Gi", hugepages={"2Mi": "64Mi"})])
    seen = prove(admit(a), admit(guaranteed("b", memory="1Gi")))

    assert checksum(decode(seen.state_file)) == document(seen)["checksum"]
