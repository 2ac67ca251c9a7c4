"""A node with pods whose kubelet is replaced by one of another release, and by the first again.

One minor, and with `--nightly` two, upwards and downwards: each needs kubelets of its own. Every kubelet on the way admits a pod,
so that each finds a file that the other has written. The pods stand where a kubelet that knew nothing of them would not put them.
"""

from __future__ import annotations

from collections.abc import Callable

from pinproof.running.releases import minor_of
from pinproof.scenario.steps import Step
from pinproof.suite import (
    Configuration,
    Prove,
    Seen,
    admit,
    block,
    burstable,
    case,
    container,
    gib,
    guaranteed,
    pod,
    remove,
    restart,
    sidecar,
    static,
)

RELEASES = ("1.29.6", "1.30.14", "1.31.0", "1.32.2", "1.33.13", "1.34.4", "1.35.4", "1.36.3", "1.37.1")
"""One of each minor, oldest first: those that a run of all releases has built anyway."""

OLDEST_TO_GO_BACK_TO = 1
"""Place among them: where 1.29 is not built for the subject it cannot be gone back to."""

ALIGNED = static(topology="restricted", cpu="static")
SINGLE = static(topology="single-numa-node", scope="pod", cpu="static")
ALONE = static(topology="restricted")
"""Without CPU manager: by the exclusive CPUs of its pods a kubelet that lost the memory's state would find their nodes again."""

SPREAD = static(topology="best-effort")
Body = Callable[[Prove], None]
ONE_MINOR_UP, TWO_MINORS_UP, ONE_MINOR_DOWN, TWO_MINORS_DOWN = 1, 2, -1, -2


def other(prove: Prove, minors: int) -> str:
    """The release so many minors above the subject's."""
    position = [minor_of(release) for release in RELEASES].index(prove.minor)
    return RELEASES[position + minors]


PODS: tuple[Step, ...] = (
    admit(guaranteed("first", memory="8Gi", cpu="6")),
    admit(guaranteed("a", memory="4Gi", cpu="2")),
    remove("first"),
    admit(pod("s", container(memory="2Gi", cpu="1"), init=[sidecar("side", memory="1Gi", cpu="1")])),
    admit(guaranteed("h", memory="1Gi", cpu="1", hugepages={"2Mi": "512Mi"})),
    admit(burstable("u")),
)
"""`a` on node 1, since node 0 was full when it came; the others on node 0."""


def there_and_back(prove: Prove, minors: int) -> None:
    """To another release and back; every pod stays where it is, with its CPUs, and so do the books."""
    seen = prove(
        *PODS,
        restart(kubernetes=other(prove, minors), order=("u", "h", "s", "a")),
        admit(guaranteed("n", memory="3Gi", cpu="1")),
        restart(kubernetes=prove.subject.version),
        admit(guaranteed("o", memory="2Gi", cpu="1")),
    )

    exclusive = prove.configuration != ALONE
    for step in range(len(PODS), len(PODS) + 5):
        _pods_are_there(seen.at(step), exclusive=exclusive)
    assert [block(0, memory="3Gi")] == seen.blocks("n")
    assert [block(0, memory="2Gi")] == seen.blocks("o")
    assert (gib(9), gib(4)) == (seen.reserved(0), seen.reserved(1))
    assert (("4", "5") if exclusive else ("", "")) == (seen.exclusive_cpus("n"), seen.exclusive_cpus("o"))


def _pods_are_there(seen: Seen, *, exclusive: bool) -> None:
    assert all(seen.admitted(name) for name in ("a", "s", "h", "u"))
    assert [block(1, memory="4Gi")] == seen.blocks("a")
    assert ([block(0, memory="1Gi")], [block(0, memory="2Gi")]) == (seen.blocks("s", "side"), seen.blocks("s"))
    assert [block(0, hugepages_2Mi="512Mi"), block(0, memory="1Gi")] == seen.blocks("h")
    assert [] == seen.blocks("u")
    assert ("1", "0", "0", "") == (seen.mems("a"), seen.mems("s"), seen.mems("h"), seen.mems("u"))
    cpus = [seen.exclusive_cpus(*of) for of in (("a",), ("s", "side"), ("s",), ("h",))]
    assert (["8-9", "1", "2", "3"] if exclusive else ["", "", "", ""]) == cpus


def group_there_and_back(prove: Prove, minors: int) -> None:
    """The same of pods that are spread over both nodes, and of the sums of their group."""
    seen = prove(
        admit(guaranteed("a", memory="15Gi")),
        admit(guaranteed("b", memory="1Gi")),
        restart(kubernetes=other(prove, minors), order=("b", "a")),
        admit(guaranteed("n", memory="2Gi")),
        restart(kubernetes=prove.subject.version),
        admit(guaranteed("o", memory="1Gi")),
    )

    for name, memory, since in (("a", "15Gi", 1), ("b", "1Gi", 2), ("n", "2Gi", 4), ("o", "1Gi", 6)):
        for step in range(since, 7):
            assert [block((0, 1), memory=memory)] == seen.blocks(name, after=step)
    assert (gib(19), (0, 1), (0, 1)) == (seen.reserved(0) + seen.reserved(1), seen.cells(0), seen.cells(1))
    assert "0,1" == seen.mems("a")


def over(minors: int, *kubelet: Configuration) -> Callable[[Body], Body]:
    """Make a case for the releases that have another so many minors away; two minors are for `--nightly`."""
    since = minor_of(RELEASES[OLDEST_TO_GO_BACK_TO - minors]) if minors < 0 else None
    until = minor_of(RELEASES[-1 - minors]) if minors > 0 else None
    return case(
        "MM-SKEW-005",
        "MM-SKEW-006",
        machines="hugepages_even",
        kubelet=kubelet,
        since=since,
        until=until,
        nightly=abs(minors) > 1,
    )


@over(ONE_MINOR_UP, ALIGNED, SINGLE, ALONE)
def test_next_minor_and_back(prove: Prove) -> None:
    """The upgrade that everybody does, and its undoing."""
    there_and_back(prove, ONE_MINOR_UP)


@over(TWO_MINORS_UP, ALIGNED, SINGLE, ALONE)
def test_two_minors_up_and_back(prove: Prove) -> None:
    """A kubelet may skip a minor."""
    there_and_back(prove, TWO_MINORS_UP)


@over(ONE_MINOR_DOWN, ALIGNED, SINGLE, ALONE)
def test_previous_minor_and_back(prove: Prove) -> None:
    """A downgrade, and the way back."""
    there_and_back(prove, ONE_MINOR_DOWN)


@over(TWO_MINORS_DOWN, ALIGNED, SINGLE, ALONE)
def test_two_minors_down_and_back(prove: Prove) -> None:
    """A downgrade by two."""
    there_and_back(prove, TWO_MINORS_DOWN)


@over(ONE_MINOR_UP, SPREAD)
def test_group_at_the_next_minor_and_back(prove: Prove) -> None:
    """Its members and its sums stay."""
    group_there_and_back(prove, ONE_MINOR_UP)


@over(TWO_MINORS_UP, SPREAD)
def test_group_two_minors_up_and_back(prove: Prove) -> None:
    """Over a minor that is left out."""
    group_there_and_back(prove, TWO_MINORS_UP)


@over(ONE_MINOR_DOWN, SPREAD)
def test_group_at_the_previous_minor_and_back(prove: Prove) -> None:
    """Downwards first."""
    group_there_and_back(prove, ONE_MINOR_DOWN)


@over(TWO_MINORS_DOWN, SPREAD)
def test_group_two_minors_down_and_back(prove: Prove) -> None:
    """Downwards by two first."""
    group_there_and_back(prove, TWO_MINORS_DOWN)


def one_there_and_back(prove: Prove, minors: int) -> None:
    """The same of one pod, in the order of its only admission, so that a cluster can carry it out."""
    two: list[Step] = [admit(guaranteed(name, memory="6Gi")) for name in ("first", "a")]
    seen = prove(
        *two, remove("first"), restart(kubernetes=other(prove, minors)), restart(kubernetes=prove.subject.version)
    )

    assert [[block(1, memory="6Gi")]] * 3 == [seen.blocks("a", after=step) for step in (3, 4, 5)]


@over(ONE_MINOR_UP, ALONE)
def test_one_pod_at_the_next_minor_and_back(prove: Prove) -> None:
    """Upwards first."""
    one_there_and_back(prove, ONE_MINOR_UP)


@over(ONE_MINOR_DOWN, ALONE)
def test_one_pod_at_the_previous_minor_and_back(prove: Prove) -> None:
    """Downwards first."""
    one_there_and_back(prove, ONE_MINOR_DOWN)


DIFFERENT = "[memorymanager] the expected machine state is different from the real one"


@case("MM-SKEW-006", machines="two_even", kubelet=SPREAD, since="1.32", until="1.33")
def test_split_of_a_group_that_older_kubelets_refuse(prove: Prove) -> None:
    """Before 1.32 the memory of a group had to be split as a replay splits it; a pod that left has made it another."""
    steps = (admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="6Gi")), remove("a"))
    seen = prove(*steps, admit(guaranteed("c", memory="1Gi")), restart(kubernetes="1.31.0"), restart())

    assert (False, False) == (seen.observation(5).running, seen.observation(6).running)
    assert DIFFERENT in seen.refusal
    assert seen.observation(4).state_file == seen.observation(6).state_file


@case("MM-SKEW-005", machines="two_even", kubelet=SPREAD, until="1.31")
def test_split_of_a_group_that_newer_kubelets_take(prove: Prove) -> None:
    """The remedy for a kubelet from before 1.32 that refuses its own file is a later one."""
    steps = (admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="6Gi")), remove("a"))
    seen = prove(*steps, admit(guaranteed("c", memory="1Gi")), restart(kubernetes="1.32.2"))

    assert ([block((0, 1), memory="6Gi")], [block((0, 1), memory="1Gi")]) == (seen.blocks("b"), seen.blocks("c"))
