"""Rewriting a state file between two kubelets. Pure."""

from __future__ import annotations

import re
from typing import Final

from pinproof.scenario.steps import StateEdit

_CHECKSUM: Final = re.compile(r'"checksum":\d+')


def edited(text: str, edit: StateEdit) -> str:
    """The text with every occurrence replaced; with `recompute` the checksum fits it again, if it can be read at all."""
    changed = text.replace(edit.find, edit.replace)
    if edit.checksum == "keep" or changed == text:
        return changed
    # The checksum covers a dump of the structure, so the reference, which knows that dump, computes it.
    from pinproof.reference import checkpoint

    try:
        version = checkpoint.version_of(checkpoint.decode(text))
        fitting = checkpoint.checksum(checkpoint.decode(changed), version=version)
    except ValueError:
        return changed
    return _CHECKSUM.sub(f'"checksum":{fitting}', changed)
