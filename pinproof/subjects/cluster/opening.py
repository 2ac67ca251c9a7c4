"""From `cluster:KUBECONFIG?node=worker1` to a subject: which cluster it is, and which of its nodes may be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinproof.errors import InputError, Problem, SubjectError
from pinproof.reference.behaviour import MINORS, behaviour_of
from pinproof.running.releases import minor_of
from pinproof.subjects.cluster.api import Api, Document, RefusedError
from pinproof.subjects.cluster.spec import Spec, parse
from pinproof.subjects.cluster.subject import ClusterSubject
from pinproof.subjects.kubelet.timeouts import Timeouts

if TYPE_CHECKING:
    from pinproof.subjects.registry import Options


def open_cluster(name: str, what: str, options: Options) -> ClusterSubject:
    """Ask the cluster for its nodes.

    Raises:
        InputError: what follows `cluster:` cannot be used.
        SubjectError: the cluster cannot be reached, or has no such node.
    """
    spec = parse(what)
    timeouts = Timeouts.from_environment(options.slow)
    api = Api(spec.kubeconfig, timeouts=timeouts, context=spec.context)
    nodes = _usable(_chosen(_listed(api, spec), spec))
    api.patience = timeouts.seconds("outage")
    return ClusterSubject(spec, api, nodes, name=name, timeouts=timeouts)


def _listed(api: Api, spec: Spec) -> list[Document]:
    query = {"labelSelector": spec.selector} if spec.selector else {}
    try:
        return list(api.get("/api/v1/nodes", **query)["items"])
    except RefusedError as refused:
        unknown = refused.code == 401 or "system:anonymous" in refused.message
        raise SubjectError(
            "list the nodes of the cluster",
            f"the API server answered {refused}",
            fault="the kubeconfig: its certificate or token may have expired" if unknown else "the rights of its user",
            remedy="get a new one, with which `kubectl get nodes` works"
            if unknown
            else "`pinproof cluster manifests | kubectl apply -f -` gives what is needed",
        ) from refused


def _chosen(nodes: Sequence[Document], spec: Spec) -> list[Document]:
    """The nodes that the spec names; with `disruptive`, none that may not be disrupted."""
    by_name = {str(node["metadata"]["name"]): node for node in nodes}
    wanted = spec.nodes or (tuple(sorted(spec.disruptive)) if spec.disruptive and not spec.selector else tuple(by_name))
    missing = [name for name in (*wanted, *sorted(spec.disruptive)) if name not in by_name]
    if missing or not wanted:
        there = ", ".join(sorted(by_name)) or "none"
        raise SubjectError(
            "choose a node of the cluster",
            f"there is no node {', '.join(dict.fromkeys(missing))}; there are: {there}"
            if missing
            else f"no node has the label {spec.selector}",
            fault="--node, ?node= or ?disruptive=",
            remedy="give one of `kubectl get nodes --show-labels`",
        )
    others = [name for name in wanted if spec.disruptive and name not in spec.disruptive]
    if others:
        raise InputError(
            "--disruptive",
            Problem("", f"does not name {', '.join(others)}, which --node does; all nodes of a run, or none"),
        )
    return [by_name[name] for name in wanted]


def _usable(nodes: Sequence[Document]) -> list[Document]:
    """Those of one minor that run pods and that the reference knows. Raises SubjectError where there are none, or several."""
    names = {str(node["metadata"]["name"]): node for node in nodes}
    why = {name: _unusable(node) for name, node in names.items()}
    usable = [node for name, node in names.items() if not why[name]]
    if not usable:
        raise SubjectError(
            "choose a node of the cluster",
            "; ".join(f"{name} {reason}" for name, reason in why.items()),
            fault="the cluster",
            remedy="give other nodes with --node",
        )
    minors = {minor_of(node["status"]["nodeInfo"]["kubeletVersion"]) for node in usable}
    if len(minors) > 1:
        raise SubjectError(
            "choose a node of the cluster",
            f"its nodes are of several minors: {', '.join(sorted(minors))}",
            fault="nothing: a run has one",
            remedy="name nodes of one of them with --node",
        )
    return usable


def _unusable(node: Document) -> str:
    """Why a node cannot be used; empty where it can."""
    version, info = node["status"]["nodeInfo"]["kubeletVersion"], node["status"]["nodeInfo"]
    ready = [each["status"] for each in node["status"].get("conditions") or () if each["type"] == "Ready"]
    if ready != ["True"]:
        return "is not ready"
    if info.get("operatingSystem") != "linux":
        return f"runs {info.get('operatingSystem')}"
    try:
        behaviour_of(minor_of(version))
    except (InputError, ValueError):
        return f"has kubelet {version}; the reference knows {MINORS[0]} to {MINORS[-1]}"
    return ""
