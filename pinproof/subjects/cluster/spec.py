"""What follows `cluster:` on the command line. Pure.

~/.kube/config                          the nodes of the cluster that a kubeconfig names
~/.kube/config?context=lab              ... by another context than its current one
~/.kube/config?node=worker1             one node; `node=a,b` several; `node=pool=numa` those with a label
~/.kube/config?image=registry/w:1       the image of the helper pod and of the pods of scenarios, where the node can have it
~/.kube/config?share=0.25               how much of what is free on a node all pods of a scenario may ask for together
~/.kube/config?root=/var/lib/k0s/kubelet  the kubelet's own folder, where it is not /var/lib/kubelet
~/.kube/config?disruptive=worker1       nodes that may be cordoned and whose kubelet may be restarted
~/.kube/config?disruptive=worker1&drain=yes   ... and whose pods are evicted first
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from pinproof.errors import InputError, Problem
from pinproof.subjects.cluster import image
from pinproof.subjects.query import options

USAGE: Final = (
    "cluster:KUBECONFIG[?node=NAME|LABEL=VALUE][&context=C][&image=I][&share=0.5][&root=DIR]"
    "[&disruptive=NAME[&drain=yes]]"
)
SHARE: Final = Fraction(1, 2)

_OPTIONS = ("node", "context", "image", "share", "root", "disruptive", "drain")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Spec:
    """Nodes of a cluster, and what may be done to them."""

    kubeconfig: Path
    nodes: tuple[str, ...] = ()
    """Names; empty for all that fit."""

    selector: str = ""
    """Label selector; empty for all."""

    context: str = ""
    """Empty for the current one."""

    image: str = image.DEFAULT
    share: Fraction = SHARE
    """Of what is free on a node."""

    root: str = "/var/lib/kubelet"
    disruptive: frozenset[str] = frozenset()
    """Nodes that may be cordoned and whose kubelet may be restarted."""

    drain: bool = False
    """Evict the pods of these nodes first."""


def parse(text: str) -> Spec:
    """Read it. Raises InputError with everything that is wrong."""
    path, _, query = text.partition("?")
    problems = [] if path else [Problem("", f"say which kubeconfig; {USAGE}")]
    given = options(query, _OPTIONS, USAGE, problems)
    nodes, selector = _nodes(given.get("node", ""), problems)
    disruptive = frozenset(_names("disruptive", given.get("disruptive", ""), problems))
    share = _share(given.get("share", ""), problems)
    root = given.get("root", "/var/lib/kubelet")
    if not root.startswith("/"):
        problems.append(Problem("?root", f"{root!r} is not an absolute path"))
    drain = given.get("drain", "no")
    if drain not in ("yes", "no"):
        problems.append(Problem("?drain", f"{drain!r} is neither yes nor no"))
    elif drain == "yes" and not disruptive:
        problems.append(Problem("?drain", "say which node may be disrupted: &disruptive=NAME"))
    if problems:
        raise InputError(f"cluster:{text}", *problems)
    return Spec(
        Path(path).expanduser(),
        nodes,
        selector,
        given.get("context", ""),
        given.get("image", image.DEFAULT),
        share,
        root.rstrip("/"),
        disruptive,
        drain == "yes",
    )


def with_options(spec: str, *, node: str | None, disruptive: str | None, drain: bool = False) -> str:
    """The text after `--subject` with what `--node`, `--disruptive` and `--drain` say.

    Raises InputError where it is no cluster.
    """
    given = {"node": node, "disruptive": disruptive, "drain": "yes" if drain else None}
    for name, value in given.items():
        if value is None:
            continue
        if not spec.startswith("cluster:"):
            raise InputError("options", Problem(f"--{name}", f"is for nodes of a cluster, and the subject is {spec}"))
        spec += f"{'&' if '?' in spec else '?'}{name}={value}"
    return spec


def _nodes(text: str, problems: list[Problem]) -> tuple[tuple[str, ...], str]:
    """Names, or a label selector, which has an `=`."""
    return ((), text) if "=" in text else (_names("node", text, problems), "")


def _names(option: str, text: str, problems: list[Problem]) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name)
    problems += [Problem(f"?{option}", f"{name!r} is no name of a node") for name in names if not _NAME.fullmatch(name)]
    return names


def _share(text: str, problems: list[Problem]) -> Fraction:
    if not text:
        return SHARE
    try:
        share = Fraction(text)
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share <= 1:
        problems.append(Problem("?share", f"{text!r} is not a share above 0 and up to 1, such as 0.5"))
    return share
