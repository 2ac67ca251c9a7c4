"""The committed JSON Schemas: they are what the code says, and every committed document fits them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import pinproof
from pinproof.scenario import schema

ROOT = Path(pinproof.__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("topologies/*.yaml"), *ROOT.glob("suites/**/*.yaml"), *ROOT.glob("docs/**/*.yaml")])
KINDS = {"Topology": "topology.json", "Scenario": "scenario.json"}


def validator(name: str) -> Any:
    """A validator of a committed schema."""
    return jsonschema.Draft202012Validator(json.loads((ROOT / "schemas" / name).read_text()))


@pytest.mark.parametrize("name", schema.SCHEMAS)
def test_committed_schema_is_generated(name: str) -> None:
    """`python -m pinproof.scenario.schema` was run after the last change of the models."""
    assert schema.text(schema.SCHEMAS[name]) == (ROOT / "schemas" / name).read_text()


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_documents_fit(file: Path) -> None:
    """What an ordinary YAML parser makes of a committed document fits its schema."""
    document = yaml.safe_load(file.read_text())
    name = KINDS.get(document.get("kind", "")) if isinstance(document, dict) else None

    if name is not None:
        assert [] == [error.message for error in validator(name).iter_errors(document)]


def test_schema_refuses() -> None:
    """The schema alone finds unknown keys, wrong types and texts that are no quantities."""
    node = {"id": "0", "memory": "10Gib", "cpu": "0-3"}
    document = {"apiVersion": "pinproof/v1alpha1", "kind": "Topology", "metadata": {"name": "x"}, "nodes": [node]}

    places = {(*error.path, error.validator) for error in validator("topology.json").iter_errors(document)}

    expected = {
        ("nodes", 0, "additionalProperties"),
        ("nodes", 0, "id", "type"),
        ("nodes", 0, "memory", "pattern"),
    }
    assert expected == places
