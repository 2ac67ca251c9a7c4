"""Topology documents → `Machine`, and what makes a machine impossible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.document import NodeDocument, TopologyBody, TopologyDocument
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.yamltext import Location

Finding = tuple[Location, str]
"""A place below the thing that was checked, and what is wrong there."""


def node_of(document: NodeDocument) -> NumaNode:
    """The value of one node."""
    sizes = sorted((Quantity.parse(size).value(), pages) for size, pages in document.hugepages.items())
    return NumaNode(
        id=document.id,
        memory=Quantity.parse(document.memory).value(),
        cpus=CpuSet.parse(document.cpus),
        hugepages=tuple(sizes),
        distances=None if document.distances is None else tuple(document.distances),
        socket=document.socket,
    )


def machine_of(document: TopologyBody | TopologyDocument) -> Machine:
    """The value of a topology, in a file of its own or inside a scenario."""
    about = document.metadata if isinstance(document, TopologyDocument) else document
    return Machine(
        name=about.name,
        nodes=tuple(node_of(node) for node in document.nodes),
        threads_per_core=document.threads_per_core,
        numa=document.numa,
        os=document.os,
        provenance=about.provenance.strip(),
    )


def check_nodes(
    nodes: Sequence[NumaNode | None], *, threads_per_core: int = 1, windows: bool = False
) -> Iterator[Finding]:
    """What cannot be in a machine with these nodes; None stands for a node that could not be read."""
    last: int | None = None
    owners: dict[int, int] = {}
    for index, node in enumerate(nodes):
        if node is None:
            continue
        if last is not None and node.id <= last:
            what = "stands twice" if node.id == last else f"comes after {last}"
            yield ("nodes", index, "id"), f"node {node.id} {what}; list every node once, ascending by id"
        last = node.id
        for at, message in _check_node(node, threads_per_core):
            yield ("nodes", index, *at), message
        if windows and node.hugepages:
            yield ("nodes", index, "hugepages"), "a kubelet knows no huge pages on Windows; leave them out"
        for cpu in sorted(node.cpus & owners.keys()):
            yield ("nodes", index, "cpus"), f"CPU {cpu} belongs to node {owners[cpu]} already; a CPU is on one node"
        owners |= dict.fromkeys(node.cpus, node.id)
    yield from _check_distances(nodes)
    if None not in nodes and not owners:
        yield ("nodes",), "no node has CPUs; a machine needs at least one"
    if None not in nodes and not any(node.memory for node in nodes if node):
        yield ("nodes",), "no node has memory; a machine needs some"


def _check_node(node: NumaNode, threads_per_core: int) -> Iterator[Finding]:
    pages = sum(size * count for size, count in node.hugepages)
    if pages > node.memory:
        pool, room = Quantity.of_bytes(pages), Quantity.of_bytes(node.memory)
        yield ("hugepages",), f"huge pages of {pool} do not fit into the node's memory of {room}, which includes them"
    if len(node.cpus) % threads_per_core:
        yield ("cpus",), f"{len(node.cpus)} CPUs do not make whole cores of {threads_per_core} threads"


def _check_distances(nodes: Sequence[NumaNode | None]) -> Iterator[Finding]:
    given = [node is None or node.distances is not None for node in nodes]
    for index, node in enumerate(nodes):
        if node is None or not any(n is not None and n.distances is not None for n in nodes):
            continue
        if not given[index]:
            yield ("nodes", index, "distances"), "missing, while other nodes have them; give every node a row, or none"
        elif node.distances is not None and len(node.distances) != len(nodes):
            yield (
                ("nodes", index, "distances"),
                f"{len(node.distances)} distances for {len(nodes)} nodes; give one number for each node",
            )
