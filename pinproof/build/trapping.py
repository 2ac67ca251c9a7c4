"""Whether a kubelet's system calls can be trapped here, which scenarios with crashes or failing disks need.

Asked by trying, as for namespaces: kernels before 5.5 cannot, and over a process there can be one such listener alone.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from typing import Final

SECONDS: Final = 20

_NUMBERS: Final = {"x86_64": 317, "aarch64": 277}
"""Of the system call seccomp; the node agent can trap on these architectures alone."""

_PROBE: Final = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
NO_NEW_PRIVS, SET_FILTER, NEW_LISTENER, RETURN, ALLOW = 38, 1, 8, 6, 0x7FFF0000
allow = ctypes.create_string_buffer(struct.pack("HBBI", RETURN, 0, 0, ALLOW))
program = struct.pack("HxxxxxxP", 1, ctypes.addressof(allow))
if libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.syscall(int(sys.argv[1]), SET_FILTER, NEW_LISTENER, program) < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
"""


def hindrance() -> str:
    """Why system calls cannot be trapped here; empty if they can."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _NUMBERS:
        return f"not on {sys.platform} {machine}"
    command = [sys.executable, "-c", _PROBE, str(_NUMBERS[machine])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.stderr.strip() if done.returncode else ""
