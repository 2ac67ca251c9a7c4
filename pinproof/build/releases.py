"""Builds the kubelet of a release, plain or changed, from the public Go modules.

A small module of our own requires `k8s.io/kubernetes`. A changed kubelet replaces the modules that the change touches
with changed copies, laid out as the repository is; go's build cache serves all that is unchanged.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pinproof.build import cache, faults, golang, toolchain
from pinproof.build.changes import NOT_IN_A_KUBELET, Changes, copy_sources
from pinproof.build.compiling import FIRST_BUILD, LATER_BUILD, OWN_MODULE, Compilation, with_build
from pinproof.build.golang import Go
from pinproof.build.progress import Progress
from pinproof.build.sources import KUBERNETES, Release, module_file, staging_modules
from pinproof.errors import SubjectError


def build_release(release: Release, changes: Changes, flags: tuple[str, ...]) -> Path:
    """Return the release's kubelet, from the cache if it was built before.

    Raises:
        SubjectError: It cannot be built.
    """
    go_mod = own_go_mod(release)
    compilation = _compilation(release, go_mod, changes, flags)

    def make(work: Path) -> None:
        cache.require_space(compilation.step, LATER_BUILD if is_cached(release.version) else FIRST_BUILD)
        main = work / "main"
        main.mkdir()
        write_main_module(main, release, changes, compilation.step, compilation.go)
        compilation.run(
            f"{KUBERNETES}/cmd/kubelet",
            work / "out" / "kubelet",
            cwd=main,
            temporary=work / "tmp",
            env=OWN_MODULE,
        )

    final = _place(release, compilation, go_mod, changes)
    return cache.build_once(final, make, what=compilation.step, turn=f"kubelet-{release.version}") / "kubelet"


def _compilation(release: Release, go_mod: str, changes: Changes, flags: tuple[str, ...]) -> Compilation:
    version = f"v{release.version}"
    return Compilation(
        step=f"build kubelet {release.version}",
        go=toolchain.find(golang.directive(go_mod)),
        version=with_build(version, f"patched.{changes.digest()[:8]}") if changes else version,
        author="the patch" if changes else "this release, with this Go and these flags,",
        flags=flags,
    )


def _place(release: Release, compilation: Compilation, go_mod: str, changes: Changes) -> Path:
    """Where the kubelet is kept once it is built."""
    return cache.directory() / "kubelet" / f"{release.version}-{compilation.key(go_mod, changes.digest())}"


def is_cached(version: str) -> bool:
    """Whether some kubelet of this release has been built before."""
    return any((cache.directory() / "kubelet").glob(f"{version}-*/kubelet"))


def is_built(version: str) -> bool:
    """Whether the release's own kubelet is there, so that asking for it costs no time."""
    try:
        go_mod = (cache.directory() / "releases" / version / "go.mod").read_text()
        compilation = _compilation(Release(version), go_mod, Changes(), ())
    except (OSError, SubjectError):
        return False
    return _place(Release(version), compilation, go_mod, Changes()).is_dir()


def own_go_mod(release: Release) -> str:
    """The release's own go.mod, which says what Go it needs; kept, so that a cached kubelet needs no network."""

    def fetch(work: Path) -> None:
        found = download(toolchain.find(), KUBERNETES, f"v{release.version}", work)
        shutil.copyfile(found["GoMod"], work / "out" / "go.mod")

    kept = cache.directory() / "releases" / release.version
    cache.build_once(kept, fetch, what=f"download kubernetes {release.version}")
    return (kept / "go.mod").read_text()


def write_main_module(main: Path, release: Release, changes: Changes, step: str, go: Go) -> None:
    """Fill the directory `main` with a module of ours that builds a release's commands, plain or changed."""
    original = Path(download(go, KUBERNETES, f"v{release.version}", main)["Dir"])
    sources, local = original, dict[str, str]()
    if changes:
        with Progress(f"{step}: copying and changing the sources", quick=True):
            sources, local = _changed_copy(original, main, release, changes, go)
    go_mod = (sources / "go.mod").read_text()
    published = {module: f"{module} {release.staging_version}" for module in staging_modules(go_mod)}
    (main / "go.mod").write_text(module_file(go_mod, f"v{release.version}", published | local))
    shutil.copyfile(original / "go.sum", main / "go.sum")


def _changed_copy(
    original: Path, main: Path, release: Release, changes: Changes, go: Go
) -> tuple[Path, dict[str, str]]:
    """Copy the modules that the changes touch, change them, and tell which module now lies where."""
    sources = main / "kubernetes"
    copy_sources(original, sources, without=NOT_IN_A_KUBELET)
    local = {KUBERNETES: "./kubernetes"}
    for module in sorted(changes.staging_modules()):
        published = Path(download(go, module, release.staging_version, main)["Dir"])
        copy_sources(published, sources / "staging/src" / module)
        local[module] = f"./kubernetes/staging/src/{module}"
    changes.apply(sources)
    return sources, local


def download(go: Go, module: str, version: str, work: Path) -> Mapping[str, str]:
    """What `go mod download -json` says of a module; its GoMod is there even when its Go is newer than this one."""
    step = f"download {module} {version}"
    command = ("mod", "download", "-json", f"{module}@{version}")
    with Progress(step, quick=True) as progress:
        finished = golang.run(go, *command, cwd=work, env={"GOWORK": "off"}, progress=progress)
    try:
        found: Mapping[str, str] = json.loads(finished.output)
    except json.JSONDecodeError:
        found = {}
    if "GoMod" not in found:
        said = replace(finished, output=found.get("Error", finished.output))
        raise faults.explain(step, said, author=module)
    return found
