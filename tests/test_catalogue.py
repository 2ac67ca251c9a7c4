"""The catalogue of regressions: its format, and that it, the suites and the ledger agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinproof.catalogue.entries import Entry, check_catalogue, files_of, read_catalogue, selected_by
from pinproof.errors import InputError
from pinproof.ledger import read_ledger
from pinproof.running.places import shipped
from tests.collected import collected

LINK = "https://github.com/kubernetes/kubernetes/issues/1"
ENTRY = f"{{id: A1, tier: P0, title: It breaks, upstream: [{LINK}], cases: ['suites/r/test_1_a.py::*']"


def catalogue(folder: Path, *entries: str) -> Path:
    """A catalogue of these entries."""
    lines = "\n".join(f"- {entry}}}" for entry in entries)
    (folder / "a.yaml").write_text(f"apiVersion: pinproof/v1alpha1\nkind: Catalogue\nentries:\n{lines}\n")
    return folder


def test_an_entry_is_read_with_everything_it_says(tmp_path: Path) -> None:
    """What is left out is a defect of which all is known."""
    (entry,) = read_catalogue(catalogue(tmp_path, ENTRY))

    assert Entry("A1", "P0", "It breaks", "defect", (LINK,), ("suites/r/test_1_a.py::*",), "", "") == entry


def test_entries_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Ten comes after two, whatever the file says."""
    place = catalogue(tmp_path, *(ENTRY.replace("A1", name) for name in ("B1", "A10", "A2")))

    assert ["A2", "A10", "B1"] == [entry.id for entry in read_catalogue(place)]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (ENTRY.replace("A1", "L1"), "entries[0].id"),
        (ENTRY.replace("P0", "P3"), "entries[0].tier"),
        (ENTRY.replace("It breaks", "It breaks."), "entries[0].title"),
        (ENTRY.replace("https://", "see "), "entries[0].upstream[0]"),
        (ENTRY.replace("suites/r/test_1_a.py::*", "test_1_a"), "entries[0].cases[0]"),
        (ENTRY.partition(", cases")[0], "says why it `cannot` be shown"),
        (ENTRY + ", cannot: 'The release of'", "entries[0].cannot"),
        (ENTRY + ", kinds: defect", "did you mean 'kind'"),
    ],
)
def test_what_is_wrong_with_an_entry(tmp_path: Path, entry: str, message: str) -> None:
    """The place and what would be right."""
    with pytest.raises(InputError) as raised:
        read_catalogue(catalogue(tmp_path, entry))

    assert message in str(raised.value)


def test_an_id_is_there_once(tmp_path: Path) -> None:
    """Over all files."""
    with pytest.raises(InputError, match="A1 is there twice"):
        read_catalogue(catalogue(tmp_path, ENTRY, ENTRY))


def test_catalogue_and_cases_have_to_agree(tmp_path: Path) -> None:
    """Both ways."""
    entries = read_catalogue(catalogue(tmp_path, ENTRY))
    problems = check_catalogue(entries, ["suites/regressions/test_2_b.py::test_x[two~static]", "suites/a/test_a.py::y"])

    assert [
        "A1: no case is called suites/r/test_1_a.py::*",
        "suites/regressions/test_2_b.py::test_x[two~static]: shows no entry of the catalogue",
    ] == [str(problem) for problem in problems]


def test_tests_that_are_named_are_run_alone(tmp_path: Path) -> None:
    """The rest of their file is not; a file of which any test may be meant is run whole, once."""
    names = ["suites/a/test_a.py::test_x[*]", "suites/a/test_a.py::test_y[two~*]", "suites/r/test_1_a.py::test_x[*]"]
    entries = read_catalogue(
        catalogue(tmp_path, ENTRY, ENTRY.replace("A1", "A2").replace("'suites/r/test_1_a.py::*'", str(names)[1:-1]))
    )

    assert ("suites/a/test_a.py::test_x", "suites/a/test_a.py::test_y", "suites/r/test_1_a.py") == selected_by(entries)


@pytest.fixture(scope="module")
def cases() -> dict[str, tuple[str, ...]]:
    """Every case of the files that the catalogue names, and of suites/regressions → requirements."""
    suites = shipped("suites")
    named = {str(suites.parent / file) for file in files_of(read_catalogue())}
    return collected(str(suites / "regressions"), *named)


def test_the_shipped_catalogue_and_the_shipped_suites_agree(cases: dict[str, tuple[str, ...]]) -> None:
    """Every pattern names a case, every case of the regressions belongs to an entry."""
    assert [] == check_catalogue(read_catalogue(), cases)


def test_every_known_regression_has_its_entry() -> None:
    """All of tiers P0 to P2; what upstream's integration taught (J) has no numbers of its own."""
    last = {"A": 11, "B": 9, "C": 11, "D": 5, "E": 5, "F": 9, "G": 8, "H": 7, "I": 4}
    wanted = {f"{section}{number}" for section, count in last.items() for number in range(1, count + 1)}

    assert wanted == {entry.id for entry in read_catalogue() if entry.section != "J"}


def test_the_page_is_of_this_catalogue() -> None:
    """Every entry is on it under its title; `tox -e catalogue` writes it."""
    text = (Path(__file__).parents[1] / "docs" / "regressions.md").read_text()

    assert [] == [entry.id for entry in read_catalogue() if f"\n### {entry.id}. {entry.title}\n" not in text]


def test_a_file_is_named_for_an_upstream_number() -> None:
    """Of the entry that names it."""
    wrong = [
        (entry.id, file)
        for entry in read_catalogue()
        for file in files_of([entry])
        if file.startswith("suites/regressions/")
        and Path(file).name.split("_")[1] not in {link.rpartition("/")[2] for link in entry.upstream}
    ]

    assert [] == wrong


def test_a_ledger_entry_of_a_regression_has_a_link_of_the_catalogue(cases: dict[str, tuple[str, ...]]) -> None:
    """Otherwise its failure would not count as the entry's."""
    entries = read_catalogue()
    foreign = [
        (case, known.link)
        for known in read_ledger(shipped("ledger"))
        for case, requirements in cases.items()
        if case.startswith("suites/regressions/") and known.covers(case, requirements)
        if not any(entry.covers(case) and known.link in entry.upstream for entry in entries)
    ]

    assert [] == foreign
