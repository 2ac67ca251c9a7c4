"""The home-built node image: a kind node from Debian packages and Go modules alone, without a registry.

An image has two layers. The lower one, Debian with containerd, kind's own files and a pod network, is the same for all
releases. The upper one holds a release: kubeadm, kubelet, kubectl and the images that its pods begin with. Both are kept in
the cache, by what went into them; the same lock file and the same Go give the same bytes, and so the same image id.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinproof.build import cache, debian, golang, layers, lock, modules, node_files, releases, runtimes, toolchain
from pinproof.build.changes import Changes
from pinproof.build.compiling import VERSION_PACKAGE
from pinproof.build.layers import File, Image, Layer, Symlink, Tree
from pinproof.build.lock import Lock
from pinproof.build.modules import Commands
from pinproof.build.progress import Progress
from pinproof.build.runtimes import Command
from pinproof.build.sources import KUBERNETES, Release
from pinproof.engine import Engine, loading
from pinproof.errors import InputError, Problem, SubjectError

RECIPE = "1"
"""Part of every cache key; raise it when a change of how images are put together must have all of them built anew."""

NAME = "localhost/pinproof/node"
BUSYBOX = "localhost/pinproof/busybox:1"
OLDEST_MINOR = 32

BASE_SPACE = 2 * cache.GIB
COMMANDS_SPACE = 4 * cache.GIB
"""Bytes: Go's build cache takes most of it."""

IMAGE_SPACE = 2 * cache.GIB

SETTINGS: Mapping[str, Any] = {
    "Env": ["container=docker", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "Entrypoint": ["/usr/local/bin/entrypoint", "/sbin/init"],
    "StopSignal": "SIGRTMIN+3",
}
"""As kind's Dockerfile sets them."""

IN_PATH = {"Env": ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/bin"]}
CONTAINERD = "github.com/containerd/containerd/v2"
ETCD = "go.etcd.io/etcd/server/v3"
COREDNS = "github.com/coredns/coredns"
KIND = "sigs.k8s.io/kind"

ON_THE_NODE = ("kubeadm", "kubelet", "kubectl")
PROXY = "kube-proxy"
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")

PROXY_PACKAGES = (
    *(
        "libc6",
        "libgcc-s1",
        "nftables",
        "libnftables1",
        "libnftnl11",
        "libmnl0",
        "libxtables12",
        "libjansson4",
        "libgmp10",
    ),
    *("libedit2", "libtinfo6", "libbsd0", "libmd0", "iptables", "libip4tc2", "libip6tc2", "libnetfilter-conntrack3"),
    *("libnfnetlink0", "conntrack"),
)
"""What kube-proxy runs, and its libraries."""

BUSYBOX_COMMANDS = ("sh", "sleep", "cat", "ls", "grep", "head", "kill", "wget", "nslookup", "nc", "httpd")


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides an image."""

    version: str
    """`1.36.3`."""

    lock: Lock
    go: golang.Go
    go_mod: str
    """The release's own."""

    @property
    def step(self) -> str:
        """As messages begin."""
        return f"build node image {self.version}"

    @property
    def containerd(self) -> Commands:
        """containerd, its shim and its command line."""
        return containerd(self.lock)

    @property
    def etcd(self) -> Commands:
        """The store of the API server."""
        return Commands(self.lock.module(ETCD), (("etcd", ETCD),))

    @property
    def coredns(self) -> Commands:
        """The names of services."""
        return Commands(self.lock.module(COREDNS), (("coredns", COREDNS),))

    @property
    def kubernetes(self) -> Commands:
        """The release, which kubeadm wants to be stamped."""
        major, minor = self.version.split(".")[:2]
        values = {"gitVersion": f"v{self.version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
        names = (*ON_THE_NODE, *CONTROL_PLANE, PROXY)
        return Commands(
            self.lock.kubernetes(self.version),
            tuple((name, f"{KUBERNETES}/cmd/{name}") for name in names),
            stamps=tuple((f"{VERSION_PACKAGE}.{name}", value) for name, value in values.items()),
            title="the commands of kubernetes",
        )

    def base_key(self) -> str:
        """A digest of all that decides the lower layer."""
        packages = [f"{package.path} {package.sha256}" for package in self.lock.packages]
        here = Path(__file__)
        sources = [here.with_name(name).read_bytes() for name in ("debian.py", "layers.py", "node_files.py")]
        kind = str(self.lock.module(KIND))
        return cache.digest(RECIPE, kind, self.containerd.key(self.go), *sources, *packages)

    def key(self) -> str:
        """A digest of all that decides the image."""
        commands = [part.key(self.go) for part in (self.kubernetes, self.etcd, self.coredns)]
        pause = (runtimes.driver_directory() / "cmd" / Command.PAUSE / "main.go").read_bytes()
        return cache.digest(RECIPE, self.base_key(), self.go_mod, *commands, pause, Path(__file__).read_bytes())

    @property
    def reference(self) -> str:
        """What the image is called: `localhost/pinproof/node:v1.36.3-0123456789abcdef`."""
        return f"{NAME}:v{self.version}-{self.key()}"


def containerd(locked: Lock) -> Commands:
    """containerd, its shim and its command line."""
    module = locked.module(CONTAINERD)
    names = ("containerd", "ctr", "containerd-shim-runc-v2")
    stamps = ((f"{CONTAINERD}/version.Version", module.version),)
    tags = ("no_btrfs", "no_devmapper", "no_zfs")
    return Commands(module, tuple((name, f"{CONTAINERD}/cmd/{name}") for name in names), tags, stamps)


def recipe(version: str) -> Recipe:
    """The recipe of a release.

    Raises:
        InputError: It is no release, or one that images are not built of.
        SubjectError: The release cannot be had, or this is another kind of machine.
    """
    found = re.fullmatch(r"v?(1\.(\d+)\.\d+(?:-[\w.]+)?)", version)
    if not found or int(found[2]) < OLDEST_MINOR:
        hint = f"give a release from 1.{OLDEST_MINOR} on, such as {lock.RELEASES[-2]}"
        raise InputError(f"node-image {version}", Problem("", hint))
    if platform.machine() != "x86_64":
        raise SubjectError(
            f"build node image {found[1]}",
            f"its Debian packages are locked for x86_64, this machine is {platform.machine()}",
            fault="this machine",
            remedy="use a stock image: --subject kind:kindest/node:vVERSION",
        )
    go_mod = releases.own_go_mod(Release(found[1]))
    newest = max(golang.directive(go_mod), toolchain.WHEEL_VERSION)
    return Recipe(found[1], lock.read(), toolchain.find(newest), go_mod)


def build(version: str, *, engine: Engine) -> str:
    """Build the image of a release (`1.36.3`) if need be, give it to the engine, and return its name.

    Raises:
        InputError: It is no release, or one that images are not built of.
        SubjectError: It cannot be built, or the engine does not take it.
    """
    return loading.load(engine, image(version))


def image(version: str) -> Image:
    """The image of a release (`1.36.3`), built if it is not in the cache yet.

    Raises:
        InputError: It is no release, or one that images are not built of.
        SubjectError: It cannot be built; says which step failed, whose fault that likely is, and what to do.
    """
    made = recipe(version)
    base = cache.directory() / "node-base" / made.base_key()
    release = cache.directory() / "node-image" / f"{made.version}-{made.key()}"
    cache.build_once(base, lambda work: _make_base(made, work), what="build the node image's base")
    cache.build_once(release, lambda work: _make_release(made, work), what=made.step)
    return Image(made.reference, (_kept(base), _kept(release)), SETTINGS)


def is_built(version: str) -> bool:
    """Whether the image of a release is in the cache; asks nobody."""
    return any((cache.directory() / "node-image").glob(f"{version.removeprefix('v')}-*/layer.tar"))


# --- the lower layer


def _make_base(made: Recipe, work: Path) -> None:
    cache.require_space("build the node image's base", BASE_SPACE)
    binaries = modules.built(made.containerd, made.go)
    kind_files = Path(modules.download(made.lock.module(KIND), work)["Dir"]) / "images/base/files"
    packages = work / "packages"
    packages.mkdir()
    fetched = debian.fetch(made.lock.packages, packages)
    with Progress("unpack Debian packages"):
        tree = Tree()
        debian.unpack(fetched, tree)
        node_files.add_node_files(tree, kind_files)
        for name, _ in made.containerd.packages:
            tree.add(f"usr/local/bin/{name}", File(binaries / name, 0o755))
        spec = json.loads(_said(made.step, str(binaries / "ctr"), "oci", "spec"))
        tree.add("etc/containerd/cri-base.json", File(node_files.container_defaults(spec)))
        _keep(tree, work)


# --- the upper layer


def _make_release(made: Recipe, work: Path) -> None:
    cache.require_space(made.step, IMAGE_SPACE)
    binaries = commands_of(made)
    kubeadm = (str(binaries / "kubeadm"), "config", "images", "list", "--kubernetes-version", f"v{made.version}")
    names = {line.rpartition("/")[2].partition(":")[0]: line for line in _said(made.step, *kubeadm).split()}
    archives = _container_images(made, binaries, names, work)
    with Progress(f"{made.step}: putting it together"):
        tree = Tree()
        for name, images in archives.items():
            archive = work / f"{name}.tar"
            with archive.open("wb") as stream:
                layers.write_images(images, stream)
            tree.add(f"kind/images/{name}.tar", File(archive))
        tree.update({f"usr/bin/{name}": File(binaries / name, 0o755) for name in ON_THE_NODE})
        tree.add("kind/version", File(f"v{made.version}".encode()))
        tree.add("etc/containerd/config.toml", File(_settings(made, names["pause"], work)))
        _keep(tree, work)


def _container_images(made: Recipe, binaries: Path, names: Mapping[str, str], work: Path) -> dict[str, list[Image]]:
    """The archives of images that a node begins with, by the names that `node_files` imports them by.

    Args:
        made: What is being built.
        binaries: Where the release's commands are.
        names: What kubeadm calls each image.
        work: A directory of this build alone.
    """
    etcd, coredns = (modules.built(commands, made.go) for commands in (made.etcd, made.coredns))
    control = {name: binaries / name for name in CONTROL_PLANE} | {"etcd": etcd / "etcd"}
    pause = _single(names["pause"], runtimes.command(Command.PAUSE), "/pause", work, entrypoint=True)
    dns = _single(names["coredns"], coredns / "coredns", "/coredns", work, entrypoint=True)
    return {
        "node": [pause, _busybox(made.lock, work)],
        "control-plane": [_single(names[n], source, f"/usr/local/bin/{n}", work) for n, source in control.items()],
        "addons": [_proxy(names[PROXY], binaries / PROXY, made.lock, work), dns],
    }


def commands_of(made: Recipe) -> Path:
    """The directory with a release's commands, built in the same module as its kubelet, so that they share Go's build cache."""

    def make(work: Path) -> None:
        cache.require_space(made.step, COMMANDS_SPACE)
        modules.download(made.kubernetes.module, work)  # checks the sum
        main = work / "main"
        main.mkdir()
        releases.write_main_module(main, Release(made.version), Changes(), made.step, made.go)
        modules.compile_all(made.kubernetes, made.go, work / "out", cwd=main, temporary=work / "tmp")

    final = cache.directory() / "commands" / f"kubernetes-{made.version}-{made.kubernetes.key(made.go)}"
    return cache.build_once(final, make, what=made.step, turn=f"kubelet-{made.version}")


def _single(reference: str, source: Path, path: str, work: Path, *, entrypoint: bool = False) -> Image:
    """An image of one static binary."""
    tree = Tree()
    tree.add("tmp", layers.Directory(0o1777))
    tree.add(path, File(source, 0o755))
    return _image(reference, tree, work, {**IN_PATH, **({"Entrypoint": [path]} if entrypoint else {})})


def _proxy(reference: str, source: Path, locked: Lock, work: Path) -> Image:
    """kube-proxy, with iptables and nft for both of its modes."""
    tree = Tree()
    tree.update({name: Symlink(target) for name, target in debian.MERGED.items()})
    debian.unpack(_fetched(locked, PROXY_PACKAGES, work), tree)
    tree.update(
        {
            f"usr/sbin/{name}{suffix}": Symlink("xtables-nft-multi")
            for name in node_files.ALTERNATIVES
            for suffix in ("", "-save", "-restore")
        }
    )
    tree.add("tmp", layers.Directory(0o1777))
    tree.add(f"usr/local/bin/{PROXY}", File(source, 0o755))
    return _image(reference, tree, work, IN_PATH)


def _busybox(locked: Lock, work: Path) -> Image:
    """Something for pods to run."""
    tree = Tree()
    debian.unpack(_fetched(locked, ("busybox-static",), work), tree)
    tree.update({f"bin/{name}": Symlink("../usr/bin/busybox") for name in BUSYBOX_COMMANDS})
    return _image(BUSYBOX, tree, work, {**IN_PATH, "Cmd": ["/bin/sh"]})


def _fetched(locked: Lock, names: Sequence[str], work: Path) -> list[Path]:
    packages = work / "packages"
    packages.mkdir(exist_ok=True)
    return debian.fetch([package for package in locked.packages if package.name in names], packages)


def _image(reference: str, tree: Tree, work: Path, settings: Mapping[str, Any]) -> Image:
    name = reference.rpartition("/")[2].partition(":")[0]
    return Image(reference, (layers.write_layer(tree, work / f"layer-{name}.tar"),), settings)


def _settings(made: Recipe, pause: str, work: Path) -> bytes:
    """The settings of containerd with this release's pause image."""
    kind_files = Path(modules.download(made.lock.module(KIND), work)["Dir"]) / "images/base/files"
    text = node_files.containerd_settings((kind_files / "etc/containerd/config.toml").read_text())
    return node_files.with_pause(text.decode(), pause)


# --- both


def _keep(tree: Tree, work: Path) -> None:
    """Write the layer, and beside it its sum, which takes seconds to find."""
    layer = layers.write_layer(tree, work / "out" / "layer.tar")
    (work / "out" / "digest").write_text(layer.digest)


def _kept(place: Path) -> Layer:
    return Layer(place / "layer.tar", (place / "digest").read_text())


def _said(step: str, *command: str) -> str:
    """What a command that was just built says."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip()[-400:]
        raise SubjectError(
            step, f"{Path(command[0]).name} does not run: {said}", fault="see above", remedy="build again"
        )
    return done.stdout


def copy_archive(built: Image, output: Path) -> Path:
    """Write an image as a file that `docker load` and `podman load` read."""
    partial = output.with_name(f".{output.name}.partial")
    try:
        with partial.open("wb") as stream:
            layers.write_images([built], stream)
        shutil.move(partial, output)
    except OSError as error:
        raise InputError(str(output), Problem("", f"cannot be written: {error.strerror}")) from error
    finally:
        partial.unlink(missing_ok=True)
    return output
