"""What we have to be allowed in a cluster, and what we are not."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from pinproof.errors import SubjectError
from pinproof.subjects.cluster.api import Api, RefusedError
from pinproof.subjects.cluster.premises import NAMESPACE, PATH

_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Need:
    """A verb on a resource."""

    verb: str
    resource: str
    """`pods`, or with a subresource `pods/exec`."""

    group: str = ""
    inside: bool = True
    """In our namespace; else in the whole cluster."""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{'' if self.inside else ' of the cluster'}"


NEEDS: Final = (
    Need("get", "nodes", inside=False),
    Need("list", "nodes", inside=False),
    Need("get", "nodes/proxy", inside=False),
    Need("list", "pods", inside=False),
    Need("watch", "pods", inside=False),
    *(Need(verb, "pods") for verb in ("create", "get", "list", "delete")),
    *(Need(verb, "pods/exec") for verb in ("create", "get")),
    Need("create", "pods/binding"),
    Need("get", "serviceaccounts"),
    Need("list", "events"),
    *(Need(verb, "leases", "coordination.k8s.io") for verb in ("create", "get", "list", "update", "patch", "delete")),
)
"""For every run."""

DISRUPTION: Final = (Need("patch", "nodes", inside=False),)
"""For one that may disrupt a node."""

DRAIN: Final = (Need("create", "pods/eviction", inside=False),)
"""For one that empties it first."""

PREMISES: Final = tuple(Need(verb, "namespaces", inside=False) for verb in ("create", "patch", "delete"))
"""Where nobody has made our namespace."""


def require(api: Api, *, disruptive: bool, drain: bool = False) -> None:
    """Raises SubjectError that names everything which is not allowed."""
    disruption = (*(DISRUPTION if disruptive else ()), *(DRAIN if drain else ()))
    needs = (*NEEDS, *disruption, *(() if _has_namespace(api) else PREMISES))
    missing = [str(need) for need in needs if not _may(api, need)]
    if missing:
        raise SubjectError(
            "see what is allowed in the cluster",
            f"this user may not: {', '.join(missing)}",
            fault="the rights of the kubeconfig's user",
            remedy="an administrator can give them: `pinproof cluster manifests | kubectl apply -f -`, and binds the user",
        )


def manifests() -> str:
    """What an administrator may apply: the namespace, the rights, and to whom they are given."""
    return (files("pinproof.subjects.cluster") / "manifests.yaml").read_text()


def _has_namespace(api: Api) -> bool:
    try:
        api.get(PATH)
    except RefusedError:
        return False
    return True


def _may(api: Api, need: Need) -> bool:
    resource, _, part = need.resource.partition("/")
    attributes = {"verb": need.verb, "group": need.group, "resource": resource, "subresource": part}
    if need.inside:
        attributes["namespace"] = NAMESPACE
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return bool(api.post(_REVIEWS, review)["status"].get("allowed"))
