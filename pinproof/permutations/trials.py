"""The restarts of a scenario: after each of its steps, every change of the pods, every state of the file, every order.

A trial is one restart with all that leads to it. On a real kubelet a node is dear and a restart is cheap, so trials that do not
disturb each other go one after the other on one node: a course. Whether they do the reference says, which predicts the course
and each trial alone; a course ends before the first trial that would come out otherwise in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from pinproof.history import History, Observation
from pinproof.judge.course import Moment, course
from pinproof.permutations import damage
from pinproof.permutations.changes import CHANGES, Change, changes
from pinproof.permutations.orders import Order, orders
from pinproof.scenario.faults import Disk
from pinproof.scenario.steps import Restart, Scenario, StateText, Step

LONGEST = 60
"""Restarts of a course."""

Predict = Callable[[Scenario], Sequence[History]]
"""Every allowed history of a scenario."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One restart."""

    steps: int
    """Of the scenario, before it."""

    change: str
    """What became of the pods meanwhile: `nothing`, `deleted a`."""

    state: str
    """What became of the state file meanwhile: `kept`, `cut inside a key`."""

    order: Order
    scenario: Scenario
    """Prefix, change, restart, and what follows."""

    before: int
    """Index of the observation before all of this."""

    after: int
    """Index of the observation after the restart."""

    @property
    def tail(self) -> tuple[Step, ...]:
        """The restart, what is done for it, and what follows."""
        return self.scenario.steps[self.before :]


@dataclass(frozen=True, slots=True)
class Course:
    """Trials on one node, one after the other."""

    scenario: Scenario
    trials: tuple[tuple[Trial, int], ...]
    """Trial and the index of the observation after its restart."""


def trials(
    scenario: Scenario,
    predict: Predict,
    *,
    states: tuple[str, ...] = damage.STATES,
    changes_: tuple[str, ...] = CHANGES[:1],
    prefixes: Sequence[int] | None = None,
    thrifty: bool = False,
) -> Iterator[Trial]:
    """All restarts of a scenario.

    Args:
        scenario: whose prefixes are taken, the empty one and the whole included.
        predict: the reference of the release that is to be restarted; says which pods live and what the file has.
        states: what may become of the file.
        changes_: what may become of the pods.
        prefixes: take only those of so many steps.
        thrifty: one order is enough where the kubelet refuses to start, since it never comes to the pods.
    """
    for count in range(len(scenario.steps) + 1) if prefixes is None else prefixes:
        prefix = replace(scenario, steps=scenario.steps[:count])
        moment = _last(prefix, predict)
        if moment.now.running:
            for change in changes(tuple(moment.live.values()), moment.machine, changes_):
                yield from _of_change(prefix, change, moment, predict, states, thrifty=thrifty)


def _of_change(
    prefix: Scenario, change: Change, moment: Moment, predict: Predict, states: tuple[str, ...], *, thrifty: bool
) -> Iterator[Trial]:
    changed = replace(prefix, steps=prefix.steps + change.before)
    at_stop = _last(changed, predict) if change.before else moment
    text = (moment if change.puts_file_back else at_stop).now.state_file or ""
    for name, disk, state in _files(text, states):
        if change.puts_file_back and state == "keep":
            state = StateText(text)  # the file of before, which the kubelet has rewritten meanwhile
        for order in orders(tuple(at_stop.live)):
            restart = (*changed.steps, *disk, Restart(state=state, order=order))
            works = (Disk("works", damage.FILE),) if disk else ()
            whole = replace(changed, steps=(*restart, *works, *change.after))
            made = Trial(len(prefix.steps), change.name, name, order, whole, len(changed.steps), len(restart))
            yield made
            if thrifty and not predict(made.scenario)[0].observations[made.after].running:
                break


def _files(text: str, wanted: tuple[str, ...]) -> Iterator[tuple[str, tuple[Disk, ...], damage.State]]:
    """What may have become of the file of this text, and on which disk it is."""
    yield from ((name, (), state) for name, state in damage.states(text, wanted))
    for name, (disk, state) in damage.DISKS.items():
        if name in wanted:
            yield name, (Disk(disk, damage.FILE),), state


def _last(scenario: Scenario, predict: Predict) -> Moment:
    *_, moment = course(scenario, predict(scenario)[0])
    return moment


def alone(trial: Trial) -> Course:
    """The course of one trial."""
    return Course(trial.scenario, ((trial, trial.after),))


def courses(every: Iterable[Trial], predict: Predict) -> Iterator[Course]:
    """The trials in as few courses as can be."""
    for _, group in groupby(every, key=lambda trial: trial.scenario.steps[: trial.before]):
        waiting = list(group)
        while waiting:
            made = _longest(waiting[:LONGEST], predict)
            yield made
            waiting = waiting[len(made.trials) :]


def _longest(every: Sequence[Trial], predict: Predict) -> Course:
    """As many of these as come out in one course as they do alone; they share what leads to them."""
    whole = _together(every)
    histories = predict(whole.scenario) if len(every) > 1 else ()
    if len(every) > 1 and len(histories) == 1:
        for count, (trial, index) in enumerate(whole.trials):
            alone_ = predict(trial.scenario)
            if len(alone_) > 1 or _shown(histories[0], index) != _shown(alone_[0], trial.after):
                return _together(every[: max(1, count)])
        return whole
    return whole if len(every) == 1 else _together(every[:1])


def _together(every: Sequence[Trial]) -> Course:
    steps = every[0].scenario.steps[: every[0].before]
    placed = []
    for trial in every:
        placed.append((trial, len(steps) + trial.after - trial.before))
        steps += trial.tail
    return Course(replace(every[0].scenario, steps=steps), tuple(placed))


def _shown(history: History, index: int) -> tuple[object, ...]:
    """What makes an outcome."""
    now: Observation = history.observations[index]
    return now.running, now.refusal, now.pods, now.assignments, now.pod_assignments, now.cpu
