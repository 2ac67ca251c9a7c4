"""File systems in files, made of trees: neither a mount nor a privilege is needed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from pinproof.build import apt
from pinproof.build.layers import Directory, File, Symlink, Tree
from pinproof.errors import SubjectError

PROGRAM = "mke2fs"
MIB = 1 << 20


def write_ext4(tree: Tree, target: Path, *, work: Path, room: int, step: str, least: int = 0) -> None:
    """Write a tree as an ext4 file system.

    Args:
        tree: what is in it.
        target: the file.
        work: a directory for what is in between; may keep it.
        room: bytes to be left free.
        least: bytes of the whole file, at least.
        step: as messages begin.

    Raises:
        SubjectError: there is no mke2fs here, or it fails.
    """
    found = shutil.which(PROGRAM, path=apt.search_path())
    if found is None:
        raise SubjectError(
            step, f"there is no {PROGRAM} here", fault="this machine", remedy="install e2fsprogs, which has it"
        )
    root = work / "files"
    used = _export(tree, root)
    megabytes = max(-(-(used * 5 // 4 + room) // MIB) + 16, least // MIB)
    # No journal of its own: what a machine without power would lose is synced before.
    options = ["-q", "-t", "ext4", "-b", "4096", "-O", "^has_journal,^resize_inode", "-m", "0"]
    options += ["-E", "root_owner=0:0,lazy_itable_init=1", "-d", str(root)]
    done = subprocess.run([found, *options, str(target), f"{megabytes}M"], capture_output=True, text=True, check=False)
    shutil.rmtree(root)
    if done.returncode != 0:
        raise SubjectError(step, f"{PROGRAM}: {done.stderr.strip()[-400:]}", fault="this machine", remedy="see above")


def _export(tree: Tree, root: Path) -> int:
    """Write a tree into a directory; returns its size in bytes."""
    root.mkdir(parents=True)
    used = 0
    for path in tree.paths():
        place, entry = root / path, tree[path]
        match entry:
            case Directory(mode):
                place.mkdir()
                place.chmod(mode)
            case Symlink(target):
                place.symlink_to(target)
            case File(bytes() as content, mode):
                place.write_bytes(content)
                place.chmod(mode)
            case File(Path() as source, mode):
                shutil.copyfile(source, place)
                place.chmod(mode)
        used += 0 if place.is_symlink() or place.is_dir() else place.stat().st_size + 4096
    return used
