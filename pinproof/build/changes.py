"""What is to be built differently: patches against kubernetes/kubernetes, find-and-replace edits, flags of go.

Releases are patched in a copy of their modules laid out as the repository is, so that a pull request's `.patch` applies
as it stands. Parts of a patch that never reach a kubelet (tests, documentation, generated API descriptions) are left
out, because they are what most often fails to apply to another release.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinproof.build.cache import digest
from pinproof.errors import InputError, Problem, SubjectError

NOT_IN_A_KUBELET = ("api", "CHANGELOG", "cluster", "docs", "LICENSES", "logo", "test")
"""Top folders of the repository that no kubelet is built from."""

_SECTION = re.compile(r"^(?=diff --git )", re.MULTILINE)
_SECTION_PATH = re.compile(r"diff --git \"?a/.* \"?b/(.*?)\"?$", re.MULTILINE)
_STAGING_PATH = re.compile(r"staging/src/(k8s\.io/[^/]+)/")
_DERIVED = re.compile(r"vendor/|go\.sum$|go\.work|staging/src/k8s\.io/[^/]+/go\.(mod|sum)$")
"""Files whose content follows from go.mod; published modules carry others than the repository."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A seeded bug, say: in one file one text, which occurs exactly once, becomes another."""

    path: str
    """From the root of the repository: `pkg/kubelet/cm/memorymanager/policy_static.go`."""

    find: str
    replace: str


@dataclass(frozen=True, slots=True)
class Patch:
    """A git-style diff, read."""

    name: str
    sections: tuple[tuple[str, str], ...]
    """For each file of the diff: its path after the change, and its part of the text."""

    def only(self, *, release: bool) -> Patch:
        """Without what never reaches a kubelet; for a release also without what follows from go.mod."""
        kept = [
            (path, text) for path, text in self.sections if _matters(path) and not (release and _DERIVED.match(path))
        ]
        return Patch(self.name, tuple(kept))


@dataclass(frozen=True, slots=True)
class Changes:
    """All that is to be different from the plain source."""

    patches: tuple[Patch, ...] = ()
    edits: tuple[Edit, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patches or self.edits)

    def paths(self) -> Iterator[str]:
        """Every file that is touched."""
        yield from (path for patch in self.patches for path, _ in patch.sections)
        yield from (edit.path for edit in self.edits)

    def staging_modules(self) -> frozenset[str]:
        """The staging modules that are touched: `k8s.io/component-base`."""
        found = (_STAGING_PATH.match(path) for path in self.paths())
        return frozenset(match[1] for match in found if match)

    def digest(self) -> str:
        """Differs when the changes differ."""
        patches = [text for patch in self.patches for _, text in patch.sections]
        return digest("patches", *patches, "edits", *(part for e in self.edits for part in (e.path, e.find, e.replace)))

    def apply(self, root: Path) -> None:
        """Change the sources in `root`.

        Raises:
            SubjectError: A patch does not apply, or the text of an edit is not there exactly once.
        """
        for patch in self.patches:
            _apply_patch(root, patch)
        for edit in self.edits:
            _apply_edit(root, edit)


def read_changes(patches: Sequence[Path], edits: Sequence[Edit], *, release: bool) -> Changes:
    """Read the patches from their files.

    Raises:
        InputError: A file is missing, is no git-style diff, or changes nothing that a kubelet is built from.
    """
    return Changes(tuple(_read_patch(path).only(release=release) for path in patches), tuple(edits))


def copy_sources(source: Path, target: Path, *, without: Iterable[str] = ()) -> None:
    """Copy a tree of sources, writable whatever the original is, without some of its top folders."""
    skipped = set(without)
    for folder, folders, files in os.walk(source):
        here = Path(folder)
        if here == source:
            folders[:] = [name for name in folders if name not in skipped]
        there = target / here.relative_to(source)
        there.mkdir(parents=True, exist_ok=True)
        for name in [*files, *(name for name in folders if (here / name).is_symlink())]:
            if (here / name).is_symlink():
                (there / name).symlink_to((here / name).readlink())
            else:
                shutil.copyfile(here / name, there / name)


def _matters(path: str) -> bool:
    return not (path.endswith(("_test.go", ".md")) or path.split("/", 1)[0] in NOT_IN_A_KUBELET)


def _read_patch(path: Path) -> Patch:
    try:
        text = path.expanduser().read_bytes().decode(errors="surrogateescape")
    except OSError as error:
        raise InputError(str(path), Problem("", f"the patch cannot be read: {error.strerror}")) from error
    sections = [section for section in _SECTION.split(text) if section.startswith("diff --git ")]
    if not sections:
        raise InputError(
            str(path), Problem("", "not a git-style diff (no line begins with 'diff --git'): use git diff")
        )
    found = [(match[1], section) for section in sections if (match := _SECTION_PATH.match(section))]
    if not any(_matters(name) for name, _ in found):
        raise InputError(str(path), Problem("", "the patch changes nothing that a kubelet is built from"))
    return Patch(path.name, tuple(found))


def _apply_patch(root: Path, patch: Patch) -> None:
    if not patch.sections:
        return
    if shutil.which("git"):
        command = ["git", "apply", "--whitespace=nowarn", "-"]
    elif shutil.which("patch"):
        command = ["patch", "-p1", "--batch", "--forward", "--silent"]
    else:
        raise SubjectError(
            f"apply {patch.name}", "neither git nor patch is on PATH", fault="this machine", remedy="install git"
        )
    done = subprocess.run(
        command,
        cwd=root,
        env={
            **os.environ,
            "GIT_CEILING_DIRECTORIES": str(root.parent),
        },  # the copy is no part of a repository around it
        input="".join(text for _, text in patch.sections).encode(errors="surrogateescape"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join(f"    {line}" for line in done.stdout.decode(errors="replace").splitlines()[:10])
        raise SubjectError(
            f"apply {patch.name}",
            f"the patch does not apply\n{said}",
            fault="the patch, which was made against other sources",
            remedy="choose the release or tree that it was made for, or rebase it",
        )


def _apply_edit(root: Path, edit: Edit) -> None:
    file = root / edit.path
    if not file.is_file():
        raise _edit_error(edit, "there is no such file in these sources")
    text = file.read_text()
    if (times := text.count(edit.find)) != 1:
        raise _edit_error(edit, f"the text to find is there {times} times, not once: {edit.find[:80]!r}")
    file.write_text(text.replace(edit.find, edit.replace))


def _edit_error(edit: Edit, message: str) -> SubjectError:
    remedy = "choose the release that the edit was made for, or mend the edit"
    return SubjectError(f"edit {edit.path}", message, fault="the edit, which was made for other sources", remedy=remedy)
