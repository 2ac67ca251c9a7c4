"""The scenarios that are timed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, cycle

from pinproof.scenario.steps import Admit, Remove, Restart, Scenario, Step
from pinproof.scenario.topologies import machine
from pinproof.suite import admit, guaranteed, static

POLICIES = ("none", "best-effort", "restricted", "single-numa-node")
SIZES = ("1Gi", "3Gi", "6Gi", "2Gi", "4Gi", "5Gi")


def four_admissions() -> Iterator[Scenario]:
    """One machine and configuration, four pods each, of other sizes every time; no restart. Never ends."""
    two = machine("two_even")
    config = static(topology="best-effort")(two)
    sizes = cycle(SIZES)
    for number in count():
        pods = tuple(admit(guaranteed(name, memory=next(sizes))) for name in "abcd")
        next(sizes)  # six sizes, five taken: the next scenario has others
        yield Scenario(f"four-{number}", two, config, pods)


def two_admissions() -> Iterator[Scenario]:
    """As many pods as a case of the suites usually has; one machine and configuration, no restart. Never ends."""
    for number, scenario in enumerate(four_admissions()):
        yield replace(scenario, name=f"two-{number}", steps=scenario.steps[:2])


def cold_restarts() -> Iterator[Scenario]:
    """A machine and configuration other than the one before, one pod, one restart. Never ends."""
    two = machine("two_even")
    for number, policy in zip(count(), cycle(POLICIES)):
        steps = (admit(guaranteed("a", memory="4Gi")), Restart())
        yield Scenario(f"cold-{number}", two, static(topology=policy)(two), steps)


def four_nodes(steps: int) -> Iterator[Scenario]:
    """Scenarios of so many steps on four nodes under every policy: pods come, go, and the kubelet restarts. Never ends.

    No two ask for the same sizes, so that nothing is remembered from one to the next.
    """
    four = machine("four_snc2")
    configs = {policy: static(topology=policy)(four) for policy in POLICIES}
    for number, policy in zip(count(), cycle(POLICIES)):
        taken = tuple(_step(at, f"{1024 * (at % 6 + 1) + number}Mi") for at in range(steps))
        yield Scenario(f"steps-{number}", four, configs[policy], taken)


def admissions_and_restart() -> Iterator[Scenario]:
    """Four admissions and a restart on four nodes under every policy, of other sizes every time. Never ends."""
    four = machine("four_snc2")
    configs = {policy: static(topology=policy)(four) for policy in POLICIES}
    for number, policy in zip(count(), cycle(POLICIES)):
        pods = (admit(guaranteed(name, memory=f"{1024 * (at + 1) + number}Mi")) for at, name in enumerate("abcd"))
        yield Scenario(f"restart-{number}", four, configs[policy], (*pods, Restart()))


def _step(number: int, size: str) -> Step:
    if number % 10 == 9:
        return Restart()
    if number % 3 == 2:
        return Remove(f"p{number - 2}")
    return Admit(guaranteed(f"p{number}", memory=size))
