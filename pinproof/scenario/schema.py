"""JSON Schemas of the file formats, generated from the models; `python -m pinproof.scenario.schema` writes `schemas/`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import pinproof
from pinproof.scenario.document import ScenarioDocument, TopologyDocument
from pinproof.scenario.fields import TAG_MARK

SCHEMAS: dict[str, type[BaseModel]] = {
    "scenario.json": ScenarioDocument,
    "topology.json": TopologyDocument,
}
"""File name → the model it is generated from."""


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a document, as editors and `check-jsonschema` read it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(by_alias=True)}


def text(model: type[BaseModel]) -> str:
    """The schema as it is committed."""
    written = json.dumps(schema(model), indent=2, ensure_ascii=False, sort_keys=True)
    if TAG_MARK in written:
        raise AssertionError("names of union branches do not belong into a schema")
    return f"{written}\n"


def write(directory: Path) -> None:
    """Write all schemas into a directory."""
    for name, model in SCHEMAS.items():
        (directory / name).write_text(text(model), encoding="utf-8")


if __name__ == "__main__":
    write(Path(pinproof.__file__).parent.parent / "schemas")
