"""Trees of files that are written as tar archives, the same bytes for the same files, and images made of such layers.

Nothing here needs privileges, an engine or the network: owner, mode and time of every file are said, not found.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Any

TIME = 1767225600
"""Seconds: the time of every file, 2026-01-01."""

CREATED = "2026-01-01T00:00:00Z"
CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class File:
    """A regular file."""

    content: bytes | Path
    """What it holds, or the file that does."""

    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory; those on the way to a file need not be named."""

    mode: int = 0o755


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link."""

    target: str


Entry = File | Directory | Symlink


class Tree:
    """Files by their paths, relative to the root of the file system."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def add(self, path: str, entry: Entry) -> None:
        """Put an entry there, in place of what was there. A directory that is one already keeps its first mode."""
        name = _name(path)
        if isinstance(entry, Directory) and isinstance(self._entries.get(name), Directory):
            return
        for parent in PurePosixPath(name).parents:
            if str(parent) != ".":
                self._entries.setdefault(str(parent), Directory())
        self._entries[name] = entry

    def update(self, entries: Mapping[str, Entry]) -> None:
        """Add several."""
        for path, entry in entries.items():
            self.add(path, entry)

    def remove(self, *patterns: str) -> None:
        """Take out what matches, such as `etc/systemd/system/*.wants/*`; with a directory goes all that is in it."""
        doomed = {path for path in self._entries if any(fnmatchcase(path, p) for p in patterns)}
        self._entries = {
            path: entry
            for path, entry in self._entries.items()
            if path not in doomed and not any(str(parent) in doomed for parent in PurePosixPath(path).parents)
        }

    def __contains__(self, path: str) -> bool:
        return _name(path) in self._entries

    def __getitem__(self, path: str) -> Entry:
        return self._entries[_name(path)]

    def read(self, path: str) -> bytes:
        """The content of a regular file."""
        entry = self._entries[_name(path)]
        if not isinstance(entry, File):
            raise TypeError(f"{path} is no file")
        return entry.content if isinstance(entry.content, bytes) else entry.content.read_bytes()

    def paths(self) -> list[str]:
        """All paths, parents before what is in them."""
        return sorted(self._entries, key=lambda path: path.split("/"))

    def write(self, stream: IO[bytes]) -> None:
        """Write all as a tar archive."""
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for path in self.paths():
                _write(archive, path, self._entries[path])


def _name(path: str) -> str:
    return path.removeprefix("./").strip("/")


def _write(archive: tarfile.TarFile, path: str, entry: Entry) -> None:
    found = _header(path)
    match entry:
        case Directory(mode):
            found.type, found.mode = tarfile.DIRTYPE, mode
            archive.addfile(found)
        case Symlink(target):
            found.type, found.mode, found.linkname = tarfile.SYMTYPE, 0o777, target
            archive.addfile(found)
        case File(bytes() as content, mode):
            found.size, found.mode = len(content), mode
            archive.addfile(found, io.BytesIO(content))
        case File(Path() as source, mode):
            found.size, found.mode = source.stat().st_size, mode
            with source.open("rb") as stream:
                archive.addfile(found, stream)


def _header(name: str) -> tarfile.TarInfo:
    """A header that says nothing of this machine: root owns it (a TarInfo's default), at a fixed time."""
    found = tarfile.TarInfo(name)
    found.mtime = TIME
    return found


# --- images


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of an image: a tar archive in a file."""

    archive: Path
    digest: str
    """`sha256:` and its sum."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image: its name, its layers, bottom first, and how it is run."""

    reference: str
    layers: tuple[Layer, ...]
    settings: Mapping[str, Any]
    """`Env`, `Entrypoint` and so on, as the image specification spells them."""

    def configuration(self) -> bytes:
        """Its configuration file, whose sum is the image's id."""
        document = {
            "architecture": "amd64",
            "os": "linux",
            "created": CREATED,
            "config": dict(self.settings),
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in self.layers]},
            "history": [{"created": CREATED, "created_by": "pinproof"} for _ in self.layers],
        }
        return json.dumps(document, sort_keys=True).encode()


def write_layer(tree: Tree, archive: Path) -> Layer:
    """Write a tree as a layer into the file `archive`."""
    with archive.open("wb") as stream:
        tree.write(stream)
    return layer_of(archive)


def layer_of(archive: Path) -> Layer:
    """The layer in a file."""
    with archive.open("rb") as stream:
        return Layer(archive, f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}")


def write_images(images: Sequence[Image], stream: IO[bytes]) -> None:
    """Write images as one archive that `docker load`, `podman load` and `ctr images import` read. Does not seek."""
    contents: dict[str, bytes | Path] = {}
    manifest = []
    for image in images:
        configuration = image.configuration()
        name = f"{hashlib.sha256(configuration).hexdigest()}.json"
        layers = {f"{layer.digest.removeprefix('sha256:')}.tar": layer.archive for layer in image.layers}
        manifest.append({"Config": name, "RepoTags": [image.reference], "Layers": list(layers)})
        contents |= {name: configuration, **layers}
    contents["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT, bufsize=CHUNK) as archive:
        for path, content in contents.items():
            _write(archive, path, File(content))
