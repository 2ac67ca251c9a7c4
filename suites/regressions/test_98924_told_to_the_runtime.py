"""G8: `cpuset_mems` is told when a container is created, and must not be lost afterwards.

Symptom: a container that may take memory from anywhere, after an update that said nothing of nodes. Cause: the field is set at
creation alone, so every later call has to leave it alone. Releases: all nine do.
https://github.com/kubernetes/kubernetes/pull/98924
"""

from __future__ import annotations

import json
from typing import Any

from pinproof.suite import Prove, admit, besteffort, case, exits, guaranteed, restart, static

CPU = static(topology="restricted", cpu="static")
NONE = static()
BUSY = (
    admit(guaranteed("x", memory="9Gi")),
    admit(guaranteed("a", memory="6Gi", cpu="2")),
    admit(besteffort("b")),
    exits("a", "c", code=1),
    restart(),
    exits("a", "c", code=1),
)
"""A pod on node 1 through an arrival beside it, two ends of its container and a restart of the kubelet."""


@case("MM-PIN-010", machines="two_even", kubelet=[CPU, NONE])
def test_nodes_are_the_same_at_every_creation(prove: Prove) -> None:
    """Node 1 at the start, after the container came back, and after the kubelet did."""
    seen = prove(*BUSY)

    assert ["1"] * 5 == [seen.mems("a", after=step) for step in (2, 3, 4, 5, 6)]
    assert ["", "0"] == [seen.mems("b"), seen.mems("x")]


@case("MM-REG-G8-001", machines="two_even", kubelet=[CPU, NONE])
def test_no_update_changes_the_nodes(prove: Prove) -> None:
    """The runtime is told node 1 by three creations; updates of CPUs say nothing of nodes, or the same."""
    prove(*BUSY)
    calls = [json.loads(line) for line in prove.gathered("calls.jsonl").splitlines()]

    assert ["1", "1", "1"] == told(calls, "CreateContainer")
    assert {"", "1"} >= set(told(calls, "UpdateContainerResources"))


def told(calls: list[dict[str, Any]], method: str) -> list[str]:
    """`cpuset_mems` in calls about containers of the newest pod `a`, in order."""
    about = [call["request"] for call in calls if call["method"] == method]
    mine = [request for request in about if request.get("uid", "").startswith("a.")]
    return [request.get("cpuset_mems", "") for request in mine if request["uid"] == mine[-1]["uid"]]
