"""Runs `go build` for a kubelet, and stamps its version into it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pinproof.build import cache, faults, golang
from pinproof.build.golang import Go
from pinproof.build.progress import Progress

RECIPE = "1"
"""Part of every cache key; raise it when a change of how kubelets are built must have all of them built anew."""

FIRST_BUILD = 3 * cache.GIB
"""Bytes: modules, build cache and binary of a release or tree that was never built here."""

LATER_BUILD = cache.GIB // 2
"""Bytes, when most of it lies in Go's build cache."""

OWN_MODULE = {"GOWORK": "off", "GOFLAGS": "-mod=mod -buildvcs=false"}
"""Settings for a main module that pinproof wrote: go may complete its go.mod and go.sum."""

VERSION_PACKAGE = "k8s.io/component-base/version"


@dataclass(frozen=True, slots=True)
class Compilation:
    """One `go build` of a kubelet, or of another command in its sources."""

    step: str
    """As messages begin: `build kubelet 1.36.3`."""

    go: Go
    version: str
    """What the kubelet will call itself: `v1.36.3`."""

    author: str
    """Whose code it is if it does not compile: `the patch`."""

    flags: tuple[str, ...]
    """Further flags of `go build`."""

    def key(self, *sources: str) -> str:
        """A digest of all that decides what comes out, for sources that the given texts stand for."""
        return cache.digest(RECIPE, self.version, str(self.go), *_settings(self.flags), "flags", *self.flags, *sources)

    def run(self, package: str, target: Path, *, cwd: Path, temporary: Path, env: Mapping[str, str]) -> None:
        """Build `package` of the module in `cwd` into the file `target`.

        Raises:
            SubjectError: It does not build.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        # -trimpath lets a changed copy share the build cache with the plain release, whatever directory either lies in
        options = ["-v", "-trimpath", "-ldflags", self._linker_flags(), "-o", str(target), *self.flags]
        settings = dict(setting.split("=", 1) for setting in _settings(self.flags))
        environment = {"GOTMPDIR": str(temporary), **settings, **env}
        with Progress(f"{self.step} with {self.go}", hint="minutes the first time, seconds from then on") as progress:
            finished = golang.run(self.go, "build", *options, package, cwd=cwd, env=environment, progress=progress)
            if finished.code != 0:
                raise faults.explain(self.step, finished, author=self.author)

    def _linker_flags(self) -> str:
        major, minor = self.version.removeprefix("v").split(".")[:2]
        stamps = {"gitVersion": self.version, "gitMajor": major, "gitMinor": minor}
        return " ".join(["-s", "-w", *(f"-X {VERSION_PACKAGE}.{name}={value}" for name, value in stamps.items())])


def with_build(version: str, part: str) -> str:
    """A version with one more piece of build metadata: `v1.36.3+patched.0123abcd`."""
    return f"{version}{'.' if '+' in version else '+'}{part}"


def _settings(flags: tuple[str, ...]) -> tuple[str, ...]:
    """Settings of go that decide what comes out.

    C is left out (no compiler is needed, and the binary runs anywhere) unless the race detector needs it.
    """
    cgo = "1" if "-race" in flags else os.environ.get("CGO_ENABLED", "0")
    return (f"CGO_ENABLED={cgo}", "GOOS=linux", "GOARCH=", "GOFLAGS=-buildvcs=false")
