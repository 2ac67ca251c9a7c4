"""The pytest plug-in: wiring only. It keeps quiet in every run that is not one of suites.

The process that the user started learns the facts of the subject first, so that a subject that cannot be had ends the run
at once and once. With pytest-xdist that process collects and runs nothing itself; its workers are told the facts.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pinproof.running.options import FACTS, MARKERS, add_options, settings_of, wanted

if TYPE_CHECKING:
    from pinproof.running.controller import Controller
    from pinproof.running.facts import Facts
    from pinproof.running.options import Settings
    from pinproof.running.prove import Prove
    from pinproof.running.worker import Worker
    from pinproof.subjects.protocol import Subject

WORKER: pytest.StashKey[Worker] = pytest.StashKey()
CONTROLLER: pytest.StashKey[Controller] = pytest.StashKey()
SUBJECT: pytest.StashKey[Subject | None] = pytest.StashKey()


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks others may answer."""
    from pinproof.running import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers; a worker of a parallel run is ready after this."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if hasattr(config, "workerinput") and FACTS in config.workerinput:
        from pinproof.running.facts import Facts

        settings = settings_of(config)
        _stretch(settings)
        _employ(config, settings, Facts(**config.workerinput[FACTS]), None)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Learn the facts of the subject and claim the output folder, before pytest begins; what fails is told once."""
    if (
        hasattr(config, "workerinput")
        or any(getattr(config.option, name, None) for name in _TALK)
        or not wanted(config)
    ):
        return None
    from pinproof.errors import PinproofError

    try:
        _take_up(config)
    except PinproofError as error:
        print(f"pinproof: {error}", file=sys.stderr)  # noqa: T201  # pytest's reporter is not there yet
        return error.exit_code
    except KeyboardInterrupt:
        print("pinproof: interrupted", file=sys.stderr)  # noqa: T201  # same
        return 130
    return None


_TALK = ("help", "version", "markers", "showfixtures", "show_fixtures_per_test", "cacheshow")
"""Options with which pytest only says something and runs nothing."""


def _take_up(config: pytest.Config) -> None:
    from pinproof.ledger import Ledger, read_ledger
    from pinproof.running.controller import Controller, command_line

    settings = settings_of(config)
    _require_paths(config)
    _stretch(settings)
    entries = read_ledger(settings.ledger)
    facts, config.stash[SUBJECT] = _learn(config, settings)
    controller = Controller(settings, facts, Ledger(entries, facts), command=command_line())
    if not config.option.collectonly:
        controller.claim()
    config.stash[CONTROLLER] = controller
    config.pluginmanager.register(controller, "pinproof-controller")


def _require_paths(config: pytest.Config) -> None:
    """Refuse a path that is not there: under pytest-xdist nobody else looks, and the run would end without a word."""
    from pinproof.errors import InputError, Problem

    for argument in config.args:
        path = config.invocation_params.dir / argument.partition("::")[0]
        if not path.exists() and not config.option.pyargs:
            raise InputError(argument, Problem("", "no such file or folder; without a path the whole suite is run"))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to tell of progress, and take up the work where no worker of pytest-xdist does."""
    config = session.config
    controller = config.stash.get(CONTROLLER, None)
    if controller is None:
        return
    controller.announce(session)
    subject = config.stash[SUBJECT]
    if not config.pluginmanager.has_plugin("dsession"):
        _employ(config, controller.settings, controller.facts, subject)
    elif subject is not None:
        subject.close()


def _learn(config: pytest.Config, settings: Settings) -> tuple[Facts, Subject | None]:
    """Facts of the subject, and the subject if it had to be opened for them."""
    from pinproof.running.facts import Facts, facts_of

    version = settings.subject.partition(":")[2]
    if config.option.collectonly and version[:1].isdigit():
        return Facts(settings.subject, version, {}), None
    subject: Subject = config.hook.pytest_pinproof_subject(config=config, spec=settings.subject)
    return facts_of(subject), subject


def _employ(config: pytest.Config, settings: Settings, facts: Facts, subject: Subject | None) -> None:
    from pinproof.ledger import Ledger, read_ledger
    from pinproof.running.worker import Worker

    worker = Worker(settings, facts, Ledger(read_ledger(settings.ledger), facts), opened=subject)
    config.stash[WORKER] = worker
    config.pluginmanager.register(worker, "pinproof-worker")


def _stretch(settings: Settings) -> None:
    """What is read wherever it is needed, in processes that are started later too: the factor of named waits, what to keep."""
    if settings.slow != 1:
        os.environ["PINPROOF_SLOW"] = str(settings.slow)
    if settings.keep:
        os.environ["PINPROOF_KEEP"] = "1"  # a cluster is kept as well


@pytest.hookimpl(trylast=True)
def pytest_pinproof_subject(config: pytest.Config, spec: str) -> Subject:
    """Pinproof's own kinds of subject."""
    from pinproof.subjects.registry import open_subject

    return open_subject(spec, slow=settings_of(config).slow)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A case is one test for each machine and configuration."""
    from pinproof.running.selection import parametrise

    parametrise(metafunc)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the cases that apply to the subject, in the order that boots each kubelet once."""
    worker = config.stash.get(WORKER, None)
    if worker is not None:
        worker.select(config, items)
        controller = config.stash.get(CONTROLLER, None)
        if controller is not None:
            controller.collected(worker.selected)
    elif any(item.get_closest_marker("case") for item in items):
        raise pytest.UsageError("cases of a suite need a subject: give --subject, such as --subject kubelet:1.36.3")


@pytest.fixture
def prove(request: pytest.FixtureRequest) -> Prove:
    """Run a scenario on the subject, compare it with the reference, and see what happened."""
    return request.config.stash[WORKER].prove(request)
