"""What a performance makes of a scenario beside the steps: gaps, identities, state files between two kubelets."""

from __future__ import annotations

import json

import pytest

from pinproof.history import Observation, Resources
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.scenario.steps import Restart, Scenario, StateEdit, StateText
from pinproof.subjects.kubelet.identities import Identities
from pinproof.subjects.kubelet.performance import bridged, speaks_of_uids
from pinproof.subjects.kubelet.state_edit import edited

ONE, OTHER = Resources((), "1"), Resources((), "2")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ([ONE, None, None, ONE], [ONE, ONE, ONE, ONE]),
        ([ONE, None, OTHER], [ONE, None, OTHER]),
        ([ONE, None], [ONE, None]),
        ([ONE, None, ONE, OTHER, None, OTHER], [ONE, ONE, ONE, OTHER, OTHER, OTHER]),
    ],
)
def test_a_constant_is_filled_in_between_two_equal_looks(
    asked: list[Resources | None], shown: list[Resources | None]
) -> None:
    """What changed in between, or was not looked at again, counts as not observed."""
    observations = [Observation(running=True, allocatable=value) for value in asked]

    assert shown == [seen.allocatable for seen in bridged(observations)]


def test_no_two_pods_of_a_node_share_an_identity() -> None:
    """Also pods of one name in different scenarios have their own UID and namespace."""
    identities = Identities()

    assert [("a.1", "n1"), ("a.2", "n2"), ("b.3", "n3")] == [identities.next(name) for name in "aab"]


@pytest.mark.parametrize(
    ("restart", "speaks"),
    [
        (Restart(), False),
        (Restart(state="lose"), False),
        (Restart(state=StateText("x")), True),
        (Restart(state=StateEdit("x", "y")), True),
    ],
)
def test_a_state_file_of_the_scenario_needs_a_fresh_node(restart: Restart, *, speaks: bool) -> None:
    """Its UIDs are those of a node's first pods."""
    scenario = Scenario("s", Machine("m", ()), KubeletConfig(), (restart,))

    assert speaks == speaks_of_uids(scenario)


STATE = '{"policyName":"None","machineState":{},"checksum":4236770233}'


def test_an_edit_keeps_the_checksum_unless_told_otherwise() -> None:
    """A corrupted file keeps the old checksum, a foreign one gets its own (golden value for policy Static)."""
    kept = edited(STATE, StateEdit('"None"', '"Static"'))
    fitted = edited(STATE, StateEdit('"None"', '"Static"', "recompute"))

    assert (4236770233, 3940083781) == (json.loads(kept)["checksum"], json.loads(fitted)["checksum"])


def test_an_edit_that_breaks_the_file_leaves_it_broken() -> None:
    """There is no checksum of what cannot be read."""
    assert '"policyName"' == edited(STATE, StateEdit(STATE[0], "", "recompute"))[:12]
