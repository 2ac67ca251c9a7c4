"""Wrong models of kubelets that are killed, of disks that fail and of runtimes that do; see `wrong_for_cases.py`."""

from __future__ import annotations

from tests.wrong_model import WrongModel


def wrong(name: str, module: str, find: str, replace: str) -> WrongModel:
    """One bug."""
    return WrongModel(name, module, find, replace, case="")


KILLS = (
    wrong(
        "a kill comes at the first point",
        "journal",
        "self._seen[event] == self._at.number",
        "self._seen[event] <= self._at.number",
    ),
    wrong(
        "books and blocks are one write",
        "journal",
        "        self.writes_memory(replace(before, books=after.books))\n        shares",
        "        shares",
    ),
    wrong(
        "blocks of init containers shrink with the books",
        "journal",
        "        for shrunk in shrinking(entries, uid, asks, container, shares):",
        "        for shrunk in ():",
    ),
    wrong(
        "blocks and books are given back in one write",
        "journal",
        "        self.writes_memory(replace(after, books=state.books, pods=state.pods))\n",
        "",
    ),
    wrong(
        "CPUs are given back in one write",
        "journal",
        "        self.writes_cpus(replace(books, entries=entries))\n        if uid not",
        "        if uid not",
    ),
    wrong(
        "a kill waits until the step is over",
        "journal",
        "        return event == awaited and self._seen[event] == self._at.number",
        "        return False",
    ),
)

FAULTS = (
    wrong("a file that cannot be read is none", "disks", '        if state == "unreadable":\n', "        if False:\n"),
    wrong(
        "a file that cannot be made does not matter",
        "disks",
        "        if state in ERRORS and not exists:\n",
        "        if False:\n",
    ),
    wrong(
        "a disk that fails is not read either",
        "disks",
        "        if state in ERRORS and not exists:\n",
        "        if state in ERRORS:\n",
    ),
    wrong("no write fails", "disks", "        return self.states.get(file) in ERRORS\n", "        return False\n"),
    wrong(
        "a runtime that forgets is not noticed",
        "node",
        "            if self.settings and resident.active:\n                self._start_containers(resident)\n",
        "            pass\n",
    ),
)

FOR_CRASHES: tuple[WrongModel, ...] = (*KILLS, *FAULTS)
