"""Making a node that served a scenario as good as new, and proving that it is.

A kubelet gives memory back lazily: not when a pod goes, but when the next one is admitted (behaviour.md 3.11). So after the
scenario's pods are withdrawn, a pod that asks for nothing is admitted and removed. Then both state files must be, to the
byte, what they were when the kubelet was fresh.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from pinproof.scenario.pod import Container, Pod
from pinproof.subjects.kubelet import places
from pinproof.subjects.kubelet.identities import Identities
from pinproof.subjects.kubelet.manifest import static_pod
from pinproof.subjects.kubelet.node import Node
from pinproof.subjects.kubelet.observe import capture_error

SWEEPER: Final = "sweeper"
_numbers = itertools.count(1)
"""Every sweeper has a UID and a namespace of its own: the kubelet does not admit a UID again that is still terminating."""

_POD: Final = Pod(SWEEPER, (Container("idle"),))


@dataclass(frozen=True, slots=True)
class Books:
    """The state files of a fresh kubelet."""

    texts: tuple[str | None, ...]

    @classmethod
    def of(cls, node: Node) -> Self:
        """As they are now."""
        return cls(tuple(node.read(places.STATE, places.CPU_STATE)))


def sweep(node: Node, uids: Sequence[str], books: Books, identities: Identities) -> None:
    """Withdraw the pods and wait until the books are the fresh ones again; raises CaptureError if they never are."""
    try:
        _tidy(node, uids, books, identities)
    finally:
        # Kubelets collect what ended pods leave in the runtime once a minute; hundreds of scenarios fit into one.
        node.agent.call("forget", uids=list(uids))


def _tidy(node: Node, uids: Sequence[str], books: Books, identities: Identities) -> None:
    if Books.of(node) == books:
        node.forget(uids)
        return
    # A kubelet remembers the UIDs of pods that it has ended and would not even look at one of them again.
    uid, namespace = identities.next(_POD.name)
    sweeper = places.manifest(uid), static_pod(_POD, uid=uid, namespace=namespace, arrival=0)
    # The kubelet handles the files in this order, so the sweeper finds the others gone.
    node.forget(uids, also=[sweeper])
    try:
        # Processed means admitted or not: either way the books were tidied before that was decided.
        node.ask("clean the node", "clean", "await_pods", pods={uid: []})
        left = Books.of(node)
    finally:
        node.write([(places.manifest(uid), None)])
        node.agent.call("forget", uids=[uid])
    if left != books:
        raise capture_error("clean the node", f"the books are not empty again: {left.texts}")
