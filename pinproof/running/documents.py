"""Small YAML documents with a fixed shape, such as the ledger and the registry: read whole or refused whole.

Every problem of a file is reported at once, with the place in the file and the field that was probably meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pinproof.errors import InputError, Problem
from pinproof.scenario import yamltext
from pinproof.scenario.topologies import read_text

Model = TypeVar("Model", bound=BaseModel)


class Document(BaseModel):
    """What every such file begins with, beside its `kind`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    apiVersion: Literal["pinproof/v1alpha1"]  # noqa: N815  # Kubernetes' spelling


def read_document(path: Path, model: type[Model]) -> Model:
    """Read one document. Raises InputError with every problem of the file."""
    text = yamltext.load(read_text(path), str(path))
    if text.problems:
        raise InputError(str(path), *(problem for _, problem in text.problems))
    try:
        return model.model_validate(text.value)
    except ValidationError as error:
        raise InputError(str(path), *(_problem(found, model) for found in error.errors())) from None


def documents(place: Path) -> Iterator[Path]:
    """The file itself, or every `*.yaml` of the folder, in the order of their names."""
    if place.is_dir():
        yield from sorted(place.glob("*.yaml"))
    else:
        yield place


def _problem(found: Any, model: type[BaseModel]) -> Problem:
    path = yamltext.path(found["loc"])
    if found["type"] != "extra_forbidden":
        return Problem(path, found["msg"].removeprefix("Value error, "))
    known = _fields(model)
    close = difflib.get_close_matches(str(found["loc"][-1]), known, n=1)
    return Problem(path, "unknown field; " + (f"did you mean {close[0]!r}?" if close else f"known are {known}"))


def _fields(model: type[BaseModel]) -> list[str]:
    """Names of the model's fields and of those of the models inside it."""
    names: dict[str, None] = {}
    for name, field in model.model_fields.items():
        names[name] = None
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                names.update(dict.fromkeys(_fields(inner)))
    return list(names)
