"""What a user may name as a kubelet, and the module that builds it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pinproof.build.golang import directive, parse_version
from pinproof.build.sources import Binary, Release, Tree, declared_minor, identify, module_file
from pinproof.build.trees import tree_version
from pinproof.errors import InputError, SubjectError

GO_MOD = """module k8s.io/kubernetes

go 1.26.0

require (
	github.com/x/y v1.2.3
	k8s.io/api v0.0.0
	k8s.io/sample v0.0.0
	k8s.io/utils v0.0.0-20260210185600-b8788abfbbc2
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/sample => ./staging/src/k8s.io/sample
)
"""


@pytest.mark.parametrize("source", ["1.36.3", "v1.36.3", "1.37.0-rc.1"])
def test_release(source: str) -> None:
    """Three numbers are a release, with or without the v."""
    assert Release(source.removeprefix("v")) == identify(source)


def test_staging_modules_have_their_own_numbers() -> None:
    """Kubernetes 1.37.0-rc.1 goes with k8s.io/api v0.37.0-rc.1."""
    assert Release("1.37.0-rc.1").staging_version == "v0.37.0-rc.1"


def test_binary(tmp_path: Path) -> None:
    """A file passes through."""
    file = tmp_path / "kubelet"
    file.touch()

    assert Binary(file) == identify(str(file))


def test_tree(tmp_path: Path) -> None:
    """A folder with kubernetes' go.mod is a tree."""
    (tmp_path / "cmd/kubelet").mkdir(parents=True)
    (tmp_path / "go.mod").write_text(GO_MOD)

    assert Tree(tmp_path) == identify(str(tmp_path))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1.36", "a release has three numbers, for example 1.36.3"),
        ("/nosuch/kubelet", "give a release such as"),
        ("/", "not a kubernetes source tree"),
    ],
)
def test_neither(source: str, message: str) -> None:
    """What is none of the three is told what would be right."""
    with pytest.raises(InputError, match=message):
        identify(source)


def test_module_of_a_release_takes_published_staging_modules() -> None:
    """Everything but the staging modules stays as upstream requires it."""
    text = module_file(GO_MOD, "v1.36.3", {"k8s.io/api": "k8s.io/api v0.36.3", "k8s.io/sample": "./copy"})

    assert "module pinproof.dev/build\n" in text
    assert "\tk8s.io/api => k8s.io/api v0.36.3\n\tk8s.io/sample => ./copy\n" in text
    assert "\nrequire k8s.io/kubernetes v1.36.3\n" in text
    assert "k8s.io/utils v0.0.0-20260210185600-b8788abfbbc2" in text


def test_staging_module_that_is_not_there_is_left_out() -> None:
    """A tree put together by hand need not hold modules that no kubelet is built from."""
    text = module_file(GO_MOD, "v0.0.0", {"k8s.io/kubernetes": "/tree", "k8s.io/api": "/tree/staging/src/k8s.io/api"})

    assert "k8s.io/sample" not in text
    assert "replace k8s.io/kubernetes => /tree\n" in text


@pytest.mark.parametrize(
    ("go_mod", "expected"), [("go 1.26.0\n", (1, 26, 0)), ("x\n\ngo 1.21\n", (1, 21, 0)), ("", (1, 16, 0))]
)
def test_go_directive(go_mod: str, expected: tuple[int, int, int]) -> None:
    """The Go that a module asks for."""
    assert expected == directive(go_mod)


@pytest.mark.parametrize(
    ("said", "expected"),
    [("go version go1.26.8 linux/amd64", (1, 26, 8)), ("go version go1.27rc1 linux/arm64", (1, 27, 0)), ("?", None)],
)
def test_go_version(said: str, expected: tuple[int, int, int] | None) -> None:
    """The Go that a toolchain says it is."""
    assert expected == parse_version(said)


def git(tree: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", tree, *who, *arguments], check=True, capture_output=True)


def test_version_of_a_checkout(tmp_path: Path) -> None:
    """A tag, what came after it, and what is not committed."""
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "a")
    git(tmp_path, "tag", "v1.37.0-alpha.1")
    tagged = tree_version(tmp_path)
    (tmp_path / "a").write_text("2")
    dirty = tree_version(tmp_path)
    git(tmp_path, "commit", "-qam", "b")
    later = tree_version(tmp_path)

    assert (tagged, dirty) == ("v1.37.0-alpha.1", "v1.37.0-alpha.1+dirty")
    assert later.startswith("v1.37.0-alpha.1.1+")


def test_version_of_a_tree_without_tags(tmp_path: Path) -> None:
    """The sources declare their minor: a constant since 1.31, before it the changelogs."""
    (tmp_path / "CHANGELOG").mkdir()
    for minor in (9, 30):
        (tmp_path / f"CHANGELOG/CHANGELOG-1.{minor}.md").touch()
    by_changelog = declared_minor(tmp_path)
    constant = tmp_path / "staging/src/k8s.io/component-base/version/base.go"
    constant.parent.mkdir(parents=True)
    constant.write_text('\tDefaultKubeBinaryVersion = "1.36"\n')

    assert (by_changelog, tree_version(tmp_path)) == ("1.30", "v1.36.0+tree")


def test_tree_that_does_not_tell_its_version(tmp_path: Path) -> None:
    """The remedy is to fetch the tags."""
    with pytest.raises(SubjectError, match="git fetch --tags"):
        tree_version(tmp_path)
