"""Values of an observation as a person reads them: sizes with binary units beside the bytes, blocks on one line."""

from __future__ import annotations

from collections.abc import Mapping

from pinproof.history import Block, PodVerdict, parts_of

_UNITS = (("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10))
_SIZES = frozenset({"total", "system_reserved", "allocatable", "reserved", "free", "size"})


def size(count: int) -> str:
    """Bytes, with the largest unit that tells them exactly, or with two decimals where none does.

    >>> size(4 << 30), size(1536 << 20), size((1 << 30) + 1), size(100)
    ('4294967296 (4Gi)', '1610612736 (1536Mi)', '1073741825 (about 1.00Gi)', '100')
    """
    magnitude = abs(count)
    for unit, factor in _UNITS:
        if magnitude >= factor and magnitude % factor == 0:
            return f"{count} ({count // factor}{unit})"
    for unit, factor in _UNITS:
        if magnitude >= factor:
            return f"{count} (about {count / factor:.2f}{unit})"
    return str(count)


def nodes(affinity: tuple[int, ...]) -> str:
    """NUMA nodes of a mask: `{0,1}`."""
    return "{" + ",".join(map(str, affinity)) + "}"


def block(value: Block) -> str:
    """`memory 4294967296 (4Gi) on {0}`."""
    return f"{value.type} {size(value.size)} on {nodes(value.affinity)}"


def hint(value: tuple[tuple[int, ...] | None, bool]) -> str:
    """A topology hint: `{0,1} preferred`, `any`."""
    mask, preferred = value
    return ("any" if mask is None else nodes(mask)) + (" preferred" if preferred else "")


def words(path: str, value: object) -> str:
    """A value found at a path of an observation, for people."""
    if isinstance(value, bool | str):
        return str(value) if value != "" else "nothing"
    if isinstance(value, int):
        return size(value) if path.rpartition(".")[2] in _SIZES and path.startswith("machine.") else str(value)
    if isinstance(value, PodVerdict):
        return "admitted" if value.admitted else f"rejected, {value.reason}: {value.message}"
    if isinstance(value, Block):
        return block(value)
    return _compound(path, value)


def _compound(path: str, value: object) -> str:
    if (parts := parts_of(value)) is not None:
        return ", ".join(f"{name} {words(f'{path}.{name}', part)}" for name, part in parts.items())
    if isinstance(value, tuple):
        if not value:
            return "nothing"
        if path.startswith("hints") and isinstance(value[-1], bool):
            return hint(value)
        if all(isinstance(part, int) for part in value):
            return nodes(value)
        return "; ".join(words(path, part) for part in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {words(f'{path}.{key}', part)}" for key, part in value.items()) or "nothing"
    return repr(value)
