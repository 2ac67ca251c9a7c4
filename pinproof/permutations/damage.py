"""What may have become of a state file while the kubelet was down: kept, lost, of another release, damaged.

Everything here is made from the text of a sound file. A file can end or be wrong at any of its bytes; bytes that stand in the
same place of the grammar are of one class, and one of each class is taken, that in the middle of the file.

>>> sorted(cuts('{"a":12,"checksum":3}'))[:3]
['at the end but one', 'before the checksum', 'behind a colon']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from pinproof.reference import checkpoint
from pinproof.scenario.steps import StateEdit, StateText

State = Literal["keep", "lose"] | StateEdit | StateText

_TOKEN: Final = re.compile(r'"(?:\\.|[^"\\])*"|-?\d+|[{}\[\],:]')
_PUNCTUATION: Final = MappingProxyType(
    {"{": "a brace", "}": "a brace", "[": "a bracket", "]": "a bracket", ",": "a comma", ":": "a colon"}
)

CHECKSUM_OF_NONE: Final = 4236770233
"""The checksum of the file that policy None writes on its first day: sound, but of another file."""

DATA_CHECKSUM_OF_NONE: Final = 3093843326
"""The same of the `data` of format 3."""

FORMATS: Final = MappingProxyType({1: "1.35", 2: "1.36 with PodLevelResourceManagers", 3: "1.37"})
"""Format → a release that writes it."""


def cuts(text: str) -> dict[str, str]:
    """Where the file ends → what is left of it, one for each class of places."""
    found = _middle(_places(text))
    checksum = text.rfind('"checksum"')
    if checksum > 0:
        found |= {"before the checksum": checksum, "inside the checksum": checksum + len('"checksum":') + 1}
    if len(text) > 1:
        found["at the end but one"] = len(text) - 1
    return {place: text[:position] for place, position in sorted(found.items())}


def flips(text: str) -> dict[str, str]:
    """What is wrong → the file with the lowest bit of one byte turned over, one for each class of bytes."""
    found = _middle(_bytes(text))
    return {place: flipped(text, position) for place, position in sorted(found.items())}


def every_cut(text: str) -> dict[str, str]:
    """How many bytes are left → the beginning of the file; every number of them."""
    return {str(count): text[:count] for count in range(1, len(text))}


def every_flip(text: str) -> dict[str, str]:
    """Which bit is turned over → the file; seven bits of every byte, since the eighth makes no text of it."""
    return {
        f"{bit} of byte {position}": flipped(text, position, bit) for position in range(len(text)) for bit in range(7)
    }


def flipped(text: str, position: int, bit: int = 0) -> str:
    """The text with one bit of one of its characters turned over. All that a kubelet writes is ASCII."""
    return text[:position] + chr(ord(text[position]) ^ (1 << bit)) + text[position + 1 :]


def foreign_checksums(text: str) -> dict[str, str]:
    """Which checksum is that of another file → the file."""
    found = {"": re.sub(r'"checksum":\d+', f'"checksum":{CHECKSUM_OF_NONE}', text)}
    if '"dataChecksum"' in text:
        found["of the data"] = re.sub(r'"dataChecksum":\d+', f'"dataChecksum":{DATA_CHECKSUM_OF_NONE}', text)
    return found


def formats(text: str) -> dict[str, str]:
    """Release → the same content as it would have written it, for the formats that the file is not in."""
    decoded = checkpoint.decode(text)
    own = checkpoint.version_of(decoded)
    content = checkpoint.decode_data(decoded) if decoded.data else decoded
    pods = {uid: blocks or () for uid, blocks in (content.pod_entries or {}).items()}
    versions: tuple[checkpoint.Version, ...] = (1, 2, 3)
    return {
        FORMATS[version]: checkpoint.encode(
            checkpoint.sealed(content.policy, content.machine or {}, content.entries, version=version, pod_entries=pods)
        )
        for version in versions
        if version != own
    }


_OTHERS: Final = MappingProxyType({"an object": "{}", "a list": "[]", "null": "null", "words": "policyName: Static"})

_FAMILIES: Final[Mapping[str, Callable[[str], Mapping[str, str]]]] = MappingProxyType(
    {
        "of release": formats,
        "foreign checksum": foreign_checksums,
        "cut": cuts,
        "flipped": flips,
        "empty": lambda text: {"": ""},
        "twice": lambda text: {"": text + text},
        "replaced by": lambda text: _OTHERS,
    }
)

STATES: Final = ("kept", *_FAMILIES, "lost")
"""What may become of the file, by name; the damaged ones are families of several."""

FILE: Final = "memory_manager_state"

DISKS: Final[Mapping[str, tuple[Literal["full", "read-only", "unreadable"], Literal["keep", "lose"]]]] = (
    MappingProxyType(
        {
            "unreadable": ("unreadable", "keep"),
            "on a full disk": ("full", "keep"),
            "lost on a full disk": ("full", "lose"),
            "on a read-only disk": ("read-only", "keep"),
            "lost on a read-only disk": ("read-only", "lose"),
        }
    )
)
"""Name → the disk on which a sound file is, and whether it is."""

_SWEEPS: Final[Mapping[str, Callable[[str], Mapping[str, str]]]] = MappingProxyType(
    {"ends behind byte": every_cut, "flipped bit": every_flip}
)

SWEEPS: Final = tuple(_SWEEPS)
"""Families of thousands: every place instead of one of each class."""


def states(text: str, wanted: tuple[str, ...] = STATES) -> Iterator[tuple[str, State]]:
    """(`cut inside a key`, what becomes of the file) for the wanted kinds, of a sound file of this text."""
    for kind in (*STATES[:-1], *SWEEPS, *STATES[-1:]):
        if kind not in wanted:
            continue
        if kind in ("kept", "lost"):
            yield kind, "keep" if kind == "kept" else "lose"
        elif text:
            family = ({**_FAMILIES, **_SWEEPS})[kind](text)
            yield from ((f"{kind} {which}".rstrip(), StateText(damaged)) for which, damaged in family.items())


def _middle(places: Iterator[tuple[str, int]]) -> dict[str, int]:
    """Class → the one of its places in the middle."""
    found: dict[str, list[int]] = {}
    for place, position in places:
        found.setdefault(place, []).append(position)
    return {place: positions[len(positions) // 2] for place, positions in found.items()}


def _tokens(text: str) -> Iterator[tuple[str, int, int]]:
    """(what it is, begin, end) of everything that the text is made of."""
    for match in _TOKEN.finditer(text):
        word = match.group()
        if word[0] == '"':
            kind = "a key" if text[match.end() : match.end() + 1] == ":" else "a string"
        else:
            kind = _PUNCTUATION.get(word, "a number")
        yield kind, match.start(), match.end()


def _places(text: str) -> Iterator[tuple[str, int]]:
    """Where the text can end: inside every kind of token and behind it."""
    for kind, begin, end in _tokens(text):
        if end < len(text):
            yield f"behind {kind}", end
        if end - begin > 1:
            yield f"inside {kind}", (begin + end) // 2
        if "\\" in text[begin:end]:
            yield "inside an escape", text.index("\\", begin) + 1


def _bytes(text: str) -> Iterator[tuple[str, int]]:
    """Bytes that can be wrong: of every kind of token one, and the quotes of strings."""
    for kind, begin, end in _tokens(text):
        if text[begin] == '"':
            yield "a quote", begin
        if end - begin > 2 or text[begin] != '"':
            yield kind if kind in _PUNCTUATION.values() else f"inside {kind}", (begin + end) // 2
    checksum = text.rfind('"checksum":')
    if checksum > 0:
        yield "inside the checksum", checksum + len('"checksum":')
