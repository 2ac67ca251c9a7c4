"""Where the suites, the ledger and the registry lie: in the checkout, or inside the installed wheel."""

from __future__ import annotations

from pathlib import Path

from pinproof.errors import InputError, Problem

_PACKAGE = Path(__file__).resolve().parent.parent


def checkout() -> Path | None:
    """The root of the source tree that pinproof runs from, None for an installed wheel."""
    root = _PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "suites").is_dir() else None


def shipped(name: str) -> Path:
    """A folder that ships with pinproof: `suites`, `ledger`, `requirements`. Raises InputError when it is not there."""
    for place in (_PACKAGE.parent / name, _PACKAGE / "_data" / name):
        if place.is_dir():
            return place
    raise InputError(name, Problem("", "this installation of pinproof has no such folder; install it again"))


def suites_of(path: Path) -> Path | None:
    """The folder of suites that a path lies in: one called `suites` with a registry beside it, ours or a third party's."""
    for folder in (path, *path.parents):
        if folder.name == "suites" and (folder.parent / "requirements").is_dir():
            return folder
    return None


def registry_of(test: Path) -> Path:
    """The registry that speaks for a test: the one beside its suites, else ours."""
    suites = suites_of(test)
    return suites.parent / "requirements" if suites else shipped("requirements")


def case_id(path: Path, name: str) -> str:
    """Id of a case, the same from a checkout and from a wheel: `suites/admission/test_fit.py::test_x[...]`."""
    parts = path.parts
    if "suites" in parts:
        last = len(parts) - 1 - parts[::-1].index("suites")
        return "/".join(parts[last:]) + f"::{name}"
    return f"{path.name}::{name}"
