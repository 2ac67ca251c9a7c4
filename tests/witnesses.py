"""Every case of the suites can fail: on which wrong subject each does. `witnesses.yaml` is the table.

A wrong subject is named

* `wrong:NAME`: the reference with one text replaced (`wrong_models.py`, `wrong_starts.py`, `wrong_for_cases.py`),
* `text:NAME`: the reference with a log, metrics page or calls of our own making (`wrong_texts.py`),
* `release:MINOR`: the right model of a release that has a defect, where the case is one that the ledger expects to fail.

`python -m tests.witnesses` looks for wrong subjects for the cases that are not in the table, and prints what it found;
`--write` puts it into the table. A case for which there is none needs a new wrong model.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path

import yaml

from pinproof.reference.behaviour import MINORS
from pinproof.subjects.protocol import Subject
from pinproof.subjects.reference import ReferenceSubject
from tests.suite_functions import Function, functions
from tests.wrong_for_cases import FOR_CASES
from tests.wrong_for_crashes import FOR_CRASHES
from tests.wrong_models import WRONG
from tests.wrong_subject import WrongSubject
from tests.wrong_texts import DECIDES_NOTHING, TEXTS, TellingSubject

TABLE = Path(__file__).with_suffix(".yaml")
BLUNT = ("wrong:threshold is not reserved", "wrong:policy None is not known", f"text:{DECIDES_NOTHING}")
"""A kubelet that does not start, one that does not start under policy None, and one of which nothing is seen."""

MODELS = {model.name: model for model in (*WRONG, *FOR_CASES, *FOR_CRASHES)}

THOUSANDS = (
    "thousands of restarts, of which `restart/test_orders` and `test_orders_files` ask for some with the same words"
)
MORE = "a case that is shown, with more restarts or more configurations"
NOT_SHOWN = {
    "restart/test_orders_exhaustive::test_four_pods": THOUSANDS,
    "restart/test_orders_exhaustive::test_four_pods_beside_the_data": THOUSANDS,
    "restart/test_orders_exhaustive::test_group": THOUSANDS,
    "restart/test_orders_exhaustive::test_pods_of_several_containers": THOUSANDS,
    "restart/test_orders_exhaustive::test_file_ends_at_every_byte": THOUSANDS,
    "restart/test_orders_exhaustive::test_every_bit_of_the_file": THOUSANDS,
    "restart/test_orders_exhaustive::test_every_bit_of_the_data": THOUSANDS,
    "scale/test_endurance::test_500_restarts_lose_nothing": MORE,
    "scale/test_endurance::test_500_restarts_of_one_group": MORE,
    "scale/test_many_pods::test_110_pods_come_back_under_other_policies": MORE,
}
"""Exhaustive case (`--nightly`) → why no wrong subject is tried on it: each takes minutes, or seconds that nobody has."""


@cache
def table() -> Mapping[str, list[str]]:
    """Wrong subject → the cases that are known to fail on it."""
    found: Mapping[str, list[str]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return found


def opened(name: str, minor: str) -> Subject:
    """The wrong subject of a minor."""
    kind, _, which = name.partition(":")
    if kind == "release":
        return ReferenceSubject(minor)
    return TellingSubject(which, minor) if kind == "text" else WrongSubject(MODELS[which], minor)


def caught(name: str, those: Iterable[Function]) -> Iterator[str]:
    """Names of those that fail on a wrong subject; it is made anew for every minor."""
    release = name.removeprefix("release:") if name.startswith("release:") else ""
    by_minor: dict[str, list[Function]] = {}
    for each in those:
        if each.case.applies(minor := release or each.minor):
            by_minor.setdefault(minor, []).append(each)
    for minor, group in by_minor.items():
        with closing(opened(name, minor)) as subject:
            yield from (each.name for each in group if each.fails(subject))


def every() -> list[str]:
    """All wrong subjects; those on which nearly every case would fail come last."""
    names = [
        *(f"release:{minor}" for minor in reversed(MINORS)),
        *(f"text:{name}" for name in TEXTS),
        *(f"wrong:{name}" for name in MODELS),
    ]
    return [*(name for name in names if name not in BLUNT), *BLUNT]


def missing() -> dict[str, Function]:
    """Cases that are not in the table, and have no reason to be left out."""
    known = {case for cases in table().values() for case in cases} | NOT_SHOWN.keys()
    return {name: function for name, function in functions().items() if name not in known}


def search(those: dict[str, Function]) -> dict[str, list[str]]:
    """Wrong subjects for these cases, one each; every subject is tried on what is left."""
    left, found = dict(those), dict[str, list[str]]()
    for name in every():
        for case in caught(name, list(left.values())):
            found.setdefault(name, []).append(case)
            del left[case]
    return found


def main() -> int:
    """Exit 1 where a case is left for which no wrong subject was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--write", action="store_true", help="put what was found into the table, and drop cases that are gone"
    )
    write = parser.parse_args().write
    those = missing()
    found = search(those)
    sys.stdout.write(yaml.safe_dump(found, width=120))
    if write:
        merged = {
            name: sorted({*table().get(name, ()), *found.get(name, ())} & functions().keys())
            for name in {*table(), *found}
        }
        merged = {name: cases for name, cases in merged.items() if cases}
        head = TABLE.read_text(encoding="utf-8").partition("\n\n")[0]
        TABLE.write_text(f"{head}\n\n{yaml.safe_dump(merged, width=120)}", encoding="utf-8")
    left = sorted(those.keys() - {case for cases in found.values() for case in cases})
    sys.stdout.write("\n".join([f"{len(left)} cases fail on none:", *left, ""]))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
