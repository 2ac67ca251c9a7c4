"""Debian packages: fetched as the lock file names them, and unpacked into a tree of files.

Packages are only unpacked. No maintainer script is run, nothing is installed on this machine and no privileges are needed;
the little that the scripts would have done for a node is in `node_files`.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from pinproof.build.cache import disk_full
from pinproof.build.layers import Directory, File, Symlink, Tree
from pinproof.build.lock import MIRROR, Package
from pinproof.build.progress import Progress
from pinproof.errors import SubjectError

STEP = "fetch Debian packages"
HELPER = Path("/usr/lib/apt/apt-helper")
"""apt's own downloader: it knows this machine's proxies and checks sums."""

MIRRORS = (MIRROR, "http://archive.debian.org/debian")
"""Asked one after the other; a release moves to the second when it is old."""

MERGED = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib32": "usr/lib32", "lib64": "usr/lib64"}
"""Directories that are links, and where what packages put there goes."""

UNWANTED = re.compile(
    r"^usr/share/(doc|man|info|locale|lintian|bug|doc-base|bash-completion|zsh|fish|common-licenses)/"
)

_AR_MAGIC = b"!<arch>\n"
_AR_HEADER = 60


def fetch(packages: Sequence[Package], target: Path) -> list[Path]:
    """Fetch the packages into the directory `target`; returns their files, in the order given.

    `PINPROOF_DEBIAN_MIRROR` names another mirror, such as a vendor's own.

    Raises:
        SubjectError: There is no apt here, or a package cannot be had as the lock file has it.
    """
    if not HELPER.is_file():
        raise SubjectError(
            STEP,
            "there is no apt on this machine, which fetches them",
            fault="this machine",
            remedy="build the node image on Debian or Ubuntu, or use a stock one: --subject kind:kindest/node:vVERSION",
        )
    files = [target / package.path.rsplit("/", 1)[-1] for package in packages]
    own = os.environ.get("PINPROOF_DEBIAN_MIRROR", "")
    said = ""
    with Progress(f"{STEP} ({len(packages)})"):
        for mirror in (own,) if own else MIRRORS:
            wanted = [pair for pair in zip(packages, files, strict=True) if not is_whole(*pair)]
            if wanted:
                said += _download(mirror.rstrip("/"), wanted)
    missing = [package for package, file in zip(packages, files, strict=True) if not is_whole(package, file)]
    if missing:
        raise _unavailable(missing, said)
    return files


def _download(mirror: str, wanted: Sequence[tuple[Package, Path]]) -> str:
    """Let apt fetch what it can; returns its complaints. The caller looks what has come."""
    arguments = [
        part
        for package, file in wanted
        for part in (f"{mirror}/{package.path.replace('+', '%2b')}", str(file), f"SHA256:{package.sha256}")
    ]
    options = ("-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3")
    command = [str(HELPER), *options, "download-file", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def _unavailable(missing: Sequence[Package], said: str) -> SubjectError:
    if re.search(r"no space left on device", said, re.IGNORECASE):
        return disk_full(STEP, said.strip().splitlines()[-1])
    lines = [line for line in said.splitlines() if line.startswith(("E:", "W:"))][:3]
    names = ", ".join(f"{package.name} {package.version}" for package in missing[:3])
    return SubjectError(
        STEP,
        "\n".join([f"{len(missing)} cannot be had as the lock file has them, among them {names}", *lines]),
        fault="the network, or a mirror without these versions",
        remedy="check apt's proxy settings, or name a mirror that has them: export PINPROOF_DEBIAN_MIRROR=URL",
    )


def is_whole(package: Package, file: Path) -> bool:
    """Whether the file is what the lock file means."""
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == package.sha256


def unpack(packages: Sequence[Path], tree: Tree) -> None:
    """Add the files of packages to a tree; without manuals and the like."""
    for package in packages:
        with tarfile.open(fileobj=io.BytesIO(_data(package.read_bytes()))) as archive:
            for path, entry in _entries(archive):
                tree.add(path, entry)


def _data(package: bytes) -> bytes:
    """The archive with a package's files: the member `data.tar` of an ar archive."""
    for name, content in _members(package):
        if name == "data.tar.xz":
            return lzma.decompress(content)
        if name.startswith("data.tar"):
            return content  # tarfile knows gzip
    raise ValueError("not a Debian package")


def _members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    if not archive.startswith(_AR_MAGIC):
        return
    offset = len(_AR_MAGIC)
    while offset + _AR_HEADER <= len(archive):
        header = archive[offset : offset + _AR_HEADER]
        size = int(header[48:58])
        offset += _AR_HEADER
        yield header[:16].decode().strip().rstrip("/"), archive[offset : offset + size]
        offset += size + size % 2


def _entries(archive: tarfile.TarFile) -> Iterator[tuple[str, File | Directory | Symlink]]:
    for member in archive:
        path = merged(member.name)
        if path == "." or UNWANTED.match(f"{path}/"):
            continue
        if member.isdir():
            yield path, Directory(member.mode)
        elif member.issym():
            yield path, Symlink(member.linkname)
        elif member.isfile() or member.islnk():
            content = archive.extractfile(member)  # of a hard link, the file it names
            yield path, File(content.read() if content else b"", member.mode)


def merged(path: str) -> str:
    """Where a package's file goes on a system whose /bin is /usr/bin."""
    parts = PurePosixPath(path).parts
    return str(PurePosixPath(MERGED.get(parts[0], parts[0]), *parts[1:])) if parts else "."
