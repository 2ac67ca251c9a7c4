"""The registry of requirements, and that it and the suites agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinproof.errors import InputError
from pinproof.requirements import Requirement, check_cases, read_requirements
from pinproof.running.places import shipped
from tests.collected import collected

ENTRY = "{id: MM-A-001, must: A kubelet MUST do it., source: a KEP, level: core"


def registry(folder: Path, *entries: str) -> Path:
    """A registry of these entries."""
    lines = "\n".join(f"- {entry}}}" for entry in entries)
    text = f"apiVersion: pinproof/v1alpha1\nkind: Requirements\nrequirements:\n{lines}\n"
    (folder / "a.yaml").write_text(text)
    return folder


def test_an_entry_becomes_a_requirement(tmp_path: Path) -> None:
    """With everything it says."""
    known = read_requirements(registry(tmp_path, ENTRY + ", since: 1.30, peers: [A1.6]"))

    wanted = Requirement("MM-A-001", "A kubelet MUST do it.", "a KEP", "core", "1.30", None, ("A1.6",))
    assert {"MM-A-001": wanted} == known


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (ENTRY.replace("MM-A-001", "mm-1"), "requirements[0].id"),
        (ENTRY.replace("MUST", "should"), "a sentence with MUST"),
        (ENTRY.replace("core", "nice"), "requirements[0].level"),
        (ENTRY + ", sinse: 1.30", "did you mean 'since'"),
        (ENTRY + ", since: 1.33, until: 1.30", "since 1.33 lies after until 1.30"),
        (ENTRY + ", peers: [e2e]", "requirements[0].peers[0]"),
        (ENTRY + ", level: core", "level"),
    ],
)
def test_what_is_wrong_with_an_entry(tmp_path: Path, entry: str, message: str) -> None:
    """The place and what would be right."""
    with pytest.raises(InputError) as raised:
        read_requirements(registry(tmp_path, entry))

    assert message in str(raised.value)


def test_an_id_is_there_once(tmp_path: Path) -> None:
    """Over all files."""
    with pytest.raises(InputError, match="MM-A-001 is there twice"):
        read_requirements(registry(tmp_path, ENTRY, ENTRY))


def test_registry_and_cases_have_to_agree(tmp_path: Path) -> None:
    """Both ways."""
    known = read_requirements(registry(tmp_path, ENTRY, ENTRY.replace("001", "002")))
    problems = check_cases(known, {"a": ["MM-A-001"], "b": ["MM-A-003"]})

    assert ["b: names the requirement MM-A-003, which requirements/ does not have", "MM-A-002: has no case"] == [
        str(problem) for problem in problems
    ]


@pytest.fixture(scope="module")
def cases() -> dict[str, tuple[str, ...]]:
    """Every case of the shipped suites → requirements it names."""
    return collected(str(shipped("suites")))


def test_the_shipped_registry_and_the_shipped_suites_agree(cases: dict[str, tuple[str, ...]]) -> None:
    """Every id a case names is there, and every requirement has a case."""
    assert [] == check_cases(read_requirements(), cases)


def test_there_are_enough_distinct_cases(cases: dict[str, tuple[str, ...]]) -> None:
    """At least 150, each with an id of its own."""
    assert len(cases) >= 150


@pytest.mark.parametrize("peer", [f"A1.{number}" for number in range(1, 10)] + [f"A2.{number}" for number in (1, 2, 3)])
def test_upstreams_end_to_end_cases_have_their_counterpart(peer: str) -> None:
    """Those of the memory manager and of its metrics."""
    assert any(peer in requirement.peers for requirement in read_requirements().values())
