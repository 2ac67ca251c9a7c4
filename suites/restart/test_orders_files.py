"""Restarts on every kind of damaged state file, and on files in the format of another release."""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, guaranteed, permute, static

NONE, SINGLE = static(), static(topology="single-numa-node")
AS_BEFORE = "as before"
CUT_OFF = "refuses: unexpected end of JSON input"
CORRUPTED = "refuses: checkpoint is corrupted"
V3_CORRUPTED = "refuses: could not load v3 checkpoint: checkpoint is corrupted"
NO_POLICY = 'refuses: [memorymanager] configured policy "Static" differs from state checkpoint policy ""'
OF_A_LIST = "refuses: json: cannot unmarshal array into Go value of type state.MemoryManagerCheckpoint"
"""From 1.36 on the type has a number."""

POD = admit(guaranteed("a", memory="6Gi"))


@case("MM-ORDER-003", machines="two_even", kubelet=[NONE, SINGLE])
def test_file_that_ends_too_early(prove: Prove) -> None:
    """Inside and behind a key, a string, a number and every other token, before and inside the checksum, and of no byte."""
    outcomes = permute(prove, POD, states=["cut", "empty"]).outcomes()

    in_escape = "refuses: invalid character ' ' in string escape code"
    assert {CUT_OFF} == outcomes.keys() - {in_escape}
    assert 2 * 14 == outcomes[CUT_OFF]


@case("MM-ORDER-003", machines="two_even", kubelet=NONE)
def test_file_that_is_there_twice(prove: Prove) -> None:
    """A file that was appended to instead of replaced, with a pod and without."""
    found = permute(prove, POD, states=["twice"])

    assert {"refuses: invalid character '{' after top-level value": 2} == found.outcomes()


@case("MM-ORDER-003", machines="two_even", kubelet=NONE)
def test_file_that_is_something_else(prove: Prove) -> None:
    """Words are no JSON, a list is no state, and an empty object names no policy."""
    by_state = permute(prove, POD, states=["replaced by"], prefixes=[1]).by_state()
    number = "V1" if prove.minor in ("1.36", "1.37") else ""

    assert {
        "refuses: invalid character 'p' looking for beginning of value": ["replaced by words"],
        OF_A_LIST + number: ["replaced by a list"],
        NO_POLICY if number else CORRUPTED: ["replaced by an object", "replaced by null"],
    } == by_state


@case("MM-ORDER-004", machines="two_even", kubelet=[NONE, SINGLE], until="1.36")
def test_flipped_bit(prove: Prove) -> None:
    """A bit turned over in punctuation is no JSON any more; in a key, a string or a number the checksum tells."""
    found = permute(prove, POD, states=["flipped"], prefixes=[1])

    assert {CORRUPTED} == found.outcomes("flipped inside").keys()
    assert {
        "refuses: invalid character '#' looking for beginning of object key string": ["flipped a quote"],
        "refuses: invalid character '-' after object key:value pair": ["flipped a comma"],
        "refuses: invalid character ';' after object key": ["flipped a colon"],
    }.items() <= found.by_state().items()
    assert AS_BEFORE not in found.outcomes()


@case("MM-ORDER-004", machines="two_even", kubelet=[NONE, SINGLE], since="1.37")
def test_flipped_bit_beside_the_data(prove: Prove) -> None:
    """What a kubelet of 1.37 goes by is in `data`; a bit elsewhere changes nothing for it, or leaves no JSON."""
    found = permute(prove, POD, states=["flipped"], prefixes=[1])

    assert {AS_BEFORE} == found.outcomes("flipped inside a key").keys()
    assert {AS_BEFORE} == found.outcomes("flipped inside the checksum").keys()
    assert {"refuses: invalid character ';' after object key"} == found.outcomes("flipped a colon").keys()


@case("MM-ORDER-004", machines="two_even", kubelet=NONE, until="1.36")
def test_checksum_of_another_file(prove: Prove) -> None:
    """A number that is a checksum, though not of this file."""
    assert {CORRUPTED: 2} == permute(prove, POD, states=["foreign checksum"]).outcomes()


@case("MM-ORDER-004", machines="two_even", kubelet=NONE, since="1.37")
def test_checksums_of_another_file(prove: Prove) -> None:
    """That of the data decides; the other is there for kubelets of earlier releases."""
    found = permute(prove, POD, states=["foreign checksum"], prefixes=[1])

    assert {AS_BEFORE: ["foreign checksum"], V3_CORRUPTED: ["foreign checksum of the data"]} == found.by_state()


@case("MM-ORDER-005", machines="two_even", kubelet=[NONE, SINGLE], until="1.36")
def test_file_in_a_later_format(prove: Prove) -> None:
    """What 1.37 writes is read by all before; what 1.36 writes with a gate has a checksum that nobody else knows."""
    by_state = permute(prove, POD, states=["of release"]).by_state()

    assert {
        AS_BEFORE: ["of release 1.37"],
        CORRUPTED: ["of release 1.36 with PodLevelResourceManagers"],
    } == by_state


@case("MM-ORDER-005", machines="two_even", kubelet=[NONE, SINGLE], since="1.37")
def test_file_in_an_earlier_format(prove: Prove) -> None:
    """A kubelet of 1.37 reads both formats of before."""
    by_state = permute(prove, POD, states=["of release"]).by_state()

    assert {AS_BEFORE: ["of release 1.35", "of release 1.36 with PodLevelResourceManagers"]} == by_state
