"""What came of comparing subjects, in words and as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pinproof.judge.compare import Difference
from pinproof.judge.render import describe_step
from pinproof.judge.words import words
from pinproof.layers.diffing import Comparison, Group
from pinproof.layers.parting import Account
from pinproof.layers.sorts import Sort, by_sort
from pinproof.layers.switches import sentence
from pinproof.scenario.steps import Scenario

SHOWN = 4
"""Differences of a scenario that are shown; the others mostly follow from them."""

SORTS = 20
"""Sorts of findings that are shown."""


def text(result: Comparison, *, files: Mapping[str, Path]) -> str:
    """The comparison for people, ending with a newline; `files` are those of a `Folder`."""
    lines = [f"{result.old} → {result.new}: {_count(result.scenarios, 'scenario')}, {result.differing} differ"]
    for group in ordered(result):
        lines += _group(group, files)
    for sort in by_sort(result.unexplained)[:SORTS]:
        lines += _finding(sort, sort.smallest.reason, files)
    lines += _rest(result)
    return "\n".join(lines) + "\n"


def document(result: Comparison, *, files: Mapping[str, Path]) -> dict[str, Any]:
    """The comparison as data."""
    return {
        "from": result.old,
        "to": result.new,
        "scenarios": result.scenarios,
        "differing": result.differing,
        "groups": [_group_document(group, files) for group in ordered(result)],
        "findings": [
            {
                "scenario": found.scenario.name,
                "reason": found.reason,
                "differences": documents(found.differences),
                **_file(files, found.scenario.name),
            }
            for found in result.unexplained
        ],
        "chance": result.chance,
        **_left_out_document(result),
    }


def ordered(result: Comparison) -> list[Group]:
    """The groups: what changes pods first, mere counters last; within that by how many scenarios they change."""
    return sorted(result.groups.values(), key=lambda group: (group.fields.keys() <= {"counters"}, -group.count))


def account_text(account: Account, *, files: Mapping[str, Path]) -> str:
    """Where layers part, for people, ending with a newline; `files` are those of a `Folder`."""
    alike = f"{account.agreed} alike on all, of these {account.open} with an open outcome"
    lines = [f"{', '.join(account.subjects)}: {_count(account.scenarios, 'scenario')}, {alike}"]
    for sort in by_sort(account.partings)[:SORTS]:
        least = sort.smallest
        lines += _finding(sort, f"{least.below} ≠ {least.above}: {least.layer}", files)
    layers = Counter(f"{parting.below} ≠ {parting.above}" for parting in account.partings)
    lines += [f"{_count(times, 'finding')}: {pair}" for pair, times in layers.most_common()]
    lines += _left_out(account)
    return "\n".join(lines) + "\n"


def account_document(account: Account, *, files: Mapping[str, Path]) -> dict[str, Any]:
    """Where layers part, as data."""
    return {
        "subjects": list(account.subjects),
        "scenarios": account.scenarios,
        "agreed": account.agreed,
        "open": account.open,
        "findings": [
            {
                "scenario": parting.scenario.name,
                "below": parting.below,
                "above": parting.above,
                "layer": parting.layer,
                "differences": documents(parting.differences),
                **_file(files, parting.scenario.name),
            }
            for parting in account.partings
        ],
        **_left_out_document(account),
    }


def told(differences: Iterable[Difference], scenario: Scenario) -> Iterator[str]:
    """Some differences, one a line."""
    for number, found in enumerate(differences):
        if number == SHOWN:
            yield "…"
            return
        old, new = (" ".join(words(found.path, value).split()) for value in (found.expected, found.seen))
        yield f"{describe_step(scenario, found.step)}: {found.path}: {old} → {new}"


def _group(group: Group, files: Mapping[str, Path]) -> Iterator[str]:
    alone = "" if group.alone == group.count else f", {group.alone} by it alone"
    yield ""
    yield f"{group.switch}: {_count(group.count, 'scenario')}{alone}"
    yield f"  {sentence(group.switch)}."
    yield "  changes " + ", ".join(f"{field} ({times})" for field, times in group.fields.most_common())
    if group.smallest is None or group.effect is None:
        return
    together = f", with {', '.join(group.effect.others)}" if group.effect.others else ""
    yield f"  smallest: {group.smallest.name}{together}{_saved(files, group.switch)}"
    yield from (f"    {line}" for line in told(group.effect.differences, group.smallest))


def _finding(sort: Sort[Any], what: str, files: Mapping[str, Path]) -> Iterator[str]:
    scenario = sort.smallest.scenario
    yield ""
    yield f"FINDING, {_count(sort.count, 'time')}: {what}"
    yield f"  smallest: {scenario.name}{_saved(files, scenario.name)}"
    yield from (f"    {line}" for line in told(sort.smallest.differences, scenario))


def _rest(result: Comparison) -> Iterator[str]:
    if result.chance:
        yield f"{_count(result.chance, 'scenario')} left to chance, and told wholly by neither subject: not compared"
    yield from _left_out(result)
    yield (
        f"{len(result.unexplained)} differences that no switch explains"
        if result.unexplained
        else ("every difference is explained" if result.differing else "no difference")
    )


def _left_out(result: Comparison | Account) -> Iterator[str]:
    for reason, times in result.inapplicable.most_common():
        yield f"{_count(times, 'scenario')} not run: {reason}"
    for scenario, trouble in result.incomplete:
        yield f"no verdict on {scenario.name}: {trouble.splitlines()[0]}"


def _left_out_document(result: Comparison | Account) -> dict[str, Any]:
    return {
        "notApplicable": dict(result.inapplicable),
        "incomplete": [{"scenario": scenario.name, "trouble": trouble} for scenario, trouble in result.incomplete],
    }


def _group_document(group: Group, files: Mapping[str, Path]) -> dict[str, Any]:
    effect = group.effect
    return {
        "switch": group.switch,
        "sentence": sentence(group.switch),
        "scenarios": group.count,
        "alone": group.alone,
        "fields": dict(group.fields),
        "smallest": group.smallest.name if group.smallest else None,
        "together": list(effect.others) if effect else [],
        "differences": documents(effect.differences) if effect else [],
        **_file(files, group.switch),
    }


def documents(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """Differences as data."""
    return [
        {
            "step": found.step,
            "path": found.path,
            "from": words(found.path, found.expected),
            "to": words(found.path, found.seen),
        }
        for found in differences
    ]


def _file(files: Mapping[str, Path], name: str) -> dict[str, str]:
    return {"file": str(files[name])} if name in files else {}


def _saved(files: Mapping[str, Path], name: str) -> str:
    return f" → {files[name]}" if name in files else ""


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
