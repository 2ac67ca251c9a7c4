"""Values as plain JSON data: histories, findings, scenarios' parts. Field names are spelled as Kubernetes spells them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pinproof.history import parts_of
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.quantity import Quantity


def plain(value: object) -> Any:
    """The value in dicts, lists, texts and numbers; fields that are None, which means "not observed", are left out."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, CpuSet | Quantity):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if (parts := parts_of(value)) is not None:
        return {_camel(name): plain(inner) for name, inner in parts.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    raise TypeError(f"{type(value).__name__} has no plain form")


def to_json(value: object) -> str:
    """Indented JSON text of a value, ending with a newline."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
