"""How the instructions of machines are carried out: by KVM where it runs a kernel, else by emulation, which works everywhere.

That `/dev/kvm` can be opened says little: inside of another machine it may open, and run nothing. So a kernel is tried, once for
each start of this machine.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final, Literal, get_args

from pinproof.build import cache
from pinproof.errors import SubjectError
from pinproof.vm.programs import Qemu, environment

Acceleration = Literal["kvm", "tcg"]

VARIABLE: Final = "PINPROOF_VM_ACCEL"
"""Environment variable: `kvm` or `tcg`; what is found, where it says nothing."""

_SLOW_FEATURES: Final = ("erms", "fsrm", "la57", "smap", "pku", "avx", "avx2", "f16c", "fma", "vaes", "vpclmulqdq")
"""Of emulated CPUs, what takes longer than to do without it: bytes that are copied one by one, page tables of five levels,
registers that are saved at each switch."""

_ARGUMENTS: Final[dict[Acceleration, tuple[str, ...]]] = {
    # One thread: with more, CPUs that wait for each other take most of the time.
    "tcg": ("-accel", "tcg,thread=single,tb-size=512", "-cpu", ",-".join(("max", *_SLOW_FEATURES))),
    "kvm": ("-accel", "kvm", "-cpu", "max,-arch-capabilities"),  # which a KVM inside of another may refuse to set
}
_WORDS: Final[dict[Acceleration, tuple[str, ...]]] = {
    "tcg": (
        "no_timer_check",  # a kernel measures whether interrupts come, and panics where this machine is busy just then
        "tsc=reliable",  # emulated counters agree, and do not promise it: each look at a clock would be one at a device
        "highres=off",  # timers come with the tick: each that is set in between is a device's
        "norandmaps",  # programs lie at the same addresses at every start, where they are translated already
        "clearcpuid=rep_good",  # as _SLOW_FEATURES: no string instructions to clear and copy pages
    ),
    "kvm": (),
}
_DEVICE: Final = Path("/dev/kvm")
_PROBE_SECONDS: Final = 10.0
"""A kernel that comes to its end does so in one second under KVM, and in five by emulation."""

_END: Final = "Unable to mount root fs"
"""What a kernel says when it has started everything and has no file system."""


def arguments(how: Acceleration) -> tuple[str, ...]:
    """Of QEMU."""
    return _ARGUMENTS[how]


def words(how: Acceleration) -> tuple[str, ...]:
    """Of the kernel, beside those of every machine."""
    return _WORDS[how]


def asked() -> Acceleration | None:
    """What the variable says. Raises SubjectError if that is something unknown."""
    text = os.environ.get(VARIABLE, "")
    known = _named(text)
    if text and not known:
        raise SubjectError(
            "start a virtual machine",
            f"{VARIABLE} is {text!r}",
            fault="the environment",
            remedy=f"give one of {', '.join(get_args(Acceleration))}",
        )
    return known


def _named(text: str) -> Acceleration | None:
    names: tuple[Acceleration, ...] = get_args(Acceleration)
    return next((name for name in names if name == text), None)


def chosen(qemu: Qemu, kernel: Path) -> Acceleration:
    """What the variable says, else KVM if it runs the kernel here, else emulation. Raises SubjectError as `asked`."""
    said = asked()
    if said or hindrance():
        return said or "tcg"
    known = found()
    if not known:
        known = "kvm" if runs(qemu, kernel, "kvm") else "tcg"
        _kept().parent.mkdir(parents=True, exist_ok=True)
        _kept().write_text(known)
    return known


def hindrance() -> str:
    """Why this process cannot use KVM at all; empty if it might."""
    try:
        with _DEVICE.open("r+b"):
            return ""
    except OSError as error:
        return f"{_DEVICE}: {error.strerror}"


def found() -> Acceleration | None:
    """What was found since this machine was started; None before anybody tried."""
    return _named(_kept().read_text() if _kept().is_file() else "")


def runs(qemu: Qemu, kernel: Path, how: Acceleration, *, seconds: float = _PROBE_SECONDS) -> bool:
    """Whether a kernel without anything comes to its end in time."""
    said = " ".join(("console=ttyS0", "panic=-1", *words(how)))
    firmware = [part for place in qemu.firmware for part in ("-L", place)]
    command = [qemu.emulator, *firmware, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    command += ["-M", "q35", "-m", "256M", *arguments(how), "-serial", "stdio", "-kernel", str(kernel), "-append", said]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            env=environment(qemu),
        )
    except subprocess.TimeoutExpired:
        return False
    return _END in done.stdout.decode(errors="replace")


def _kept() -> Path:
    """Where the answer is, as long as this machine runs."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    return cache.directory() / "vm-acceleration" / cache.digest(boot, repr(_ARGUMENTS["kvm"]))
