"""Runs pinproof as a user does, and times it."""

from __future__ import annotations

import subprocess
import sys
import time

from pinproof.errors import SubjectError


def timed(*arguments: str, allowed: tuple[int, ...] = (0,)) -> float:
    """Seconds that `pinproof ARGUMENTS` takes; SubjectError if it ends with another code than those allowed."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "pinproof", *arguments], capture_output=True, text=True, check=False)
    spent = time.perf_counter() - start
    if done.returncode not in allowed:
        said = (done.stderr or done.stdout).strip()[-500:]
        what = f"pinproof {' '.join(arguments)}"
        raise SubjectError("measure", f"{what} ended with {done.returncode}: {said}", fault="pinproof", remedy="run it")
    return spent
