"""Go coverage profiles, and the functions of the sources they speak of.

A profile counts blocks: statements that run one after the other. Line by line it would count the same twice, so figures
here are statements, as Go's own tools have them, and places are lines, as people look them up.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

_LINE = re.compile(
    r"(?P<file>\S+):(?P<first>\d+)\.(?P<column>\d+),(?P<last>\d+)\.\d+ (?P<statements>\d+) (?P<hits>\d+)"
)
_FUNCTION = re.compile(r"func (?:\((?:\w+ )?\*?(?P<receiver>\w+)\) )?(?P<name>\w+)[(\[]")


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """Statements that run one after the other."""

    file: str
    """Below `pkg/kubelet/cm`."""

    first: int
    """Line."""

    column: int
    last: int
    """Line."""

    statements: int


Reached = frozenset[Block]
"""Blocks that ran."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a source file."""

    file: str
    name: str
    """With its receiver's type: `staticPolicy.Allocate`."""

    first: int
    """Line."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Neighbouring blocks of one function that nothing reached."""

    function: Function
    blocks: tuple[Block, ...]
    whole: bool
    """Whether the function was never called."""

    text: str
    """The lines of the blocks, and the one before them, which has the condition."""

    @property
    def lines(self) -> str:
        """`12` or `12–15`."""
        first, last = self.blocks[0].first, max(block.last for block in self.blocks)
        return str(first) if first == last else f"{first}–{last}"

    @property
    def statements(self) -> int:
        """How many never ran."""
        return sum(block.statements for block in self.blocks)


def parse(profile: str, *, root: str) -> tuple[frozenset[Block], Reached]:
    """All blocks of a profile in text form, and those that ran; files are named below `root`."""
    every, reached = set(), set()
    for line in profile.splitlines():
        found = _LINE.fullmatch(line)
        if found is None or not found["file"].startswith(root):
            continue
        block = Block(
            found["file"].removeprefix(root).removeprefix("/"),
            *(int(found[part]) for part in ("first", "column", "last", "statements")),
        )
        every.add(block)
        if int(found["hits"]):
            reached.add(block)
    return frozenset(every), frozenset(reached)


def functions(file: str, source: str) -> list[Function]:
    """The functions of a source file as gofmt leaves it, in order."""
    found = []
    for number, line in enumerate(source.splitlines(), start=1):
        head = _FUNCTION.match(line)
        if head:
            name = f"{head['receiver']}.{head['name']}" if head["receiver"] else head["name"]
            found.append(Function(file, name, number))
    return found


def gaps(every: Iterable[Block], reached: Reached, sources: Mapping[str, str]) -> list[Gap]:
    """What nothing reached, function by function; blocks that follow one another are one gap.

    Args:
        every: all blocks.
        reached: those that ran.
        sources: file → its text.
    """
    found: list[Gap] = []
    for file, blocks in groupby(sorted(every), key=lambda block: block.file):
        known = functions(file, sources[file])
        starts = [function.first for function in known]
        by_function = groupby(blocks, key=lambda block: bisect_right(starts, block.first) - 1)
        lines = sources[file].splitlines()
        for position, inside in by_function:
            found += _gaps_of(known[position], list(inside), reached, lines)
    return found


def _gaps_of(function: Function, blocks: list[Block], reached: Reached, lines: list[str]) -> list[Gap]:
    whole = not any(block in reached for block in blocks)
    found = []
    for ran, run in groupby(blocks, key=lambda block: block in reached):
        inside = tuple(run)
        if not ran:
            last = max(block.last for block in inside)
            found.append(Gap(function, inside, whole, "\n".join(lines[max(0, inside[0].first - 2) : last])))
    return found


def statements(blocks: Iterable[Block]) -> int:
    """How many statements the blocks have."""
    return sum(block.statements for block in blocks)
