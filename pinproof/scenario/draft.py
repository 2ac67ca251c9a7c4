"""A document on its way to a value: what pydantic finds wrong with it, said in the words of the file.

Everything wrong is collected, and what is right stays usable, so that the checks behind this one can still look at it
and a user hears of all problems at once.
"""

from __future__ import annotations

import difflib
import re
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pinproof.errors import InputError, Problem
from pinproof.scenario import yamltext
from pinproof.scenario.fields import TAG_MARK
from pinproof.scenario.yamltext import Location

M = TypeVar("M", bound=BaseModel)
P = TypeVar("P", bound=BaseModel)

_LATER = {
    "activeDeadlineSeconds": "deadlines",
    "claims": "dynamic resources",
    "ephemeralContainers": "ephemeral containers",
    "lifecycle": "life cycle hooks",
    "livenessProbe": "probes",
    "overhead": "pod overhead",
    "readinessProbe": "probes",
    "resizePolicy": "in-place resize",
    "resourceClaims": "dynamic resources",
    "restartPolicyRules": "restart rules",
    "runtimeClassName": "runtime classes",
    "startupProbe": "probes",
}
"""Fields of a pod that would change what a kubelet does and that pinproof does not model."""

_KINDS = {
    "bool_type": "true or false",
    "dict_type": "a mapping of keys to values",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_attributes_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "string_type": "a text",
}


class Draft(Generic[M]):
    """One document under examination."""

    def __init__(self, model: type[M], text: yamltext.Text) -> None:
        self._text = text
        self._fields: dict[int, list[str]] = {}
        self.problems: list[tuple[int, Problem]] = list(text.problems)
        self.whole: M | None = None
        """The whole document, where nothing in it is malformed."""
        try:
            self.whole = model.model_validate(text.value, context=self._fields)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                at = _place(details["loc"])
                self.say(at, self._message(details, at))

    def part(self, model: type[P], *at: str | int) -> P | None:
        """The value at a place, None where it is missing or malformed; the latter has been told."""
        try:
            return model.model_validate(self.raw(*at))
        except (ValidationError, LookupError):
            return None

    def raw(self, *at: str | int) -> Any:  # a document may hold anything anywhere
        """What stands at a place; raises LookupError where nothing does."""
        value: Any = self._text.value
        for part in at:
            fits = isinstance(value, list) if isinstance(part, int) else isinstance(value, dict)
            if not fits:
                raise LookupError(part)
            value = value[part]
        return value

    def length(self, *at: str | int) -> int:
        """Number of items of the list at a place; 0 where there is none."""
        try:
            value = self.raw(*at)
        except LookupError:
            return 0
        return len(value) if isinstance(value, list) else 0

    def integer(self, *at: str | int, default: int) -> int:
        """The positive number at a place, `default` where there is none."""
        try:
            value = self.raw(*at)
        except LookupError:
            return default
        return value if isinstance(value, int) and value > 0 else default

    def has(self, word: str, *at: str | int) -> bool:
        """Whether this word stands at a place."""
        try:
            return bool(self.raw(*at) == word)
        except LookupError:
            return False

    def say(self, at: Location, message: str) -> None:
        """Record a problem with its place and line."""
        self.problems.append((self._line(at), Problem(yamltext.path(at), f"{message} (line {self._line(at)})")))

    def refuse(self, source: str) -> None:
        """Raise InputError if there is any problem, in the order of lines."""
        if self.problems:
            ordered = sorted(self.problems, key=lambda found: found[0])
            raise InputError(source, *dict.fromkeys(problem for _, problem in ordered))

    def _line(self, at: Location) -> int:
        while at and at not in self._text.lines:
            at = at[:-1]
        return self._text.lines.get(at, 1)

    def _message(self, details: ErrorDetails, at: Location) -> str:
        kind, found = details["type"], details["input"]
        context = details.get("ctx", {})
        if kind == "extra_forbidden":
            return self._unknown(at)
        if kind == "missing":
            return "this is required and missing"
        if kind == "value_error":
            return str(context["error"])
        if kind == "literal_error":
            words = re.findall(r"'([^']*)'", context["expected"])
            return f"must be {context['expected']}, not {_shown(found)}{_nearest(found, words)}"
        if kind in _KINDS:
            quote = "; put it in quotes" if kind == "string_type" and isinstance(found, bool | int) else ""
            return f"must be {_KINDS[kind]}, not {_shown(found)}{quote}"
        if kind == "too_short":
            return "must have at least one entry"
        return f"{details['msg'].replace('Input should', 'must')}, not {_shown(found)}"

    def _unknown(self, at: Location) -> str:
        key = str(at[-1])
        known = self._fields.get(id(self.raw(*at[:-1])), [])
        if key in _LATER and "spec" in at:
            return f"not supported in this version of pinproof: {_LATER[key]}"
        return f"unknown key{_nearest(key, known) or '; known here: ' + ', '.join(known)}"


def _place(location: tuple[int | str, ...]) -> Location:
    """Pydantic's location without the parts that are its own: names of union branches and marks of keys."""
    return tuple(part for part in location if part != "[key]" and not str(part).startswith(TAG_MARK))


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return repr(value)


def _nearest(found: object, words: list[str]) -> str:
    """A suggestion to append to a message; empty where no word is near."""
    lower = {word.lower(): word for word in words}
    near = difflib.get_close_matches(str(found).lower(), list(lower), n=1, cutoff=0.6)
    return f"; did you mean {lower[near[0]]}?" if near else ""
