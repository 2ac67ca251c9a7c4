"""A set of CPU numbers in the kernel's list form: `0-3,8`.

>>> str(CpuSet([3, 0, 1, 2, 8]))
'0-3,8'
>>> CpuSet.parse("0-1,4") | CpuSet([2])
CpuSet('0-2,4')
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class CpuSet(frozenset[int]):
    """CPU numbers; prints, and iterates through `sorted()`, in ascending order."""

    __slots__ = ()

    def __new__(cls, cpus: Iterable[int] = ()) -> Self:
        """A set of these CPU numbers."""
        return super().__new__(cls, cpus)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the list form; the empty text is the empty set. Raises ValueError for anything else."""
        cpus: set[int] = set()
        for part in filter(None, text.strip().split(",")):
            first, dash, last = part.partition("-")
            low = int(first)
            high = int(last) if dash else low
            if high < low:
                raise ValueError(f"the range {part!r} runs backwards")
            cpus.update(range(low, high + 1))
        return cls(cpus)

    def __str__(self) -> str:
        parts: list[str] = []
        ordered = sorted(self)
        start = 0
        for end in range(1, len(ordered) + 1):
            if end < len(ordered) and ordered[end] == ordered[end - 1] + 1:
                continue
            first, last = ordered[start], ordered[end - 1]
            parts.append(str(first) if first == last else f"{first}-{last}")
            start = end
        return ",".join(parts)

    def __repr__(self) -> str:
        return f"CpuSet({str(self)!r})"

    # frozenset's operators answer a plain frozenset; these keep the type.
    def __or__(self, other: Iterable[int]) -> CpuSet:  # type: ignore[override]  # narrower on purpose
        return CpuSet(frozenset.__or__(self, frozenset(other)))

    def __and__(self, other: Iterable[int]) -> CpuSet:  # type: ignore[override]  # narrower on purpose
        return CpuSet(frozenset.__and__(self, frozenset(other)))

    def __sub__(self, other: Iterable[int]) -> CpuSet:  # type: ignore[override]  # narrower on purpose
        return CpuSet(frozenset.__sub__(self, frozenset(other)))
