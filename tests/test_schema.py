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
from pinproof.scenario.reader import parse_scenario
from pinproof.scenario.writer import write_scenario

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


EXAMPLE = """
apiVersion: pinproof/v1alpha1
kind: Scenario
metadata: {name: everything}
topology:
  name: mine
  provenance: made up
  threadsPerCore: 2
  numa: true
  os: linux
  nodes: [{id: 0, memory: 10Gi, cpus: 0-3, hugepages: {2Mi: 512, 1Gi: 0}, distances: [10], socket: 0}]
kubelet:
  memoryManagerPolicy: Static
  reservedMemory: [{numaNode: 0, limits: {memory: 256Mi}}]
  topologyManagerPolicy: best-effort
  topologyManagerScope: pod
  topologyManagerPolicyOptions: {max-allowable-numa-nodes: "16"}
  cpuManagerPolicy: static
  reservedSystemCPUs: 0
  kubeReserved: {memory: 156Mi, cpu: 1}
  systemReserved: {memory: 0}
  evictionHard: {memory.available: 5%}
  mergeDefaultEvictionSettings: true
  featureGates: {MemoryManager: true}
steps:
- admit:
    name: a
    initContainers: [{name: i, cpu: 0.5, memory: 1e9, restartPolicy: Always, hints: {example.com/gpu: []}}]
    containers: [{name: c, hugepages: {2Mi: 2Mi}, requests: {cpu: 1}, limits: {memory: 1Gi}}]
    restartPolicy: OnFailure
    resources: {requests: {cpu: 2, memory: 2Gi}, limits: {cpu: 2, memory: 3Gi, hugepages-2Mi: 4Mi}}
    hints: {example.com/gpu: [{nodes: [0], preferred: true}, {nodes: null, preferred: false}], example.com/nic: null}
- admit:
    apiVersion: v1
    kind: Pod
    metadata: {name: b, labels: {a: b}}
    spec: {resources: {limits: {cpu: 3}}, containers: [{name: c, resources: {limits: {cpu: 1, memory: 1Gi}}}]}
- exit: {pod: a, container: i, code: 1}
- restart: {state: lose, order: [b], signal: KILL, topology: one, kubelet: {memoryManagerPolicy: null}, kubernetes: 1.36}
- restart: {state: {find: a, replace: b, checksum: recompute}}
- restart: {state: {text: ""}}
- remove: a
"""


def test_schema_and_reader_agree() -> None:
    """A document with every field fits the schema, is read, and still fits when it is written again."""
    again = write_scenario(parse_scenario(EXAMPLE))

    for text in (EXAMPLE, again):
        assert [] == [error.message for error in validator("scenario.json").iter_errors(yaml.safe_load(text))]


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
