"""Drawn courses of events: pods come, end and go, and the kubelet restarts, at moments when something is at stake."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pinproof.fuzz.changes import changed, without_absent
from pinproof.fuzz.configs import may_crash, starts
from pinproof.fuzz.draws import Draws, Odds
from pinproof.fuzz.extras import Extras
from pinproof.fuzz.machines import drifted
from pinproof.fuzz.pods import UNKNOWN_PAGES, PodMaker, lasting
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.state_files import TEXTS, edit
from pinproof.fuzz.stock import Stock
from pinproof.reference.configuration import DEFAULT_MAX_NODES
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.configs import check_reservations
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, StateEdit, StateText, Step

Event = Literal["admit", "remove", "exit", "restart", "mend"]
State = Literal["keep", "lose"] | StateEdit | StateText

_GOES_ON = (100, 99, 95, 88, 75, 62, 52, 45, 40, 40, 40, 40, 40, 40)
"""By the number of steps so far: in how many cases of a hundred there is another. Six on average."""

_EVENTS: Odds[Event] = Odds(("admit", 62), ("remove", 13), ("exit", 12), ("restart", 13))
_EVENTS_DOWN: Odds[Event] = Odds(("mend", 75), ("admit", 8), ("restart", 12), ("remove", 5))
_STATES = Odds(("keep", 84), ("lose", 6), ("edit", 7), ("text", 3))
_MOST_ON_MANY_NODES = 4
"""Steps on a machine with more nodes than the kubelet takes unasked: of 16 nodes each container has 65,535 hints a resource."""

_MAX_RESTARTS = 4
"""Each may double the number of outcomes that are allowed (`model.MAX_HISTORIES`)."""


@dataclass(slots=True)
class Course:
    """A course in the making. It knows what was asked for and nothing of what a kubelet makes of it."""

    draws: Draws
    profile: Profile
    machine: Machine
    config: KubeletConfig
    meant: KubeletConfig
    """A configuration with which a kubelet starts on the first machine."""

    steps: list[Step] = field(default_factory=list)
    alive: dict[str, Pod] = field(default_factory=dict)
    _gone: list[str] = field(default_factory=list)
    _over: dict[str, int] = field(default_factory=dict)
    """Pod → init containers that were ended."""

    _down: bool = False
    """Whether the kubelet has probably refused its last start."""

    _doubt: bool = False
    """Whether something happened after which there may be no state file; an edit of none would be no scenario."""

    _restarts: int = 0
    _admitted: int = 0
    _first: Machine = field(init=False)
    _extras: Extras = field(init=False)
    _stock: Stock = field(init=False)
    _pods: PodMaker = field(init=False)

    def __post_init__(self) -> None:
        self._first = self.machine
        self._down = self.config is not self.meant
        self._doubt = self._down or may_crash(self.config, self.machine)
        self._take_stock()
        self._extras = Extras.of(self.draws, self.profile, self.config)

    def draw(self) -> tuple[Step, ...]:
        """The whole course."""
        while self.draws.part(self._goes_on):
            pass
        return tuple(self.steps)

    def _goes_on(self) -> bool:
        """One more step, or the end."""
        so_far = len(self.steps)
        most = self.profile.max_steps
        if len(self.machine.nodes) > DEFAULT_MAX_NODES:
            most = min(most, _MOST_ON_MANY_NODES)
        if so_far >= most or not self.draws.chance(_GOES_ON[min(so_far, len(_GOES_ON) - 1)]):
            return False
        self._event(self.draws.weigh(_EVENTS_DOWN if self._down else _EVENTS))
        return True

    def _event(self, event: Event) -> None:
        if event == "mend":
            self._mend()
        elif event == "remove" and self.alive:
            self._remove()
        elif event == "exit" and self.alive:
            self._exit()
        elif event == "restart" and self.alive and self._restarts < _MAX_RESTARTS:
            self._restart()
        else:
            self._admit()

    def _take_stock(self) -> None:
        """Begin the books anew, for the machine and configuration of now."""
        config = self.config
        self._stock = Stock(self.machine, config)
        for pod in self.alive.values():
            self._place(pod)
        self._pods = PodMaker(self.draws, self.machine, self._stock, static_cpus=config.cpu_manager_policy == "static")

    def _place(self, pod: Pod) -> None:
        self._stock.place(pod.name, lasting(pod, pod_scope=self.config.topology_manager_scope == "pod"))

    # --- pods

    def _admit(self) -> None:
        pod = self._extras.add(self._pods.draw(self._name()), self.machine, self.config)
        self._place(pod)
        self.alive[pod.name] = pod
        self._doubt |= any(kind == UNKNOWN_PAGES for c in pod.all_containers for kind, _ in c.requests)
        self._over[pod.name] = 0
        self._admitted += 1
        self.steps.append(Admit(pod))

    def _name(self) -> str:
        """A new name, or now and then one whose pod is gone."""
        if self._gone and self.draws.chance(25):
            return self._gone.pop()
        return f"p{self._admitted + 1}"

    def _remove(self) -> None:
        name = self.draws.pick(tuple(self.alive))
        del self.alive[name]
        self._gone.append(name)
        self._stock.drop(name)
        self.steps.append(Remove(name))

    def _exit(self) -> None:
        """Mostly the init container that runs, so that the pod goes on; else any container."""
        draws = self.draws
        waiting = [name for name in self.alive if self._running_init(name)]
        name = draws.pick(waiting or tuple(self.alive))
        due = self._running_init(name)
        container = due if due and draws.chance(85) else draws.pick(self.alive[name].all_containers).name
        code = 1 if draws.chance(25) else 0
        if container == due and code == 0:
            self._over[name] += 1
        self.steps.append(Exit(name, container, code))

    def _running_init(self, name: str) -> str:
        """The regular init container that a pod waits for; empty where it waits for none."""
        regular = [c.name for c in self.alive[name].init_containers if not c.restart_always]
        return regular[self._over[name]] if self._over[name] < len(regular) else ""

    # --- restarts

    def _restart(self) -> None:
        draws, may = self.draws, self.profile.restarts
        machine = self._other_machine() if "machine" in may and draws.chance(8) else None
        state = self._state() if "state" in may else "keep"
        config, starts = self._other_config(machine) if "kubelet" in may else (None, True)
        release = draws.pick(self.profile.releases) if self.profile.releases and draws.chance(25) else None
        self._restarts += 1
        self.steps.append(
            Restart(
                state=state,
                order=self._order() if "order" in may and draws.chance(35) else (),
                signal="KILL" if "signal" in may and draws.chance(25) else "TERM",
                machine=machine,
                kubelet=config,
                kubernetes=release,
            )
        )
        plain = machine is None and starts and not isinstance(state, StateEdit | StateText)
        self._down = not plain and not (state == "lose" and starts)
        self._doubt |= not plain or state == "lose" or release is not None
        if machine or config:
            self.machine, self.config = machine or self.machine, config or self.config
            self._take_stock()

    def _mend(self) -> None:
        """What an operator does about a kubelet that does not start: all as before, and an empty node."""
        may = self.profile.restarts
        changed_machine = "machine" in may and self.machine is not self._first
        changed_config = "kubelet" in may and self.config is not self.meant
        self.steps.append(
            Restart(
                state="lose" if "state" in may else "keep",
                machine=self._first if changed_machine else None,
                kubelet=self.meant if changed_config else None,
            )
        )
        self._restarts += 1
        self._down = not changed_config and self.config is not self.meant
        if changed_machine or changed_config:
            self.machine, self.config = self._first, self.meant if changed_config else self.config
            self._take_stock()

    def _order(self) -> tuple[str, ...]:
        names = self.draws.shuffled(tuple(self.alive))
        return names[: self.draws.integer(1, len(names))]

    def _state(self) -> State:
        """Kept mostly; edited only where the file is there for certain."""
        way = self.draws.weigh(_STATES)
        if way == "text":
            return StateText(self.draws.pick(TEXTS))
        if way == "edit":
            return edit(self.draws, self.config, self.machine, self.profile) if self._has_file() else "keep"
        return "lose" if way == "lose" else "keep"

    def _has_file(self) -> bool:
        return not self._doubt and starts(self.config, self.machine, self.profile)

    def _other_machine(self) -> Machine | None:
        machine = drifted(self.draws, self.machine, self.profile)
        # Hints name nodes, and a mended node has its first machine again.
        others = {node.id for node in machine.seen()} != {node.id for node in self.machine.seen()}
        impossible = others and self._extras.other_hints
        return None if impossible or any(check_reservations(self.config, machine)) else machine

    def _other_config(self, machine: Machine | None) -> tuple[KubeletConfig | None, bool]:
        """A change of the configuration, and whether the kubelet probably starts with it."""
        if machine is not None and self.draws.chance(70):
            config, starts = without_absent(self.config, machine), True
        elif self.draws.chance(10):
            config, starts = changed(self.draws, self.config, machine or self.machine, self.profile)
        else:
            return None, True
        impossible = any(check_reservations(config, machine or self.machine))
        return (None, True) if impossible or config is self.config else (config, starts)
