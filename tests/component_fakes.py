"""Drivers whose behaviour is a few lines of Python, for tests of the process and the subject around them."""

from __future__ import annotations

import sys
from pathlib import Path

HEAD = f"""#!{sys.executable}
import json, os, signal, sys, time
if "--version" in sys.argv:
    print("Kubernetes v1.36.3")
    sys.exit()
up = {{"running": True, "pods": {{}}, "assignments": {{}}, "podAssignments": {{}}, "machine": {{}}, "policy": "Static",
      "cpu": ["0-3", {{}}], "told": {{}}, "counters": {{}}, "allocatable": [[], "0-3"], "stateFile": "", "hints": []}}
down = {{"running": False, "refusal": "no", "stateFile": ""}}
def answer(request, *observations, **more):
    return {{"id": request["id"], "histories": [{{"observations": list(observations), "times": 1, **more}}]}}
def say(value):
    print(json.dumps(value), flush=True)
"""


def driver(folder: Path, behaviour: str) -> Path:
    """A driver that does this with every `request`."""
    path = folder / "driver"
    body = "".join(f"    {line}\n" for line in behaviour.splitlines())
    path.write_text(f"{HEAD}\nfor line in sys.stdin:\n    request = json.loads(line)\n{body}", encoding="utf-8")
    path.chmod(0o755)
    return path
