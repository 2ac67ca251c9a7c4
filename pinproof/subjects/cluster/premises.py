"""Our own namespace in a cluster: made where there is none, and deleted by the last run that made one.

A namespace that an administrator has made (`pinproof cluster manifests`) is used as it is and stays. Two runs at once may come
and go in any order: who comes marks the namespace before taking a lease in it, and who goes deletes it only as it was when
nobody else had a lease.
"""

from __future__ import annotations

import secrets
from typing import Final

from pinproof.errors import SubjectError
from pinproof.subjects.cluster.api import Api, Document, RefusedError
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.waiting import looks

NAMESPACE: Final = "pinproof"
PATH: Final = f"/api/v1/namespaces/{NAMESPACE}"
LEASES: Final = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"

_MADE: Final = "pinproof.dev/made-by-a-run"
_ENTERED: Final = "pinproof.dev/entered"
_ATTEMPTS: Final = 5

DOCUMENT: Final = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {
        "name": NAMESPACE,
        "labels": {_MADE: "true", "pod-security.kubernetes.io/enforce": "privileged"},
    },
}
"""Pods may have folders of the node there, which the one that looks at the node needs."""


def enter(api: Api, timeouts: Timeouts) -> None:
    """Have the namespace, and let it be known that somebody is coming. Raises SubjectError, RefusedError."""
    for _ in looks(timeouts.seconds("namespace")):
        there = _get(api)
        if there is None:
            _make(api)
        elif not there["metadata"].get("deletionTimestamp"):
            if _is_ours(there):
                _mark(api)
            return await_account(api, NAMESPACE, timeouts)
    raise _stuck(timeouts, "it is still being deleted")


def leave(api: Api) -> None:
    """Delete the namespace if a run has made it and nobody is in it; our own lease is given back before."""
    for _ in range(_ATTEMPTS):
        there = _get(api)
        if there is None or not _is_ours(there) or api.get(LEASES)["items"]:
            return
        try:
            api.delete(PATH, version=there["metadata"]["resourceVersion"])
        except RefusedError as refused:
            if refused.code == 403:
                return  # whoever may not delete it has not made it
            if refused.code != 409:  # somebody is coming: look again
                raise
        else:
            return


def await_gone(api: Api, timeouts: Timeouts) -> None:
    """Wait until a namespace that is being deleted is no more; it is not waited for where it stays."""
    there: Document | None = None
    for _ in looks(timeouts.seconds("namespace")):
        there = _get(api)
        if there is None or not there["metadata"].get("deletionTimestamp"):
            return
    raise _stuck(timeouts, str((there or {}).get("status")))


def await_account(api: Api, namespace: str, timeouts: Timeouts) -> None:
    """A fresh namespace has no default service account for a moment, and takes no pods until then. Raises SubjectError."""
    seen = ""
    for _ in looks(timeouts.seconds("account")):
        try:
            api.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
        except RefusedError as refused:
            seen = str(refused)
        else:
            return
    raise SubjectError(
        "wait for the default service account",
        f"the wait 'account' expired after {timeouts.seconds('account'):g} s; last seen: {seen}",
        fault="the cluster's controller manager, or a very slow machine",
        remedy="set PINPROOF_SLOW=3",
    )


def _get(api: Api) -> Document | None:
    try:
        return api.get(PATH)
    except RefusedError as refused:
        if refused.code == 404:
            return None
        raise


def _mark(api: Api) -> None:
    """Make it another object than the one that somebody who goes has looked at."""
    try:
        api.patch(PATH, {"metadata": {"annotations": {_ENTERED: secrets.token_hex(8)}}})
    except RefusedError as refused:
        if refused.code != 403:  # whoever may not delete it need not be told
            raise


def _make(api: Api) -> None:
    try:
        api.post("/api/v1/namespaces", DOCUMENT)
    except RefusedError as refused:
        if refused.code != 409:  # another run was quicker
            raise


def _is_ours(there: Document) -> bool:
    return _MADE in (there["metadata"].get("labels") or {})


def _stuck(timeouts: Timeouts, seen: str) -> SubjectError:
    return SubjectError(
        f"wait for the namespace {NAMESPACE}",
        f"the wait 'namespace' expired after {timeouts.seconds('namespace'):g} s; last seen: {seen}",
        fault="the cluster: something in the namespace does not go",
        remedy=f"see `kubectl get namespace {NAMESPACE} -o yaml`",
    )
