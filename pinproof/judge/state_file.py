"""The state file against itself: its checksum verifies, and its text is what its content encodes to.

The text cannot be compared with a prediction, because blocks stand in it in Go's map order and the checksum covers
them. Read and written again in its own order it must give the same bytes. A file that the scenario put in place is
left alone until the kubelet has rewritten it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.history import History
from pinproof.judge.compare import Difference
from pinproof.judge.course import course
from pinproof.reference.checkpoint import checksum, data_checksum, decode, encode
from pinproof.scenario.steps import Restart, Scenario, StateEdit, StateText


def state_file_differences(
    scenario: Scenario, observed: History, predicted: History | None = None
) -> Iterator[Difference]:
    """What is wrong with the state files of a history, taken while the kubelet ran.

    A text that the model predicts to the byte is not looked at.
    """
    known = {now.state_file for now in predicted.observations} if predicted else set()
    if all(now.state_file in known for now in observed.observations):
        return
    foreign = ""
    good = ""
    for moment in course(scenario, observed):
        text = moment.now.state_file
        if not text or not moment.now.running:
            continue
        if isinstance(moment.step, Restart) and isinstance(moment.step.state, StateEdit | StateText):
            foreign = text
        if text in (foreign, good) or text in known:
            continue
        found = list(_check(moment.index, text))
        yield from found
        good = good if found else text


def _check(step: int, text: str) -> Iterator[Difference]:
    try:
        decoded = decode(text)
    except ValueError as error:
        yield Difference(step, "state_file", "a checkpoint", f"{error}: {_excerpt(text)}")
        return
    computed = checksum(decoded, version=2 if decoded.pod_entries else 1)
    if decoded.checksum != computed and decoded.checksum != checksum(decoded, version=2 if decoded.data is None else 1):
        yield Difference(step, "state_file.checksum", computed, decoded.checksum)
    if decoded.data is not None and decoded.data_checksum != data_checksum(decoded.data):
        yield Difference(step, "state_file.dataChecksum", data_checksum(decoded.data), decoded.data_checksum)
    encoded = encode(decoded)
    if encoded != text:
        at = next((i for i, pair in enumerate(zip(encoded, text, strict=False)) if pair[0] != pair[1]), len(encoded))
        yield Difference(step, "state_file.text", _excerpt(encoded, at), _excerpt(text, at))


def _excerpt(text: str, at: int = 0) -> str:
    """Some characters around a place of the text."""
    start, end = max(0, at - 40), at + 80
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
