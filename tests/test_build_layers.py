"""Trees of files and the archives made of them: the same bytes for the same files, and nothing of this machine."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from pinproof.build import layers
from pinproof.build.layers import Directory, File, Image, Symlink, Tree


def written(tree: Tree) -> bytes:
    stream = io.BytesIO()
    tree.write(stream)
    return stream.getvalue()


def test_order_of_adding_does_not_matter(tmp_path: Path) -> None:
    """Nor does whether content lies in a file."""
    (tmp_path / "b").write_bytes(b"two")
    one, other = Tree(), Tree()
    one.update({"x/a": File(b"one"), "x-y": Symlink("x"), "x/b": File(b"two", 0o755)})
    other.update({"x/b": File(tmp_path / "b", 0o755), "./x-y": Symlink("x"), "/x/a": File(b"one")})

    assert written(one) == written(other)


def test_archive_says_nothing_of_this_machine() -> None:
    """Owner, mode and time are said; parents come before what is in them."""
    tree = Tree()
    tree.update(
        {"a/b/c": File(b"text", 0o4755), "a/b": Directory(0o700), "a/d": Symlink("b/c"), "tmp": Directory(0o1777)}
    )
    with tarfile.open(fileobj=io.BytesIO(written(tree))) as archive:
        found = [(m.name, m.type, m.mode, m.uid, m.uname, m.mtime, m.linkname) for m in archive]

    assert found == [
        ("a", tarfile.DIRTYPE, 0o755, 0, "", layers.TIME, ""),
        ("a/b", tarfile.DIRTYPE, 0o755, 0, "", layers.TIME, ""),
        ("a/b/c", tarfile.REGTYPE, 0o4755, 0, "", layers.TIME, ""),
        ("a/d", tarfile.SYMTYPE, 0o777, 0, "", layers.TIME, "b/c"),
        ("tmp", tarfile.DIRTYPE, 0o1777, 0, "", layers.TIME, ""),
    ]


def test_a_directory_keeps_its_first_mode() -> None:
    """Packages name /usr again and again; one that says something of its own about it comes first."""
    tree = Tree()
    tree.add("tmp", Directory(0o1777))
    tree.add("tmp", Directory())

    assert tree["tmp"] == Directory(0o1777)


def test_remove_takes_what_is_beneath() -> None:
    tree = Tree()
    tree.update({"etc/a.wants/x": File(b""), "etc/b.wants/y/z": File(b""), "etc/keep": File(b"")})

    tree.remove("etc/*.wants")

    assert tree.paths() == ["etc", "etc/keep"]


def test_read_wants_a_file() -> None:
    tree = Tree()
    tree.update({"a": File(b"text"), "b": Symlink("a")})

    assert tree.read("/a") == b"text"
    with pytest.raises(TypeError, match="b is no file"):
        tree.read("b")


def test_images_of_one_archive(tmp_path: Path) -> None:
    """What `docker load` reads: a manifest, and configurations and layers by their sums."""
    tree = Tree()
    tree.add("a", File(b"text"))
    layer = layers.write_layer(tree, tmp_path / "layer")
    images = [Image("x/one:1", (layer,), {"Env": ["A=b"]}), Image("x/two:1", (layer, layer), {})]
    stream = io.BytesIO()

    layers.write_images(images, stream)

    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        content = {m.name: (archive.extractfile(m) or io.BytesIO()).read() for m in archive}
    manifest = json.loads(content["manifest.json"])
    first = json.loads(content[manifest[0]["Config"]])
    assert [image["RepoTags"] for image in manifest] == [["x/one:1"], ["x/two:1"]]
    assert manifest[0]["Config"] == hashlib.sha256(content[manifest[0]["Config"]]).hexdigest() + ".json"
    assert first["config"] == {"Env": ["A=b"]}
    assert first["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(content[manifest[0]["Layers"][0]]).hexdigest()]
    assert content[manifest[0]["Layers"][0]] == written(tree)
    assert layers.layer_of(tmp_path / "layer") == layer


def test_images_need_no_seeking(tmp_path: Path) -> None:
    """They go straight into the engine's standard input."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.size = 0

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.size += len(bytes(data))  # type: ignore[call-overload]  # a buffer
            return len(bytes(data))  # type: ignore[call-overload]

    tree = Tree()
    tree.add("a", File(b"text"))
    pipe = Pipe()

    layers.write_images([Image("x:1", (layers.write_layer(tree, tmp_path / "layer"),), {})], pipe)  # type: ignore[arg-type]

    assert pipe.size > 0
