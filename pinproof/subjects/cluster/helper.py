"""The pod that looks at a node: it waits, and every question is a program that is run in it.

It sees the kubelet's folder and `/sys`, read-only, and has no privilege. Where the node may be disrupted it has all of them, so
that it can ask the node's systemd.
"""

from __future__ import annotations

import json
import secrets
from typing import Any, Final

from pinproof.errors import SubjectError
from pinproof.subjects.cluster.api import Api, Document, RefusedError
from pinproof.subjects.cluster.manifest import GRACE_SECONDS, LABEL
from pinproof.subjects.cluster.premises import NAMESPACE
from pinproof.subjects.kubelet.observe import capture_error
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.waiting import looks

PODS: Final = f"/api/v1/namespaces/{NAMESPACE}/pods"
PROGRAM: Final = "/pinproof-runtime"
NAME: Final = "helper"

_PAUSE: Final = 0.2
_HOPELESS: Final = ("ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError")
_UNPULLED: Final = ("ErrImagePull", "ImagePullBackOff")


class Helper:
    """A helper pod that runs."""

    def __init__(self, api: Api, node: str, *, image: str, root: str, timeouts: Timeouts, privileged: bool) -> None:
        """Start it and wait until it runs. Raises SubjectError with what the cluster says of it; it is gone then."""
        self.name = f"{NAME}-{secrets.token_hex(4)}"
        self.path = f"{PODS}/{self.name}"
        self._api = api
        self._timeouts = timeouts
        try:
            made = api.post(PODS, document(self.name, node, image=image, root=root, privileged=privileged))
        except RefusedError as refused:
            raise SubjectError(
                f"start the helper pod on {node}",
                f"the API server does not take it: {refused.message}",
                fault="the cluster's admission: the pod reads folders of the node",
                remedy="`pinproof cluster manifests` has the namespace in which it is allowed",
            ) from refused
        self.uid = str(made["metadata"]["uid"])
        try:
            self._await(node, image, timeouts)
        except BaseException:
            self.close()
            raise

    def ask(self, *question: str, once: bool = False) -> dict[str, Any]:
        """Ask the node. Raises CaptureError with what went wrong; ApiError where it is asked `once` and the answer is lost."""
        try:
            said = self._api.run(self.path, [PROGRAM, "helper", *question], once=once)
            answer = json.loads(said) or {}
        except (RefusedError, ValueError) as error:
            raise capture_error(f"ask the node, {question[0]}", str(error)) from error
        if "error" in answer:
            raise capture_error(f"ask the node, {question[0]}", str(answer["error"]))
        return dict(answer)

    def close(self) -> None:
        """Delete it and wait until it is gone. Raises ApiError, RefusedError."""
        self._api.delete(self.path)
        for _ in looks(self._timeouts.seconds("stop"), pause=_PAUSE):
            try:
                self._api.get(self.path)
            except RefusedError:
                return
        self._api.delete(self.path, grace=0)  # a node that is dead never says that it has ended

    def _await(self, node: str, image: str, timeouts: Timeouts) -> None:
        for more in looks(timeouts.seconds("helper"), pause=_PAUSE):
            status = self._api.get(self.path)["status"]
            why = waiting(status)
            states = [each.get("state") or {} for each in status.get("containerStatuses") or ()]
            if any("running" in state for state in states):
                return
            if status.get("phase") == "Failed":
                why = f"{status.get('reason')}: {status.get('message')}"
            hopeless = status.get("phase") == "Failed" or why.startswith(_HOPELESS)
            if hopeless or not more or why.startswith(_UNPULLED):
                raise _fails(node, image, why or f"it is {status.get('phase')}", timeouts, late=not hopeless)


def waiting(status: Document) -> str:
    """What a pod's container waits for; empty if it does not wait."""
    for each in status.get("containerStatuses") or ():
        if state := (each.get("state") or {}).get("waiting"):
            return f"{state.get('reason')}: {state.get('message', '')}".rstrip(": ")
    return ""


def document(name: str, node: str, *, image: str, root: str, privileged: bool) -> Document:
    """The pod. `root` is the kubelet's folder on the node; `privileged`: it may ask the node's systemd."""
    alone = {
        "runAsUser": 0,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seLinuxOptions": {"type": "spc_t"},
    }
    folders = {"kubelet": (root, "/var/lib/kubelet"), "sys": ("/sys", "/host/sys")}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {LABEL: node, "pinproof.dev/role": NAME}},
        "spec": {
            "nodeName": node,
            "hostNetwork": True,
            "hostPID": privileged,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "tolerations": [{"operator": "Exists"}],
            "containers": [
                {
                    "name": NAME,
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "securityContext": {"runAsUser": 0, "privileged": True} if privileged else alone,
                    "volumeMounts": [
                        {"name": volume, "mountPath": inside, "readOnly": True}
                        for volume, (_, inside) in folders.items()
                    ],
                }
            ],
            "volumes": [
                {"name": volume, "hostPath": {"path": outside, "type": "Directory"}}
                for volume, (outside, _) in folders.items()
            ],
        },
    }


def _fails(node: str, image: str, why: str, timeouts: Timeouts, *, late: bool) -> SubjectError:
    step = f"start the helper pod on {node}"
    if why.startswith((*_UNPULLED, "ErrImageNeverPull")):
        return SubjectError(
            step,
            f"the node has no image {image}: {why}",
            fault="the cluster: our image is in no registry",
            remedy="`pinproof build helper-image --output FILE` makes it; load it into the nodes, or push it to a registry of "
            "yours and give ?image=",
        )
    after = f"the wait 'helper' expired after {timeouts.seconds('helper'):g} s; last seen: " if late else ""
    return SubjectError(
        step,
        f"{after}{why}",
        fault="the node, or what the cluster allows",
        remedy=f"see `kubectl -n {NAMESPACE} get events`; give another node with --node",
    )
