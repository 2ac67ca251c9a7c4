"""The home-built node image: what is asked for, what goes in, what it is called. Nothing is built here."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pinproof.build import golang, kind_command, lock, modules, node_image, releases, toolchain
from pinproof.build.layers import Image
from pinproof.build.lock import Lock
from pinproof.build.modules import Commands, Module, build_arguments
from pinproof.build.node_image import Recipe
from pinproof.build.sources import KUBERNETES
from pinproof.cli.main import main
from pinproof.errors import InputError, SubjectError

GO = golang.Go(Path("/go"), (1, 26, 8))


def made(version: str = "1.36.3", locked: Lock | None = None, go: golang.Go = GO, go_mod: str = "module k") -> Recipe:
    return Recipe(version, locked or lock.read(), go, go_mod)


def test_lock_file_is_what_it_would_be_written_as() -> None:
    """So that a change of a package is a change of its line."""
    assert lock.as_text(lock.read()) == lock.FILE.read_text()


def test_lock_file_has_what_is_named() -> None:
    """Every package and module that the code asks for, with a checksum of its own."""
    locked = lock.read()
    names = {package.name for package in locked.packages}

    assert set(lock.PACKAGES) <= names
    assert set(node_image.PROXY_PACKAGES) <= names
    assert not names & set(lock.LEFT_OUT)
    assert [(module.path, module.version) for module in locked.modules] == [
        *lock.MODULES,
        *((KUBERNETES, f"v{release}") for release in lock.RELEASES),
    ]
    assert all(re.fullmatch(r"[0-9a-f]{64}", package.sha256) for package in locked.packages)
    assert all(package.path.startswith("pool/main/") for package in locked.packages)
    assert all(module.checksum.startswith("h1:") for module in locked.modules)


def test_releases_from_1_32_to_1_37_are_locked() -> None:
    assert [release.split(".")[1] for release in lock.RELEASES] == ["32", "33", "34", "35", "36", "37"]


def test_a_release_that_is_not_locked_has_no_checksum() -> None:
    """Go's own database of checksums vouches for it."""
    assert lock.read().kubernetes("1.36.0") == Module(KUBERNETES, "v1.36.0", "")


def test_key_follows_what_goes_in() -> None:
    """Another package, module, Go or go.mod is another image; another release shares the lower layer."""
    locked = lock.read()
    packages = (replace(locked.packages[0], sha256="0" * 64), *locked.packages[1:])
    others = [
        made(locked=replace(locked, packages=packages)),
        made(locked=replace(locked, modules=tuple(replace(m, checksum="h1:x") for m in locked.modules))),
        made(go=golang.Go(Path("/go"), (1, 26, 9))),
        made(go_mod="module other"),
        made("1.35.4"),
    ]

    assert made().key() == made().key()
    assert len({made().key(), *(other.key() for other in others)}) == 6
    assert made().base_key() == made("1.35.4").base_key()
    assert made().base_key() != others[0].base_key()
    assert re.fullmatch(r"localhost/pinproof/node:v1\.36\.3-[0-9a-f]{16}", made().reference)


def test_kubernetes_is_stamped() -> None:
    """Kubeadm compares versions, its own among them."""
    commands = made().kubernetes
    arguments = build_arguments(commands, commands.packages[0][1], Path("/out/kubeadm"))
    linker = arguments[arguments.index("-ldflags") + 1]

    assert "-X k8s.io/component-base/version.gitVersion=v1.36.3" in linker
    assert "-X k8s.io/component-base/version.gitMinor=36" in linker
    assert arguments[-3:] == ["-o", "/out/kubeadm", "k8s.io/kubernetes/cmd/kubeadm"]
    assert commands.step == "build the commands of kubernetes v1.36.3"


@pytest.mark.parametrize("version", ["1.36", "1.31.0", "latest", "2.0.0"])
def test_versions_that_are_none(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One message with what would be right; exit 2."""
    assert main(["build", "node-image", version]) == 2
    assert f"node-image {version}: give a release from 1.32 on, such as 1.36.3" in capsys.readouterr().err


def test_patches_are_for_kubelets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "node-image", "1.36.3", "--patch", "x.patch"]) == 2
    assert "built of a release alone" in capsys.readouterr().err


def test_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages are locked for one; the message names the other way."""
    monkeypatch.setattr("platform.machine", lambda: "aarch64")

    with pytest.raises(SubjectError, match="locked for x86_64, this machine is aarch64"):
        node_image.recipe("1.36.3")


def test_newest_go_is_used_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release's own would build containerd otherwise than the release's beside it."""
    asked: list[golang.GoVersion] = []
    monkeypatch.setattr(releases, "own_go_mod", lambda _: "go 1.23.0\n")

    def find(needed: golang.GoVersion) -> golang.Go:
        asked.append(needed)
        return GO

    monkeypatch.setattr(toolchain, "find", find)

    node_image.recipe("v1.32.2")

    assert asked == [toolchain.WHEEL_VERSION]


def test_checksum_that_differs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a proxy serves under a public name is not built if it is something else."""
    monkeypatch.setattr(releases, "download", lambda *_: {"Sum": "h1:other", "GoMod": "x"})
    monkeypatch.setattr(toolchain, "find", lambda *_: GO)
    with pytest.raises(SubjectError, match="its checksum is h1:other, the lock file says h1:x"):
        modules.download(Module("sigs.k8s.io/kind", "v0.33.0", "h1:x"), tmp_path)


def test_key_of_commands_follows_tags_and_stamps() -> None:
    """Where one list ends and the next begins matters too."""
    module = Module("m", "v1")
    keys = {
        Commands(module, (("a", "m/a"),)).key(GO),
        Commands(module, (("a", "m/a"),), ("x",)).key(GO),
        Commands(module, (("a", "m/a"),), (), (("x", ""),)).key(GO),
        Commands(module, (("a", "m/a"), ("b", "m/b"))).key(GO),
    }

    assert len(keys) == 4


@pytest.mark.parametrize(("said", "used"), [("kind v0.33.0 go1.26", True), ("kind v0.26.9 go1.2", False), ("?", False)])
def test_kind_on_path(said: str, used: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new enough one is used; else one is built from its module."""
    (tmp_path / "kind").write_text(f"#!/bin/sh\necho '{said}'\n")
    (tmp_path / "kind").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(toolchain, "find", lambda *_: GO)
    monkeypatch.setattr(modules, "built", lambda *_: Path("/built"))

    assert kind_command.kind() == (tmp_path / "kind" if used else Path("/built/kind"))


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        node_image.copy_archive(Image("x:1", (), {}), tmp_path / "no" / "image.tar")
