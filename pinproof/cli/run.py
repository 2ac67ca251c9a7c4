"""`pinproof run`: the suites on a subject. What it takes is pytest's, pinproof's own options being pytest options too."""

from __future__ import annotations

import argparse
import os
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

EXIT_INTERRUPTED = 130

_QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""The command line is part of the package that the plug-in lies in, so pytest finds it imported already."""

_DESCRIPTION = """\
Run the conformance suites on a subject and print the verdict and where the report lies.

  --subject S        kubelet:VERSION|TREE|BINARY, component:VERSION|TREE|BINARY, reference[:MINOR]
                     (default kubelet:1.36.3)
  -n N               that many side by side (a whole run: two kubelets a core, or one component; a part: 0, this process)
  --out DIR          where the report goes (default out)
  --ledger PATH      known failures (default: the shipped ledger)
  --from-report F    select cases from an earlier report.json, with --only failed|unfinished
  --nightly          the exhaustive cases as well, which take minutes each
  --keep             keep the artefacts of passed cases too, and the cluster of a kind subject
  --slow N           stretch every wait
  --seed N           seed of everything that is drawn
  PATH               suites to run instead of all

Every option of pytest works as well, such as -k, -x, -v, --junitxml, --collect-only.
`pytest suites --subject S` is the same run.
"""


def add_parser(commands: Any) -> None:
    """Declare the command; its arguments go to pytest as they are."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "run",
        help="run the suites on a subject: verdict and report",
        usage="pinproof run [--subject S] [PATH ...] [-n N] [--out DIR] [any pytest option]",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=lambda _: run_suites([]))


def run_suites(arguments: list[str]) -> int:
    """Run pytest on the suites; returns the exit code of the verdict."""
    import pytest

    from pinproof.running.watch import Watch

    watch = Watch()
    everything = [*wiring(), *_QUIET, *_root(arguments), *_side_by_side(arguments), *arguments]
    code = int(pytest.main(everything, plugins=[watch]))
    return EXIT_INTERRUPTED if watch.interrupted else code


def wiring() -> list[str]:
    """The plug-in, where it is not installed as one."""
    installed = any(point.name == "pinproof" for point in entry_points(group="pytest11"))
    return [] if installed else ["-p", "pinproof.plugin"]


_OWN = {"--subject", "--out", "--ledger", "--slow", "--seed", "--junitxml"}
"""Options with a value that leave the run a whole one."""

_MOST_WORKERS = 8
_A_CORE = {"kubelet": 2}
"""Workers of a core by kind of subject: a kubelet waits for most of the time it takes to start and to notice the end of a
container; what computes has a core for itself."""


def _side_by_side(arguments: list[str]) -> list[str]:
    """A whole run uses every core; a part of the suites, or a look inside, is quicker in this process."""
    rest = iter(arguments)
    kind = "kubelet"
    for argument in rest:
        name, _, value = argument.partition("=")
        if argument in _OWN:
            value = next(rest, "")
        elif name not in {*_OWN, "--keep", "-q", "-v", "-vv"}:
            return []
        kind = value.partition(":")[0] if name == "--subject" else kind
    workers = _A_CORE.get(kind, 1) * (os.cpu_count() or 1)
    return ["-n", str(min(workers, _MOST_WORKERS))]


def _root(arguments: list[str]) -> list[str]:
    """Which configuration of pytest counts: that of the checkout, or none at all.

    Without this pytest would look for one beside every path among the arguments, `--out` included, and take another
    project's.
    """
    from pinproof.running.places import checkout, shipped

    if any(argument.split("=")[0] in {"-c", "--config-file", "--rootdir"} for argument in arguments):
        return []
    root = checkout()
    if root is not None:
        return ["-c", str(root / "pyproject.toml"), "--rootdir", str(root)]
    # The wheel may lie inside another project's folder, whose conftest.py is none of ours.
    cut = ["--confcutdir", str(shipped("suites"))]
    return ["-c", os.devnull, "--rootdir", str(Path.cwd()), "-p", "no:cacheprovider", *cut]
