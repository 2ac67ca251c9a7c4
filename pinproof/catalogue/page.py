"""The page about the catalogue, as Markdown: everything in its tables comes from runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pinproof.catalogue.cells import Run, Shown, merged
from pinproof.catalogue.entries import Entry

SECTIONS = {
    "A": "State file, restart and reboot: the kubelet does not come back",
    "B": "Restart: running pods are rejected, moved, or counted twice",
    "C": "Hints, their merge, and the verdict",
    "D": "Init containers and sidecars",
    "E": "Configuration: reserved memory, node allocatable, flags",
    "F": "NUMA discovery and unusual machines",
    "G": "What is reported: PodResources, metrics, eviction, capacity",
    "H": "Resize, pod-level resources, Windows, other gates",
    "I": "Consumers that break on what the managers do",
    "J": "What failed in upstream's continuous integration",
}

_LEGEND = """\
| word | meaning |
|---|---|
| yes | the defect reproduces: a case failed that expects what was promised |
| fixed | the cases that show it elsewhere passed, and one of them fails on an older release |
| no | they passed, here and on older releases |
| as meant | meant so upstream, and the kubelet does what is documented |
| differs | meant so upstream, but the kubelet does something else |
| – | no case is about this release, or the subject cannot do what the cases ask for |
| ? | a case has no verdict |
| × | cannot be shown here; the reason is below |
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """A test that fails on an older release and passes on a newer one."""

    entry: Entry
    test: str
    """File and function."""

    kind: str
    failed: tuple[str, ...]
    """Releases, ascending."""

    passed: tuple[str, ...]
    """Releases after the last that failed, ascending."""


def page(entries: Sequence[Entry], runs: Sequence[Run], subjects: str) -> str:
    """The whole page.

    Args:
        entries: what was looked for.
        runs: what was measured.
        subjects: how the user named the subjects, for the command that makes the page again.
    """
    ordered = sorted(runs, key=lambda run: (run.kind, _numbers(run.version)))
    parts = [_head(ordered, subjects), _turned(turns(entries, ordered))]
    parts += [_section(letter, entries, ordered) for letter in SECTIONS if any(e.section == letter for e in entries)]
    parts.append("## What shows each entry\n\n" + "\n".join(_details(entry, ordered) for entry in entries))
    return "\n".join(parts)


def turns(entries: Iterable[Entry], runs: Sequence[Run]) -> list[Turn]:
    """Tests of defects that turn from failed to passed; `runs` ascending by release."""
    found = []
    for entry in (entry for entry in entries if entry.kind == "defect"):
        for test in _tests(entry, runs):
            for kind in _kinds(runs):
                words = {run.version: _word(entry, test, run) for run in runs if run.kind == kind}
                failed = tuple(version for version, word in words.items() if word == "shows")
                later = [v for v in words if failed and _numbers(v) > _numbers(failed[-1])]
                passed = tuple(version for version in later if words[version] == "holds")
                if passed:
                    found.append(Turn(entry, test, kind, failed, passed))
    return found


def _head(runs: Sequence[Run], subjects: str) -> str:
    lines = [
        "# Known regressions, and where they reproduce",
        "",
        "What is known upstream to have broken the Memory Manager, or to break it still, measured on releases of Kubernetes.",
        "This page is written by a command; every word in its tables comes from running the entry's cases:",
        "",
        "```sh",
        f"pinproof catalogue --subjects {subjects} --out docs/regressions.md",
        "```",
        "",
        "The entries are in [catalogue/](../catalogue/README.md), the cases in `suites/`.",
        "",
    ]
    for kind in _kinds(runs):
        mine = [run for run in runs if run.kind == kind]
        cases = sum(len({case for cases in run.cases.values() for case in cases}) for run in mine)
        versions = ", ".join(run.version for run in mine)
        lines.append(f"- **{kind[0]}** is seen on the {kind} subject: {versions}; {cases} cases in all.")
    return "\n".join([*lines, "", _LEGEND])


def _turned(found: Sequence[Turn]) -> str:
    count = len({turn.entry.id for turn in found})
    lines = [
        "## Mended in Kubernetes' history",
        "",
        f"{count} of the entries are seen failing on an older release and passing on a newer one:",
        "",
        "Entries can share a mend, as those do that name the same pull request.",
        "",
        "| entry | cases | subject | fail on | pass on |",
        "|---|---|---|---|---|",
    ]
    alike: dict[tuple[Entry, str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for turn in found:
        alike.setdefault((turn.entry, turn.kind, turn.failed, turn.passed), []).append(f"`{_short(turn.test)}`")
    for (entry, kind, failed, passed), tests in alike.items():
        cells = [_named(entry), "<br>".join(tests), kind, ", ".join(failed), ", ".join(passed)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _section(letter: str, entries: Sequence[Entry], runs: Sequence[Run]) -> str:
    versions = sorted({run.version for run in runs}, key=_numbers)
    lines = [
        f"## {letter}. {SECTIONS[letter]}",
        "",
        "| entry | tier | " + " | ".join(versions) + " |",
        "|---" * (2 + len(versions)) + "|",
    ]
    for entry in (entry for entry in entries if entry.section == letter):
        cells = [_cell(entry, version, runs) for version in versions]
        lines.append(f"| {_named(entry)} | {entry.tier} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(entry: Entry, version: str, runs: Sequence[Run]) -> str:
    if not entry.cases:
        return "×"
    words: dict[str, str] = {}
    for run in runs:
        if run.version == version:
            word = _said(entry, run, runs)
            words[word] = words.get(word, "") + run.kind[0]
    if not words.keys() - {"–"}:
        return "–"
    return ", ".join(f"{word} {letters}" for word, letters in words.items() if word != "–")


def _said(entry: Entry, run: Run, runs: Sequence[Run]) -> str:
    """The word of the legend."""
    tests = _telling(entry, runs)
    older = [
        _over(entry, tests, other)
        for other in runs
        if other.kind == run.kind and _numbers(other.version) < _numbers(run.version)
    ]
    match _over(entry, tests, run):
        case "shows":
            return "yes" if entry.kind == "defect" else "differs"
        case "holds" if entry.kind == "behaviour":
            return "as meant"
        case "holds":
            return "fixed" if "shows" in older else "no"
        case "no verdict":
            return "?"
        case _:
            return "–"


def _telling(entry: Entry, runs: Sequence[Run]) -> list[str]:
    """Tests that say whether a release has the entry.

    Where some fail anywhere these are the ones: the others are controls, which a release that has the defect passes too.
    """
    every = _tests(entry, runs)
    showing = [test for test in every if any(_word(entry, test, run) == "shows" for run in runs)]
    return showing if showing and entry.kind == "defect" else every


def _over(entry: Entry, tests: Iterable[str], run: Run) -> Shown:
    """What a run says of the entry by these tests: one that shows it is enough."""
    return merged(_word(entry, test, run) for test in tests)


def _details(entry: Entry, runs: Sequence[Run]) -> str:
    links = ", ".join(f"[{_number(link)}]({link})" for link in entry.upstream)
    lines = [f"### {entry.id}. {entry.title}", "", f"{links}."]
    if entry.unconfirmed:
        lines += ["", f"Was open: {entry.unconfirmed}{_measured(entry, runs)}"]
    if entry.cannot:
        lines += ["", f"Cannot be shown: {entry.cannot}"]
    if entry.cases:
        lines += ["", *_told(entry, runs)]
    return "\n".join(lines) + "\n"


def _measured(entry: Entry, runs: Sequence[Run]) -> str:
    """What the runs say to a question that was open, in the words of the table; empty where they say nothing."""
    parts = []
    for kind in _kinds(runs):
        words: dict[str, list[str]] = {}
        for run in runs:
            if run.kind == kind and (word := _said(entry, run, runs)) != "–":
                words.setdefault(word, []).append(run.version)
        parts += [f"{kind}: " + "; ".join(f"{word} on {', '.join(on)}" for word, on in words.items())] if words else []
    return f" Measured on {'. On '.join(parts)}." if parts else ""


def _told(entry: Entry, runs: Sequence[Run]) -> Iterator[str]:
    """A line for each test: where it failed and where it passed."""
    for test in _tests(entry, runs):
        said = [f"{kind}: {where}" for kind in _kinds(runs) if (where := _where(entry, test, runs, kind))]
        yield f"- `{_short(test)}` – {'; '.join(said) or 'is about none of these'}"


def _where(entry: Entry, test: str, runs: Sequence[Run], kind: str) -> str:
    """`fails on 1.31.0, passes on 1.32.2`; empty where the subject says nothing of the test."""
    words = {run.version: _word(entry, test, run) for run in runs if run.kind == kind}
    parts = []
    for word, said in (("shows", "fails"), ("holds", "passes"), ("no verdict", "has no verdict")):
        versions = [version for version, seen in words.items() if seen == word]
        if versions:
            parts.append(f"{said} on {'all' if len(versions) == len(words) > 1 else ', '.join(versions)}")
    return ", ".join(parts)


def _tests(entry: Entry, runs: Sequence[Run]) -> list[str]:
    """File and function of every case that was seen, in the order of the runs."""
    return list(dict.fromkeys(_test(case) for run in runs for case in run.cases[entry.id]))


def _test(case: str) -> str:
    return case.partition("[")[0]


def _word(entry: Entry, test: str, run: Run) -> Shown:
    """What a test came to over all its machines and configurations."""
    return merged(shown for case, shown in run.cases[entry.id].items() if _test(case) == test)


def _named(entry: Entry) -> str:
    return f"[{entry.id}]({entry.upstream[0]}) {entry.title}"


def _number(link: str) -> str:
    """`#131253`, with the repository where it is not Kubernetes' own."""
    owner, repository, _, number = link.removeprefix("https://github.com/").split("/")
    return f"#{number}" if (owner, repository) == ("kubernetes", "kubernetes") else f"{repository}#{number}"


def _short(test: str) -> str:
    return test.removeprefix("suites/").removeprefix("regressions/")


def _kinds(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(run.kind for run in runs))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
