"""What only some subjects and releases know about pods: resources of the pod as a whole, and hints of other providers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from pinproof.fuzz.amounts import GIB, KIB, MIB, amount, parsed
from pinproof.fuzz.draws import Draws, Odds
from pinproof.fuzz.profile import Profile
from pinproof.reference.configuration import PLR, PLRM
from pinproof.reference.requests import sized
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Container, OtherHints, Pod
from pinproof.scenario.pod_level import with_resources
from pinproof.scenario.quantity import Quantity

_PROVIDED = (("example.com/gpu",), ("example.com/nic",), ("example.com/gpu", "example.com/nic"))
_ANSWERS = Odds(("one", 45), ("several", 30), ("none", 8), ("impossible", 4), ("anywhere", 5), ("wide", 8))
_EXTRA_MEMORY = Odds((0, 60), (4 * KIB, 15), (256 * MIB, 25), (GIB, 15))


@dataclass(frozen=True, slots=True)
class Extras:
    """Which extras the pods of one course have, in how many cases of a hundred."""

    draws: Draws
    pod_level: int = 0
    other_hints: int = 0

    @classmethod
    def of(cls, draws: Draws, profile: Profile, config: KubeletConfig) -> Self:
        """Decided once for a course: most have none."""
        pod_level = 0
        if profile.pod_level:
            managed, mentioned = config.gate(PLRM, default=False), PLR in dict(config.feature_gates)
            pod_level = 70 if managed else 50 * (mentioned or draws.chance(8))
        return cls(draws, pod_level, 60 if profile.other_hints and draws.chance(12) else 0)

    def add(self, pod: Pod, machine: Machine, config: KubeletConfig) -> Pod:
        """The pod, with what it has beside."""
        if self.pod_level and self.draws.chance(self.pod_level):
            pod = self._own_resources(pod)
        return self._hinted(pod, machine, config) if self.other_hints else pod

    # --- pod-level resources

    def _own_resources(self, pod: Pod) -> Pod:
        """Resources for the pod as a whole, and containers that share what the others leave of them: nothing, now and then."""
        draws = self.draws
        before = _aggregated(pod)
        if draws.chance(60):
            apps = (pod.containers[0], *map(self._maybe_shared, pod.containers[1:]))
            pod = replace(pod, containers=apps, init_containers=tuple(map(self._maybe_shared, pod.init_containers)))
            pod = self._with_whole_cpus(pod) if draws.chance(40) else pod
        elif draws.chance(25):
            pod = replace(pod, containers=tuple(replace(c, requests=(), limits=()) for c in pod.containers))
        after = _aggregated(pod)
        largest = {kind: max(before.get(kind, 0), after.get(kind, 0)) for kind in before | after}
        needed = {"cpu": 100, "memory": 64 * MIB} | (after if draws.chance(55) else largest)
        needed["memory"] += draws.weigh(_EXTRA_MEMORY)
        needed["cpu"] += draws.pick((0, 0, 0, 0, 100, 1000))
        if draws.chance(25):
            needed["cpu"] = -(-needed["cpu"] // 1000) * 1000
        limits = {kind: _milli(size) if kind == "cpu" else amount(size) for kind, size in needed.items() if size}
        requests = dict(limits)
        if draws.chance(8):
            limits["memory"] = amount(2 * needed["memory"])
        return with_resources(pod, tuple(sorted(requests.items())), tuple(sorted(limits.items())))

    def _maybe_shared(self, container: Container) -> Container:
        return replace(container, requests=(), limits=()) if self.draws.chance(50) else container

    def _with_whole_cpus(self, pod: Pod) -> Pod:
        """Exclusive containers with CPUs of their own, which may be all that the pod has."""
        one = parsed("1")

        def whole(container: Container) -> Container:
            cpu = {"cpu": one} if container.requests and container.requests == container.limits else {}
            resources = tuple(sorted({**dict(container.requests), **cpu}.items()))
            return replace(container, requests=resources, limits=resources) if cpu else container

        return replace(
            pod, containers=tuple(map(whole, pod.containers)), init_containers=tuple(map(whole, pod.init_containers))
        )

    # --- hints of other providers

    def _hinted(self, pod: Pod, machine: Machine, config: KubeletConfig) -> Pod:
        """Where the Topology Manager asks: the pod, or each container."""
        if config.topology_manager_scope == "pod":
            return replace(pod, hints=self._answers(machine))
        return replace(
            pod,
            containers=tuple(replace(c, hints=self._answers(machine)) for c in pod.containers),
            init_containers=tuple(replace(c, hints=self._answers(machine)) for c in pod.init_containers),
        )

    def _answers(self, machine: Machine) -> OtherHints:
        if not self.draws.chance(self.other_hints):
            return ()
        ids = tuple(node.id for node in machine.seen())
        return tuple((name, self._answer(ids)) for name in self.draws.pick(_PROVIDED))

    def _answer(self, ids: tuple[int, ...]) -> tuple[tuple[tuple[int, ...] | None, bool], ...] | None:
        """As a device plugin would: devices on one node or several; rarely no answer, or one that nobody can satisfy."""
        draws = self.draws
        way = draws.weigh(_ANSWERS)
        if way in {"none", "impossible"}:
            return None if way == "none" else ()
        if way == "anywhere":
            return ((None, draws.chance(80)),)
        one = draws.pick(ids)
        if way == "one":
            return (((one,), not draws.chance(15)),)
        if way == "wide":
            return ((ids, draws.chance(50)),)
        others = sorted({one, draws.pick(ids), draws.pick(ids)})
        singles = tuple(((node,), True) for node in others)
        return (*singles, (tuple(others), False)) if len(others) > 1 else singles


def _aggregated(pod: Pod) -> dict[str, int]:
    """What the containers ask for together, by resource: CPUs in thousandths, the rest in bytes."""
    kinds = {kind for c in pod.all_containers for kind, _ in c.requests}
    return {kind: _together(pod, kind) for kind in sorted(kinds)}


def _together(pod: Pod, kind: str) -> int:
    amounts = {c.name: dict(c.limits).get(kind, dict(c.requests).get(kind, Quantity.ZERO)) for c in pod.all_containers}
    return sized(pod, {name: q.milli() if kind == "cpu" else q.value() for name, q in amounts.items()})


def _milli(thousandths: int) -> Quantity:
    return Quantity.parse(f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000))
