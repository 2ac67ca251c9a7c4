"""A file that claims to be a driver: which release it was built from."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

from pinproof.errors import SubjectError
from pinproof.subjects.kubelet.timeouts import Timeouts

_VERSION: Final = re.compile(r"(?:Kubernetes )?v(?P<version>1\.\d+\.\d+\S*)\s*")


def release_of(path: Path, *, slow: float | None = None) -> str:
    """Ask a driver for its release, such as `1.36.3`. Raises SubjectError for a file that is none."""
    limit = Timeouts.from_environment(slow).seconds("version")
    try:
        done = subprocess.run(
            [str(path.resolve()), "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _wrong(path, f"did not answer --version in {limit:g} s") from None
    except OSError as error:
        raise _wrong(path, f"cannot be run: {error.strerror}") from None
    said = done.stdout.decode(errors="replace")
    found = _VERSION.fullmatch(said)
    if found is None:
        raise _wrong(path, f"names no release when asked for --version; it said {said.strip()[:100]!r}")
    return found["version"]


def _wrong(path: Path, message: str) -> SubjectError:
    return SubjectError(
        "look at the component driver",
        f"{path} {message}",
        fault="the file given as the driver",
        remedy="give a release (`component:1.36.3`), a source tree, or a driver made by `pinproof build component`",
    )
