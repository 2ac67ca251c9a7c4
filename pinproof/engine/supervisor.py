"""The process that keeps an engine of pinproof's own: starts it, waits until nobody uses it, ends it, removes its traces.

Run by `own.py` as `python -m pinproof.engine.supervisor`, detached from whoever asked. The engine is tied to it: if it is
killed, so is the engine.
"""

from __future__ import annotations

import fcntl
import math
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from pinproof.build import runtimes
from pinproof.build.golang import TIED
from pinproof.build.runtimes import Command
from pinproof.engine import own
from pinproof.engine.own import Place
from pinproof.waiting import looks

PLAIN = "pinproof-oci-plain"
"""The recording OCI runtime by the name under which it sees to privileges alone."""

HIDDEN = (Path("/etc/docker"), Path("/run/containerd"))
"""Where dockerd writes a key and containerd's shims make sockets, whatever they are told: in the engine, memory of its own."""

MADE = (*HIDDEN, Path("/run/docker"), Path("/opt/containerd"))
"""Directories that they make as well."""


def main() -> None:
    """Keep the engine of this cache directory."""
    where = own.place()
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # as at the end of a machine: not without clearing up
    with where.supervisor.open("a") as life, where.users.open("a") as users:
        if not own.lock(life, fcntl.LOCK_EX):
            return
        try:
            engine = subprocess.Popen([*TIED, *command(where)], cwd="/")
            try:
                _wait(where, engine, users)
            finally:
                engine.kill()  # with the first process of its namespace all others go
                engine.wait()
        finally:
            own.remove_traces(where)


def _wait(where: Place, engine: subprocess.Popen[bytes], users: IO[str]) -> None:
    """Wait until nobody holds the users' lock, nor wants it to go on; an engine that ends by itself is told of."""
    for _ in looks(math.inf):
        if not where.kept.exists() and own.lock(users, fcntl.LOCK_EX):
            return
        if engine.poll() is not None and not (where.run / "ended").exists():
            (where.run / "ended").write_text(str(engine.returncode))


def command(where: Place) -> list[str]:
    """The command that runs dockerd in namespaces of its own."""
    where.missing.write_text("".join(f"{path}\n" for path in MADE if not path.exists()))
    for path in HIDDEN:
        path.mkdir(exist_ok=True)
    wrapper = where.run / PLAIN
    wrapper.symlink_to(runtimes.command(Command.OCI_RUNTIME))
    (where.run / "daemon.json").write_text("{}\n")
    options = {
        "config-file": where.run / "daemon.json",
        "data-root": where.data,
        "exec-root": where.run / "exec",
        "pidfile": where.run / "docker.pid",
        "host": where.socket,
        "bridge": "none",
        "iptables": "false",
        "ip6tables": "false",
        "ip-forward": "false",
        "ip-masq": "false",
        "cgroup-parent": f"/{where.name}",
        "exec-opt": "native.cgroupdriver=cgroupfs",
        "add-runtime": f"pinproof={wrapper}",
        "default-runtime": "pinproof",
    }
    daemon = shlex.join(["dockerd", *(f"--{name}={value}" for name, value in options.items())])
    # The shell stays: somebody must reap what loses its parent, and dockerd does not.
    script = "".join(f"mount -t tmpfs tmpfs {path} && " for path in HIDDEN) + f"{{ {daemon} & wait $!; }}"
    namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
    return ["/usr/bin/env", "unshare", *namespaces, "sh", "-c", script]


if __name__ == "__main__":
    main()
