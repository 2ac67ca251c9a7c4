"""What Go's `encoding/json` says of a text that is no JSON, to the word.

A kubelet reports these words when it refuses a damaged state file. The text is read from its beginning, and the first character
that cannot stand where it stands is named with what was expected there; a text that could go on is cut off.

>>> syntax_error('{"a":1}'), syntax_error('{"a":1'), syntax_error('{"a":01}')
('', 'unexpected end of JSON input', "invalid character '1' after object key:value pair")
"""

from __future__ import annotations

import re
from typing import Final

CUT_OFF: Final = "unexpected end of JSON input"

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DIGITS: Final = re.compile(r"[0-9]*")
_PLAIN: Final = re.compile(r'[^"\\\x00-\x1f]*')
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_ESCAPES: Final = frozenset('bfnrt\\/"')
_LITERALS: Final = {"t": "true", "f": "false", "n": "null"}
_QUOTED: Final = {"'": "\\'", "\\": "\\\\", **{chr(7 + n): f"\\{letter}" for n, letter in enumerate("abtnvfr")}}


def syntax_error(text: str) -> str:
    """Go's words for the first fault of the text; empty where it is JSON."""
    try:
        end = _value(text, 0)
        end = _skip(text, end)
        if end < len(text):
            raise _Fault(text, end, "after top-level value")
    except _Fault as fault:
        return str(fault)
    return ""


class _Fault(Exception):
    """The character that cannot be there, or the end of the text."""

    def __init__(self, text: str, at: int, where: str) -> None:
        # Go puts a space behind the end, and complains of that where no space can be.
        found = text[at : at + 1] or (" " if where.startswith("in ") or "numeric" in where else "")
        super().__init__(f"invalid character '{_shown(found)}' {where}" if found else CUT_OFF)


def _shown(character: str) -> str:
    """A character as Go quotes it."""
    if character in _QUOTED:
        return _QUOTED[character]
    return character if " " <= character < "\x7f" else f"\\x{ord(character):02x}"


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, wanted: str, where: str) -> int:
    if text[at : at + 1] != wanted:
        raise _Fault(text, at, where)
    return at + 1


def _value(text: str, at: int) -> int:
    """Read a value; answers where it ends."""
    at = _skip(text, at)
    first = text[at : at + 1]
    if first == "{":
        return _object(text, at + 1)
    if first == "[":
        return _array(text, at + 1)
    if first == '"':
        return _string(text, at + 1)
    if first in _LITERALS:
        return _literal(text, at, _LITERALS[first])
    if first and first in "-0123456789":
        return _number(text, at)
    raise _Fault(text, at, "looking for beginning of value")


def _object(text: str, at: int) -> int:
    at = _skip(text, at)
    if text[at : at + 1] == "}":
        return at + 1
    while True:
        at = _expect(text, _skip(text, at), '"', "looking for beginning of object key string")
        at = _expect(text, _skip(text, _string(text, at)), ":", "after object key")
        at = _skip(text, _value(text, at))
        if text[at : at + 1] == "}":
            return at + 1
        at = _expect(text, at, ",", "after object key:value pair")


def _array(text: str, at: int) -> int:
    at = _skip(text, at)
    if text[at : at + 1] == "]":
        return at + 1
    while True:
        at = _skip(text, _value(text, at))
        if text[at : at + 1] == "]":
            return at + 1
        at = _expect(text, at, ",", "after array element")


def _string(text: str, at: int) -> int:
    """Behind the opening quote."""
    while True:
        found = _PLAIN.match(text, at)
        at = found.end() if found else at
        if text[at : at + 1] == '"':
            return at + 1
        if at == len(text):
            raise _Fault(text, at, "")
        at = _expect(text, at, "\\", "in string literal")
        escape = text[at : at + 1]
        if escape == "u":
            at += 1
            for place in range(at, at + 4):
                if text[place : place + 1] not in _HEX:
                    raise _Fault(text, place, "in \\u hexadecimal character escape")
            at += 4
        elif escape in _ESCAPES:
            at += 1
        else:
            raise _Fault(text, at, "in string escape code")


def _literal(text: str, at: int, literal: str) -> int:
    for offset, wanted in enumerate(literal):
        if text[at + offset : at + offset + 1] != wanted:
            raise _Fault(text, at + offset, f"in literal {literal} (expecting '{wanted}')")
    return at + len(literal)


def _number(text: str, at: int) -> int:
    at += text[at] == "-"
    if text[at : at + 1] == "0":
        at += 1
    else:
        at = _digits(text, at, "in numeric literal")
    if text[at : at + 1] == ".":
        at = _digits(text, at + 1, "after decimal point in numeric literal")
    if text[at : at + 1] in ("e", "E"):
        at += 1
        at = _digits(text, at + (text[at : at + 1] in ("+", "-")), "in exponent of numeric literal")
    return at


def _digits(text: str, at: int, where: str) -> int:
    """One digit or more."""
    found = _DIGITS.match(text, at)
    end = found.end() if found else at
    if end == at:
        raise _Fault(text, at, where)
    return end
