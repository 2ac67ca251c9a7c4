"""Which tests run when nobody says: not those that take long or need more than Python and Go; `-m slow` and so on take them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

from pinproof.build import toolchain
from tests.seeded_kubelets import RELEASE

settings.register_profile("pinproof", deadline=None)  # time says something about what else the machine does
settings.load_profile("pinproof")


LEFT_OUT = {
    "slow": "builds and boots kubelets for minutes; run by `tox -e seeded`",
    "engine": "needs a container engine, or root to start one; run by `tox -e kind`",
    "vm": "boots virtual machines by emulation; run by `tox -e vm`",
}


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and have Ctrl-C: a shell lets what it starts in the background ignore it, and so would our runs."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name, meaning in LEFT_OUT.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave those out unless the command chooses by marker."""
    if config.option.markexpr:
        return
    left = [item for item in items if any(item.get_closest_marker(name) for name in LEFT_OUT)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


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
