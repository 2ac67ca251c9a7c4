"""Whether a kubelet of one's own can be given its own namespaces here: as an ordinary user, or as root.

Asked by trying: the policies that forbid it are too many to be read (sysctls, AppArmor, seccomp of a container), and some
of them let the namespace be made and then refuse the first mount in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pinproof.errors import SubjectError

STEP = "make namespaces"
SECONDS = 20

_PROBE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
user = sys.argv[1] == "user"
uid, gid = os.getuid(), os.getgid()
def must(what, result):
    if result != 0:
        sys.exit(f"{what}: {os.strerror(ctypes.get_errno())}")
NEW_MOUNT, NEW_CGROUP, NEW_IPC, NEW_USER, NEW_NET = 0x20000, 0x2000000, 0x8000000, 0x10000000, 0x40000000
must("unshare", libc.unshare(NEW_MOUNT | NEW_CGROUP | NEW_IPC | NEW_NET | (NEW_USER if user else 0)))
if user:
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        try:
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        except OSError as error:
            sys.exit(f"write {name}: {error.strerror}")
RECURSIVE, PRIVATE = 0x4000, 0x40000
must("mount --make-rprivate /", libc.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None))
must("mount a tmpfs", libc.mount(b"tmpfs", b"/var/lib", b"tmpfs", 0, None))
"""

_SWITCHES = (
    ("kernel/unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)
"""Files under /proc/sys, the value that forbids, and the command that allows."""


@dataclass(frozen=True, slots=True)
class Privileges:
    """How kubelets can be run here."""

    mode: Literal["user", "root"] | None
    """In a user namespace, as root without one, or not at all."""

    problem: str = ""
    remedy: str = ""


def privileges() -> Privileges:
    """Try which namespaces this process may have."""
    if sys.platform != "linux":
        remedy = "run pinproof on Linux (a virtual machine or a container will do), or `--subject reference`"
        return Privileges(None, f"a kubelet needs Linux, this is {sys.platform}", remedy)
    problem = _try("user")
    if not problem:
        return Privileges("user")
    if os.geteuid() == 0:
        root_problem = _try("root")
        if not root_problem:
            return Privileges("root")
        remedy = (
            "give the container more rights: --privileged, or --security-opt seccomp=unconfined --cap-add SYS_ADMIN"
        )
        return Privileges(None, f"root may not make namespaces here: {root_problem}", remedy)
    return Privileges(None, f"user namespaces are forbidden: {problem}", _remedy())


def require_privileges() -> Privileges:
    """The privileges, where kubelets can be run at all.

    Raises:
        SubjectError: They cannot.
    """
    found = privileges()
    if found.mode is None:
        raise SubjectError(STEP, found.problem, fault="this machine's settings", remedy=found.remedy)
    return found


def _try(mode: str) -> str:
    """What forbids it; empty if nothing does. In a process of its own: namespaces cannot be left again."""
    command = [sys.executable, "-I", "-S", "-c", _PROBE, mode]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer in {SECONDS} s"
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["unknown"])[-1]


def _remedy() -> str:
    for name, forbidding, command in _SWITCHES:
        setting = Path("/proc/sys") / name
        if setting.is_file() and setting.read_text().strip() == forbidding:
            return f"{command}   (or run pinproof as root)"
    return "run pinproof as root; inside a container, start that with --security-opt seccomp=unconfined"
