"""The one way to a kubelet binary: of a release, of a source tree, changed or not, or one that exists."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from pinproof.build.changes import Edit, read_changes
from pinproof.build.releases import build_release
from pinproof.build.sources import Binary, Release, Tree, identify
from pinproof.build.trees import build_tree
from pinproof.errors import InputError, Problem


def kubelet(
    source: str,
    *,
    patches: Sequence[Path] = (),
    edits: Sequence[Edit] = (),
    go_flags: Sequence[str] = (),
    output: Path | None = None,
) -> Path:
    """Return a kubelet's binary, built if it is not in the cache yet.

    Args:
        source: A release (`1.36.3`), a kubernetes source tree, or a binary, which passes through.
        patches: git-style diffs against kubernetes/kubernetes, applied in order to a copy.
        edits: Find-and-replace changes, applied after the patches.
        go_flags: Flags for `go build`, such as `-race`, `-cover`, `-tags=x`.
        output: Where to put a copy of the binary; else the one in the cache is named.

    Raises:
        InputError: The source, a patch's file or the output cannot be used.
        SubjectError: It cannot be built; says which step failed, whose fault that likely is, and what to do.
    """
    match identify(source):
        case Release() as release:
            built = build_release(release, read_changes(patches, edits, release=True), tuple(go_flags))
        case Tree(root):
            built = build_tree(root, read_changes(patches, edits, release=False), tuple(go_flags))
        case Binary(path):
            if patches or edits or go_flags:
                raise InputError(source, Problem("", "a built kubelet can be neither patched nor given flags of go"))
            built = path
    return built if output is None else copy_out(built, output)


def copy_out(built: Path, output: Path) -> Path:
    """Put a copy of what was built where the user wants it; into a directory under its own name."""
    target = output.expanduser().absolute()
    if target.is_dir():
        target /= built.name
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(built, partial)
        partial.chmod(0o755)
        partial.replace(target)
    except OSError as error:
        raise InputError(str(output), Problem("", f"cannot be written: {error.strerror}")) from error
    finally:
        partial.unlink(missing_ok=True)
    return target
