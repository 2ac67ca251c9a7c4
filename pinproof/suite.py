"""The vocabulary of a suite module: everything a case imports, so that a case is 5–15 lines.

    from pinproof.suite import Prove, admit, block, case, guaranteed, restart, static

    @case("MM-ADMIT-001", machines=["two_even", "three"], kubelet=[static(topology="restricted"), static()])
    def test_pod_that_fits_one_node_is_admitted(prove: Prove) -> None:
        \"\"\"A Guaranteed pod that fits one node is admitted.\"\"\"
        seen = prove(admit(guaranteed("a", memory="4Gi", cpu="2")), restart())

        assert seen.admitted("a")
        assert [block(0, memory="4Gi")] == seen.blocks("a")

`prove` runs the scenario on the subject, compares everything the subject shows with what the reference predicts, and
returns what was seen. The literal assertions say what the case is about; a finding of the comparison fails it as well.

Machines are names of `topologies/`, ids those of `requirements/`. Sizes in assertions are bytes: `gib(4)`, `mib(512)`,
`size("4Gi")`. Steps count from 1, 0 is the start of the kubelet: `seen.free(0, after=1)`.
"""

from __future__ import annotations

from pinproof.running.case import Case, case
from pinproof.running.configuration import Configuration, configured, none_policy, static
from pinproof.running.crashing import crash_everywhere
from pinproof.running.fractions import eighth, nodes
from pinproof.running.permuting import permute
from pinproof.running.pods import (
    besteffort,
    brought,
    burstable,
    container,
    guaranteed,
    hinted,
    pod,
    pod_level,
    replacement,
    sidecar,
)
from pinproof.running.prove import Prove
from pinproof.running.rebooting import AS_IT_WAS, reboots
from pinproof.running.seen import Seen, block, gib, mib, size
from pinproof.running.steps import (
    admit,
    admit_together,
    at_call,
    at_write,
    calls,
    disk,
    edited,
    exits,
    killed,
    remove,
    replaced,
    restart,
    runtime_forgets,
)

__all__ = [
    "AS_IT_WAS",
    "Case",
    "Configuration",
    "Prove",
    "Seen",
    "admit",
    "admit_together",
    "at_call",
    "at_write",
    "besteffort",
    "block",
    "brought",
    "burstable",
    "calls",
    "case",
    "configured",
    "container",
    "crash_everywhere",
    "disk",
    "edited",
    "eighth",
    "exits",
    "gib",
    "guaranteed",
    "hinted",
    "killed",
    "mib",
    "nodes",
    "none_policy",
    "permute",
    "pod",
    "pod_level",
    "reboots",
    "remove",
    "replaced",
    "replacement",
    "restart",
    "runtime_forgets",
    "sidecar",
    "size",
    "static",
]
