"""What a user may name as a kubelet: a release, a source tree, a binary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pinproof.errors import InputError, Problem

KNOWN_RELEASES = ("1.30.14", "1.31.0", "1.32.2", "1.33.13", "1.34.4", "1.35.4", "1.36.3", "1.37.1")
"""One release of each minor whose modules are known to be all there on the public proxy."""

DEFAULT_RELEASE = "1.36.3"
KUBERNETES = "k8s.io/kubernetes"

_RELEASE = re.compile(r"v?(1\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)")
_MINOR = re.compile(r"v?1\.\d+")
_STAGING = re.compile(r"^(\s*(?:replace\s+)?)(k8s\.io/\S+) => \./staging/src/\S+$", re.MULTILINE)
_MODULE = re.compile(r"^module .*$", re.MULTILINE)
_BINARY_VERSION = re.compile(r'DefaultKubeBinaryVersion = "(\d+\.\d+)"')


@dataclass(frozen=True, slots=True)
class Release:
    """A release of Kubernetes, built from its Go modules."""

    version: str
    """Without the v: `1.36.3`."""

    @property
    def staging_version(self) -> str:
        """The version of `k8s.io/api` and its sisters: `v0.36.3`."""
        return "v0" + self.version.removeprefix("1")


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout of kubernetes/kubernetes."""

    root: Path


@dataclass(frozen=True, slots=True)
class Binary:
    """A kubelet that somebody has already built."""

    path: Path


def identify(source: str, *, subject: str = "kubelet") -> Release | Tree | Binary:
    """Tell which of the three is meant; `subject` is what it is to be: `kubelet` or `component`.

    Raises:
        InputError: None of them.
    """
    if found := _RELEASE.fullmatch(source):
        return Release(found[1])
    path = Path(source).expanduser()
    if path.is_dir():
        return _tree(f"{subject}:{source}", path.resolve())
    if path.is_file():
        return Binary(path.resolve())
    if _MINOR.fullmatch(source):
        known = [release for release in KNOWN_RELEASES if release.startswith(f"{source.removeprefix('v')}.")]
        hint = f"a release has three numbers, for example {(known or [DEFAULT_RELEASE])[0]}"
    else:
        hint = f"give a release such as {DEFAULT_RELEASE}, a kubernetes source tree, or a {subject} binary that exists"
    raise InputError(f"{subject}:{source}", Problem("", hint))


def _tree(name: str, root: Path) -> Tree:
    go_mod = root / "go.mod"
    is_kubernetes = go_mod.is_file() and "module k8s.io/kubernetes\n" in go_mod.read_text()
    if is_kubernetes and (root / "cmd/kubelet").is_dir():
        return Tree(root)
    raise InputError(name, Problem("", "not a kubernetes source tree: give the folder with its go.mod"))


def staging_modules(go_mod: str) -> tuple[str, ...]:
    """The modules that the go.mod of `k8s.io/kubernetes` looks for beneath itself: `k8s.io/api` and its sisters."""
    return tuple(found[2] for found in _STAGING.finditer(go_mod))


def module_file(go_mod: str, version: str, replacements: Mapping[str, str]) -> str:
    """The go.mod of a module of ours that builds `k8s.io/kubernetes`, made from the go.mod of the latter.

    Its requirements are kept, so that every other module has the version upstream builds with.

    Args:
        go_mod: The text of kubernetes' own go.mod.
        version: The version of `k8s.io/kubernetes` to require: `v1.36.3`.
        replacements: What to take for a staging module, or for kubernetes itself: a module with its version
            (`k8s.io/api v0.36.3`) or a directory. A staging module without one is left out.
    """
    text = _MODULE.sub("module pinproof.dev/build", go_mod, count=1)
    for module in staging_modules(go_mod):
        if module not in replacements:
            text = re.sub(rf"^\s*(?:require\s+|replace\s+)?{re.escape(module)} .*\n", "", text, flags=re.MULTILINE)
    text = _STAGING.sub(lambda found: f"{found[1]}{found[2]} => {replacements[found[2]]}", text)
    text += f"\nrequire {KUBERNETES} {version}\n"
    if target := replacements.get(KUBERNETES):
        text += f"\nreplace {KUBERNETES} => {target}\n"
    return text


def declared_minor(root: Path) -> str | None:
    """The minor that a tree without git tags calls itself (`1.36`); None if its sources do not say.

    The constant exists since 1.31; before it, the newest changelog tells.
    """
    constant = root / "staging/src/k8s.io/component-base/version/base.go"
    if constant.is_file() and (found := _BINARY_VERSION.search(constant.read_text())):
        return found[1]
    changelogs = [re.fullmatch(r"CHANGELOG-1\.(\d+)\.md", file.name) for file in (root / "CHANGELOG").glob("*.md")]
    minors = [int(found[1]) for found in changelogs if found]
    return f"1.{max(minors)}" if minors else None
