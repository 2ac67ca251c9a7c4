"""Made machines as folders that nodes of a cluster have mounted.

A mount holds inodes, not names: folders are emptied and filled, the two files are written in place, and a running node sees
another machine when its kubelet starts next.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from pinproof.scenario.machine import Machine
from pinproof.subjects.kind.cluster_config import MACHINE_MOUNTS
from pinproof.subjects.kubelet.made import Entry, Tree, made_files


def write(folder: Path, machine: Machine) -> None:
    """Make the folder show the machine."""
    made = made_files(machine)
    for part, inside in MACHINE_MOUNTS.items():
        if inside in made.files:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / part).open("a+") as file:  # never renamed: the node has this very file
                file.truncate(0)
                file.write(made.files[inside])
        else:
            _fill(folder / part, made.trees[inside] or {})


def _fill(folder: Path, tree: Tree) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _empty(folder.iterdir())
    for name, entry in tree.items():
        _create(folder / name, entry)


def _empty(entries: Iterable[Path]) -> None:
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _create(path: Path, entry: Entry) -> None:
    if entry is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(entry, str):
        path.write_text(entry)
    else:
        path.symlink_to(entry["link"])
