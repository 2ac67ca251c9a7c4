"""The README's two commands: make a virtual environment in .venv, install pinproof into it, and run or test it.

    python3 bootstrap.py run [options of pinproof run]      the conformance suites against a real kubelet
    python3 bootstrap.py test [options of tox run]          the project's own tests

Needs nothing but Python 3.11. It is written so that an older Python still reads it, and is told so.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
UNUSABLE = 12
USAGE = 2
HEARTBEAT_SECONDS = 20

NO_SPACE = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
NO_COMPILER = re.compile(r"command '\S*(gcc|cc|clang|c\+\+)\S*' failed|Python\.h: No such file|compiler")
NO_INDEX = re.compile(
    r"connection|name resolution|name or service not known|timed out|no matching distribution|SSLError|ProxyError",
    re.IGNORECASE,
)


class Trouble(Exception):
    """A missing prerequisite: the step, what is missing, and what to do about it."""

    def __init__(self, step: str, message: str, *, fault: str, remedy: str) -> None:
        """Put it in the one form that all of pinproof uses."""
        super().__init__(f"{step}: {message}\n  likely at fault: {fault}\n  next: {remedy}")


def main(arguments: "list[str]") -> int:
    """Carry out one of the two commands; returns only if that fails."""
    command = arguments[0] if arguments else ""
    if command not in ("run", "test"):
        sys.stderr.write("usage: python3 bootstrap.py (run | test) [options]\n" + (__doc__ or ""))
        return 0 if command in ("-h", "--help") else USAGE
    try:
        require_python()
        prepare(["-e", str(ROOT)] if command == "run" else ["-e", str(ROOT), "tox>=4.20"], command)
    except Trouble as trouble:
        sys.stderr.write(f"bootstrap: {trouble}\n")
        return UNUSABLE
    if command == "run":
        return become(str(VENV / "bin" / "pinproof"), "run", *arguments[1:])
    return become(str(PYTHON), "-m", "tox", "run", *arguments[1:])


def become(*program: str) -> NoReturn:
    """Let this process be the command from here on: one exit code, one receiver of signals."""
    os.chdir(ROOT)
    os.execv(program[0], program)  # noqa: S606  # no shell is wanted


def require_python() -> None:
    """Refuse a Python that is too old, before it stumbles over something."""
    if sys.version_info < OLDEST:  # this very message is for older ones
        raise Trouble(
            "look at Python",
            f"this is Python {sys.version_info[0]}.{sys.version_info[1]}, pinproof needs {OLDEST[0]}.{OLDEST[1]} or newer",
            fault="this machine",
            remedy="install a newer one and name it: python3.11 bootstrap.py run",
        )
    if os.name != "posix":
        raise Trouble("look at Python", "this is not Linux", fault="this machine", remedy="run pinproof on Linux")


def prepare(requirements: "list[str]", command: str) -> None:
    """Make the environment, unless it was made from the same pyproject.toml by the same Python before."""
    import fcntl

    stamp = VENV / f"pinproof-{command}.stamp"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two at once, one prepares and the other finds it prepared
        if stamp.is_file() and stamp.read_text() == wanted and PYTHON.exists():
            return
        if not usable():
            make_environment()
        install(requirements)
        stamp.write_text(wanted)


def usable() -> bool:
    """Whether .venv holds an environment that can be installed into."""
    if not PYTHON.exists():
        return False
    question = "import sys, pip; sys.exit(sys.version_info[:2] < (3, 11))"
    return subprocess.run([str(PYTHON), "-c", question], capture_output=True, check=False).returncode == 0


def make_environment() -> None:
    """Make .venv anew."""
    tell(f"making a virtual environment in {VENV.name}")
    code, said = run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if code == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    step = "make a virtual environment"
    require_room(step, said)
    if "ensurepip" in said or "No module named venv" in said:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise Trouble(
            step,
            "this Python comes without venv or ensurepip",
            fault="a distribution that packages them apart",
            remedy=f"sudo apt-get install {package} (Debian, Ubuntu), or use a Python from python.org or uv",
        )
    raise Trouble(step, indented(said), fault="see the words above", remedy=f"make sure that {ROOT} can be written")


def install(requirements: "list[str]") -> None:
    """Install into .venv."""
    tell("installing pinproof and what it needs (about a minute the first time)")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    code, said = run([*pip, *requirements])
    if code == 0:
        return
    step = "install pinproof"
    require_room(step, said)
    if NO_COMPILER.search(said):
        raise Trouble(
            step,
            f"a dependency must be compiled and cannot be\n{indented(said)}",
            fault="no C compiler, or a Python so new that the dependency has no wheel for it yet",
            remedy="sudo apt-get install gcc python3-dev, or use another Python from 3.11 on",
        )
    if NO_INDEX.search(said):
        raise Trouble(
            step,
            f"the Python package index cannot be reached, or lacks a package\n{indented(said)}",
            fault="the network, or pip's settings",
            remedy="check `pip config list`, HTTPS_PROXY and PIP_INDEX_URL",
        )
    raise Trouble(
        step, indented(said), fault="see pip's words above", remedy="mend that, or remove .venv and try again"
    )


def require_room(step: str, said: str) -> None:
    """Tell a full disk from other trouble."""
    if NO_SPACE.search(said):
        raise Trouble(
            step,
            "no space left on device",
            fault="this machine's disk",
            remedy=f"make room where {ROOT} lies (about 0.5 GiB), and 3 GiB for a first kubelet in the cache",
        )


def run(command: "list[str]") -> "tuple[int, str]":
    """Run a command to its end, with a sign of life now and then; returns its exit code and all that it said."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with process:
        began = time.monotonic()
        while True:
            try:
                said, _ = process.communicate(timeout=HEARTBEAT_SECONDS)
            except subprocess.TimeoutExpired:
                tell(f"still at it after {time.monotonic() - began:.0f} s")
            else:
                return process.returncode, said.decode(errors="replace")


def indented(said: str) -> str:
    """The last lines of what a command said."""
    lines = [line for line in said.strip().splitlines() if line.strip() and not line.startswith("[notice]")]
    return "\n".join(f"    {line}" for line in lines[-6:])


def tell(text: str) -> None:
    """Say what is being done."""
    sys.stderr.write(f"bootstrap: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
