"""The books of the memory manager: what every NUMA node has, of every memory type, and who shares it (behaviour.md 2).

Values only: taking and giving back answer new books. Sizes are bytes. Rules:

* `allocatable = total - systemReserved`, for `memory` also less all huge pages of the node; `free + reserved = allocatable`.
* Taking is greedy in ascending node order, giving back too, from whatever is reserved there. So the split over a group's
  nodes can differ from history; only the sums over the group are right (3.11).
* A node's group is the mask of its latest allocation, and the node alone again once nothing is assigned to it.
* `number_of_assignments` counts blocks, one for each memory type, on every node of their mask.

>>> books = default_books([(0, {"memory": (4096, 0)}), (1, {"memory": (4096, 1024)})])
>>> [node.tables[0].free for node in books.take(0b11, "memory", 5000).nodes]
[0, 2168]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pinproof.history import Table
from pinproof.reference.masks import Mask, positions

UINT64 = 1 << 64
"""The kubelet's arithmetic wraps around at this; an over-reserved node gets an enormous allocatable (2.2)."""


class NodeBooks(NamedTuple):
    """One NUMA node."""

    number_of_assignments: int
    group: Mask
    """`cells`: the nodes that this node is shared with, itself included."""

    tables: tuple[Table, ...]
    """One for each of `Books.types`."""


class Books(NamedTuple):
    """The whole machine."""

    ids: tuple[int, ...]
    """The kernel's node numbers, ascending; position i is bit i of a mask."""

    types: tuple[str, ...]
    """Memory types of the machine, ascending: `hugepages-…`, then `memory`."""

    nodes: tuple[NodeBooks, ...]

    @property
    def all_nodes(self) -> Mask:
        """The mask of every node."""
        return (1 << len(self.nodes)) - 1

    def mask_of(self, ids: Iterable[int]) -> Mask:
        """The mask of these node numbers; ValueError for a number that the machine does not have."""
        mask = 0
        for node in ids:
            mask |= 1 << self.ids.index(node)
        return mask

    def ids_of(self, mask: Mask) -> tuple[int, ...]:
        """The node numbers of a mask, ascending."""
        return tuple([self.ids[i] for i in positions(mask)])

    def free(self, memory_type: str) -> list[int]:
        """Free bytes of a type, node by node."""
        column = self.types.index(memory_type)
        return [node.tables[column].free for node in self.nodes]

    def allocatable(self, memory_type: str) -> tuple[int, ...]:
        """Allocatable bytes of a type, node by node."""
        column = self.types.index(memory_type)
        return tuple([node.tables[column].allocatable for node in self.nodes])

    @property
    def is_overdrawn(self) -> bool:
        """Whether some node is to keep more than it has, so that what is left went below 0."""
        return any(table.allocatable > table.total for node in self.nodes for table in node.tables)

    def free_over(self, mask: Mask, memory_type: str) -> int:
        """Free bytes of a type on the nodes of a mask together, as 64 bits hold them."""
        column = self.types.index(memory_type)
        return sum([self.nodes[i].tables[column].free for i in positions(mask)]) % UINT64

    def breaks_a_group(self, mask: Mask) -> bool:
        """Whether a multi-node mask covers a node in use that does not belong to exactly this group (3.4 step 4)."""
        if mask.bit_count() < 2:
            return False
        return any(self.nodes[i].number_of_assignments > 0 and self.nodes[i].group != mask for i in positions(mask))

    def take(self, mask: Mask, memory_type: str, size: int) -> Books:
        """Assign one block: greedy in ascending node order; every node of the mask joins the group, also for size 0.

        What does not fit is lost without a word, as in the kubelet (3.8 step 8).
        """
        column = self.types.index(memory_type)
        nodes = list(self.nodes)
        for i in positions(mask):
            node = nodes[i]
            table = node.tables[column]
            taken = min(size, table.free)
            size -= taken
            nodes[i] = NodeBooks(node.number_of_assignments + 1, mask, _moved(node.tables, column, taken))
        return Books(self.ids, self.types, tuple(nodes))

    def give_back(self, mask: Mask, memory_type: str, size: int) -> Books:
        """Release one block: greedy in ascending node order from what is reserved, not from where it was taken (3.11)."""
        column = self.types.index(memory_type)
        nodes = list(self.nodes)
        for i in positions(mask):
            node = nodes[i]
            given = min(size, node.tables[column].reserved)
            size -= given
            left = node.number_of_assignments - 1
            group = node.group if left else 1 << i
            nodes[i] = NodeBooks(left, group, _moved(node.tables, column, -given))
        return Books(self.ids, self.types, tuple(nodes))


def _moved(tables: tuple[Table, ...], column: int, size: int) -> tuple[Table, ...]:
    """The tables with so many bytes moved from free to reserved (or back, when negative)."""
    if size == 0:
        return tables
    old = tables[column]
    new = Table(old.total, old.system_reserved, old.allocatable, old.reserved + size, old.free - size)
    return (*tables[:column], new, *tables[column + 1 :])


def default_books(nodes: Iterable[tuple[int, Mapping[str, tuple[int, int]]]]) -> Books:
    """The books of an unused machine (2.2).

    Each node is (id, {memory type: (total bytes, system-reserved bytes)}). The total of `memory` includes the huge pages,
    its allocatable does not; huge pages are subtracted in full, also those that are reserved for the system.
    """
    by_id = sorted(nodes)
    types = tuple(sorted({memory_type for _, sizes in by_id for memory_type in sizes}))
    shelves = []
    for position, (_, sizes) in enumerate(by_id):
        pages = sum(total for memory_type, (total, _) in sizes.items() if memory_type != "memory")
        shelves.append(
            NodeBooks(
                number_of_assignments=0,
                group=1 << position,
                tables=tuple(_default_table(*sizes.get(t, (0, 0)), pages if t == "memory" else 0) for t in types),
            )
        )
    return Books(tuple(node for node, _ in by_id), types, tuple(shelves))


def _default_table(total: int, reserved: int, pages: int) -> Table:
    allocatable = (total - reserved - pages) % UINT64
    return Table(total=total, system_reserved=reserved, allocatable=allocatable, reserved=0, free=allocatable)


def with_node(books: Books, position: int, node: NodeBooks) -> Books:
    """The books with one node replaced; for reading them back from a state file."""
    return books._replace(nodes=(*books.nodes[:position], node, *books.nodes[position + 1 :]))
