"""What happens to a state file between two starts: other files, and edits of the one that is there (behaviour.md 4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pinproof.fuzz.draws import Draws
from pinproof.fuzz.profile import Profile
from pinproof.history import Block
from pinproof.reference.checkpoint import TYPE_NAMES, checksum, encode, sealed
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.scenario.steps import StateEdit

_POLICIES = {"Static": "None", "None": "Static", "BestEffort": "Static"}
"""Policy of a kubelet → the one of a file that is not its own."""


def _foreign() -> Iterator[str]:
    """Files that no kubelet of this node wrote, from no file at all to one that is nearly right."""
    yield from (
        "",
        "{}",
        "not json",
        "[]",
        "null",
        '{"policyName":"Static"',
        '{"policyName":"Static","machineState":[]}',
    )
    empty = sealed("Static", {}, {})
    yield encode(empty)
    yield encode(replace(empty, checksum=checksum(empty, TYPE_NAMES[1])))
    yield encode(replace(empty, checksum=0))
    yield encode(replace(empty, checksum=1))
    held = {"ghost": {"c": (Block((0,), "memory", 4096),)}}
    yield encode(sealed("Static", {}, held))
    yield encode(sealed("None", {}, {}))
    newer = sealed("Static", {}, {}, version=3)
    yield encode(newer)
    yield encode(replace(newer, data_checksum=1))


TEXTS = tuple(_foreign())


def edit(draws: Draws, config: KubeletConfig, machine: Machine, profile: Profile) -> StateEdit:
    """A change to the file of a kubelet that runs. What it looks for is in every such file."""
    policy = config.memory_manager_policy
    edits = [(f'"policyName":"{policy}"', f'"policyName":"{_POLICIES[policy]}"')]
    if policy != "None":
        edits += [
            ('"numberOfAssignments":', '"numberOfAssignments":1'),
            ('"reserved":', '"reserved":1'),
            (f'"cells":[{machine.seen()[0].id}', '"cells":[7'),
        ]
    if profile.behaviour.checkpoint_format == 3:
        edits.append(('"dataChecksum":', '"dataChecksum":1'))
    find, replacement = draws.pick(edits)
    return StateEdit(find, replacement, draws.pick(("recompute", "keep")))
