"""F2: machines with more than eight NUMA nodes could have no topology manager policy.

Symptom: the kubelet does not start, "unsupported on machines with more than 8 NUMA Nodes". Cause: the number of masks doubles
with every node, so a limit was built in. Releases: up to 1.30 nothing can be done; from 1.31 the option
`max-allowable-numa-nodes` raises the limit.
https://github.com/kubernetes/kubernetes/issues/124144
"""

from __future__ import annotations

from pinproof.scenario.config import KubeletConfig
from pinproof.suite import (
    Configuration,
    Prove,
    admit,
    besteffort,
    block,
    case,
    guaranteed,
    none_policy,
    restart,
    static,
)


def limited(value: str, slug: str) -> Configuration:
    """Policy restricted with this value of the option."""
    return none_policy(
        topology="restricted", topology_manager_policy_options={"max-allowable-numa-nodes": value}, slug=slug
    )


RAISED = static(topology="best-effort", options={"max-allowable-numa-nodes": "16"}, slug="raised")
WITHOUT = KubeletConfig(topology_manager_policy="restricted")


@case("MM-REG-F2-001", machines="sixteen", kubelet=RAISED)
def test_sixteen_nodes_are_served(prove: Prove) -> None:
    """A pod of 3Gi, which two nodes of 2Gi can hold, gets two; it keeps them through a restart."""
    seen = prove(admit(guaranteed("a", memory="3Gi")), restart())

    assert seen.running, seen.refusal
    assert [block((0, 1), memory="3Gi")] == seen.blocks("a")


@case("MM-CONF-017", machines="sixteen", kubelet=none_policy(slug="option_unset"))
def test_limit_without_the_option(prove: Prove) -> None:
    """Sixteen nodes are refused by name of the limit, and admitted with policy none."""
    assert "unsupported on machines with more than 8 NUMA Nodes" in prove(kubelet=WITHOUT).refusal
    assert prove(admit(besteffort("a"))).admitted("a")


@case("MM-CONF-018", machines="eight_nps4", kubelet=none_policy(slug="option_unset"))
def test_eight_nodes_without_the_option(prove: Prove) -> None:
    """The limit itself is allowed."""
    assert prove(kubelet=WITHOUT).running


@case("MM-CONF-017", machines="sixteen", kubelet=RAISED, since="1.31")
def test_option_that_is_taken_away_again(prove: Prove) -> None:
    """A rollback that removes the option leaves a kubelet that does not start."""
    seen = prove(admit(besteffort("a")), restart(kubelet=WITHOUT))

    assert not seen.running
    assert "unsupported on machines with more than 8 NUMA Nodes" in seen.refusal


@case(
    "MM-CONF-015",
    machines="two_even",
    kubelet=[limited("true", "option_true"), limited("7", "option_7"), limited("8.5", "option_8_5")],
    since="1.31",
)
def test_values_that_make_no_sense(prove: Prove) -> None:
    """A boolean, which the documentation showed for a while, less than eight, and a fraction."""
    seen = prove()

    assert not seen.running
    assert '"max-allowable-numa-nodes"' in seen.refusal
