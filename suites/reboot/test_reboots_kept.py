"""A node that loses its power, or is rebooted, with all that was on its disk: the books and the pages after each boot."""

from __future__ import annotations

from itertools import permutations

from pinproof.scenario.steps import Step
from pinproof.suite import Prove, admit, block, case, guaranteed, remove, restart, static

NONE = static(reserved="64Mi")

ON_2: list[Step] = [admit(guaranteed("a", memory="384Mi")), admit(guaranteed("b", memory="256Mi")), remove("a")]
"""`b` is on the node that has no CPUs, where nobody would put it who does not know of `a`."""


@case("MM-BOOT-001", machines="small_three", kubelet=NONE)
def test_three_boots(prove: Prove) -> None:
    """Books and pages are on node 2 after each."""
    seen = prove(*ON_2, *[restart(signal="POWER")] * 3)

    assert [[block(2, memory="256Mi")]] * 3 == [seen.blocks("b", after=step) for step in (4, 5, 6)]
    assert [(2,)] * 3 == [seen.pages("b", after=step).nodes for step in (4, 5, 6)]


@case("MM-BOOT-001", machines="small_three", kubelet=NONE)
def test_reboot_in_order(prove: Prove) -> None:
    """The kubelet is told to end, then the containers; after the boot books and pages are on node 2 as before."""
    seen = prove(*ON_2, restart(signal="REBOOT"))

    assert [block(2, memory="256Mi")] == seen.blocks("b")
    assert [(2,)] * 2 == [seen.pages("b", after=step).nodes for step in (3, 4)]


@case("MM-BOOT-002", machines="small_three", kubelet=NONE)
def test_state_is_lost(prove: Prove) -> None:
    """The kubelet starts over with node 0, and the container is a new one: the books are the truth again."""
    seen = prove(*ON_2, restart(signal="POWER", state="lose"))

    assert [block(0, memory="256Mi")] == seen.blocks("b")
    assert [(2,), (0,)] == [seen.pages("b", after=step).nodes for step in (3, 4)]


@case("MM-BOOT-002", machines="small_three", kubelet=NONE)
def test_state_is_lost_while_containers_run_and_then_the_power(prove: Prove) -> None:
    """What books and truth differ in after a lost state is over with the next boot."""
    seen = prove(*ON_2, restart(state="lose"), restart(signal="POWER"))

    assert [[block(0, memory="256Mi")]] * 2 == [seen.blocks("b", after=step) for step in (4, 5)]
    assert [(2,), (0,)] == [seen.pages("b", after=step).nodes for step in (4, 5)]


@case("MM-BOOT-002", machines="small_three", kubelet=NONE)
def test_order_of_return_decides_without_the_state(prove: Prove) -> None:
    """Three pods in every order: the first two get node 0, the last one node 1, and so it is in the kernel after each boot."""
    pods = [admit(guaranteed(name, memory="192Mi")) for name in "abc"]
    orders = [*permutations("abc")]
    seen = prove(*pods, *[restart(signal="POWER", state="lose", order=order) for order in orders])

    assert [[(0,), (0,), (1,)]] * 6 == [
        [seen.pages(name, after=step).nodes for name in order] for step, order in enumerate(orders, 4)
    ]


@case("MM-BOOT-001", machines="small_two", kubelet=NONE)
def test_order_of_return_does_not_matter_with_the_state(prove: Prove) -> None:
    """Two pods in both orders: each gets memory where it was."""
    pods = [admit(guaranteed(name, memory="256Mi")) for name in "ab"]
    seen = prove(*pods, *[restart(signal="POWER", order=order) for order in permutations("ab")])

    assert [[(0,), (1,)]] * 3 == [[seen.pages(name, after=step).nodes for name in "ab"] for step in (2, 3, 4)]


@case("MM-BOOT-002", machines="small_two", kubelet=NONE)
def test_two_pods_change_places_without_the_state(prove: Prove) -> None:
    """Whoever is first gets node 0, and the pages with it."""
    pods = [admit(guaranteed(name, memory="256Mi")) for name in "ab"]
    seen = prove(*pods, restart(signal="POWER", state="lose", order=("b", "a")))

    assert [(1,), (0,)] == [seen.pages(name).nodes for name in "ab"]
