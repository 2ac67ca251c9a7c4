"""The state file from 1.37 on: the fields of before, and the same content once more as text, for later kubelets."""

from __future__ import annotations

import json
from typing import Any

from pinproof.reference.checkpoint import checksum, data_checksum, decode
from pinproof.suite import Prove, admit, case, guaranteed, none_policy, static

NONE, RESTRICTED = static(), static(topology="restricted")

WITHOUT_POLICY = (
    '{"policyName":"None","machineState":{},"checksum":4236770233,'
    '"data":"{\\"policyName\\":\\"None\\",\\"machineState\\":{}}","dataChecksum":3093843326}'
)


def document(text: str) -> dict[str, Any]:
    """The state file as JSON, keys in the order of the file."""
    found: dict[str, Any] = json.loads(text)
    return found


@case("MM-STATE-010", machines="two_even", kubelet=none_policy(), since="1.37")
def test_file_of_policy_none_with_data(prove: Prove) -> None:
    """The file of policy None, to the byte, with its content under `data` and a checksum of that."""
    seen = prove()

    assert WITHOUT_POLICY == seen.state_file


@case("MM-STATE-010", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.37")
def test_data_repeats_the_file(prove: Prove) -> None:
    """`data` is the text of the same policy, machine and entries, and `dataChecksum` verifies it."""
    found = document(prove(admit(guaranteed("a", memory="15Gi"))).state_file)

    assert ["policyName", "machineState", "entries", "checksum", "data", "dataChecksum"] == list(found)
    assert {key: found[key] for key in ("policyName", "machineState", "entries")} == document(found["data"])
    assert data_checksum(found["data"]) == found["dataChecksum"]


@case("MM-STATE-011", machines="two_even", kubelet=NONE, since="1.37")
def test_older_kubelets_can_read_the_file(prove: Prove) -> None:
    """The fields of before carry the checksum of before, so that a kubelet from before 1.37 accepts the file."""
    text = prove(admit(guaranteed("a", memory="4Gi"))).state_file

    assert checksum(decode(text)) == document(text)["checksum"]
