"""F4: nodes that the machine could have, and does not.

Symptom: `open /sys/devices/system/node/node2/cpulist: no such file or directory`, and the kubelet does not start. Cause:
possible nodes were taken for online ones. Releases: before 1.17. Every machine of pinproof has room for eight nodes at least,
and directories for those that are online.
https://github.com/kubernetes/kubernetes/issues/83175
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, guaranteed, none_policy, restart, static

CPU = static(topology="restricted", cpu="static")


@case("MM-REG-F4-001", machines=["one", "two_even", "ids_gaps"], kubelet=[CPU, none_policy()])
def test_only_online_nodes_are_looked_at(prove: Prove) -> None:
    """Eight possible nodes, of which one, two or three are online: the kubelet starts, and misses none."""
    seen = prove(admit(guaranteed("a", memory="1Gi", cpu="1")), restart())

    assert seen.admitted("a")
    assert [] == [line.text for line in prove.words().errors() if "/sys/devices/system/node" in line.text]


@case("MM-REG-F4-001", machines=["one", "two_even", "ids_gaps"], kubelet=CPU)
def test_books_are_of_online_nodes(prove: Prove) -> None:
    """Nodes that are only possible have no books."""
    seen = prove()

    assert {node.id for node in prove.machine.nodes} == set(seen.observation().machine or {})
