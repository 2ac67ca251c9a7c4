"""Kubernetes releases as text: minors, and conditions such as `<1.32`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

_OPERATORS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_CONDITION = re.compile(r"(<=|>=|==|!=|<|>)\s*v?(\d+(?:\.\d+){1,2})$")


def minor_of(version: str) -> str:
    """`1.36` of `v1.36.3-rc.1`. Raises ValueError for what is no release."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if not found:
        raise ValueError(f"{version!r} is not a Kubernetes release such as 1.36.3")
    return f"{found[1]}.{found[2]}"


def minor_number(minor: str) -> tuple[int, int]:
    """A minor, or release, for comparison: (1, 36)."""
    first, second = minor_of(minor).split(".")
    return int(first), int(second)


def matches(version: str, condition: str) -> bool:
    """Whether a release fulfils every part of a condition: `>=1.30,<1.32.2`; an empty one always holds.

    A condition on a minor speaks of all its patch releases: 1.32.2 is `==1.32` and not `>1.32`. Raises ValueError for a
    condition that cannot be read.
    """
    return all(_holds(version, part.strip()) for part in condition.split(",") if part.strip())


def _holds(version: str, part: str) -> bool:
    found = _CONDITION.match(part)
    if not found:
        raise ValueError(f"{part!r} is not a condition such as '<1.32' or '>=1.30,<1.32'")
    wanted = tuple(int(number) for number in found[2].split("."))
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    return _OPERATORS[found[1]](numbers[: len(wanted)], wanted)
