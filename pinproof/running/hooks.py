"""Hooks that pinproof asks of other plug-ins and of a `conftest.py`."""

from __future__ import annotations

import pytest

from pinproof.subjects.protocol import Subject


@pytest.hookspec(firstresult=True)
def pytest_pinproof_subject(config: pytest.Config, spec: str) -> Subject | None:
    """Open the subject that `--subject` names; None leaves it to the next, pinproof's own kinds come last."""
