"""What was measured, as the page `docs/version-skew.md`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pinproof.skew.golden import GATE, Writer
from pinproof.skew.measuring import SAME, Cell, Measured, neighbours

MARK = "†"
"""Stands for the gate in a table."""

SUBJECTS = {
    "component": "the managers of {} in process.\n[Real kubelets](version-skew-kubelets.md) have the same page",
    "kubelet": "the real kubelets of {}.\n[The managers alone](version-skew.md) have the same page, with 1.29.6",
}
"""Kind of subject → what was measured."""

PAGES = {"component": "docs/version-skew.md", "kubelet": "docs/version-skew-kubelets.md"}
"""Kind of subject → where its page is committed."""

_HEAD = f"""# Version skew

State files of one release under the kubelet of another, and nodes whose kubelet is replaced while pods run. Written by

    {{command}}

from measurements on {{subject}}.

The files are those of `fixtures/checkpoints/`, which real kubelets wrote (`pinproof checkpoints record`); `suites/skew/` asks
for the same of every subject, with literal expectations. {MARK} is gate `{GATE}`, which exists from 1.36 on
and is off by default. 1.29 has no files: not all modules of its kubelet could be had when they were recorded.

A cell says how many of the scenarios came out the same: the kubelet starts, and every block and CPU of the file is in its
books. What did not is named, with how the kubelet refused: *corrupted* (`checkpoint is corrupted`, with the file's name and the
remedy), *not readable* (the JSON does not fit its format; file and remedy are named too), *other books* (`the expected machine
state is different from the real one`, which names neither).
"""

_MEMORY = """## `memory_manager_state`

Rows are writers, columns readers. A node without pods: what is in the books afterwards comes from the file.
"""

_CPU = """## `cpu_manager_state`

The same, with the memory manager's file deleted.
"""

_RUNNING = """## A running node

Rows are the kubelets that admitted the pods; they hand the node to releases up to two minors away, and to the same with the gate
changed. The same: every pod is admitted again with its blocks and CPUs, and what the runtime was told still holds. From before
1.31 to later releases and back a kubelet makes all app containers anew (kubernetes#124220, #129385), pinned as they were.
"""


def page(measured: Measured, *, command: str, subject: str) -> str:
    """The whole page."""
    writers = list(dict.fromkeys(writer for writer, _ in measured.memory))
    parts = [
        _HEAD.format(command=command, subject=subject),
        _MEMORY,
        _table(writers, measured.readers, measured.memory.get),
        _CPU,
        _table(writers, measured.readers, measured.cpu.get),
        _RUNNING,
        *_moves(measured),
    ]
    return "\n".join(parts)


def _moves(measured: Measured) -> Iterable[str]:
    """A row a kubelet; its columns would be other ones in every row, so they are listed in it."""
    lines = ["| pods admitted by | handed to: what stayed the same |", "|---|---|"]
    for before in measured.readers:
        cells = [
            f"{_short(after)}: {_words(measured.running[before, after])}"
            for after in neighbours(before, measured.readers)
        ]
        lines.append(f"| {_short(before)} | {'; '.join(cells)} |")
    return ["\n".join(lines) + "\n"]


def _table(
    rows: Sequence[Writer], columns: Sequence[Writer], cell: Callable[[tuple[Writer, Writer]], Cell | None]
) -> str:
    lines = ["| written by | " + " | ".join(map(_short, columns)) + " |", "|---" * (len(columns) + 1) + "|"]
    for row in rows:
        cells = [_words(found) if (found := cell((row, column))) is not None else "" for column in columns]
        lines.append(f"| {_short(row)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _short(writer: Writer) -> str:
    return writer.release + MARK * writer.managed


def _words(cell: Mapping[str, str]) -> str:
    """`all 7`, `6 of 7; pod-level: other books`, `none of 7: corrupted`."""
    others = {name: word for name, word in cell.items() if word != SAME}
    if not others:
        return f"all {len(cell)}"
    by_word: dict[str, list[str]] = {}
    for name, word in others.items():
        by_word.setdefault(word, []).append(name)
    if len(others) == len(cell) and len(by_word) == 1:
        return f"none of {len(cell)}: {next(iter(by_word))}"
    told = "; ".join(f"{', '.join(names)}: {word}" for word, names in by_word.items())
    return f"{len(cell) - len(others)} of {len(cell)}; {told}"
