"""What a restart into another release needs and does beside the binary. Pure.

Since 1.33 a kubelet keeps what it last told the runtime of every container in `actuated_pods_state`. One that finds running
containers without such a record takes them for containers to be resized, and reads the pod's cgroup for it. A node here has
no pod cgroups (`cgroupsPerQOS: false`), and the kubelet panics. So the record is written as a release in between would have
left it. It says nothing about NUMA.

Since 1.31 a kubelet knows a running container by name and image, before by its whole spec (#124220): one that comes from the
other side of 1.31 stops every app container and makes it anew (#129385). That is waited for.

Some releases never start an init container that was created when the kubelet before was killed (#126440). Nothing of its pod is
waited for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from pinproof.scenario.pod import Container, Resources
from pinproof.subjects.kubelet import places
from pinproof.subjects.kubelet.configuration import minor_of
from pinproof.subjects.kubelet.lifecycle import LivePod

FIRST: Final = 33
"""The first minor that keeps the record."""


def needs_record(before: str, after: str) -> bool:
    """Whether a restart from one release into another passes the first minor with the record."""
    return minor_of(before) < FIRST <= minor_of(after)


IDENTITY: Final = 31
"""The first minor that knows containers by name and image."""


def makes_containers_anew(before: str, after: str) -> bool:
    """Whether a kubelet does not recognise the app containers that one of another release has made."""
    return (minor_of(before) < IDENTITY) != (minor_of(after) < IDENTITY)


LEAVE_CREATED: Final = frozenset({"1.29.6", "1.31.0"})
"""Releases that leave a created init container as it is. Others of their minors came before and after the mend."""


def leaves_created(release: str) -> bool:
    """Whether a kubelet never starts an init container that it finds created."""
    return release in LEAVE_CREATED


def record(pods: Iterable[LivePod]) -> tuple[str, str]:
    """Path and text of the record for pods whose containers run."""
    from pinproof.reference.checkpoint import data_checksum

    entries = {
        live.uid: {"ContainerResources": {each.name: _told(each) for each in live.pod.all_containers}} for live in pods
    }
    data = json.dumps({"entries": entries}, separators=(",", ":"))
    return places.ACTUATED, json.dumps({"data": data, "checksum": data_checksum(data)}, separators=(",", ":"))


def _told(container: Container) -> dict[str, dict[str, str]]:
    return {"limits": _texts(container.limits), "requests": _texts(container.requests)}


def _texts(resources: Resources) -> dict[str, str]:
    return {name: str(quantity) for name, quantity in resources}
