"""Which run has which node: a Lease of the cluster for each, so that runs from other machines are kept apart as well.

A holder renews its lease; one that does not is dead. Whether it does is seen by watching the lease for its whole duration by
one's own clock, because nobody knows the other's; a holder of this very machine is looked up instead, at once.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pinproof.errors import SubjectError
from pinproof.subjects.cluster.api import Api, ApiError, Document, RefusedError
from pinproof.subjects.cluster.premises import LEASES, NAMESPACE
from pinproof.waiting import looks

SECONDS: Final = 30
"""After so long without a renewal a holder is dead."""

RENEWAL: Final = 10.0
"""Seconds between two renewals: nobody asks an API server less often, so that its silence is noticed."""

_LOOK: Final = 1.0
_RESTORE: Final = "pinproof.dev/restore"
"""Annotation: what was changed of the node and is to be restored, as JSON. Whoever takes the lease next does it."""


class Taken:
    """A node that this process has, until it is given back."""

    def __init__(self, api: Api, lease: Document) -> None:
        self.node = str(lease["metadata"]["name"])
        self.lost = ""
        """Why it is not ours any more; empty while it is."""

        self._api = api
        self._lease = lease
        self._mutex = threading.Lock()
        self._ended = threading.Event()
        threading.Thread(target=self._renew, name=f"lease of {self.node}", daemon=True).start()

    @property
    def restore(self) -> Mapping[str, Any]:
        """What is to be restored of the node; of a run that was killed, at first."""
        text = (self._lease["metadata"].get("annotations") or {}).get(_RESTORE) or "{}"
        noted: Mapping[str, Any] = json.loads(text)
        return noted

    def note(self, restore: Mapping[str, Any]) -> None:
        """Write down what is to be restored, before it is changed. Raises RefusedError, ApiError."""
        self._change({"metadata": {"annotations": {_RESTORE: json.dumps(restore) if restore else None}}})

    def give_back(self) -> None:
        """Let go of the node. Raises ApiError."""
        self._ended.set()
        with self._mutex:
            if not self.lost:
                self._api.delete(f"{LEASES}/{self.node}")

    def _renew(self) -> None:
        while not self._ended.wait(RENEWAL):
            try:
                self._change({"spec": {"renewTime": _now()}})
            except RefusedError as refused:
                self.lost = self._taken_away(str(refused))
                if self.lost:
                    return
            except ApiError:
                continue  # it was gone for longer than our patience; the lease may be ours still

    def _taken_away(self, why: str) -> str:
        """Why the lease is not ours any more; empty where it was only renewed twice, since the first answer was lost."""
        with self._mutex:
            now = _get(self._api, self.node)
            if now is None or _holder(now) != _holder(self._lease):
                return f"{why}; it is held by {_holder(now or {})}"
            self._lease = now
            return ""

    def _change(self, change: Document) -> None:
        with self._mutex:
            if self._ended.is_set() and "spec" in change:
                return
            version = {"resourceVersion": self._lease["metadata"]["resourceVersion"]}
            metadata = {**change.get("metadata", {}), **version}
            self._lease = self._api.patch(f"{LEASES}/{self.node}", {**change, "metadata": metadata})


def take(api: Api, nodes: Iterable[str], *, pause: float = SECONDS + 1) -> Taken:
    """Have one of the nodes, the first that nobody has. Raises SubjectError where all are in use."""
    me = holder()
    names = list(nodes)
    in_use: dict[str, Document] = {}
    for name in names:
        lease = _created(api, name, me) or _taken_over(api, name, me)
        if lease is not None:
            return Taken(api, lease)
        in_use[name] = _get(api, name) or {}
    stale = {name: lease for name, lease in in_use.items() if _looks_dead(lease)}
    for _ in looks(pause, pause=_LOOK):  # nothing happening is what is waited for
        if not stale:
            break
        stale = {name: lease for name, lease in stale.items() if _version(_get(api, name)) == _version(lease)}
    for lease in stale.values():
        mine = _replaced(api, lease, me)
        if mine is not None:
            return Taken(api, mine)
    raise SubjectError(
        "take a node of the cluster",
        "every node is in use: " + "; ".join(f"{name} by {_holder(lease)}" for name, lease in in_use.items()),
        fault="another run on this cluster",
        remedy="wait for its end, start fewer processes (-n), or give more nodes with --node",
    )


def holder() -> str:
    """This process, so that others on this machine can tell whether it is alive."""
    return f"{socket.gethostname()}/{_boot()}/{os.getpid()}/{_started(os.getpid())}/{secrets.token_hex(4)}"


def is_dead(text: str) -> bool:
    """Whether a holder was a process of this machine that is no more; False where that cannot be told."""
    host, _, rest = text.partition("/")
    boot, pid, started = (*rest.split("/"), "", "", "")[:3]
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    return boot != _boot() or _started(int(pid)) != started


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]


def _started(pid: int) -> str:
    """When a process was started, in the kernel's ticks; empty for one that is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _created(api: Api, node: str, me: str) -> Document | None:
    try:
        return api.post(LEASES, _document(node, me))
    except RefusedError as refused:
        if refused.code == 409:
            return None
        raise


def _taken_over(api: Api, node: str, me: str) -> Document | None:
    """The lease of a run of this machine that was killed, or of one that ended just now."""
    lease = _get(api, node)
    if lease is None:
        return _created(api, node, me)
    return _replaced(api, lease, me) if is_dead(_holder(lease)) else None


def _replaced(api: Api, lease: Document, me: str) -> Document | None:
    """Our lease instead of one that is dead, with what is to be restored; None if somebody else was quicker."""
    mine = _document(str(lease["metadata"]["name"]), me)
    mine["metadata"] = {**lease["metadata"]}
    try:
        return api.put(f"{LEASES}/{lease['metadata']['name']}", mine)
    except RefusedError as refused:
        if refused.code in (404, 409):
            return None
        raise


def _document(node: str, me: str) -> Document:
    now = _now()
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": node, "namespace": NAMESPACE},
        "spec": {"holderIdentity": me, "leaseDurationSeconds": SECONDS, "acquireTime": now, "renewTime": now},
    }


def _get(api: Api, node: str) -> Document | None:
    try:
        return api.get(f"{LEASES}/{node}")
    except RefusedError as refused:
        if refused.code == 404:
            return None
        raise


def _looks_dead(lease: Document) -> bool:
    """Whether it was not renewed for long by our clock, so that it is worth watching."""
    text = (lease.get("spec") or {}).get("renewTime")
    if not text:
        return False
    return (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds() > SECONDS


def _version(lease: Document | None) -> str:
    return str((lease or {}).get("metadata", {}).get("resourceVersion", "gone"))


def _holder(lease: Document) -> str:
    return str((lease.get("spec") or {}).get("holderIdentity", "nobody"))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
