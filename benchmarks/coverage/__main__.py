"""Measure what of upstream is reached, write `docs/coverage.md`, and say what nobody has explained."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from benchmarks.coverage.document import document, place
from benchmarks.coverage.explained import EXPLANATIONS, sort_out
from benchmarks.coverage.measure import ROOT, measure
from benchmarks.coverage.profile import gaps, statements
from pinproof.build import releases, toolchain
from pinproof.build.sources import KUBERNETES
from pinproof.errors import PinproofError

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"


def kept(folder: str | None) -> AbstractContextManager[str]:
    """A folder that stays, or one that does not."""
    return nullcontext(folder) if folder else tempfile.TemporaryDirectory(prefix="pinproof-coverage-")


def main() -> int:
    """Returns 0, 1 for a gap without explanation or an explanation without gap, or a subject's exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--kubernetes", metavar="VERSION", default="1.36.3", help="a release (default 1.36.3)")
    parser.add_argument("--scenarios", metavar="N", type=int, default=3000, help="to draw (default 3,000)")
    parser.add_argument("--seed", metavar="N", type=int, default=1)
    parser.add_argument("--page", metavar="FILE", type=Path, default=PAGE, help="where the page goes")
    parser.add_argument(
        "--counts", metavar="DIR", help="keep the counts here; those of an earlier run are taken as they are"
    )
    given = parser.parse_args()
    try:
        with kept(given.counts) as folder:
            measured = measure(given.kubernetes, scenarios=given.scenarios, seed=given.seed, folder=Path(folder))
            tree = releases.download(toolchain.find(), KUBERNETES, f"v{given.kubernetes}", Path(folder))["Dir"]
        cm = Path(tree) / ROOT.removeprefix(f"{KUBERNETES}/")
        sources = {block.file: (cm / block.file).read_text(encoding="utf-8") for block in measured.every}
    except PinproofError as error:
        print(f"pinproof: {error}", file=sys.stderr)
        return error.exit_code
    found = gaps(measured.every, measured.together, sources)
    explained, bare, stale = sort_out(found, EXPLANATIONS)
    given.page.write_text(document(measured, explained, bare), encoding="utf-8")
    reached, every = statements(measured.together), statements(measured.every)
    print(f"{reached} of {every} statements reached, {len(explained)} gaps explained; see {given.page}")
    for gap in bare:
        print(f"not explained: {place(gap)}: {gap.text.splitlines()[0].strip()}")
    for explanation in stale:
        print(f"explains nothing: {explanation.file} {explanation.function} {explanation.words}".rstrip())
    return 1 if bare or stale else 0


if __name__ == "__main__":
    sys.exit(main())
