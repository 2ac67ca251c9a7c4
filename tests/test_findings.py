"""The pages of `docs/findings`: each has its scenario, and the reference shows there what the page says.

Of the missing series of aligned resources, and of a pod that a cluster has not heard of, the reference says what was promised.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pinproof.catalogue.entries import read_catalogue
from pinproof.history import History, Observation
from pinproof.judge import violations
from pinproof.ledger import read_ledger
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.model import predict
from pinproof.running.places import shipped
from pinproof.scenario.reader import read_scenario

FOLDER = Path(__file__).parents[1] / "docs" / "findings"
SCENARIOS = sorted(FOLDER.glob("*.yaml"))
INDEX, FIXED = FOLDER / "README.md", FOLDER / "fixed-defects.md"
PAGES = sorted(set(FOLDER.glob("*.md")) - {INDEX, FIXED})
HEADINGS = [
    "Smallest scenario",
    "What was promised",
    "What happened",
    "Seen on",
    "The cause",
    "How often",
    "Upstream",
]
NIL_POINTER = "invalid memory address or nil pointer dereference"
BOOKS_DIFFER = "[memorymanager] the expected machine state is different from the real one"

Shown = Callable[[Observation], object]


def histories(name: str, minor: str) -> tuple[History, ...]:
    """What the reference allows a release to do in the scenario of a finding."""
    return predict(read_scenario(FOLDER / f"{name}.yaml"), behaviour_of(minor)).histories


def refusal(last: Observation) -> object:
    """Why the kubelet does not run."""
    return last.refusal


def verdicts(last: Observation) -> object:
    """Pod → admitted."""
    return {name: verdict.admitted for name, verdict in (last.pods or {}).items()}


def placed(last: Observation) -> object:
    """Container → nodes, one text for each of its blocks."""
    found = (last.assignments or {}).values()
    return {name: [str(b.affinity) for b in blocks] for pod in found for name, blocks in pod.items()}


def free(last: Observation) -> object:
    """Bytes of memory that are free on node 0."""
    return (last.machine or {})[0].memory["memory"].free


def cpus(last: Observation) -> object:
    """Pod → exclusive CPUs of its container."""
    assert last.cpu
    return {pod: cpus for pod, held in last.cpu.entries.items() for cpus in held.values()}


def aligned(last: Observation) -> object:
    """How many series of aligned resources there are, and what they say."""
    return [value for name, value in (last.counters or {}).items() if "_aligned_" in name]


def listed(last: Observation) -> object:
    """Containers in PodResources that have memory."""
    return [name for pod in (last.pod_resources or {}).values() for name, held in pod.items() if held.memory]


def created(last: Observation) -> object:
    """Containers that the runtime was asked for."""
    return [name for told in (last.told or {}).values() for name in told]


def told(last: Observation) -> object:
    """Container → NUMA nodes that the runtime was told."""
    return {name: sets.cpuset_mems for pod in (last.told or {}).values() for name, sets in pod.items()}


def holders(last: Observation) -> object:
    """Pods that have memory in the books."""
    return sorted(last.assignments or {})


SAID: tuple[tuple[str, str, Shown, object], ...] = (
    ("aligned-series-missing", "1.36", aligned, [0, 0, 0, 0]),
    ("closest-nodes-with-gaps", "1.36", refusal, "index out of range"),
    ("cpu-of-another-pod", "1.36", cpus, {"owner": "0", "thief": "0-5"}),
    ("difference-without-a-place", "1.36", refusal, BOOKS_DIFFER),
    ("fixed-created-init-container", "1.31", created, ["i"]),
    ("fixed-created-init-container", "1.32", created, ["i", "c"]),
    ("fixed-overlapping-group", "1.31", verdicts, {"a": True, "b": True}),
    ("fixed-overlapping-group", "1.32", verdicts, {"a": True, "b": False}),
    ("fixed-rejected-pod-listed", "1.33", listed, ["c"]),
    ("fixed-rejected-pod-listed", "1.34", listed, []),
    ("fixed-sidecar-not-listed", "1.29", listed, ["c"]),
    ("fixed-sidecar-not-listed", "1.30", listed, ["s", "c"]),
    ("fixed-split-of-a-group", "1.31", refusal, BOOKS_DIFFER),
    ("fixed-split-of-a-group", "1.32", refusal, None),
    ("fraction-in-a-pod", "1.36", verdicts, {"a": False}),
    ("fraction-in-reserved-memory", "1.36", refusal, "could not covert a variable of type Quantity to int64"),
    ("full-disk-unnoticed", "1.36", holders, ["a", "b"]),
    ("group-broken-for-good", "1.36", refusal, BOOKS_DIFFER),
    (
        "huge-pages-cannot-be-reserved",
        "1.36",
        refusal,
        'the total amount "64Mi" of type "hugepages-2Mi" is not equal to the value "0" determined by Node Allocatable feature',
    ),
    ("init-container-again-unpinned", "1.36", told, {"i": ""}),
    ("kernel-without-numa", "1.36", free, 2**64 - (512 << 20) - (4 << 30)),
    ("killed-between-two-writes", "1.36", refusal, BOOKS_DIFFER),
    ("managed-pod-allocated-again", "1.37", refusal, BOOKS_DIFFER),
    ("managed-pod-and-an-older-kubelet", "1.37", refusal, BOOKS_DIFFER),
    ("managed-pod-rejected", "1.37", verdicts, {"a": False}),
    ("memory-of-a-container-that-runs", "1.36", holders, ["b"]),
    ("memory-of-a-restarted-pod-leaks", "1.36", refusal, BOOKS_DIFFER),
    ("numa-node-ids-above-63", "1.36", refusal, NIL_POINTER),
    ("null-in-an-unverified-file", "1.36", refusal, NIL_POINTER),
    ("page-size-the-machine-has-not", "1.36", refusal, NIL_POINTER),
    ("pages-of-init-containers-rejected", "1.36", verdicts, {"a": True, "b": False}),
    ("pod-torn-apart", "1.36", placed, {"c": ["(0,)"], "c1": ["(0,)"], "c2": ["(1,)"]}),
    ("reservation-beside-huge-pages", "1.36", free, 2**64 - (512 << 20) - (8 << 30)),
    ("running-pod-rejected-after-restart", "1.36", verdicts, {"a": False}),
    ("shared-container-rejects-its-pod", "1.36", verdicts, {"a": False}),
    ("shared-container-rejects-its-pod", "1.37", verdicts, {"a": True}),
    ("unreported-pod-rejected", "1.34", verdicts, {"a": True}),
    ("windows-memory-follows-cpus", "1.37", refusal, BOOKS_DIFFER),
)
"""Scenario, minor, what to look at after the last step, what the page says of it."""

EITHER_WAY = ("group-broken-by-single-node", "pages-of-init-containers")


@pytest.mark.parametrize(("name", "minor", "shown", "said"), SAID, ids=[f"{name}-{minor}" for name, minor, *_ in SAID])
def test_reference_shows_what_the_page_says(name: str, minor: str, shown: Shown, said: object) -> None:
    """After the last step, in the one history that the release can have."""
    (history,) = histories(name, minor)

    assert said == shown(history.observations[-1])


@pytest.mark.parametrize("name", EITHER_WAY)
def test_map_order_decides_whether_a_broken_group_is_refused(name: str) -> None:
    """The group rule is broken at once; the start after it succeeds or fails."""
    told = histories(name, "1.36")
    broken = {(step, v.invariant) for step, v in violations(read_scenario(FOLDER / f"{name}.yaml"), told[0])}

    assert {None, BOOKS_DIFFER} == {history.observations[-1].refusal for history in told}
    assert {(1, "I-2"), (1, "I-3")} <= broken


def test_every_scenario_is_asserted() -> None:
    """A scenario that is added to the folder is added to the table above."""
    asserted = {name for name, *_ in SAID} | set(EITHER_WAY)

    assert {file.stem for file in SCENARIOS} == asserted


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_has_all_headings_and_a_scenario_of_its_name(page: Path) -> None:
    """Whoever reads one finds their way in all; the first scenario is named like the page, or the page names its parts."""
    text = page.read_text()

    assert HEADINGS == re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert re.findall(r"\]\(([\w-]+)\.yaml\)", text)


@pytest.mark.parametrize("page", [INDEX, FIXED, *PAGES], ids=lambda page: page.stem)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    """Files beside it, and the scenario that the command replays."""
    text = page.read_text()
    links = re.findall(r"\]\(([\w-]+\.(?:md|yaml))\)", text) + re.findall(r"docs/findings/([\w-]+\.yaml) ", text)

    assert [] == [link for link in links if link != "NAME.yaml" and not (FOLDER / link).is_file()]


def test_index_names_every_page_and_the_pages_every_scenario() -> None:
    """Nothing lies in the folder unseen."""
    index = INDEX.read_text()
    texts = "\n".join(page.read_text() for page in (FIXED, *PAGES))

    assert [] == [page.name for page in (FIXED, *PAGES) if f"({page.name})" not in index]
    assert [] == [file.name for file in SCENARIOS if f"({file.name})" not in texts]


def test_every_entry_of_the_ledger_has_a_page() -> None:
    """A known failure is described where its upstream link is named: there, or in the catalogue of regressions."""
    texts = "\n".join(page.read_text() for page in (FIXED, *PAGES))
    listed = {link for entry in read_catalogue() for link in entry.upstream}
    links = {entry.link for entry in read_ledger(shipped("ledger"))} - listed

    assert [] == sorted(link for link in links if f"({link})" not in texts)
