"""Every restart by itself: all orders, all changes and all damage after every step, and every byte of the state file.

Thousands of restarts a case, for subjects that run inside one process: `pinproof run suites/restart --nightly`.
"""

from __future__ import annotations

import re

from pinproof.permutations import CHANGES, STATES, Permuted
from pinproof.scenario.steps import Restart, StateText
from pinproof.suite import Prove, admit, case, container, guaranteed, permute, sidecar, static

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")
POD_CPU = static(topology="restricted", scope="pod", cpu="static")

AS_BEFORE = "as before"
CASE_BIT = 5
"""Turned over in a letter it makes the other case of it, in which Go finds a field as well."""

PODS = [
    admit(guaranteed("a", memory="6Gi", cpu="2")),
    admit(guaranteed("b", memory="6Gi", cpu="1", restart_policy="Never")),
    admit(guaranteed("c", memory="3Gi")),
    admit(guaranteed("d", memory="4Gi")),
]
"""a and c on node 0, b and d on node 1."""


def kept(found: Permuted, change: str = "nothing") -> set[str]:
    """The outcomes of restarts with the file kept."""
    return set(found.outcomes("kept", change=change))


def damaged(found: Permuted) -> set[str]:
    """The outcomes of restarts on a file that is neither kept, lost, nor of another release."""
    return {one.outcome for one in found.results if not one.trial.state.startswith(("kept", "lost", "of release"))}


@case(
    "MM-ORDER-001",
    "MM-ORDER-006",
    "MM-ORDER-007",
    machines="two_even",
    kubelet=[NONE, RESTRICTED, SINGLE, POD_CPU],
    until="1.36",
    nightly=True,
)
def test_four_pods(prove: Prove) -> None:
    """Four single-node pods: whatever the order, whoever is gone, they are as before, and no damage passes unnoticed."""
    found = permute(prove, *PODS, states=STATES, changes=CHANGES, exhaustive=True)

    assert 7_000 <= found.restarts
    assert [{AS_BEFORE}] * 4 == [kept(found, change) for change in ("nothing", "deleted", "finished", "rejected")]
    assert all(outcome.startswith("refuses: ") for outcome in damaged(found))


@case(
    "MM-ORDER-001",
    "MM-ORDER-006",
    "MM-ORDER-007",
    machines="two_even",
    kubelet=[RESTRICTED, POD_CPU],
    since="1.37",
    nightly=True,
)
def test_four_pods_beside_the_data(prove: Prove) -> None:
    """The same where damage beside the data changes nothing: refused, or as before."""
    found = permute(prove, *PODS, states=STATES, changes=CHANGES[:3], exhaustive=True)

    assert 2_500 <= found.restarts
    assert [{AS_BEFORE}] * 3 == [kept(found, change) for change in CHANGES[:3]]
    assert all(outcome.startswith("refuses: ") or outcome == AS_BEFORE for outcome in damaged(found))


@case("MM-ORDER-001", "MM-ORDER-006", machines="two_even", kubelet=[NONE, BEST_EFFORT], nightly=True)
def test_group(prove: Prove) -> None:
    """A pod over both nodes and three that joined it, each of which may be gone."""
    sizes = {"a": "12Gi", "b": "1Gi", "c": "2Gi", "d": "3Gi"}
    pods = [admit(guaranteed(name, memory=amount)) for name, amount in sizes.items()]
    found = permute(prove, *pods, states=["kept", "twice"], changes=["nothing", "deleted", "rejected"], exhaustive=True)

    assert [{AS_BEFORE}] * 3 == [kept(found, change) for change in ("nothing", "deleted", "rejected")]
    assert 100 <= len([one for one in found.results if one.trial.state == "kept"])


@case("MM-ORDER-001", machines=["three", "four_snc2"], kubelet=[RESTRICTED, SINGLE], nightly=True)
def test_pods_of_several_containers(prove: Prove) -> None:
    """Two containers, sidecars, and seven pods in a sample of orders that covers every three of them."""
    pods = [
        admit(guaranteed("a", containers=[container("c", memory="1Gi"), container("d", memory="2Gi")])),
        admit(guaranteed("b", memory="2Gi", init=[sidecar("s", memory="1Gi")])),
        *(admit(guaranteed(name, memory="2Gi")) for name in "cdefg"),
    ]
    found = permute(prove, *pods, states=["kept"], changes=["nothing", "deleted"], exhaustive=True)

    assert [{AS_BEFORE}] * 2 == [kept(found), kept(found, "deleted")]


@case("MM-ORDER-003", machines="two_even", kubelet=[NONE, SINGLE], nightly=True)
def test_file_ends_at_every_byte(prove: Prove) -> None:
    """However much of the file is there, the kubelet refuses it; only behind a backslash it uses other words."""
    found = permute(prove, *PODS[:2], states=["ends behind byte"], prefixes=[2])

    in_escape = "refuses: invalid character ' ' in string escape code"
    assert {"refuses: unexpected end of JSON input"} == found.outcomes().keys() - {in_escape}
    assert 550 <= found.restarts


@case("MM-ORDER-004", machines="two_even", kubelet=[NONE, SINGLE], until="1.36", nightly=True)
def test_every_bit_of_the_file(prove: Prove) -> None:
    """A bit that passes unnoticed makes another case of a letter in a key, which is the same key.

    From 1.36 on it may also be one in the word `checksum`: a file without checksum is taken unverified, as it was written.
    """
    found = permute(prove, *PODS[:2], states=["flipped bit"], prefixes=[2])
    unnoticed = {one.trial.state for one in found.results if one.outcome == AS_BEFORE}
    bits = [int(re.findall(r"\d+", state)[0]) for state in unnoticed]

    assert 4_000 <= found.restarts
    assert all(outcome.startswith("refuses: ") for outcome in found.outcomes().keys() - {AS_BEFORE})
    assert (48 if prove.minor == "1.36" else 0) == len([bit for bit in bits if bit != CASE_BIT])
    assert 100 <= len(bits)


@case("MM-ORDER-004", machines="two_even", kubelet=[NONE, SINGLE], since="1.37", nightly=True)
def test_every_bit_of_the_data(prove: Prove) -> None:
    """No bit of `data` or of its checksum passes unnoticed, and no bit beside them changes anything.

    Each of the twelve letters of the key `dataChecksum` may be of the other case.
    """
    found = permute(prove, *PODS[:2], states=["flipped bit"], prefixes=[2])
    data = '"data":"'
    last = found.results[0].trial.scenario.steps[-1]
    assert isinstance(last, Restart)
    assert isinstance(last.state, StateText)
    begin = last.state.text.index(data) + len(data)
    unnoticed = {one.trial.state for one in found.results if one.outcome == AS_BEFORE}
    places = [(int(bit), int(at)) for bit, at in (re.findall(r"\d+", state) for state in unnoticed)]

    assert 8_000 <= found.restarts
    assert all(outcome.startswith("refuses: ") for outcome in found.outcomes().keys() - {AS_BEFORE})
    assert [CASE_BIT] * len("dataChecksum") == [bit for bit, at in places if at >= begin]
