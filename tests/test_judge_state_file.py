"""The state file against itself."""

from __future__ import annotations

from dataclasses import replace

from pinproof.history import Observation
from pinproof.judge.state_file import state_file_differences
from pinproof.reference.checkpoint import Checkpoint, CheckpointNode, checksum, encode, sealed
from pinproof.scenario.steps import Remove, Restart, StateText
from tests.judge_values import EMPTY, block, history, node, scenario

NODE = node(0, reserved=4, assignments=2)
BOOKS = {0: CheckpointNode(NODE.number_of_assignments, NODE.memory, NODE.cells)}
BLOCKS = (block(0), block(0, type_="hugepages-1Gi"))
GOOD = encode(sealed("Static", BOOKS, {"uid": {"c": BLOCKS}}))


def places(*texts: str, first: Restart | None = None) -> list[tuple[int, str]]:
    """(step, path) of what is wrong with the state files, the first of them after a restart if one is given."""
    steps = [first or Remove("x"), *(Remove("x") for _ in texts[1:])]
    seen = [EMPTY, *(replace(EMPTY, state_file=text) for text in texts)]
    return [(found.step, found.path) for found in state_file_differences(scenario(*steps), history(*seen))]


def test_file_that_the_kubelet_would_write_is_right() -> None:
    """Checksum and text agree with the content."""
    assert [] == places(GOOD)


def test_blocks_may_stand_in_any_order() -> None:
    """The order is Go's map order; the checksum is taken over the order in the file."""
    assert [] == places(encode(sealed("Static", BOOKS, {"uid": {"c": BLOCKS[::-1]}})))


def test_wrong_checksum_is_a_difference() -> None:
    """A checksum over another order of the same blocks does not verify."""
    other = checksum(Checkpoint("Static", BOOKS, {"uid": {"c": BLOCKS[::-1]}}))

    assert [(1, "state_file.checksum")] == places(
        encode(replace(sealed("Static", BOOKS, {"uid": {"c": BLOCKS}}), checksum=other))
    )


def test_other_spelling_of_the_same_content_is_a_difference() -> None:
    """A space too many is not what a kubelet writes, although the checksum verifies."""
    assert [(1, "state_file.text")] == places(GOOD.replace(":", ": ", 1))


def test_wrong_data_checksum_is_a_difference() -> None:
    """V3 has a second checksum, over its data."""
    v3 = sealed("Static", BOOKS, {"uid": {"c": BLOCKS}}, version=3)

    assert [] == places(encode(v3))
    assert [(1, "state_file.dataChecksum")] == places(encode(replace(v3, data_checksum=1)))


def test_text_that_is_no_checkpoint_is_a_difference() -> None:
    """A running kubelet leaves no broken file behind."""
    assert [(1, "state_file")] == places(GOOD[:-9])


def test_file_of_the_scenario_is_left_alone_until_it_is_rewritten() -> None:
    """A foreign text may be spelled as it likes; the kubelet's own may not."""
    foreign = GOOD.replace(":", ": ", 1)

    assert [(4, "state_file.text")] == places(
        foreign, foreign, GOOD, foreign + " ", first=Restart(state=StateText(foreign))
    )


def test_file_of_a_stopped_kubelet_is_not_judged() -> None:
    """What a refused start left behind need not be the kubelet's."""
    seen = history(EMPTY, Observation(running=False, refusal="x", state_file="{"))

    assert [] == list(state_file_differences(scenario(Restart(state=StateText("{"))), seen))
