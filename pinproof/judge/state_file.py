"""The state file against itself: its checksum verifies, and its text is what its content encodes to.

The text cannot be compared with a prediction, because blocks stand in it in Go's map order and the checksum covers
them. Read and written again in its own order it must give the same bytes. A file that the scenario put in place is
left alone until the kubelet has rewritten it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from pinproof.history import History
from pinproof.judge.compare import Difference
from pinproof.judge.course import course
from pinproof.scenario.steps import Restart, Scenario, StateEdit, StateText


def state_file_differences(scenario: Scenario, observed: History) -> Iterator[Difference]:
    """What is wrong with the state files of a history, taken while the kubelet ran."""
    foreign = ""
    good = ""
    for moment in course(scenario, observed):
        text = moment.now.state_file
        if not text or not moment.now.running:
            continue
        if isinstance(moment.step, Restart) and isinstance(moment.step.state, StateEdit | StateText):
            foreign = text
        if text in (foreign, good):
            continue
        found = list(_check(moment.index, text))
        yield from found
        good = good if found else text


def _check(step: int, text: str) -> Iterator[Difference]:
    # Here, not above: the command line imports the judge long before it may need the encoder.
    from pinproof.reference import checkpoint

    try:
        decoded = checkpoint.decode(text)
        stored = json.loads(text).get("checksum")
    except (ValueError, AttributeError) as error:
        yield Difference(step, "state_file", "a checkpoint", f"{error} in {_excerpt(text)}")
        return
    computed = checkpoint.checksum(decoded)
    if stored != computed:
        yield Difference(step, "state_file.checksum", computed, stored)
    encoded = checkpoint.encode(decoded)
    if encoded.strip() != text.strip():
        at = next(
            (i for i, (a, b) in enumerate(zip(encoded, text, strict=False)) if a != b), min(len(encoded), len(text))
        )
        yield Difference(step, "state_file.text", _excerpt(encoded, at), _excerpt(text, at))


def _excerpt(text: str, at: int = 0) -> str:
    """Some characters around a place of the text."""
    start, end = max(0, at - 40), at + 80
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
