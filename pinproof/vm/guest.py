"""A virtual machine: its disk, and the process that runs it while it has power."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pinproof.build.vm_image import VmImage
from pinproof.errors import SubjectError
from pinproof.scenario.machine import Machine
from pinproof.subjects.kubelet.agent import Agent, AgentError
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.vm import acceleration, board
from pinproof.vm.acceleration import Acceleration
from pinproof.vm.programs import Qemu, environment
from pinproof.vm.qmp import Monitor

_WORDS: Final = ("console=ttyS0", "quiet", "panic=-1", "mitigations=off", "lsm=")
_LAST_WORDS: Final = 8
"""Lines of a console that stand in a message."""

_PANIC: Final = "Kernel panic"
PLAIN_MEMORY: Final = "memory-backend-ram,reserve=off"


@dataclass(frozen=True, slots=True)
class Means:
    """What machines are made of."""

    qemu: Qemu
    image: VmImage
    launcher: Path
    """`pinproof-runtime`, which holds a machine's process."""

    timeouts: Timeouts
    how: Acceleration
    """How instructions are carried out."""

    def settings(self) -> tuple[str, ...]:
        """All that is the same for every machine, and of which it depends what a kernel shows and a frozen one needs."""
        return (
            self.image.key,
            self.qemu.emulator,
            *acceleration.arguments(self.how),
            *_WORDS,
            *acceleration.words(self.how),
        )


@dataclass(frozen=True, slots=True)
class Boot:
    """How a machine is started."""

    machine: Machine
    sizes: tuple[int, ...]
    """Bytes of each node, of which the kernel keeps some for itself."""

    random: bool = False
    """The kernel may choose where it lies in memory (KASLR)."""

    words: tuple[str, ...] = ()
    """More for the kernel, such as `crashkernel=64M`."""

    backends: tuple[str, ...] = ()
    """What each node's memory is made of; none: nothing in particular."""

    arguments: tuple[str, ...] = field(default=())
    """More for QEMU."""


class BootError(SubjectError):
    """A machine that does not start."""

    def __init__(self, message: str, *, console: str) -> None:
        """Say why; `console` is all that its kernel and first process said."""
        lines = console.splitlines()
        panic = "".join(f" ({line.rpartition('] ')[2]})" for line in lines if _PANIC in line)
        last = "\n".join(["; its console ends with", *lines[-_LAST_WORDS:]]) if lines else "; its console says nothing"
        super().__init__(
            "start a virtual machine",
            f"{message}{panic}{last}",
            fault="this machine, or pinproof",
            remedy="set PINPROOF_SLOW=3 on a slow machine; run `pinproof doctor`",
        )
        self.console = console


class Guest:
    """A machine with a disk of its own in a folder of its own."""

    def __init__(self, means: Means, folder: Path, *, kubelets: Path, base: Path | None = None) -> None:
        """Give it a disk, over that of the image or of another machine. Raises SubjectError."""
        self._means = means
        self.folder = folder
        self.kubelets = kubelets
        below, kind = (base, "qcow2") if base else (means.image.disk, "raw")
        command = [means.qemu.disks, "create", "-q", "-f", "qcow2", "-b", str(below), "-F", kind, str(self.disk)]
        env = environment(means.qemu)
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        if done.returncode != 0:
            raise SubjectError("make a disk", done.stderr.strip(), fault="this machine", remedy="run `pinproof doctor`")

    @property
    def disk(self) -> Path:
        """What the machine has written."""
        return self.folder / "disk.qcow2"

    @property
    def monitor(self) -> Path:
        """Socket of QEMU's monitor, while the machine has power."""
        return self.folder / "qmp"

    @property
    def console(self) -> str:
        """What its kernel and first process said since it was started last."""
        place = self.folder / "console"
        return place.read_text(errors="replace") if place.exists() else ""

    @property
    def last_words(self) -> str:
        """The end of them, for a message."""
        return "\n".join(self.console.splitlines()[-_LAST_WORDS:])

    def start(self, boot: Boot) -> Agent:
        """Give it power. The agent answers when the machine is up."""
        self.monitor.unlink(missing_ok=True)
        command = [str(self._means.launcher), "machine", *self.command(boot)]
        return Agent(
            self._means.launcher,
            namespaces="vm",
            timeouts=self._means.timeouts,
            command=command,
            env=self._means.qemu.env,
        )

    @contextmanager
    def running(self, boot: Boot) -> Iterator[Agent]:
        """Its agent, as long as it has power. Raises SubjectError where it does not answer, with what its console says."""
        agent = self.start(boot)
        try:
            yield agent
        except AgentError as error:
            raise self.failing(error) from error
        finally:
            agent.close()

    def failing(self, error: AgentError) -> BootError:
        """Why a machine does not start, when its agent does not answer."""
        return BootError(error.message, console=self.console)

    def cut(self) -> None:
        """Take the power from a machine whose disk is still; what its kernel gave to the disk is there. Raises SubjectError.

        A process that is killed would take with it which clusters of the disk are where.
        """
        with Monitor(self.monitor, seconds=self._means.timeouts.seconds("stop")) as monitor:
            monitor.quit()

    def command(self, boot: Boot) -> Sequence[str]:
        """QEMU's command line."""
        qemu, image = self._means.qemu, self._means.image
        backends = boot.backends or (PLAIN_MEMORY,) * len(boot.sizes)
        sizes, spare = board.padded(boot.sizes)
        words = [
            *_WORDS,
            *acceleration.words(self._means.how),
            *spare,
            *(() if boot.random else ("nokaslr",)),
            *board.kernel_words(boot.machine),
            *boot.words,
        ]
        firmware = [part for place in qemu.firmware for part in ("-L", place)]
        disk = f"file={self.disk},if=virtio,format=qcow2,cache=unsafe"
        kubelets = f"file={self.kubelets},if=virtio,format=raw,readonly=on"
        return [
            *(qemu.emulator, *firmware, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
            *("-M", "q35", *acceleration.arguments(self._means.how)),
            *board.arguments(boot.machine, sizes, backends),
            *("-kernel", str(image.kernel), "-initrd", str(image.first), "-append", " ".join(words)),
            *(
                "-qmp",
                f"unix:{self.monitor},server=on,wait=off",
                "-serial",
                f"file:{self.folder}/console",
                "-drive",
                disk,
                "-drive",
                kubelets,
            ),
            *("-device", "virtio-serial", "-chardev", "socket,id=agent,fd=3"),
            *("-device", "virtserialport,chardev=agent,nr=1", *boot.arguments),
        ]
