"""The lock file of the home-built node image: every Debian package and Go module, with its checksum.

It lies beside this module as `node_image.lock.json`. `python -m pinproof.build.lock` writes it anew from what the Debian
mirror and the module proxy have today, for the packages and modules that are named here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pinproof.build import modules
from pinproof.build.modules import Module
from pinproof.build.sources import KUBERNETES
from pinproof.errors import SubjectError

FILE = Path(__file__).with_name("node_image.lock.json")
STEP = "lock the node image"
SUITE = "bookworm"
"""Its systemd is the newest that still boots on cgroup v1 unasked."""

MIRROR = "http://deb.debian.org/debian"

PACKAGES = (
    *("base-files", "base-passwd", "libc-bin", "netbase", "ca-certificates", "hostname", "debianutils"),
    *("bash", "dash", "coreutils", "util-linux", "mount", "findutils", "grep", "sed", "mawk", "tar", "gzip", "procps"),
    *("systemd", "systemd-sysv", "dbus", "kmod", "e2fsprogs", "dpkg"),  # dpkg: update-alternatives
    *("iproute2", "iptables", "nftables", "conntrack", "ethtool", "socat", "containernetworking-plugins"),
    *("runc", "libseccomp2", "curl", "jq", "busybox-static"),
)
"""What a node needs; what these depend on comes with them."""

LEFT_OUT = (
    *("perl-base", "perl", "perl-modules-5.36", "libperl5.36", "debconf", "adduser", "passwd", "login", "openssl"),
    *("usrmerge", "usr-is-merged", "init-system-helpers", "libpam-modules", "libpam-modules-bin", "libpam-runtime"),
    *("libcap2-bin", "dmsetup", "util-linux-extra", "logsave", "krb5-locales", "publicsuffix"),
    *("libsasl2-modules", "dbus-session-bus-common", "libaudit-common"),
)
"""What only maintainer scripts, logins and mail need. No maintainer script is run."""

MODULES = (
    ("sigs.k8s.io/kind", "v0.33.0"),
    ("github.com/containerd/containerd/v2", "v2.3.4"),
    ("go.etcd.io/etcd/server/v3", "v3.6.8"),
    ("github.com/coredns/coredns", "v1.14.2"),
)

RELEASES = ("1.32.2", "1.33.13", "1.34.4", "1.35.4", "1.36.3", "1.37.1")
"""The releases of Kubernetes whose modules are locked."""


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package."""

    name: str
    version: str
    path: str
    """Beneath the mirror's root: `pool/main/b/bash/bash_5.2.15-2+b13_amd64.deb`."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Lock:
    """All that goes into a node image from outside."""

    packages: tuple[Package, ...]
    modules: tuple[Module, ...]

    def module(self, path: str) -> Module:
        """The module of this path; there must be one."""
        return next(module for module in self.modules if module.path == path)

    def kubernetes(self, version: str) -> Module:
        """The module of a release (`1.36.3`); without a checksum if the lock file does not have it."""
        wanted = f"v{version}"
        locked = (m for m in self.modules if m.path == KUBERNETES and m.version == wanted)
        return next(locked, Module(KUBERNETES, wanted))


def read() -> Lock:
    """The lock file."""
    document = json.loads(FILE.read_text())
    packages = tuple(Package(**package) for package in document["packages"])
    return Lock(packages, tuple(Module(**module) for module in document["modules"]))


def as_text(lock: Lock) -> str:
    """The lock file's text: a line for each package and module, so that a change of one is a change of a line."""
    packages = [asdict(package) for package in lock.packages]
    locked = [asdict(module) for module in lock.modules]
    lists = [f'  "{name}": [\n{_lines(items)}\n  ]' for name, items in (("packages", packages), ("modules", locked))]
    return "{\n" + ",\n".join([f'  "suite": "{SUITE}"', *lists]) + "\n}\n"


def _lines(items: Iterable[dict[str, str]]) -> str:
    return ",\n".join(f"    {json.dumps(item)}" for item in items)


def make() -> Lock:
    """Ask the mirror and the proxy what there is today.

    Raises:
        SubjectError: One of them does not answer.
    """
    with tempfile.TemporaryDirectory() as work:
        packages = sorted(_resolve(Path(work)), key=lambda package: package.name)
        wanted = [*MODULES, *((KUBERNETES, f"v{release}") for release in RELEASES)]
        found = [modules.download(Module(path, version), Path(work)) for path, version in wanted]
    checked = [Module(path, version, said["Sum"]) for (path, version), said in zip(wanted, found, strict=True)]
    return Lock(tuple(packages), tuple(checked))


def _resolve(work: Path) -> Iterator[Package]:
    """The packages and what they depend on, as apt works it out for a machine that has nothing but LEFT_OUT."""
    for folder in ("lists/partial", "cache/archives/partial", "etc"):
        (work / folder).mkdir(parents=True)
    (work / "sources.list").write_text(f"deb [trusted=yes] {MIRROR} {SUITE} main\n")
    (work / "status").write_text("".join(_installed(name) for name in LEFT_OUT))
    options = {
        "Dir::State": work,
        "Dir::State::status": work / "status",
        "Dir::State::lists": work / "lists",
        "Dir::Cache": work / "cache",
        "Dir::Etc": work / "etc",
        "Dir::Etc::sourcelist": work / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "APT::Architecture": "amd64",
        "APT::Architectures": "amd64",
        "APT::Sandbox::User": "root",
    }
    settings = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    _apt("apt-get", *settings, "update")
    planned = _apt("apt-get", *settings, "install", "--no-install-recommends", "--simulate", *PACKAGES)
    chosen = [line.split() for line in planned.splitlines() if line.startswith("Inst ")]
    names = [f"{words[1]}={words[2].strip('(')}" for words in chosen]
    for record in _apt("apt-cache", *settings, "show", *names).strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in record.splitlines() if ": " in line and line[0] != " ")
        yield Package(fields["Package"], fields["Version"], fields["Filename"], fields["SHA256"])


def _installed(name: str) -> str:
    return (
        f"Package: {name}\nStatus: install ok installed\nMaintainer: nobody <nobody@localhost>\nArchitecture: amd64\n"
        f"Multi-Arch: foreign\nVersion: 999:1\nDescription: left out\n\n"
    )


def _apt(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        remedy = "run this on Debian or Ubuntu, with a way to the mirror"
        raise SubjectError(STEP, f"{command[0]}: {done.stderr.strip()[-400:]}", fault="apt", remedy=remedy)
    return done.stdout


if __name__ == "__main__":
    FILE.write_text(as_text(make()))
    sys.stderr.write(f"{FILE} written\n")
