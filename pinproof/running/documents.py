"""Small YAML documents with a fixed shape, such as the ledger and the registry: read whole or refused whole.

Every problem of a file is reported at once, with the place in the file and the field that was probably meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pinproof.errors import InputError, Problem

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """PyYAML takes the last of two equal keys; here the second one is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is there twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_document(path: Path, model: type[Model]) -> Model:
    """Read one document. Raises InputError with every problem of the file."""
    source = str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(source, Problem("", f"cannot be read: {error}")) from error
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        raise InputError(source, Problem("", f"is not YAML: {_where(error)}")) from error
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InputError(source, *(_problem(found, model) for found in error.errors())) from error


def documents(place: Path) -> Iterator[Path]:
    """The file itself, or every `*.yaml` of the folder, in the order of their names."""
    if place.is_dir():
        yield from sorted(place.glob("*.yaml"))
    else:
        yield place


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {getattr(error, 'problem', error)}"


def _problem(found: Any, model: type[BaseModel]) -> Problem:
    path = ""
    for part in found["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    if found["type"] != "extra_forbidden":
        return Problem(path, found["msg"].removeprefix("Value error, "))
    known = _fields(model)
    close = difflib.get_close_matches(str(found["loc"][-1]), known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"
    return Problem(path, f"unknown field{hint}")


def _fields(model: type[BaseModel]) -> list[str]:
    """Names of the model's fields and of the models inside it."""
    names: dict[str, None] = {}
    for name, field in model.model_fields.items():
        names[field.alias or name] = None
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                names.update(dict.fromkeys(_fields(inner)))
    return list(names)
