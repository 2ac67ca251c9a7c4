"""YAML text → plain values, with the line of every one, and nothing guessed.

Stricter than PyYAML where its guesses would change a scenario: a key may stand once in a mapping, numbers that are not
plain decimal integers stay the text that was written (`0.50`, `1e9`, `010`), and dates, tags and merge keys are not
read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from pinproof.errors import InputError, Problem

Location = tuple[str | int, ...]
"""Keys and indexes that lead from the top of a document to a value."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]*)", re.ASCII)
_MAX_VALUES = 200_000
_MAX_DEPTH = 60
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Text:
    """A document as plain dicts, lists, texts, integers and booleans."""

    value: object
    lines: dict[Location, int] = field(default_factory=dict)
    """Line of each value, counted from 1; for an entry of a mapping the line of its key."""

    problems: tuple[tuple[int, Problem], ...] = ()
    """Line and description of what YAML allows and a scenario does not, such as a key given twice."""


def load(text: str, source: str) -> Text:
    """Read one document; raises InputError where the text is not YAML at all."""
    try:
        _measure(text, source)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(source, Problem(where, _why(error, text))) from None
    except yaml.YAMLError as error:
        raise InputError(source, Problem("", f"this is not a YAML document: {error}")) from None
    if root is None:
        raise InputError(source, Problem("", "the file is empty; a document begins with apiVersion: pinproof/v1alpha1"))
    builder = _Builder()
    value = builder.build(root, ())
    return Text(value, builder.lines, tuple(builder.problems))


def _measure(text: str, source: str) -> None:
    """Refuse a text that is nested too deeply: composing it recurses in C and would crash the interpreter."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise InputError(source, Problem(f"line {line}", f"more than {_MAX_DEPTH} levels of nesting"))


def _why(error: yaml.MarkedYAMLError, text: str) -> str:
    problem = error.problem or "this is not YAML"
    if "but found another document" in problem:
        return "a second document begins here; a file holds one document"
    mark = error.problem_mark
    if mark and any(line[: mark.column + 1].endswith("\t") for line in text.splitlines()[mark.line : mark.line + 1]):
        return "a tab cannot indent YAML; use spaces"
    context = f" {error.context}" if error.context else ""
    return f"this is not YAML: {problem}{context}"


class _Builder:
    """Builds the values of one document; keeps going after a problem so that all are told at once."""

    def __init__(self) -> None:
        self.lines: dict[Location, int] = {}
        self.problems: list[tuple[int, Problem]] = []
        self._count = 0

    def build(self, node: yaml.Node, at: Location) -> object:
        self.lines.setdefault(at, node.start_mark.line + 1)
        self._count += 1
        if self._count > _MAX_VALUES:
            if self._count == _MAX_VALUES + 1:
                self._say(node, at, f"the document has more than {_MAX_VALUES} values")
            return None
        if len(at) > _MAX_DEPTH:
            self._say(node, at, f"more than {_MAX_DEPTH} levels of nesting, or an alias to a value that contains it")
            return None
        if isinstance(node, yaml.MappingNode):
            return dict(self._entries(node, at))
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*at, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, at)

    def _entries(self, node: yaml.MappingNode, at: Location) -> Iterator[tuple[str, object]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._say(key_node, at, "a key must be a plain word, not a list or mapping")
                continue
            key = str(key_node.value)
            if key_node.tag == "tag:yaml.org,2002:merge":
                self._say(key_node, at, "merge keys (<<) are not read; write the entries out")
                continue
            if key in seen:
                self._say(key_node, (*at, key), f"this key stands already in line {seen[key]}; keep one of them")
                continue
            seen[key] = line
            self.lines[*at, key] = line
            yield key, self.build(value_node, (*at, key))

    def _scalar(self, node: yaml.Node, at: Location) -> object:
        text, kind = str(node.value), node.tag.removeprefix("tag:yaml.org,2002:")
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() in {"yes", "true", "on"}
        if kind == "int" and _INTEGER.fullmatch(text) and len(text) <= _MAX_DIGITS:
            return int(text)
        if kind not in {"str", "int", "float", "timestamp", "value"}:
            self._say(node, at, f"the tag {node.tag} is not read; leave it out")
        return text

    def _say(self, node: yaml.Node, at: Location, message: str) -> None:
        line = node.start_mark.line + 1
        self.problems.append((line, Problem(path(at), f"{message} (line {line})")))


def path(at: Location) -> str:
    """A location as people write it: `topology.nodes[1].memory`."""
    text = ""
    for part in at:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
