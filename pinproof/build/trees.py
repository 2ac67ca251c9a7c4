"""Builds the kubelet of a kubernetes source tree, which is never written to; with changes, of a copy of it.

A checkout is built where it is, from its vendored modules, as its owner builds it. A tree without them (an archive, the
modules unpacked side by side) is built through a module of ours that takes kubernetes and its staging modules from it.

Nobody knows better than go whether a tree has changed, so it is always asked. What it links is kept under the digest of
its content: a kubelet that a test is running is never replaced beneath it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from pinproof.build import cache, golang, toolchain
from pinproof.build.changes import Changes, copy_sources
from pinproof.build.compiling import FIRST_BUILD, LATER_BUILD, OWN_MODULE, Compilation, with_build
from pinproof.build.sources import KUBERNETES, declared_minor, module_file, staging_modules
from pinproof.errors import SubjectError

KEPT = 4
"""A tree is built again and again; this many of its latest kubelets stay."""

_DESCRIBED = re.compile(r"(v1\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?)(?:-(\d+)-g([0-9a-f]+))?(-dirty)?")


def build_tree(root: Path, changes: Changes, flags: tuple[str, ...]) -> Path:
    """Return the kubelet of the tree as it is now.

    Raises:
        SubjectError: It cannot be built.
    """
    version = tree_version(root)
    compilation = Compilation(
        step=f"build kubelet from {root}",
        go=toolchain.find(golang.directive((root / "go.mod").read_text())),
        version=with_build(version, f"patched.{changes.digest()[:8]}") if changes else version,
        author="the patch, or the source tree," if changes else "the source tree",
        flags=flags,
    )
    slot = f"tree-{compilation.key(str(root), changes.digest())}"
    kept = cache.directory() / "kubelet" / slot
    with cache.workspace(slot, what=compilation.step) as work:
        cache.require_space(compilation.step, LATER_BUILD if kept.exists() else FIRST_BUILD)
        sources, linked = root, kept / "linked" / "kubelet"  # go does not link again what it finds here unchanged
        if changes:
            sources, linked = work / "kubernetes", work / "linked" / "kubelet"
            copy_sources(root, sources, without=(".git", "_output"))
            changes.apply(sources)
        if (sources / "vendor/modules.txt").is_file():
            compilation.run("./cmd/kubelet", linked, cwd=sources, temporary=work / "tmp", env={})
        else:
            main = main_module(work / "main", sources)
            compilation.run(f"{KUBERNETES}/cmd/kubelet", linked, cwd=main, temporary=work / "tmp", env=OWN_MODULE)
        return keep(linked, kept, work / "out" / "kubelet")


def main_module(main: Path, tree: Path) -> Path:
    """Make the directory `main` a module that takes kubernetes and its staging modules from a tree."""
    main.mkdir()
    go_mod = (tree / "go.mod").read_text()
    beneath = {module: tree / "staging/src" / module for module in staging_modules(go_mod)}
    local = {module: str(place) for module, place in beneath.items() if (place / "go.mod").is_file()}
    (main / "go.mod").write_text(module_file(go_mod, "v0.0.0", {KUBERNETES: str(tree), **local}))
    shutil.copyfile(tree / "go.sum", main / "go.sum")
    return main


def tree_version(root: Path) -> str:
    """The version of a tree as `git describe` has it, in upstream's spelling: `v1.37.0-alpha.1.5+0123456789abcd`.

    A tree without tags (a shallow clone, an archive) is the `.0` of the minor that its sources declare.

    Raises:
        SubjectError: Neither tells.
    """
    if found := _DESCRIBED.fullmatch(_describe(root)):
        version, ahead, commit, dirty = found.groups()
        version += f"{'.' if '-' in version else '-'}{ahead}" if ahead else ""
        build = ".".join(part for part in (commit, dirty and "dirty") if part)
        return with_build(version, build) if build else str(version)
    if minor := declared_minor(root):
        return f"v{minor}.0+tree"
    raise SubjectError(
        f"build kubelet from {root}",
        "the tree does not tell which version of Kubernetes it is",
        fault="a checkout without tags",
        remedy="fetch the tags: git fetch --tags --unshallow",
    )


def _describe(root: Path) -> str:
    if not (shutil.which("git") and (root / ".git").exists()):
        return ""
    command = ["git", "-C", str(root), "describe", "--tags", "--match=v1.*", "--abbrev=14", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def keep(linked: Path, kept: Path, partial: Path) -> Path:
    """Copy what was linked to where its content's digest says, and forget the oldest of that tree."""
    with linked.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    final = kept / content / linked.name
    if final.exists():
        os.utime(final)
    else:
        shutil.copy(linked, partial)
        final.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(final)
    others = [file for file in kept.glob(f"*/{linked.name}") if file.parent.name != "linked"]
    for old in sorted(others, key=lambda file: file.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(old.parent, ignore_errors=True)
    return final
