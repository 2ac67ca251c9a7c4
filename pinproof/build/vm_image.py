"""The image of virtual machines: a kernel, its first file system, and a disk with a container runtime and the node agent.

From Debian packages and Go modules alone, without a registry, kept in the cache by what went into it. Kubelets are on a disk
of their own, so that every kubelet runs on the same image.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pinproof.build import (
    cache,
    cpio,
    debian,
    filesystem,
    golang,
    layers,
    lock,
    modules,
    node_image,
    runtimes,
    toolchain,
)
from pinproof.build.layers import Directory, File, Image, Symlink, Tree
from pinproof.build.modules import Commands
from pinproof.build.progress import Progress
from pinproof.build.runtimes import Command
from pinproof.build.vm_lock import KERNEL
from pinproof.errors import SubjectError

RECIPE = "1"
"""Part of every cache key; raise it when a change of how images are put together must have all of them built anew."""

STEP = "build the image of virtual machines"
NEEDED_SPACE = 2 * cache.GIB
ROOM = 512 << 20
"""Bytes left on the disk: containers write next to nothing, logs a few megabytes."""

PACKAGES = ("libc6", "libgcc-s1", "libseccomp2", "runc")
FIRST_MODULES = (
    *("virtio/virtio", "virtio/virtio_ring", "virtio/virtio_pci_modern_dev", "virtio/virtio_pci_legacy_dev"),
    *("virtio/virtio_pci", "block/virtio_blk", "char/virtio_console"),
)
"""What the disk and the port need, in the order of loading, beneath the kernel's `drivers`."""

WORKLOAD = "pinproof.dev/pause:1"
"""As static pods name what they run (`subjects.kubelet.manifest`)."""

PAUSE = "pinproof.dev/sandbox:1"
MOST = 4
"""Images, and disks with kubelets, that are kept: some hundred megabytes each. Those that were not used for long go."""

KUBELETS_SIZE = 640 << 20
"""Bytes of a disk with kubelets, as long as they fit: frozen machines know how large it is. It is sparse."""

DIRECTORIES = (
    *("proc", "sys", "dev", "run", "tmp", "root", "kubelets", "var/tmp", "etc/cni/net.d", "opt/cni/bin"),
    *("var/lib/kubelet", "var/lib/containerd", "var/lib/pinproof/manifests", "var/log/pods", "var/log/containers"),
)

FILES: Mapping[str, str] = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/hosts": "127.0.0.1 localhost node\n",
    "etc/resolv.conf": "",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/containerd/config.toml": f"""\
version = 3
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing"]
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{PAUSE}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
    SystemdCgroup = false
""",
}


@dataclass(frozen=True, slots=True)
class VmImage:
    """What every machine begins with."""

    kernel: Path
    first: Path
    """The first file system, in memory."""

    disk: Path
    """ext4; never written."""

    key: str
    """A digest of all that went in."""


def vm_image() -> VmImage:
    """The image, built if it is not in the cache yet.

    Raises:
        SubjectError: It cannot be built; says which step failed, whose fault that likely is, and what to do.
    """
    if platform.machine() != "x86_64":
        raise SubjectError(
            STEP,
            f"its Debian packages are locked for x86_64, this machine is {platform.machine()}",
            fault="this machine",
            remedy="use `--subject kubelet:VERSION`, whose machines are made",
        )
    go = toolchain.find(toolchain.WHEEL_VERSION)
    locked = lock.read()
    tools = node_image.containerd(locked)
    programs = tuple(map(runtimes.command, (Command.RUNTIME, Command.FIRST, Command.PAUSE, Command.WORKLOAD)))
    packages = [KERNEL, *(package for package in locked.packages if package.name in PACKAGES)]
    sums = [package.sha256 for package in packages]
    sources = [Path(__file__).with_name(name).read_bytes() for name in ("vm_image.py", "filesystem.py", "cpio.py")]
    key = cache.digest(RECIPE, tools.key(go), *sums, *sources, *(program.read_bytes() for program in programs))
    place = cache.directory() / "vm-image" / key
    cache.build_once(place, lambda work: _make(packages, tools, go, programs, work), what=STEP)
    cache.used(place)
    return VmImage(place / "vmlinuz", place / "first.cpio", place / "disk.ext4", key)


def is_built() -> bool:
    """Whether an image is in the cache; asks nobody."""
    return any((cache.directory() / "vm-image").glob("*/disk.ext4"))


def kubelet_disk(kubelets: Mapping[str, Path]) -> Path:
    """A disk with kubelets, each a static binary under its release.

    Raises:
        SubjectError: It cannot be made.
    """
    sums = [RECIPE, str(KUBELETS_SIZE)]
    sums += [f"{release} {cache.file_digest(path)}" for release, path in sorted(kubelets.items())]
    step = f"make a disk with kubelet {', '.join(kubelets)}"

    def make(work: Path) -> None:
        cache.forget(place, most=MOST)
        tree = Tree()
        for release, path in kubelets.items():
            tree.add(release, File(path, 0o755))
        filesystem.write_ext4(tree, work / "out/disk.ext4", work=work, room=0, step=step, least=KUBELETS_SIZE)

    place = cache.directory() / "vm-kubelets"
    return cache.used(cache.build_once(place / cache.digest(*sums), make, what=step)) / "disk.ext4"


def _make(packages: list[lock.Package], tools: Commands, go: golang.Go, programs: tuple[Path, ...], work: Path) -> None:
    cache.require_space(STEP, NEEDED_SPACE)
    cache.forget(cache.directory() / "vm-image", most=MOST)
    binaries = modules.built(tools, go)
    fetched = debian.fetch(packages, work)
    with Progress(STEP):
        kernel = Tree()
        debian.unpack(fetched[:1], kernel)
        runtime, first, pause, workload = programs
        images = work / "images.tar"
        with images.open("wb") as stream:
            layers.write_images(_images(workload, pause, work), stream)
        disk = _disk(fetched[1:], {"containerd": binaries, "ctr": binaries, "containerd-shim-runc-v2": binaries})
        disk.add("usr/sbin/pinproof-runtime", File(runtime, 0o755))
        disk.add("images/node.tar", File(images))
        disk.add("modules/10-overlay.ko", File(_module(kernel, "fs/overlayfs/overlay")))
        out = work / "out"
        filesystem.write_ext4(disk, out / "disk.ext4", work=work, room=ROOM, step=STEP)
        (out / "first.cpio").write_bytes(cpio.archive(_first(kernel, first)))
        (out / "vmlinuz").write_bytes(kernel.read(f"boot/vmlinuz-{kernel_release()}"))


def kernel_release() -> str:
    """`6.1.0-50-cloud-amd64`."""
    return KERNEL.name.removeprefix("linux-image-")


def _module(kernel: Tree, name: str) -> bytes:
    return kernel.read(f"usr/lib/modules/{kernel_release()}/kernel/{name}.ko")


def _first(kernel: Tree, program: Path) -> Tree:
    tree = Tree()
    tree.update({name: Directory() for name in ("dev", "root")})
    tree.add("init", File(program, 0o755))
    for number, name in enumerate(FIRST_MODULES, 10):
        tree.add(f"modules/{number}-{name.rpartition('/')[2]}.ko", File(_module(kernel, f"drivers/{name}")))
    return tree


def _disk(packages: list[Path], binaries: Mapping[str, Path]) -> Tree:
    tree = Tree()
    tree.update({name: Symlink(target) for name, target in debian.MERGED.items()})
    debian.unpack(packages, tree)
    tree.update({name: Directory() for name in DIRECTORIES})
    tree.update({name: File(text.encode()) for name, text in FILES.items()})
    tree.update({f"usr/bin/{name}": File(folder / name, 0o755) for name, folder in binaries.items()})
    return tree


def _images(workload: Path, pause: Path, work: Path) -> list[Image]:
    """What containers run, and what holds their sandboxes."""
    wanted = (
        (WORKLOAD, "workload", workload, ["/workload"]),
        (PAUSE, "pause", pause, ["/pause"]),
    )
    made = []
    for reference, name, program, command in wanted:
        tree = Tree()
        tree.add("tmp", Directory(0o1777))
        tree.add(name, File(program, 0o755))
        layer = layers.write_layer(tree, work / f"{name}.tar")
        made.append(Image(reference, (layer,), {"Entrypoint": command}))
    return made
