"""Debian packages: fetched as the lock file has them, unpacked without their scripts."""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
from pathlib import Path

import pytest

from pinproof.build import debian
from pinproof.build.layers import Directory, File, Symlink, Tree
from pinproof.build.lock import MIRROR, Package
from pinproof.errors import SubjectError


def package(*members: tuple[str, bytes]) -> bytes:
    """An ar archive."""
    parts = [b"!<arch>\n"]
    for name, content in members:
        parts.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode() + content)
        parts.append(b"\n" * (len(content) % 2))
    return b"".join(parts)


def data(*members: tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for member in members:
            info, content = member if isinstance(member, tuple) else (member, b"")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return lzma.compress(stream.getvalue())


def info(name: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, target: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.mode, found.linkname = kind, mode, target
    return found


def test_unpack(tmp_path: Path) -> None:
    """Files go where /bin is /usr/bin; manuals stay out; a hard link is the file it names."""
    content = data(
        info("./", tarfile.DIRTYPE, 0o755),
        (info("./bin/su", mode=0o4755), b"program"),
        info("./bin/also", tarfile.LNKTYPE, 0o755, "./bin/su"),
        info("./lib/x.so", tarfile.SYMTYPE, target="x.so.1"),
        (info("./usr/share/doc/su/copyright"), b"words"),
        info("./tmp/", tarfile.DIRTYPE, 0o1777),
    )
    (tmp_path / "a.deb").write_bytes(
        package(("debian-binary", b"2.0\n"), ("control.tar.xz", b"x"), ("data.tar.xz/", content))
    )
    tree = Tree()

    debian.unpack([tmp_path / "a.deb"], tree)

    assert {path: tree[path] for path in tree.paths() if not isinstance(tree[path], Directory) or path == "tmp"} == {
        "tmp": Directory(0o1777),
        "usr/bin/also": File(b"program", 0o755),
        "usr/bin/su": File(b"program", 0o4755),
        "usr/lib/x.so": Symlink("x.so.1"),
    }


def test_something_else_is_no_package(tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(b"<html>")

    with pytest.raises(ValueError, match="not a Debian package"):
        debian.unpack([tmp_path / "a.deb"], Tree())


PACKAGE = Package("a", "1+b1", "pool/main/a/a_1+b1_amd64.deb", hashlib.sha256(b"right").hexdigest())

HELPER = """#!/bin/sh
echo "$@" >> {log}
[ "{content}" ] || {{ echo 'E: Failed to fetch' >&2; exit 100; }}
while [ "$1" != download-file ]; do shift; done
printf %s "{content}" > "$3"
"""


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A downloader that gives what the file `content` says; the log has its arguments."""
    monkeypatch.setattr(debian, "HELPER", tmp_path / "helper")
    monkeypatch.delenv("PINPROOF_DEBIAN_MIRROR", raising=False)
    return tmp_path


def prepare(helper: Path, content: str) -> None:
    (helper / "helper").write_text(HELPER.format(log=helper / "log", content=content))
    (helper / "helper").chmod(0o755)


def test_fetch(helper: Path) -> None:
    """By path and sum, so that no index is needed; what is there already is not fetched again."""
    prepare(helper, "right")

    for _ in range(2):
        files = debian.fetch([PACKAGE], helper)

    assert files == [helper / "a_1+b1_amd64.deb"]
    assert len((helper / "log").read_text().splitlines()) == 1
    assert f"{MIRROR}/pool/main/a/a_1%2bb1_amd64.deb" in (helper / "log").read_text()
    assert f"SHA256:{PACKAGE.sha256}" in (helper / "log").read_text()


def test_fetch_from_a_mirror_of_ones_own(helper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And from no other."""
    prepare(helper, "wrong")
    monkeypatch.setenv("PINPROOF_DEBIAN_MIRROR", "http://mirror/debian/")

    with pytest.raises(SubjectError, match="cannot be had as the lock file has them"):
        debian.fetch([PACKAGE], helper)

    assert [line.split()[-3] for line in (helper / "log").read_text().splitlines()] == [
        "http://mirror/debian/pool/main/a/a_1%2bb1_amd64.deb"
    ]


@pytest.mark.parametrize("content", ["", "wrong"])
def test_what_is_missing_or_another_is_refused(helper: Path, content: str) -> None:
    """After every mirror was asked; with what apt said, and the remedy."""
    prepare(helper, content)

    with pytest.raises(SubjectError) as refused:
        debian.fetch([PACKAGE], helper)

    assert len((helper / "log").read_text().splitlines()) == len(debian.MIRRORS)
    assert "1 cannot be had as the lock file has them, among them a 1+b1" in refused.value.message
    assert ("E: Failed to fetch" in refused.value.message) == (content == "")
    assert "PINPROOF_DEBIAN_MIRROR" in refused.value.remedy


def test_without_apt(helper: Path) -> None:
    """One message that names the other way to an image."""
    with pytest.raises(SubjectError, match="there is no apt on this machine") as refused:
        debian.fetch([PACKAGE], helper)

    assert "kind:kindest/node" in refused.value.remedy
