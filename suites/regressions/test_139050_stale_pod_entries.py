"""A7: entries of a state file that did not verify are left over when it is read as an older format.

Symptom: pods of a corrupt file hold memory after the start. Cause: the file is unmarshalled before it is verified, and the same
object is used again when the older format is tried. Releases: 1.36 with gate `PodLevelResourceManagers`; the fix was not merged.
https://github.com/kubernetes/kubernetes/pull/139050
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, container, edited, pod_level, restart, static

GATE = {"PodLevelResourceManagers": True}
RESTRICTED_POD = static(topology="restricted", scope="pod", gates=GATE)
NEWER, OLDER = "2555738113", "2998048403"
"""Checksums of the same books in the newer and in the older format, which does not know the pod's own block."""


@case("MM-REG-A7-001", machines="two_even", kubelet=RESTRICTED_POD, since="1.36", until="1.36")
def test_file_that_verifies_as_the_older_format_only(prove: Prove) -> None:
    """With the older format's checksum the pod's own entry is not covered: it is refused, or it is not believed."""
    own, shared = container("own", memory="2Gi", cpu="1"), container("shared", cpu=None)
    seen = prove(
        admit(pod_level("a", own, shared, memory="6Gi", cpu="2")),
        restart(state=edited(f'"checksum":{NEWER}', f'"checksum":{OLDER}')),
    )

    assert f'"checksum":{NEWER}' in seen.at(1).state_file, "the edit has nothing to replace"
    assert not seen.running or "podEntries" not in seen.state_file
