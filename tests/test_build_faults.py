"""What the go command says, and whose fault it is told to be."""

from __future__ import annotations

import pytest

from pinproof.build.faults import explain
from pinproof.build.golang import Finished

URL = "https://proxy.example.org/k8s.io/kubernetes/@v/v1.99.0.info"

SAID = [
    (
        f'Get "{URL}": dial tcp: lookup proxy.example.org: no such host',
        "cannot be reached",
        "network",
        "go env GOPROXY",
    ),
    (f'Get "{URL}": dial tcp 10.0.0.1:443: connect: connection refused', "cannot be reached", "network", "HTTPS_PROXY"),
    ("module lookup disabled by GOPROXY=off", "cannot be reached", "network", "go env GOPROXY"),
    (f"reading {URL}: 404 Not Found", "does not have this release", "version asked for", "1.36.3"),
    ("k8s.io/api@v0.34.3: invalid version: unknown revision v0.34.3", "not all of its modules", "version", "1.34.4"),
    ("write /tmp/x/_pkg_.a: no space left on device", "no space left on device", "disk", "make room"),
    (
        "go: k8s.io/x requires go >= 1.28.0 (running go 1.26.8)",
        "Go 1.28.0 or newer",
        "Go on PATH",
        "install a newer Go",
    ),
    ("flag provided but not defined: -nonsense", "does not take these flags", "flags given", "go help build"),
    (
        "# k8s.io/x\nx/policy.go:12:3: undefined: boom",
        "x/policy.go:12:3: undefined: boom",
        "the patch",
        "mend the lines",
    ),
    ("go: something new", "go: something new", "own words", "pinproof doctor"),
]


@pytest.mark.parametrize(("said", "message", "fault", "remedy"), SAID)
def test_fault_is_recognised(said: str, message: str, fault: str, remedy: str) -> None:
    """Message, fault and remedy fit what go said."""
    error = explain("build kubelet", Finished(1, "", f"go: downloading x v1\n{said}\n"), author="the patch")

    assert message in error.message
    assert fault in error.fault
    assert remedy in error.remedy
    assert error.exit_code == 12
    assert "downloading" not in str(error)
