"""An engine and a cluster on it, for tests that say `pytest_plugins = ["tests.kind_fixtures"]`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from pinproof.engine import Engine, running
from pinproof.subjects.kind.subject import KindSubject
from pinproof.subjects.registry import open_subject
from tests.kind_runs import SPEC


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """It runs until the last test of the file."""
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def subject(engine: Engine) -> Iterator[KindSubject]:
    """A cluster that is ready."""
    del engine
    with closing(open_subject(SPEC)) as opened:
        assert isinstance(opened, KindSubject)
        opened.prepare()
        yield opened
