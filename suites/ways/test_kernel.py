"""What the kernel holds a container to, where this host has the nodes and CPUs that the made machine gives."""

from __future__ import annotations

from pinproof.history import Enforced, Told
from pinproof.suite import Prove, admit, case, guaranteed, restart, static

NONE, CPU = static(), static(topology="single-numa-node", cpu="static")


@case("MM-KERNEL-001", machines=["one", "two_even"], kubelet=NONE)
def test_container_has_the_node_that_it_was_told(prove: Prove) -> None:
    """Every host has a node 0."""
    seen = prove(admit(guaranteed("a", memory="4Gi")))

    assert Enforced(told=Told("0", ""), kernel=Told("0", "")) == seen.enforced("a")


@case("MM-KERNEL-001", machines="one", kubelet=CPU)
def test_container_has_the_cpu_that_it_was_told(prove: Prove) -> None:
    """CPU 0 is reserved, so the first that is given away is CPU 1; it is the same after a restart."""
    seen = prove(admit(guaranteed("a", memory="4Gi", cpu="1")), restart())

    assert [Enforced(told=Told("0", "1"), kernel=Told("0", "1"))] * 2 == [
        seen.enforced("a", after=step) for step in (1, 2)
    ]
