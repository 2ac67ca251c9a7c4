"""`docs/coverage.md`: what was reached, by file and by suite, and every gap with its explanation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmarks.coverage.explained import Explanation
from benchmarks.coverage.measure import DRAWN, Measured
from benchmarks.coverage.profile import Block, Gap, statements

_HEAD = """\
# Coverage of upstream

How much of the kubelet's memory manager and topology manager the suites and drawn scenarios reach, measured inside
Kubernetes {release} with a component driver that counts (`-cover`). Figures are statements, as Go counts them. Reached is
not judged: that is what the histories are for; but what is never reached is certainly not.

    python -m benchmarks.coverage --kubernetes {release} --scenarios {scenarios}        # or: tox -e coverage

This page is what that command wrote. It ends with 1 when there is a gap that nobody has explained, or an explanation of
something that is reached after all.
"""


def document(measured: Measured, explained: Mapping[Gap, Explanation], bare: Sequence[Gap]) -> str:
    """The page."""
    head = _HEAD.format(release=measured.release, scenarios=measured.scenarios)
    return "\n".join(
        [
            head,
            "## By file\n",
            *_by_file(measured),
            "",
            "## By suite\n",
            "What each area of the suites, and the drawn scenarios, reach by themselves.\n",
            *_by_area(measured),
            "",
            "## What is not reached\n",
            *_explained(explained),
            *_bare(bare),
        ]
    )


def _by_file(measured: Measured) -> Iterator[str]:
    drawn = measured.reached.get(DRAWN, frozenset())
    suites = frozenset().union(*(ran for area, ran in measured.reached.items() if area != DRAWN))
    yield "| file | statements | suites | drawn | together | not reached |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, inside in [*_files(measured.every), ("**all**", list(measured.every))]:
        parts = [_share(inside, ran) for ran in (suites, drawn, measured.together)]
        left = statements(block for block in inside if block not in measured.together)
        yield f"| {name} | {statements(inside)} | {' | '.join(parts)} | {left} |"


def _files(blocks: Iterable[Block]) -> Iterator[tuple[str, list[Block]]]:
    by_name: dict[str, list[Block]] = {}
    for block in sorted(blocks):
        by_name.setdefault(block.file, []).append(block)
    yield from by_name.items()


def _by_area(measured: Measured) -> Iterator[str]:
    managers = ("memorymanager", "topologymanager")
    yield f"| | {' | '.join(managers)} | reached by nothing else |"
    yield "|---|---:|---:|---:|"
    for area, ran in measured.reached.items():
        others = frozenset().union(*(other for name, other in measured.reached.items() if name != area))
        parts = [
            _share([block for block in measured.every if block.file.startswith(manager)], ran) for manager in managers
        ]
        yield f"| {area} | {' | '.join(parts)} | {statements(ran - others)} |"


def _share(blocks: Sequence[Block], ran: frozenset[Block]) -> str:
    whole = statements(blocks)
    return f"{100 * statements(block for block in blocks if block in ran) / whole:.1f} %" if whole else "–"


def _explained(explained: Mapping[Gap, Explanation]) -> Iterator[str]:
    by_reason: dict[str, list[Gap]] = {}
    for gap, explanation in explained.items():
        by_reason.setdefault(explanation.reason, []).append(gap)
    for reason, gaps in by_reason.items():
        yield f"**{statements(block for gap in gaps for block in gap.blocks)} statements.** {reason}\n"
        yield from (f"- {place(gap)}" for gap in gaps)
        yield ""


def _bare(bare: Sequence[Gap]) -> Iterator[str]:
    if bare:
        yield f"**{sum(gap.statements for gap in bare)} statements that nobody has explained yet.**\n"
        yield from (f"- {place(gap)}" for gap in bare)
        yield ""


def place(gap: Gap) -> str:
    """Where a gap is, in words: file, function, lines."""
    where = "never called" if gap.whole else f"lines {gap.lines}" if "–" in gap.lines else f"line {gap.lines}"
    return f"`{gap.function.file}` `{gap.function.name}`: {where}"
