"""Topology files: machine shapes by name or path.

The files lie under `topologies/` of a checkout, or inside an installed package.
"""

from __future__ import annotations

import difflib
import functools
from pathlib import Path
from typing import Any

import pinproof
from pinproof.errors import InputError, Problem
from pinproof.scenario import yamltext
from pinproof.scenario.document import NodeDocument, TopologyDocument
from pinproof.scenario.draft import Draft
from pinproof.scenario.machine import Machine
from pinproof.scenario.machines import check_nodes, machine_of, node_of


def directory() -> Path:
    """Where the topology files of pinproof lie."""
    package = Path(pinproof.__file__).parent
    installed = package / "_data" / "topologies"
    return installed if installed.is_dir() else package.parent / "topologies"


def names() -> tuple[str, ...]:
    """Names of all topology files, ascending."""
    return tuple(sorted(file.stem for file in directory().glob("*.yaml")))


@functools.cache
def machine(name: str) -> Machine:
    """The machine of a topology file by name; raises InputError with the known names."""
    file = directory() / f"{name}.yaml"
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names())}"
        raise InputError(name, Problem("", f"no topology has this name; {hint} A path has a slash or ends in .yaml"))
    return _read(file)


def read_machine(name_or_path: str | Path, *, base: Path | None = None) -> Machine:
    """The machine of a topology file, by name or by path (relative to `base`); raises InputError.

    What has a slash or ends in `.yaml`, `.yml` or `.json` is a path.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, str) and "/" not in text and not text.endswith((".yaml", ".yml", ".json")):
        return machine(text)
    return _read((base or Path()) / text)


def parse_machine(text: str, *, source: str = "<topology>") -> Machine:
    """The machine of a topology document; raises InputError with all its problems."""
    draft = Draft(TopologyDocument, yamltext.load(text, source))
    say_impossible(draft)
    draft.refuse(source)
    if draft.whole is None:
        raise AssertionError("a document without a problem is whole")
    return machine_of(draft.whole)


def say_impossible(draft: Draft[Any], *at: str | int) -> bool:
    """Tell what is impossible in the machine at a place of a document, malformed nodes left out; whether there was any."""
    parts = [draft.part(NodeDocument, *at, "nodes", index) for index in range(draft.length(*at, "nodes"))]
    threads = draft.integer(*at, "threadsPerCore", default=1)
    nodes = [node_of(part) if part else None for part in parts]
    found = list(check_nodes(nodes, threads_per_core=threads, windows=draft.has("windows", *at, "os")))
    for place, message in found:
        draft.say((*at, *place), message)
    return bool(found)


def read_text(file: Path) -> str:
    """Text of a file with its line ends as they are; raises InputError where it cannot be read."""
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(str(file), Problem("", f"cannot be read: {error.strerror or error}")) from None
    except UnicodeDecodeError:
        raise InputError(str(file), Problem("", "is not a text in UTF-8")) from None


def _read(file: Path) -> Machine:
    return parse_machine(read_text(file), source=str(file))
