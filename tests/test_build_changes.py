"""Patches and edits: what is read, what is left out, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinproof.build.changes import Changes, Edit, copy_sources, read_changes
from pinproof.errors import InputError, SubjectError

POLICY = "pkg/kubelet/cm/memorymanager/policy_static.go"
VERSION = "staging/src/k8s.io/component-base/version/version.go"


def diff(path: str, old: str = "one", new: str = "two") -> str:
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-{old}\n+{new}\n"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A repository of two files."""
    for path in (POLICY, VERSION):
        (tmp_path / "kubernetes" / path).parent.mkdir(parents=True)
        (tmp_path / "kubernetes" / path).write_text("one\n")
    return tmp_path / "kubernetes"


def patch_file(place: Path, *sections: str) -> Path:
    file = place / "12345.patch"
    file.write_text("From 0123 Mon Sep 17\nSubject: [PATCH] x\n---\n" + "".join(sections) + "-- \n2.39\n")
    return file


def test_patch_changes_kubernetes_and_staging(sources: Path, tmp_path: Path) -> None:
    """A pull request's .patch applies as it stands, staging paths too."""
    changes = read_changes([patch_file(tmp_path, diff(POLICY), diff(VERSION))], [], release=True)

    changes.apply(sources)

    assert {"two\n"} == {(sources / path).read_text() for path in (POLICY, VERSION)}
    assert changes.staging_modules() == {"k8s.io/component-base"}


@pytest.mark.parametrize(
    "path", ["test/e2e_node/memory_manager_test.go", "docs/x.go", POLICY.replace(".go", "_test.go"), "README.md"]
)
def test_what_reaches_no_kubelet_is_left_out(tmp_path: Path, path: str) -> None:
    """Tests and documentation of a patch cannot keep it from applying to another release."""
    changes = read_changes([patch_file(tmp_path, diff(path), diff(POLICY))], [], release=True)

    assert [POLICY] == list(changes.paths())


@pytest.mark.parametrize(("release", "kept"), [(True, [POLICY]), (False, ["vendor/x/y.go", POLICY])])
def test_vendored_code_follows_from_go_mod(tmp_path: Path, release: bool, kept: list[str]) -> None:
    """A release takes other modules from the proxy; a tree has them beneath itself."""
    changes = read_changes([patch_file(tmp_path, diff("vendor/x/y.go"), diff(POLICY))], [], release=release)

    assert kept == list(changes.paths())


def test_patch_that_does_not_apply(sources: Path, tmp_path: Path) -> None:
    """One message names the patch and the place, and nothing was changed."""
    changes = read_changes([patch_file(tmp_path, diff(VERSION), diff(POLICY, old="other"))], [], release=True)

    with pytest.raises(SubjectError, match=rf"apply 12345.patch: the patch does not apply\n.*{POLICY}"):
        changes.apply(sources)

    assert (sources / VERSION).read_text() == "one\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [("hello", "not a git-style diff"), (diff("docs/README.md"), "changes nothing that a kubelet is built from")],
)
def test_file_that_is_no_use_as_a_patch(tmp_path: Path, text: str, message: str) -> None:
    """Refused before anything is built."""
    file = tmp_path / "x.patch"
    file.write_text(text)

    with pytest.raises(InputError, match=message):
        read_changes([file], [], release=True)


def test_missing_patch(tmp_path: Path) -> None:
    """The file is named."""
    with pytest.raises(InputError, match=r"nosuch\.patch: the patch cannot be read: No such file"):
        read_changes([tmp_path / "nosuch.patch"], [], release=True)


def test_edit_replaces_the_one_place(sources: Path) -> None:
    """An edit is applied as written."""
    Changes(edits=(Edit(POLICY, "one", "three"),)).apply(sources)

    assert (sources / POLICY).read_text() == "three\n"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Edit(POLICY, "absent", ""), "there 0 times"),
        (Edit("pkg/nosuch.go", "one", ""), "no such file"),
    ],
)
def test_edit_that_does_not_fit(sources: Path, edit: Edit, message: str) -> None:
    """The text to find must be there exactly once."""
    with pytest.raises(SubjectError, match=message):
        Changes(edits=(edit,)).apply(sources)


def test_digest_tells_changes_apart() -> None:
    """Where one text ends and the next begins matters."""
    edits = [("a", "bc", "d"), ("ab", "c", "d"), ("a", "b", "cd"), ("a", "bc", "")]

    digests = {Changes(edits=(Edit(*edit),)).digest() for edit in edits}

    assert len(digests) == len(edits)


def test_copy_is_writable_and_lacks_what_is_not_wanted(tmp_path: Path) -> None:
    """The module cache is read-only; its copy is not."""
    original = tmp_path / "original"
    (original / "pkg").mkdir(parents=True)
    (original / "test").mkdir()
    (original / "pkg/a.go").write_text("a")
    (original / "pkg/a.go").chmod(0o444)
    (original / "link").symlink_to("pkg")
    (original / "pkg").chmod(0o555)

    copy_sources(original, tmp_path / "copy", without=("test",))

    assert (tmp_path / "copy/pkg/a.go").stat().st_mode & 0o200
    assert (tmp_path / "copy/pkg").stat().st_mode & 0o200
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["link", "pkg"]
