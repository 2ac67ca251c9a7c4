"""`pinproof checkpoints`: state files of every release, recorded from real kubelets, and who starts on them."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pinproof.skew.recording import Recording
    from pinproof.subjects.kubelet.subject import KubeletSubject

EXIT_DIFFERS = 1

_DESCRIPTION = f"""{__doc__}

record: write fixtures/checkpoints from the kubelets of the releases. check: record again, write nothing; exit 1 where a byte
differs. table: start every release on every file, hand every running node to its neighbours, and write docs/version-skew.md
(component) or docs/version-skew-kubelets.md (kubelet, half an hour).
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "checkpoints", help="record state files of every release, and see who starts on them", description=_DESCRIPTION
    )
    parser.add_argument("what", choices=("record", "check", "table"), help="what to do")
    parser.add_argument("--releases", metavar="R,R,…", help="default: all that can be built")
    parser.add_argument(
        "--out", metavar="PATH", help="where to write instead of fixtures/checkpoints, or the page of the table"
    )
    parser.add_argument(
        "--subject", choices=("component", "kubelet"), default="component", help="table: what to measure (component)"
    )
    parser.add_argument("--slow", metavar="N", type=float, help="stretch every wait")
    parser.set_defaults(run=checkpoints)


def checkpoints(options: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    from pinproof.skew import golden, recording

    if options.what == "table":
        return _table(options)
    place = _writable(options.out) if options.out else golden.folder()
    recordings = recording.record(_releases(options.releases), _opener(options.slow), _tell)
    if options.what == "record":
        for each in recordings:
            recording.save([each], place)
        return 0
    found = list(recordings)
    different = _different(found)
    for name in different:
        _say(f"{name} differs")
    _say(f"{sum(2 * len(each.files) for each in found)} files recorded again, {len(different)} differ")
    return EXIT_DIFFERS if different else 0


def _table(options: argparse.Namespace) -> int:
    from pinproof.build.components import COMPONENT_RELEASES
    from pinproof.running.releases import minor_number
    from pinproof.skew import measuring, table
    from pinproof.subjects.registry import open_subject

    kind, file = options.subject, _writable(options.out or table.PAGES[options.subject])
    if options.releases is None and kind == "component":
        releases: Sequence[str] = sorted(COMPONENT_RELEASES, key=minor_number)
    else:
        releases = _releases(options.releases)
    measured = measuring.measure(releases, lambda release: open_subject(f"{kind}:{release}", slow=options.slow), _tell)
    command = f"pinproof checkpoints table --subject {kind}"
    text = table.page(measured, command=command, subject=table.SUBJECTS[kind].format(", ".join(releases)))
    file.write_text(text, encoding="utf-8")
    return 0


def _writable(out: str) -> Path:
    """Where to write; asked before minutes of work, so that they are not lost. InputError where that cannot be."""
    from pathlib import Path

    from pinproof.errors import InputError, Problem

    path = Path(out)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError("--out", Problem("", f"{out} cannot be written"))
    return path


def _releases(text: str | None) -> Sequence[str]:
    from pinproof.build import KNOWN_RELEASES
    from pinproof.errors import InputError, Problem
    from pinproof.running.releases import minor_number

    if text is None:
        return sorted(KNOWN_RELEASES, key=minor_number)
    try:
        return sorted(filter(None, text.split(",")), key=minor_number)
    except ValueError as error:
        raise InputError("--releases", Problem("", str(error))) from None


def _opener(slow: float | None) -> Any:
    def opened(release: str) -> KubeletSubject:
        from pinproof.errors import SubjectError
        from pinproof.subjects.kubelet.subject import KubeletSubject
        from pinproof.subjects.registry import open_subject

        subject = open_subject(f"kubelet:{release}", slow=slow, cold=True)
        if not isinstance(subject, KubeletSubject):
            raise SubjectError("record", f"{release} is no kubelet", fault="pinproof", remedy="report it")
        return subject

    return opened


def _different(found: Sequence[Recording]) -> list[str]:
    from pinproof.skew.golden import CPU, MEMORY, golden

    names: list[str] = []
    for recording in found:
        for file in recording.files:
            known = golden(recording.writer, file.scenario)
            pairs = ((MEMORY, known.memory, file.memory), (CPU, known.cpu, file.cpu))
            names += [f"{recording.writer.name}/{file.scenario}/{name}" for name, was, is_ in pairs if was != is_]
    return names


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def _say(text: str) -> None:
    print(text)
