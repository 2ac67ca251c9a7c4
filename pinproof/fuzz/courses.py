"""Drawn courses of events: pods come, end and go, and the kubelet restarts, at moments when something is at stake."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pinproof.fuzz.configs import changed
from pinproof.fuzz.draws import Draws, Odds
from pinproof.fuzz.machines import drifted
from pinproof.fuzz.pods import PodMaker, held
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.stock import Stock
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.configs import check_reservations
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, StateEdit, StateText, Step

Event = Literal["admit", "remove", "exit", "restart"]

_LENGTHS = Odds((5, 20), (3, 12), (4, 20), (6, 16), (7, 12), (8, 8), (2, 4), (9, 3), (10, 2), (12, 2), (14, 1))
_EVENTS: Odds[Event] = Odds(("admit", 62), ("remove", 13), ("exit", 12), ("restart", 13))
_DOWN: Odds[Event] = Odds(("restart", 70), ("admit", 20), ("remove", 10))
_MAX_RESTARTS = 4
"""Each may double the number of outcomes that are allowed (`model.MAX_HISTORIES`)."""

_TEXTS = ("", "{}", "not json", '{"policyName":"Static","machineState":{},"checksum":0}', '{"policyName":"Static"')


@dataclass(slots=True)
class Course:
    """What is drawn so far."""

    draws: Draws
    profile: Profile
    machine: Machine
    config: KubeletConfig
    starts: bool
    """Whether the kubelet surely runs; the maker of steps does not know whether a doubtful restart was refused."""

    steps: list[Step] = field(default_factory=list)
    alive: dict[str, Pod] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    over: dict[str, int] = field(default_factory=dict)
    """Pod → init containers that were ended."""

    restarts: int = 0
    edited: bool = False
    _pods: PodMaker = field(init=False)

    def __post_init__(self) -> None:
        self._pods = self._maker()

    def draw(self) -> tuple[Step, ...]:
        """The whole course."""
        draws = self.draws
        length = min(draws.weigh(_LENGTHS), self.profile.max_steps)
        if not self.starts and self.machine.numa and draws.chance(60):
            length = 1
        while len(self.steps) < length:
            self._event(draws.weigh(_EVENTS if self.starts or len(self.steps) > 2 else _DOWN))
        return tuple(self.steps)

    def _event(self, event: Event) -> None:
        if event == "remove" and self.alive:
            self._remove()
        elif event == "exit" and self.alive:
            self._exit()
        elif event == "restart" and self.alive and self.restarts < _MAX_RESTARTS:
            self._restart()
        else:
            self._admit()

    # --- pods

    def _maker(self) -> PodMaker:
        config = self.config
        maker = PodMaker(
            self.draws,
            self.machine,
            static_cpus=config.cpu_manager_policy == "static",
            pod_scope=config.topology_manager_scope == "pod",
        )
        maker.stock = Stock(self.machine, config)
        for name, pod in self.alive.items():
            maker.stock.place(name, held(pod, pod_scope=config.topology_manager_scope == "pod"))
        return maker

    def _admit(self) -> None:
        pod = self._pods.draw(self._name())
        self._pods.stock.place(pod.name, held(pod, pod_scope=self.config.topology_manager_scope == "pod"))
        self.alive[pod.name] = pod
        self.over[pod.name] = 0
        self.steps.append(Admit(pod))

    def _name(self) -> str:
        """A new name, or now and then one whose pod is gone."""
        if self.gone and self.draws.chance(25):
            return self.gone.pop()
        return f"p{1 + sum(isinstance(step, Admit) for step in self.steps)}"

    def _remove(self) -> None:
        name = self.draws.pick(tuple(self.alive))
        del self.alive[name]
        self.gone.append(name)
        self._pods.stock.drop(name)
        self.steps.append(Remove(name))

    def _exit(self) -> None:
        """Mostly the init container that runs, so that the pod goes on; else any container."""
        draws = self.draws
        waiting = [name for name, pod in self.alive.items() if self._waits_for(name, pod)]
        name = draws.pick(waiting or tuple(self.alive))
        pod = self.alive[name]
        due = self._waits_for(name, pod)
        container = due if due and draws.chance(85) else draws.pick(pod.all_containers).name
        code = 0 if draws.chance(75) else 1
        if container == due and code == 0:
            self.over[name] += 1
        self.steps.append(Exit(name, container, code))

    def _waits_for(self, name: str, pod: Pod) -> str:
        regular = [c.name for c in pod.init_containers if not c.restart_always]
        return regular[self.over[name]] if self.over[name] < len(regular) else ""

    # --- restart

    def _restart(self) -> None:
        draws, may = self.draws, self.profile.restarts
        step = Restart(
            state=self._state() if "state" in may else "keep",
            order=self._order() if "order" in may and draws.chance(35) else (),
            signal="KILL" if "signal" in may and draws.chance(25) else "TERM",
            machine=self._other_machine() if "machine" in may and draws.chance(10) else None,
            kubelet=self._other_config() if "kubelet" in may and draws.chance(10) else None,
            kubernetes=draws.pick(self.profile.releases) if self.profile.releases and draws.chance(25) else None,
        )
        self.restarts += 1
        self.steps.append(step)
        if step.machine or step.kubelet:
            self._pods = self._maker()

    def _order(self) -> tuple[str, ...]:
        names = self.draws.shuffled(tuple(self.alive))
        return names[: self.draws.integer(1, len(names))]

    def _state(self) -> Literal["keep", "lose"] | StateEdit | StateText:
        """Kept mostly. An edit needs a file that surely holds its text, so it comes once, and before any doubt."""
        draws = self.draws
        if not draws.chance(16):
            return "keep"
        way = draws.pick(("lose", "lose", "text", "edit", "edit"))
        if way == "lose":
            return "lose"
        sure = self.starts and not self.edited
        self.edited, self.starts = True, False
        if way == "text" or not sure:
            return StateText(draws.pick(_TEXTS))
        return self._edit()

    def _edit(self) -> StateEdit:
        draws = self.draws
        policy = self.config.memory_manager_policy
        find, replace = f'"policyName":"{policy}"', f'"policyName":"{"None" if policy == "Static" else "Static"}"'
        if policy == "Static" and draws.chance(60):
            find = '"numberOfAssignments":'
            replace = find + "1"
        return StateEdit(find, replace, draws.pick(("recompute", "keep")))

    def _other_machine(self) -> Machine | None:
        machine = drifted(self.draws, self.machine, self.profile)
        if next(check_reservations(self.config, machine), None):
            return None
        self.starts, self.machine = False, machine
        return machine

    def _other_config(self) -> KubeletConfig | None:
        config, starts = changed(self.draws, self.config, self.machine)
        if next(check_reservations(config, self.machine), None):
            return None
        self.starts, self.config = self.starts and starts, config
        return config
