"""Builds the component driver: the kubelet's managers of any release or source tree, in one process.

The driver's sources, and whatever is to be changed, are laid over the sources of Kubernetes with `go build -overlay`: nothing is
copied but the files that a change touches, so a seeded bug costs one compilation of one package. Go takes no overlay over its
module cache; a symbolic link to the module is not in the cache, and that is enough.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinproof.build import cache, golang, releases, toolchain, trees
from pinproof.build.changes import Changes, Edit, read_changes
from pinproof.build.compiling import FIRST_BUILD, LATER_BUILD, OWN_MODULE, Compilation, with_build
from pinproof.build.kubelets import copy_out
from pinproof.build.runtimes import driver_directory
from pinproof.build.sources import (
    KNOWN_RELEASES,
    KUBERNETES,
    Binary,
    Release,
    Tree,
    identify,
    module_file,
    staging_modules,
)
from pinproof.errors import InputError, Problem

COMMAND = "pinproof-component"
PACKAGE = f"cmd/{COMMAND}"

COMPONENT_RELEASES = ("1.29.6", *KNOWN_RELEASES)
"""One release of each minor for which the driver is known to build from the public proxy."""

OLDEST_MINOR = 29
"""The minor whose API the driver's sources take for granted; every later one has a build tag."""

_MINOR = re.compile(r"v1\.(\d+)\.")
_STAGING_FILE = re.compile(r"staging/src/(k8s\.io/[^/]+)/(.*)")
_ORIGIN = re.compile(r"^(?:rename|copy) from (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Adaptation:
    """A file of Kubernetes that the driver sees a little otherwise, where the release has it. Lines keep their numbers."""

    path: str
    find: str
    replace: str
    target: str = ""
    """Where it is seen, if not at its own place."""


ADAPTATIONS = (
    # Windows has managers of its own, behind one question, which a scenario answers.
    Adaptation(
        "pkg/kubelet/cm/memorymanager/memory_manager.go",
        "runtime.GOOS",
        "topologymanager.PinproofOS(runtime.GOOS)",
    ),
    Adaptation("pkg/kubelet/cm/topologymanager/numa_info.go", "runtime.GOOS", "PinproofOS(runtime.GOOS)"),
    Adaptation(
        "pkg/kubelet/cm/cpu_following_store_windows.go",
        "//go:build windows",
        "//go:build !windows",
        target="pkg/kubelet/cm/pinproofwindows/cpu_following_store.go",
    ),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the sources of Kubernetes lie, as go is to see them."""

    root: Path
    """The module `k8s.io/kubernetes`."""

    staging: Mapping[str, Path]
    """`k8s.io/api` and its sisters, those that lie elsewhere than in the root's `staging/src`."""

    def place(self, path: str) -> Path:
        """Where a file of the repository lies."""
        found = _STAGING_FILE.fullmatch(path)
        if found and found[1] in self.staging:
            return self.staging[found[1]] / found[2]
        return self.root / path


def component(
    source: str,
    *,
    patches: Sequence[Path] = (),
    edits: Sequence[Edit] = (),
    go_flags: Sequence[str] = (),
    output: Path | None = None,
) -> Path:
    """Return a component driver's binary, built if it is not in the cache yet.

    Args:
        source: A release (`1.36.3`), a kubernetes source tree, or a driver, which passes through.
        patches: git-style diffs against kubernetes/kubernetes, applied in order.
        edits: Find-and-replace changes, applied after the patches.
        go_flags: Flags for `go build`, such as `-race`, `-cover`, `-tags=x`.
        output: Where to put a copy of the binary; else the one in the cache is named.

    Raises:
        InputError: The source, a patch's file or the output cannot be used.
        SubjectError: It cannot be built; says which step failed, whose fault that likely is, and what to do.
    """
    match identify(source, subject="component"):
        case Release() as release:
            built = _of_release(release, read_changes(patches, edits, release=True), tuple(go_flags))
        case Tree(root):
            built = _of_tree(root, read_changes(patches, edits, release=False), tuple(go_flags))
        case Binary(path):
            if patches or edits or go_flags:
                raise InputError(source, Problem("", "a built driver can be neither patched nor given flags of go"))
            built = path
    return built if output is None else copy_out(built, output)


# --- a release


def _of_release(release: Release, changes: Changes, flags: tuple[str, ...]) -> Path:
    go_mod = releases.own_go_mod(release)
    version = f"v{release.version}"
    compilation = Compilation(
        step=f"build component {release.version}",
        go=toolchain.find(golang.directive(go_mod)),
        version=with_build(version, f"patched.{changes.digest()[:8]}") if changes else version,
        author="the patch" if changes else "this release, with this Go and these flags,",
        flags=_with_tags(flags, version),
    )

    def make(work: Path) -> None:
        cache.require_space(compilation.step, LATER_BUILD if _is_cached(release.version) else FIRST_BUILD)
        main = work / "main"
        layout = _linked_module(main, release, changes, compilation)
        _build(compilation, layout, changes, work, work / "out" / COMMAND, cwd=main, env=OWN_MODULE)

    name = f"{release.version}-{compilation.key(go_mod, changes.digest(), _driver_digest())}"
    final = cache.directory() / "component" / name
    return cache.build_once(final, make, what=compilation.step, turn=f"component-{release.version}") / COMMAND


def _is_cached(version: str) -> bool:
    built = any((cache.directory() / "component").glob(f"{version}-*/{COMMAND}"))
    return built or releases.is_cached(version)


def _linked_module(main: Path, release: Release, changes: Changes, compilation: Compilation) -> Layout:
    """A module of ours that takes kubernetes, and the staging modules that are changed, through symbolic links."""
    main.mkdir()
    original = Path(releases.download(compilation.go, KUBERNETES, f"v{release.version}", main)["Dir"])
    root = main / "kubernetes"
    root.symlink_to(original)
    go_mod = (original / "go.mod").read_text()
    replacements = {module: f"{module} {release.staging_version}" for module in staging_modules(go_mod)}
    staging = {}
    for module in sorted(changes.staging_modules()):
        published = releases.download(compilation.go, module, release.staging_version, main)["Dir"]
        staging[module] = main / "staging" / module.replace("/", "-")
        staging[module].parent.mkdir(exist_ok=True)
        staging[module].symlink_to(published)
        replacements[module] = str(staging[module])
    replacements[KUBERNETES] = str(root)
    (main / "go.mod").write_text(module_file(go_mod, f"v{release.version}", replacements))
    shutil.copyfile(original / "go.sum", main / "go.sum")
    return Layout(root, staging)


# --- a tree


def _of_tree(root: Path, changes: Changes, flags: tuple[str, ...]) -> Path:
    version = trees.tree_version(root)
    compilation = Compilation(
        step=f"build component from {root}",
        go=toolchain.find(golang.directive((root / "go.mod").read_text())),
        version=with_build(version, f"patched.{changes.digest()[:8]}") if changes else version,
        author="the patch, or the source tree," if changes else "the source tree",
        flags=_with_tags(flags, version),
    )
    slot = f"tree-{compilation.key(str(root), changes.digest(), _driver_digest())}"
    kept = cache.directory() / "component" / slot
    layout = Layout(root, {})
    with cache.workspace(slot, what=compilation.step) as work:
        cache.require_space(compilation.step, LATER_BUILD if kept.exists() else FIRST_BUILD)
        linked = kept / "linked" / COMMAND  # go does not link again what it finds here unchanged
        if (root / "vendor/modules.txt").is_file():
            _build(compilation, layout, changes, work, linked, cwd=root, env={})
        else:
            main = trees.main_module(work / "main", root)
            _build(compilation, layout, changes, work, linked, cwd=main, env=OWN_MODULE)
        return trees.keep(linked, kept, work / "out" / COMMAND)


# --- both


def _build(
    compilation: Compilation,
    layout: Layout,
    changes: Changes,
    work: Path,
    target: Path,
    *,
    cwd: Path,
    env: Mapping[str, str],
) -> None:
    """Lay the driver and the changes over the sources, and compile."""
    sources = driver_sources()
    replaced = {str(layout.root / file.relative_to(sources)): str(file) for file in sorted(sources.rglob("*.go"))}
    replaced |= _changed(layout, changes, work / "changed")
    replaced |= _adapted(layout, replaced, work / "adapted")
    overlay = work / "overlay.json"
    overlay.write_text(json.dumps({"Replace": replaced}))
    package = f"./{PACKAGE}" if cwd == layout.root else f"{KUBERNETES}/{PACKAGE}"
    compilation.run(package, target, cwd=cwd, temporary=work / "tmp", env=env, options=("-overlay", str(overlay)))


def _changed(layout: Layout, changes: Changes, place: Path) -> dict[str, str]:
    """The files that the changes touch → their changed copies; "" for one that is gone."""
    place.mkdir()
    touched = {
        *changes.paths(),
        *(origin for patch in changes.patches for _, s in patch.sections for origin in _ORIGIN.findall(s)),
    }
    for path in sorted(touched):
        if (original := layout.place(path)).is_file():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(original, place / path)
    changes.apply(place)
    changed = {path: place / path for path in touched}
    return {str(layout.place(path)): str(copy) if copy.is_file() else "" for path, copy in changed.items()}


def _adapted(layout: Layout, replaced: Mapping[str, str], place: Path) -> dict[str, str]:
    """The adaptations that this release needs, on top of what is changed."""
    adapted = {}
    for adaptation in ADAPTATIONS:
        original = str(layout.place(adaptation.path))
        source = Path(replaced.get(original, original))
        text = source.read_text() if source.is_file() else ""
        if adaptation.find in text:
            target = adaptation.target or adaptation.path
            copy = place / target
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text.replace(adaptation.find, adaptation.replace))
            adapted[str(layout.root / target)] = str(copy)
    return adapted


def driver_sources() -> Path:
    """The driver's Go files, laid out as they lie in a kubernetes tree."""
    return driver_directory() / "component" / "tree"


def _driver_digest() -> str:
    sources = driver_sources()
    return cache.digest(
        *(
            part
            for file in sorted(sources.rglob("*.go"))
            for part in (str(file.relative_to(sources)), file.read_bytes())
        )
    )


def _with_tags(flags: tuple[str, ...], version: str) -> tuple[str, ...]:
    """The flags with a build tag for every minor since the oldest: `since_1_30,since_1_31`; go takes one list only."""
    found = _MINOR.match(version)
    minor = int(found[1]) if found else OLDEST_MINOR
    tags = [f"since_1_{number}" for number in range(OLDEST_MINOR + 1, minor + 1)]
    kept = []
    left = iter(flags)
    for flag in left:
        name, equals, value = flag.partition("=")
        if name in {"-tags", "--tags"}:
            tags += (value if equals else next(left, "")).split(",")
        else:
            kept.append(flag)
    return (*kept, "-tags", ",".join(tags))
