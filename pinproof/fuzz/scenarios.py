"""Drawn scenarios: a machine, a configuration for it, and a course of events.

>>> from pinproof.fuzz.draws import RandomDraws
>>> scenario = draw_scenario(RandomDraws.of(seed=1, number=1), name="1-1")
>>> scenario == draw_scenario(RandomDraws.of(seed=1, number=1), name="1-1")
True
"""

from __future__ import annotations

from dataclasses import dataclass

from pinproof.fuzz.configs import draw_config
from pinproof.fuzz.courses import Course
from pinproof.fuzz.draws import Draws
from pinproof.fuzz.machines import draw_machine
from pinproof.fuzz.profile import Profile
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.scenario.steps import Scenario

DEFAULT = Profile()


@dataclass(frozen=True, slots=True)
class Setting:
    """A node before anything happens; many courses can be drawn for one."""

    machine: Machine
    config: KubeletConfig
    meant: KubeletConfig
    """What the operator meant: the same, unless the kubelet refuses `config`."""


def draw_setting(draws: Draws, profile: Profile = DEFAULT, *, machine: Machine | None = None) -> Setting:
    """A machine, unless one is given, and a configuration for it."""
    machine = machine or draw_machine(draws, profile)
    return Setting(machine, *draw_config(draws, machine, profile))


def draw_course(draws: Draws, setting: Setting, *, name: str, profile: Profile = DEFAULT) -> Scenario:
    """A scenario in a given setting."""
    course = Course(draws, profile, setting.machine, setting.config, setting.meant)
    return Scenario(name, setting.machine, setting.config, course.draw())


def draw_scenario(draws: Draws, *, name: str, profile: Profile = DEFAULT) -> Scenario:
    """A whole scenario."""
    return draw_course(draws, draw_setting(draws, profile), name=name, profile=profile)
