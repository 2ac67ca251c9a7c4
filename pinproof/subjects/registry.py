"""From what a user writes after `--subject` to a subject: `kubelet:1.36.3`, `kubelet:~/src/kubernetes`, `reference:1.32`.

A new subject is one function here. What a subject needs is imported only when it is asked for: building and booting are
slow to import, and most commands need neither.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from pinproof.errors import InputError, Problem, SubjectError
from pinproof.subjects.protocol import Subject

Namespaces = Literal["auto", "user", "root"]

DEFAULT: Final = "kubelet:1.36.3"


@dataclass(frozen=True, slots=True)
class Options:
    """How to open a subject; each kind takes from it what concerns it."""

    namespaces: Namespaces = "auto"
    """`user`, `root` or `auto`."""

    slow: float | None = None
    """Factor on every time limit."""

    cold: bool = False
    """Boot a kubelet for every scenario."""

    version: str | None = None
    """The release that the kubelet or driver is, where its binary does not say."""

    patches: Sequence[Path] = ()
    go_flags: Sequence[str] = ()
    agent: Path | None = None
    """A node agent built before; None builds it."""


def open_subject(
    spec: str,
    *,
    namespaces: Namespaces = "auto",
    slow: float | None = None,
    cold: bool = False,
    version: str | None = None,
    patches: Sequence[Path] = (),
    go_flags: Sequence[str] = (),
    agent: Path | None = None,
) -> Subject:
    """Open the subject that `spec` names; the options are those of `Options`.

    Raises:
        InputError: there is no such kind of subject, or what follows the colon cannot be used.
        SubjectError: it cannot be built, or is not what it should be.
    """
    kind, _, what = spec.partition(":")
    if kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise InputError(
            spec, Problem("", f"there is no subject {kind!r}{hint}; there are: {', '.join(USAGE.values())}")
        )
    if namespaces not in ("auto", "user", "root"):
        raise InputError("namespaces", Problem("", f"{namespaces!r} is none of auto, user, root"))
    options = Options(namespaces, slow, cold, version, tuple(patches), tuple(go_flags), agent)
    return KINDS[kind](spec, what, options)


def closing_seconds(*specs: str) -> float:
    """How long it may take to close subjects like these, of which each process has one: the last one deletes a cluster."""
    return max(CLOSING.get(spec.partition(":")[0], DEFAULT_CLOSING) for spec in specs)


def _kubelet(spec: str, what: str, options: Options) -> Subject:
    if sys.platform != "linux":
        remedy = "run pinproof on Linux, or `--subject reference`"
        raise SubjectError("open the subject", "a kubelet needs Linux", fault="this machine", remedy=remedy)
    if not what:
        raise InputError(
            spec, Problem("", "say which kubelet: a release such as kubelet:1.36.3, a source tree, or a binary")
        )
    from pinproof import build
    from pinproof.subjects.kubelet.subject import KubeletSubject

    return KubeletSubject(
        build.kubelet(what, patches=options.patches, go_flags=options.go_flags),
        options.agent or build.runtime(),
        name=spec,
        version=options.version,
        namespaces=options.namespaces,
        slow=options.slow,
        cold=options.cold,
        kubelets=build.kubelet,
    )


def _component(spec: str, what: str, options: Options) -> Subject:
    if not what:
        raise InputError(
            spec, Problem("", "say which release: component:1.36.3, a kubernetes source tree, or a built driver")
        )
    from pinproof import build
    from pinproof.subjects.component.binary import release_of
    from pinproof.subjects.component.subject import ComponentSubject

    binary = build.component(what, patches=options.patches, go_flags=options.go_flags)
    return ComponentSubject(
        binary,
        version=options.version or release_of(binary, slow=options.slow),
        name=spec,
        slow=options.slow,
        components=build.component,
    )


def _kind(spec: str, what: str, options: Options) -> Subject:
    from pinproof.subjects.kind.opening import open_kind

    return open_kind(spec, what, options)


def _cluster(spec: str, what: str, options: Options) -> Subject:
    from pinproof.subjects.cluster.opening import open_cluster

    return open_cluster(spec, what, options)


def _vm(spec: str, what: str, options: Options) -> Subject:
    from pinproof.subjects.vm.opening import open_vm

    return open_vm(spec, what, options)


def _reference(spec: str, what: str, options: Options) -> Subject:
    from pinproof.subjects.reference import ReferenceSubject

    return ReferenceSubject(what) if what else ReferenceSubject()


KINDS: Final[Mapping[str, Callable[[str, str, Options], Subject]]] = MappingProxyType(
    {
        "kubelet": _kubelet,
        "component": _component,
        "kind": _kind,
        "cluster": _cluster,
        "vm": _vm,
        "reference": _reference,
    }
)
"""Kind → how to open it from (the whole text, what follows the colon, options)."""

USAGE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kubelet": "kubelet:VERSION|TREE|BINARY",
        "component": "component:VERSION|TREE|BINARY",
        "kind": "kind:VERSION[?kubelet=VERSION|TREE|BINARY]",
        "cluster": "cluster:KUBECONFIG[?node=NAME]",
        "vm": "vm[:VERSION|TREE|BINARY]",
        "reference": "reference[:MINOR]",
    }
)

DEFAULT_CLOSING: Final = 10.0

CLOSING: Final[Mapping[str, float]] = MappingProxyType({"kind": 300.0, "cluster": 120.0, "vm": 60.0})
"""Kind → seconds until one has cleared up behind itself, what it was doing included."""
