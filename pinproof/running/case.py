"""The mark that makes a test function a case of the suite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pytest

from pinproof.running.configuration import Configuration
from pinproof.running.releases import minor_number

Test = TypeVar("Test", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Case:
    """What a test function proves, and over what."""

    requirements: tuple[str, ...]
    """Ids of the registry."""

    machines: tuple[str, ...]
    """Names of files under `topologies/`."""

    configurations: tuple[Configuration, ...]
    since: str | None = None
    """First minor the case holds for, such as `1.31`."""

    until: str | None = None
    """Last minor the case holds for."""

    nightly: bool = False
    """It takes minutes, and runs only when it is asked for."""

    given: bool = False
    """Where the node of a subject is given, the case takes it as it is instead of its own machine and configuration."""

    def applies(self, minor: str) -> bool:
        """Whether the case holds for a minor such as `1.36`."""
        number = minor_number(minor)
        after = self.since is None or minor_number(self.since) <= number
        before = self.until is None or number <= minor_number(self.until)
        return after and before

    def parameters(self) -> list[tuple[str, Configuration]]:
        """Machine by configuration, machines first."""
        return [(machine, configuration) for machine in self.machines for configuration in self.configurations]


def segment(machine: str, configuration: Configuration) -> str:
    """First segment of a case id; cases that share it share a worker and, as a rule, a kubelet."""
    return f"{machine}~{configuration.slug}"


def case(
    *requirements: str,
    machines: str | Sequence[str],
    kubelet: Configuration | Sequence[Configuration],
    since: str | None = None,
    until: str | None = None,
    nightly: bool = False,
    given: bool = False,
) -> Callable[[Test], Test]:
    """Register a test function as a case.

    Args:
        requirements: ids of the registry that it proves, at least one.
        machines: names of topologies to run it on.
        kubelet: configurations to run it with, each on every machine.
        since: first Kubernetes minor it holds for.
        until: last Kubernetes minor it holds for.
        nightly: it takes minutes, and runs only with `--nightly`.
        given: it scales to any node, and takes that of a subject whose node is given, such as `cluster:KUBECONFIG`.
    """
    if not requirements:
        raise ValueError("a case names at least one requirement")
    made = Case(
        requirements=requirements,
        machines=(machines,) if isinstance(machines, str) else tuple(machines),
        configurations=(kubelet,) if isinstance(kubelet, Configuration) else tuple(kubelet),
        since=since,
        until=until,
        nightly=nightly,
        given=given,
    )
    ids = [segment(*pair) for pair in made.parameters()]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice or any("-" in name for name in ids):
        raise ValueError(f"ids of a case must differ and hold no '-': {', '.join(twice or ids)}; give a slug=")

    def register(function: Test) -> Test:
        marked: Test = pytest.mark.case(made)(function)
        for requirement in reversed(requirements):
            marked = pytest.mark.requirement(requirement)(marked)
        return marked

    return register
