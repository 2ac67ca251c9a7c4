"""Which tests run when nobody says: all but the slow ones, which build kubelets; `-m slow` takes those."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

from pinproof.build import toolchain
from tests.seeded_kubelets import RELEASE

settings.register_profile("pinproof", deadline=None)  # time says something about what else the machine does
settings.load_profile("pinproof")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "slow: builds and boots kubelets for minutes; run by `tox -e seeded`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow ones out unless the command chooses by marker."""
    if config.option.markexpr:
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module of the release that bugs are seeded in; downloaded where it is not in the cache."""
    done = subprocess.run(
        [toolchain.find().executable, "mod", "download", "-json", f"k8s.io/kubernetes@v{RELEASE}"],
        cwd=tmp_path_factory.mktemp("empty"),
        env={**os.environ, "GOWORK": "off", "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(json.loads(done.stdout)["Dir"])
