"""A node is emptied before scenarios come to it, where that is asked for: pods are evicted, and their controllers make others.

As `kubectl drain` does without further flags: pods of DaemonSets and of the node's own manifests stay, and nothing is done where
a pod would be lost with its data, or for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pinproof.errors import SubjectError
from pinproof.subjects.cluster.api import Api, Document, RefusedError
from pinproof.subjects.cluster.premises import NAMESPACE
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.waiting import looks

_MIRROR: Final = "kubernetes.io/config.mirror"
_OVER: Final = ("Succeeded", "Failed")
_TOO_MANY: Final = 429
"""A PodDisruptionBudget does not allow it now."""

_GONE: Final = 404
_PAUSE: Final = 1.0
"""Seconds between two looks, as a budget does not announce that it allows another eviction."""


def to_evict(pods: Iterable[Document]) -> tuple[Document, ...]:
    """Those that a drain takes from their node."""
    return tuple(pod for pod in pods if not _stays(pod))


def lost(pods: Iterable[Document]) -> tuple[str, ...]:
    """`namespace/name: why` of those that nobody would make again as they are."""
    return tuple(f"{_named(pod)}: {why}" for pod in pods if (why := _loss(pod)))


def drain(api: Api, node: str, timeouts: Timeouts) -> int:
    """Evict what can be, and wait until it is gone; returns how many pods. Raises SubjectError, RefusedError."""
    step = f"drain {node}"
    pods = to_evict(_on(api, node))
    if hindrances := lost(pods):
        raise SubjectError(
            step,
            f"pods would be lost: {'; '.join(hindrances)}",
            fault="the pods on the node",
            remedy=f"move them or give them up by `kubectl drain {node}`, then run without --drain",
        )
    left: Mapping[str, Document] = {pod["metadata"]["uid"]: pod for pod in pods}
    asked: set[str] = set()
    for more in looks(timeouts.seconds("drain"), pause=_PAUSE):
        if not left:
            break
        said = {_named(pod): _evict(api, pod) for uid, pod in left.items() if uid not in asked}
        asked |= {uid for uid, pod in left.items() if not said.get(_named(pod))}
        if not more:
            words = "; ".join(f"{_named(pod)}: {said.get(_named(pod)) or 'is still there'}" for pod in left.values())
            raise SubjectError(
                step,
                f"the wait 'drain' expired after {timeouts.seconds('drain'):g} s: {words}",
                fault="a PodDisruptionBudget, or pods that do not end",
                remedy="see `kubectl get poddisruptionbudgets -A`; pods that were evicted are their controllers' again",
            )
        there = {pod["metadata"]["uid"] for pod in _on(api, node)}
        left = {uid: pod for uid, pod in left.items() if uid in there}
    return len(pods)


def _on(api: Api, node: str) -> list[Document]:
    return list(api.get("/api/v1/pods", fieldSelector=f"spec.nodeName={node}")["items"])


def _evict(api: Api, pod: Document) -> str:
    """Ask for an eviction; why it is not allowed now, empty where it was taken."""
    metadata = {key: pod["metadata"][key] for key in ("name", "namespace")}
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/eviction"
    try:
        api.post(path, {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata})
    except RefusedError as refused:
        if refused.code == _TOO_MANY:
            return refused.message
        if refused.code != _GONE:
            raise
    return ""


def _stays(pod: Document) -> bool:
    metadata = pod["metadata"]
    return (
        _MIRROR in (metadata.get("annotations") or {})
        or metadata["namespace"] == NAMESPACE
        or any(owner["kind"] == "DaemonSet" for owner in _controllers(pod))
    )


def _loss(pod: Document) -> str:
    if (pod.get("status") or {}).get("phase") in _OVER:
        return ""
    if not _controllers(pod):
        return "no controller would make another"
    if any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ()):
        return "it keeps data in an emptyDir"
    return ""


def _controllers(pod: Document) -> list[Mapping[str, Any]]:
    return [owner for owner in pod["metadata"].get("ownerReferences") or () if owner.get("controller")]


def _named(pod: Document) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
