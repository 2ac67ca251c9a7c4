"""The cases of suites, as a run of pytest collects them."""

from __future__ import annotations

import pytest

from pinproof.cli.run import wiring
from pinproof.running.selection import case_of, id_of


class _Collector:
    """Takes note of every case before a run selects from them."""

    def __init__(self) -> None:
        self.cases: dict[str, tuple[str, ...]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """All minors."""
        for item in items:
            case = case_of(item)
            assert case is not None
            self.cases[id_of(item)] = case.requirements


def collected(*paths: str) -> dict[str, tuple[str, ...]]:
    """Case → requirements that it names, of all minors; `paths` are folders and files of suites."""
    collector = _Collector()
    arguments = ["--collect-only", "-p", "no:terminal", "-p", "no:cacheprovider", "--subject", "reference:1.36"]
    code = pytest.main([*wiring(), *arguments, *sorted(set(paths))], plugins=[collector])
    assert 0 == code
    return collector.cases
