"""Which tests run when nobody says: all but the slow ones, which build kubelets; `-m slow` takes those."""

from __future__ import annotations

import pytest
from hypothesis import settings

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
