"""What is on a node already, as the steps that lead there. Pure.

The pods are admitted in the order in which they came. Where that does not explain the books, a kubelet starts on the very state
files that the node has: UIDs in them become those that the reference gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pinproof.reference import checkpoint
from pinproof.reference.cpu_text import dump
from pinproof.scenario.pod import Container, Pod, Resources
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, Exit, Restart, StateEdit, StateText, Step
from pinproof.subjects.kubelet.state_edit import edited

Document = Mapping[str, Any]

_MIRROR: Final = "kubernetes.io/config.hash"
"""A static pod goes by this UID on its node; that of its mirror is the API server's."""

_COUNTED: Final = re.compile(r"cpu|memory|hugepages-.+")
"""Resources that the managers look at."""


@dataclass(frozen=True, slots=True)
class Resident:
    """A pod that is on the node and is not ours."""

    pod: Pod
    uid: str
    """As the kubelet knows it."""

    place: str
    """NAMESPACE/NAME."""


def residents(pods: Iterable[Document]) -> tuple[Resident, ...]:
    """Those that have not ended, in the order of their creation."""
    alive = [pod for pod in pods if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
    alive.sort(key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
    return tuple(_resident(pod) for pod in alive)


def ways(
    there: Iterable[Resident], pods: Mapping[str, Document], state: str | None, cpu: str | None
) -> Iterator[tuple[Step, ...]]:
    """What may have led to these pods and these texts of the state files; `pods` are documents by UID.

    A kubelet that has run all the time, or one that was started on the files as they are: it takes memory once more for init
    containers that have ended.
    """
    coming = list(there)
    led: list[Step] = []
    for resident in coming:
        led.append(Admit(resident.pod))
        led += [Exit(resident.pod.name, name) for name in _completed(pods[resident.uid])]
    yield tuple(led)
    uids = {resident.uid: f"{resident.pod.name}.{number}" for number, resident in enumerate(coming, 1)}
    order = tuple(resident.pod.name for resident in coming)
    restart = Restart(state=_text(with_uids(state, uids)), cpu_state=_text(cpu_with_uids(cpu, uids)), order=order)
    yield (*led, restart)


def stale(texts: Iterable[str | None], uids: Collection[str]) -> set[str]:
    """UIDs in the texts of state files that no pod has."""
    held: set[str] = set()
    for text in texts:
        document = _document(text)
        for content in (document, _document(document.get("data"))):
            held |= {uid for name in ("entries", "podEntries") for uid in content.get(name) or {}}
    return held - set(uids)


def with_uids(text: str | None, uids: Mapping[str, str]) -> str | None:
    """The memory manager's file with other UIDs, its checksums fitting again; a damaged one stays damaged."""
    if text is None:
        return None
    for old, new in uids.items():
        text = edited(text, StateEdit(old, new, "recompute"))
    try:
        document = json.loads(text)
        if "data" in document:
            fitting = checkpoint.data_checksum(document["data"])
            text = re.sub(r'"dataChecksum":\d+', f'"dataChecksum":{fitting}', text)
    except ValueError:
        return text
    return text


def cpu_with_uids(text: str | None, uids: Mapping[str, str]) -> str | None:
    """The same of the CPU manager's file."""
    if text is None:
        return None
    for old, new in uids.items():
        text = text.replace(old, new)
    try:
        document = json.loads(text)
        pods = "podEntries" in document
        document["checksum"] = checkpoint.fnv1a32(dump(document, with_pods=pods).encode())
        if "data" in document:
            document["dataChecksum"] = checkpoint.data_checksum(document["data"])
    except (ValueError, KeyError, TypeError):
        return text
    return json.dumps(document, separators=(",", ":"))


def _text(text: str | None) -> Any:
    return "lose" if text is None else StateText(text)


def _document(text: str | None) -> Document:
    """A state file, or the text inside one; empty for one that is not there or damaged, which is the reference's to judge."""
    try:
        document = json.loads(text or "{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def uid_of(pod: Document) -> str:
    """The UID by which the kubelet knows a pod."""
    return str((pod["metadata"].get("annotations") or {}).get(_MIRROR) or pod["metadata"]["uid"])


def _resident(document: Document) -> Resident:
    metadata, spec = document["metadata"], document["spec"]
    whole = spec.get("resources") or {}
    pod = Pod(
        f"{metadata['namespace']}-{metadata['name']}",
        tuple(_container(each) for each in spec["containers"]),
        tuple(_container(each) for each in spec.get("initContainers") or ()),
        spec.get("restartPolicy", "Always"),
        _resources(whole.get("requests")),
        _resources(whole.get("limits")),
    )
    return Resident(pod, uid_of(document), f"{metadata['namespace']}/{metadata['name']}")


def _container(document: Document) -> Container:
    resources = document.get("resources") or {}
    limits = _resources(resources.get("limits"))
    requests = {**dict(limits), **dict(_resources(resources.get("requests")))}
    return Container(
        document["name"], tuple(sorted(requests.items())), limits, document.get("restartPolicy") == "Always"
    )


def _resources(amounts: Mapping[str, str] | None) -> Resources:
    counted = ((name, Quantity.parse(text)) for name, text in (amounts or {}).items() if _COUNTED.fullmatch(name))
    return tuple(sorted(counted))


def _completed(document: Document) -> Iterator[str]:
    """Init containers that have ended, sidecars apart."""
    sidecars = {
        each["name"] for each in document["spec"].get("initContainers") or () if each.get("restartPolicy") == "Always"
    }
    for each in (document.get("status") or {}).get("initContainerStatuses") or ():
        if each["name"] not in sidecars and "terminated" in (each.get("state") or {}):
            yield each["name"]
