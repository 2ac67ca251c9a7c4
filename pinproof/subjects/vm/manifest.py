"""A pod as a static pod manifest for a node whose containers are real: each touches memory of its own. Pure."""

from __future__ import annotations

import json
from typing import Final

from pinproof.scenario.pod import Container, Pod
from pinproof.subjects.kubelet.manifest import static_pod

MOST_TOUCHED: Final = 16 << 20
"""Bytes of ordinary pages that a container touches at most, if its scenario does not say how much; no more than a quarter
of what it may use."""

MOST_HUGE: Final = 32 << 20
"""Bytes of huge pages of one size that a container touches at most, and at least one page."""

_UNITS: Final = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
_HUGE: Final = "hugepages-"


def vm_pod(pod: Pod, *, uid: str, namespace: str, arrival: int) -> str:
    """The manifest's text."""
    document = json.loads(static_pod(pod, uid=uid, namespace=namespace, arrival=arrival))
    arguments = {container.name: touching(container) for container in pod.all_containers}
    spec = document["spec"]
    for made in [*spec["containers"], *spec.get("initContainers", ())]:
        made["args"] = arguments[made["name"]]
    return json.dumps(document)


def touching(container: Container) -> list[str]:
    """What the workload is told to touch (`driver/internal/workload`)."""
    amounts = {**dict(container.requests), **dict(container.limits)}
    words = []
    for name, quantity in amounts.items():
        size = quantity.exact_int() or 0
        if name == "memory" and container.touch is None:
            words.append(f"--memory={min(size // 4, MOST_TOUCHED)}")
        elif name.startswith(_HUGE):
            page = _bytes(name.removeprefix(_HUGE))
            if size >= page:
                words.append(f"--pages={page}:{max(page, min(size, MOST_HUGE) // page * page)}")
    if container.touch is not None:
        words.append(f"--memory={container.touch.value()}")
    return words


def _bytes(size: str) -> int:
    """2097152 for `2Mi`."""
    return int(size[:-2]) * _UNITS[size[-2:]]
