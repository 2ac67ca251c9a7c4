"""Builds of the component driver. Needs Go (or its wheel) and the module proxy; minutes the first time."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pinproof.build import Edit, component
from pinproof.build.changes import read_changes
from pinproof.build.components import _completed, _link
from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.errors import InputError
from pinproof.subjects.component.decode import observations

Json = dict[str, Any]

PATCH = """diff --git a/pkg/old.go b/pkg/new.go
similarity index 50%
rename from pkg/old.go
rename to pkg/new.go
--- a/pkg/old.go
+++ b/pkg/new.go
@@ -1 +1 @@
-package old
+package moved
diff --git a/staging/src/k8s.io/api/types.go b/staging/src/k8s.io/api/types.go
--- a/staging/src/k8s.io/api/types.go
+++ b/staging/src/k8s.io/api/types.go
@@ -1 +1 @@
-package api
+package changed
"""


@pytest.fixture(scope="module")
def driver() -> Path:
    return component(DEFAULT_RELEASE)


def answers(driver: Path, *requests: Json) -> list[Json]:
    """What a driver answers, a line each; it must end with 0 when its input does."""
    lines = "".join(f"{json.dumps(request)}\n" for request in requests)
    said = subprocess.run([driver], input=lines, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in said.splitlines()]


def request(*steps: Json, **more: Any) -> Json:
    """Two nodes of 4 GiB, policy Static, a scenario of these steps."""
    nodes = [{"id": n, "memory": 4 << 30, "cpus": [2 * n, 2 * n + 1]} for n in (0, 1)]
    kubelet = {
        "memoryManagerPolicy": "Static",
        "topologyManagerPolicy": "best-effort",
        "evictionHard": {"memory.available": "256Mi"},
        "reservedMemory": [{"numaNode": 0, "limits": {"memory": "256Mi"}}],
    }
    return {"id": 1, "machine": {"nodes": nodes}, "kubelet": kubelet, "steps": list(steps), **more}


def pod(name: str, memory: str) -> Json:
    """A step that admits a Guaranteed pod."""
    amounts = {"cpu": "100m", "memory": memory}
    return {"admit": {"name": name, "containers": [{"name": "c", "requests": amounts, "limits": amounts}]}}


def test_driver_says_which_release_it_is(driver: Path) -> None:
    """The version is stamped into it."""
    said = subprocess.run([driver, "--version"], capture_output=True, text=True, check=True).stdout

    assert said == f"v{DEFAULT_RELEASE}\n"


def test_scenario_in_scenario_out(driver: Path) -> None:
    """One observation for the start and one a step, with the managers' own books, each as far as it is new."""
    (answer,) = answers(driver, request(pod("a", "3Gi"), pod("b", "5Gi"), {"restart": {}}))

    _, admitted, refused, again = answer["histories"][0]["observations"]
    assert admitted["assignments"] == {"a": {"c": [[[0], "memory", 3 << 30]]}}
    assert refused["pods"]["b"][:2] == [False, "UnexpectedAdmissionError"]
    assert again["pods"] == {"b": None}
    assert "assignments" not in again


def test_request_that_is_none_is_answered_and_survived(driver: Path) -> None:
    """Bad JSON and unknown fields are answers with an error; the next request is served."""
    first, second = answers(driver, {"id": 7, "nonsense": 1}, request())

    assert (first["id"], "nonsense" in first["error"]) == (7, True)
    assert second["histories"][0]["observations"][0]["running"]


def test_other_release_goes_on_from_a_snapshot(driver: Path) -> None:
    """What is on disk and the pods pass from driver to driver."""
    (before,) = answers(driver, request(pod("a", "3Gi"), snapshot=True))
    snapshot = before["histories"][0]["snapshot"]

    (after,) = answers(driver, {**request({"restart": {}}), "from": snapshot})

    _, admitted = observations(before["histories"][0]["observations"])
    assert observations(after["histories"][0]["observations"]) == (admitted,)


def test_edit_is_in_the_driver() -> None:
    """A seeded bug changes what is observed."""
    path = "pkg/kubelet/cm/memorymanager/policy_none.go"
    seeded = component(
        DEFAULT_RELEASE,
        edits=[Edit(path, 'policyTypeNone policyType = "None"', 'policyTypeNone policyType = "Nought"')],
    )

    (answer,) = answers(seeded, request() | {"kubelet": {}})

    assert 'unknown policy: "None"' in answer["histories"][0]["observations"][0]["refusal"]


def test_links_stand_for_sources(tmp_path: Path) -> None:
    """Changed files are copies, all others links; the driver has its place; what was renamed away is gone."""
    kubernetes, api, work = tmp_path / "kubernetes", tmp_path / "api", tmp_path / "work"
    for file, text in (
        (kubernetes / "pkg/old.go", "package old\n"),
        (kubernetes / "pkg/same.go", ""),
        (api / "types.go", "package api\n"),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "x.patch").write_text(PATCH)
    work.mkdir()

    changes = read_changes([tmp_path / "x.patch"], [], release=True)
    links = _link({"": kubernetes, "staging/src/k8s.io/api/": api}, changes, work)

    assert (links / "pkg/new.go").read_text() == "package moved\n"
    assert (links / "staging/src/k8s.io/api/types.go").read_text() == "package changed\n"
    assert (links / "pkg/same.go").resolve() == kubernetes / "pkg/same.go"
    assert not (links / "pkg/old.go").exists()
    assert (links / "cmd/pinproof-component/main.go").is_file()
    assert (kubernetes / "pkg/old.go").read_text() == "package old\n"


def test_flags_are_completed() -> None:
    """Build tags for every minor join the user's; a covered driver covers itself, or it would write nothing."""
    flags = _completed(("-tags=x", "-coverpkg", "a/...", "-race"), "v1.31.0")

    assert flags == (
        "-coverpkg=a/...,k8s.io/kubernetes/cmd/pinproof-component",
        "-race",
        "-tags",
        "since_1_30,since_1_31,x",
    )


def test_built_driver_passes_through(tmp_path: Path) -> None:
    """A file is taken as it is, and cannot be changed."""
    (tmp_path / "driver").write_text("binary")

    assert component(str(tmp_path / "driver")) == tmp_path / "driver"
    with pytest.raises(InputError, match="neither patched nor given flags"):
        component(str(tmp_path / "driver"), go_flags=["-race"])
