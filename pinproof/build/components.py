"""Builds the component driver: the kubelet's managers of any release or source tree, in one process.

The driver is compiled inside the sources of Kubernetes. These are never copied or written to: a tree of symbolic links stands for
them, in which the driver's files, and the changed copies of the few files that a change touches, have their places. A seeded bug
so costs one compilation of one package, and every tool of go finds real files.
"""

from __future__ import annotations

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
STAGING = "staging/src"

COMPONENT_RELEASES = ("1.29.6", *KNOWN_RELEASES)
"""One release of each minor for which the driver is known to build from the public proxy."""

OLDEST_MINOR = 29
"""The minor whose API the driver's sources take for granted; every later one has a build tag."""

_MINOR = re.compile(r"v1\.(\d+)\.")
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
        flags=_completed(flags, version),
    )

    def make(work: Path) -> None:
        cache.require_space(compilation.step, LATER_BUILD if _is_cached(release.version) else FIRST_BUILD)
        main = _linked_module(work, release, changes, compilation)
        package, target = f"{KUBERNETES}/{PACKAGE}", work / "out" / COMMAND
        compilation.run(package, target, cwd=main, temporary=work / "tmp", env=OWN_MODULE)

    name = f"{release.version}-{compilation.key(go_mod, changes.digest(), _driver_digest())}"
    final = cache.directory() / "component" / name
    # The first makes the others quick, so they wait for it, and for nothing after it.
    turn = "" if _is_cached(release.version) else f"component-{release.version}"
    return cache.build_once(final, make, what=compilation.step, turn=turn) / COMMAND


def _is_cached(version: str) -> bool:
    built = any((cache.directory() / "component").glob(f"{version}-*/{COMMAND}"))
    return built or releases.is_cached(version)


def _linked_module(work: Path, release: Release, changes: Changes, compilation: Compilation) -> Path:
    """A module of ours that takes kubernetes, and the staging modules that are changed, from trees of links."""
    main = work / "main"
    main.mkdir()
    original = Path(releases.download(compilation.go, KUBERNETES, f"v{release.version}", main)["Dir"])
    origins = {"": original}
    for module in sorted(changes.staging_modules()):
        published = releases.download(compilation.go, module, release.staging_version, main)["Dir"]
        origins[f"{STAGING}/{module}/"] = Path(published)
    links = _link(origins, changes, work)
    go_mod = (original / "go.mod").read_text()
    replacements = {module: f"{module} {release.staging_version}" for module in staging_modules(go_mod)}
    replacements |= {module: str(links / STAGING / module) for module in changes.staging_modules()}
    replacements[KUBERNETES] = str(links)
    (main / "go.mod").write_text(module_file(go_mod, f"v{release.version}", replacements))
    shutil.copyfile(original / "go.sum", main / "go.sum")
    return main


# --- a tree


def _of_tree(root: Path, changes: Changes, flags: tuple[str, ...]) -> Path:
    version = trees.tree_version(root)
    compilation = Compilation(
        step=f"build component from {root}",
        go=toolchain.find(golang.directive((root / "go.mod").read_text())),
        version=with_build(version, f"patched.{changes.digest()[:8]}") if changes else version,
        author="the patch, or the source tree," if changes else "the source tree",
        flags=_completed(flags, version),
    )
    slot = f"tree-{compilation.key(str(root), changes.digest(), _driver_digest())}"
    kept = cache.directory() / "component" / slot
    with cache.workspace(slot, what=compilation.step) as work:
        cache.require_space(compilation.step, LATER_BUILD if kept.exists() else FIRST_BUILD)
        linked = kept / "linked" / COMMAND  # go does not link again what it finds here unchanged
        links = _link({"": root}, changes, work)
        if (root / "vendor/modules.txt").is_file():
            compilation.run(f"./{PACKAGE}", linked, cwd=links, temporary=work / "tmp", env={})
        else:
            main = trees.main_module(work / "main", links)
            compilation.run(f"{KUBERNETES}/{PACKAGE}", linked, cwd=main, temporary=work / "tmp", env=OWN_MODULE)
        return trees.keep(linked, kept, work / "out" / COMMAND)


# --- both


def _link(origins: Mapping[str, Path], changes: Changes, work: Path) -> Path:
    """Lay the driver and the changes over the sources: a tree of links, laid out as the repository is.

    Args:
        origins: Where the sources lie: path in the repository ("" for all that has no other) → directory.
        changes: What is to be different.
        work: A directory of this build alone.
    """
    driver = (
        work / "driver"
    )  # a copy: whoever edits the driver meanwhile is not to end up in a build of what was there before
    shutil.copytree(driver_sources(), driver)
    laid: dict[str, Path | None] = {str(file.relative_to(driver)): file for file in sorted(driver.rglob("*.go"))}
    laid |= _changed(origins, changes, work / "changed")
    laid |= _adapted(origins, laid, work / "adapted")
    links = work / "kubernetes"
    for prefix in sorted(origins):  # the repository before what lies in it
        inside = {path.removeprefix(prefix): file for path, file in laid.items() if _origin(origins, path) == prefix}
        _grow(links / prefix, origins[prefix], inside)
    return links


def _origin(origins: Mapping[str, Path], path: str) -> str:
    return max((prefix for prefix in origins if path.startswith(prefix)), key=len)


def _grow(target: Path, origin: Path, laid: Mapping[str, Path | None]) -> None:
    """Make `target` look like `origin` with some files replaced, added or (None) left out."""
    if target.is_symlink():
        target.unlink()
    target.mkdir(parents=True, exist_ok=True)
    here = {path: file for path, file in laid.items() if "/" not in path}
    folders = {path.split("/", 1)[0] for path in laid if "/" in path}
    for entry in sorted(origin.iterdir()) if origin.is_dir() else ():
        if entry.name not in here and entry.name not in folders:
            (target / entry.name).symlink_to(entry)
    for name, file in here.items():
        if file is not None:
            (target / name).symlink_to(file)
    for folder in sorted(folders):
        beneath = {
            path.removeprefix(f"{folder}/"): file for path, file in laid.items() if path.startswith(f"{folder}/")
        }
        _grow(target / folder, origin / folder, beneath)


def _changed(origins: Mapping[str, Path], changes: Changes, place: Path) -> dict[str, Path | None]:
    """The files that the changes touch → their changed copies; None for one that is gone."""
    place.mkdir()
    moved = (origin for patch in changes.patches for _, text in patch.sections for origin in _ORIGIN.findall(text))
    touched = sorted({*changes.paths(), *moved})
    for path in touched:
        if (original := _place(origins, path)).is_file():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(original, place / path)
    changes.apply(place)
    return {path: place / path if (place / path).is_file() else None for path in touched}


def _place(origins: Mapping[str, Path], path: str) -> Path:
    prefix = _origin(origins, path)
    return origins[prefix] / path.removeprefix(prefix)


def _adapted(origins: Mapping[str, Path], laid: Mapping[str, Path | None], place: Path) -> dict[str, Path | None]:
    """The adaptations that this release needs, on top of what is changed."""
    adapted: dict[str, Path | None] = {}
    for adaptation in ADAPTATIONS:
        source = laid.get(adaptation.path) or _place(origins, adaptation.path)
        text = source.read_text() if source.is_file() else ""
        if adaptation.find in text:
            target = adaptation.target or adaptation.path
            copy = place / target
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text.replace(adaptation.find, adaptation.replace))
            adapted[target] = copy
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


def _completed(flags: tuple[str, ...], version: str) -> tuple[str, ...]:
    """The flags with a build tag for every minor since the oldest (`since_1_30,since_1_31`) and, with `-coverpkg`, the driver.

    Go takes one list of tags only, and a program writes no coverage unless its main package is covered.
    """
    found = _MINOR.match(version)
    minor = int(found[1]) if found else OLDEST_MINOR
    tags = [f"since_1_{number}" for number in range(OLDEST_MINOR + 1, minor + 1)]
    kept = []
    left = iter(flags)
    for flag in left:
        name, equals, value = flag.partition("=")
        option = name.lstrip("-")
        if option in {"tags", "coverpkg"}:
            value = value if equals else next(left, "")
        if option == "tags":
            tags += value.split(",")
        else:
            kept.append(f"-coverpkg={value},{KUBERNETES}/{PACKAGE}" if option == "coverpkg" else flag)
    return (*kept, "-tags", ",".join(tags))
