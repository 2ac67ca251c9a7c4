"""Drawn pods: of every QoS class, with sizes near what decides (behaviour.md 3 and 12).

Most pods are Guaranteed and ask for few CPUs, so that it is memory that decides. A size is drawn as "what is free on this node, and
one page more" rather than as a number: see `_BOUNDARIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pinproof.fuzz.amounts import GIB, KIB, MIB, amount, parsed
from pinproof.fuzz.draws import Draws, Odds
from pinproof.fuzz.stock import Request, Stock
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Container, Pod, QosClass, Resources
from pinproof.scenario.quantity import Quantity

_QOS: Odds[QosClass] = Odds(("Guaranteed", 88), ("Burstable", 6), ("BestEffort", 6))
_CONTAINERS = Odds((1, 62), (2, 24), (3, 10), (4, 4))
_INIT_CONTAINERS = Odds((0, 70), (1, 18), (2, 8), (3, 4))
_RESTART_POLICY = Odds(("Always", 70), ("Never", 15), ("OnFailure", 15))
_FRACTIONS = ("100m", "10m", "500m", "250m", "1500m")
_SMALL = (64 * MIB, 128 * MIB, 256 * MIB, 512 * MIB, GIB)
_ODD_SPELLINGS = ("0.5Gi", "1.5Gi", "1e9", "512M", "128974848", "1G", "1.0", "100m", "1073741824000m", "0.1")

Sizes = Sequence[int]
_Boundary = Callable[[Draws, Sizes, Sizes], int]
"""From what is free and what is allocatable, by node, to a size."""


def _two(draws: Draws, sizes: Sizes) -> int:
    """What two nodes have together; where there is only one, what it has."""
    first = draws.integer(0, len(sizes) - 1)
    second = (first + draws.integer(1, max(1, len(sizes) - 1))) % len(sizes)
    return sizes[first] + (sizes[second] if second != first else 0)


_BOUNDARIES: Odds[_Boundary] = Odds(
    (lambda draws, free, most: draws.pick(_SMALL), 22),
    (lambda draws, free, most: draws.pick(most) // draws.pick((2, 3, 4)), 18),
    (lambda draws, free, most: draws.pick(free), 20),
    (lambda draws, free, most: draws.pick(most), 9),
    (lambda draws, free, most: _two(draws, free), 13),
    (lambda draws, free, most: _two(draws, most), 5),
    (lambda draws, free, most: sum(free), 3),
    (lambda draws, free, most: sum(most), 1),
    (lambda draws, free, most: sum(free) - draws.pick(free), 3),
    (lambda draws, free, most: max(free) // draws.pick((2, 3)), 6),
)
_OFF: Odds[int] = Odds((0, 62), (1, 22), (-1, 16))
"""How many units above or below a boundary."""

_UNITS = Odds((4 * KIB, 80), (1, 12), (MIB, 8))


class PodMaker:
    """Draws the pods of one scenario against what would be free."""

    def __init__(self, draws: Draws, machine: Machine, *, static_cpus: bool, pod_scope: bool) -> None:
        self._draws = draws
        self._static_cpus = static_cpus
        self._pod_scope = pod_scope
        self._page_sizes = {f"hugepages-{amount(size).written}": size for size, _ in machine.nodes[0].hugepages}
        self._cores = [len(node.cpus) for node in machine.nodes if node.cpus]
        self.stock: Stock
        """Set by whoever follows the course; changes with every restart."""

    def draw(self, name: str) -> Pod:
        """A pod that fits, just fits or just does not."""
        draws = self._draws
        qos = draws.weigh(_QOS)
        count, inits = draws.weigh(_CONTAINERS), draws.weigh(_INIT_CONTAINERS)
        whole = self._request(parts=1)
        requests = self._divided(whole, count)
        containers = tuple(self._container(f"c{i}", request, qos) for i, request in enumerate(requests))
        init = tuple(self._init_container(f"i{i}", requests, qos) for i in range(inits))
        return Pod(name, containers, init, restart_policy=draws.weigh(_RESTART_POLICY))  # type: ignore[arg-type]

    # --- sizes

    def _request(self, *, parts: int) -> dict[str, int]:
        """What to ask for, by type, each near a boundary."""
        draws, stock = self._draws, self.stock
        request = {"memory": max(MIB, self._near("memory", draws.weigh(_UNITS)) // parts)}
        for kind, unit in self._page_sizes.items():
            if kind in stock.free and draws.chance(45):
                pages = self._near(kind, unit) // unit // parts
                request[kind] = unit * (pages if draws.chance(70) else min(pages, 1))
        return request

    def _near(self, kind: str, unit: int) -> int:
        draws, stock = self._draws, self.stock
        size = draws.weigh(_BOUNDARIES)(draws, stock.free[kind], stock.allocatable[kind])
        return max(0, size + unit * draws.weigh(_OFF))

    def _divided(self, whole: dict[str, int], count: int) -> list[dict[str, int]]:
        """A pod's request over its containers: evenly, nearly all to one, or each drawn for itself."""
        if count == 1:
            return [whole]
        way = self._draws.pick(("one", "even", "each"))
        if way == "each":
            return [self._request(parts=count) for _ in range(count)]
        requests = []
        for index in range(count):
            request = {}
            for kind, size in whole.items():
                unit = self._page_sizes.get(kind, 4 * KIB)
                share = size // unit // count * unit if way == "even" else min(size // count, unit * 16) // unit * unit
                request[kind] = size - share * (count - 1) if index == 0 else share
            requests.append({kind: size for kind, size in request.items() if size or kind == "memory" or index == 0})
        for request in requests:
            request["memory"] = max(request["memory"], 4 * KIB)
        return requests

    # --- containers

    def _init_container(self, name: str, apps: Sequence[Request], qos: QosClass) -> Container:
        """As large as an app container, or of its own size; a third are sidecars."""
        draws = self._draws
        request = dict(draws.pick(apps)) if draws.chance(60) else self._request(parts=2)
        if draws.chance(20):
            request["memory"] += draws.pick((4 * KIB, GIB))
        return self._container(name, request, qos, sidecar=draws.chance(35))

    def _container(self, name: str, request: Request, qos: QosClass, *, sidecar: bool = False) -> Container:
        draws = self._draws
        if qos == "BestEffort":
            return Container(name, restart_always=sidecar)
        amounts = {kind: amount(size) for kind, size in request.items()}
        amounts["cpu"] = self._cpu()
        if draws.chance(0.7):
            amounts["memory"] = parsed(draws.pick(_ODD_SPELLINGS))
        limits = _resources(amounts)
        if qos == "Burstable":
            lower = draws.pick(({"cpu": parsed("10m")}, {"memory": parsed("4Ki")}, {}))
            requests = amounts | {kind: min(q, amounts[kind]) for kind, q in lower.items()}
            kept = limits if lower else tuple((kind, q) for kind, q in limits if kind.startswith("hugepages-"))
            return Container(name, _resources(requests), kept, restart_always=sidecar)
        return Container(name, limits, limits, restart_always=sidecar)

    def _cpu(self) -> Quantity:
        """Few CPUs mostly; whole ones matter only where the CPU manager gives them out."""
        draws = self._draws
        if not draws.chance(45 if self._static_cpus else 8):
            return parsed(draws.pick(_FRACTIONS))
        if draws.chance(12):
            near = draws.pick(self._cores) + draws.pick((0, -1, 1))
            return parsed(str(max(1, near)))
        return parsed(draws.pick(("1", "2", "1", "3")))


def _resources(amounts: Mapping[str, Quantity]) -> Resources:
    return tuple(sorted(amounts.items()))


def held(pod: Pod, *, pod_scope: bool) -> list[Request]:
    """What a pod would hold for long, request by request as the managers see them; nothing unless it is Guaranteed."""
    if pod.qos() != "Guaranteed":
        return []
    lasting = [c for c in pod.all_containers if c.restart_always or c in pod.containers]
    each = [{kind: q.value() for kind, q in c.requests if kind != "cpu"} for c in lasting]
    if not pod_scope:
        return each
    total: dict[str, int] = {}
    for request in each:
        for kind, size in request.items():
            total[kind] = total.get(kind, 0) + size
    return [total]
