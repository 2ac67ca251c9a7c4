"""What `pinproof run` adds to pytest: the default path and subject, one line for a mistyped option, a sign of Ctrl-C."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pinproof.errors import InputError, Problem
from pinproof.running.options import DEFAULT_SUBJECT
from pinproof.running.places import shipped


class Watch:
    """A plug-in for one run."""

    def __init__(self) -> None:
        self.interrupted = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(
        self, early_config: pytest.Config, parser: pytest.Parser, args: list[str]
    ) -> Generator[None, None, None]:
        """Run all suites where no path is given; raises InputError for an option that nobody knows."""
        known = early_config.known_args_namespace
        added = [] if known.file_or_dir else [str(shipped("suites"))]
        known.file_or_dir += added
        if known.subject is None:
            added += ["--subject", DEFAULT_SUBJECT]  # a run from here is one of suites, wherever they lie
        args += added
        typed = early_config.invocation_params  # what pytest-xdist starts its workers with
        early_config.invocation_params = pytest.Config.InvocationParams(
            args=(*typed.args, *added), plugins=typed.plugins, dir=typed.dir
        )
        yield
        _, unknown = parser.parse_known_and_unknown_args(args)
        if unknown:
            from pinproof.cli.main import meant

            words = getattr(parser.optparser, "_option_string_actions", {})
            raise InputError("run", Problem("", f"there is no option {unknown[0]}{meant(unknown[0], words)}"))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, here or on a worker."""
        self.interrupted |= was_ctrl_c(excinfo)


def was_ctrl_c(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether somebody pressed Ctrl-C, as against pytest stopping by itself, which it calls an interruption too."""
    return excinfo.type is KeyboardInterrupt or "keyboard-interrupt" in str(excinfo.value)
