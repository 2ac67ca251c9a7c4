"""Archives in the "newc" format of cpio, in which a kernel wants its first file system."""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.build.layers import Directory, Entry, File, Symlink, Tree

_MAGIC = b"070701"
_DIRECTORY, _FILE, _LINK = 0o040000, 0o100000, 0o120000
_END = "TRAILER!!!"


def archive(tree: Tree) -> bytes:
    """The archive of a tree: the same bytes for the same files."""
    parts = [
        part for number, path in enumerate(tree.paths(), 1) for part in _member(number, path, *_described(tree, path))
    ]
    return b"".join([*parts, *_member(0, _END, 0, b"")])


def _described(tree: Tree, path: str) -> tuple[int, bytes]:
    entry: Entry = tree[path]
    match entry:
        case Directory(mode):
            return _DIRECTORY | mode, b""
        case Symlink(target):
            return _LINK | 0o777, target.encode()
        case File(_, mode):
            return _FILE | mode, tree.read(path)


def _member(number: int, path: str, mode: int, content: bytes) -> Iterator[bytes]:
    name = path.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
    yield _padded(_MAGIC + b"".join(b"%08x" % field for field in fields) + name)
    yield _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
