"""What tests of runs on a kind cluster share: a scenario, and what there is on an engine."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pinproof.build.kind_command import kind
from pinproof.engine import Engine

SPEC = "kind:1.36.3?workers=1"

SCENARIO = """
apiVersion: pinproof/v1alpha1
kind: Scenario
metadata: {name: refused}
topology: two_even
kubelet:
  memoryManagerPolicy: Static
  topologyManagerPolicy: restricted
  kubeReserved: {memory: 924Mi}
  reservedMemory:
  - {numaNode: 0, limits: {memory: 512Mi}}
  - {numaNode: 1, limits: {memory: 512Mi}}
steps:
- admit: {name: a, containers: [{name: c, cpu: 500m, memory: 4Gi}]}
- admit: {name: b, containers: [{name: c, cpu: 500m, memory: 60Gi}]}
- restart: {}
"""


def scenario_file(place: Path) -> Path:
    file = place / "scenario.yaml"
    file.write_text(SCENARIO)
    return file


def containers(engine: Engine) -> list[str]:
    """Everything there is on the engine: containers, networks, volumes, and the clusters that kind knows of."""
    questions = (
        [engine.name, "ps", "-aq"],
        [engine.name, "network", "ls", "-q"],
        [engine.name, "volume", "ls", "-q"],
        [str(kind()), "get", "clusters"],
    )
    said = [
        subprocess.run(question, env=engine.environment(), capture_output=True, text=True, check=True).stdout.split()
        for question in questions
    ]
    return sorted(word for words in said for word in words)
