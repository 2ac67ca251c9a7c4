"""Drawn pods: of every QoS class, with sizes near what decides (behaviour.md 3 and 12).

Most pods are Guaranteed and ask for few CPUs, so that it is memory that decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pinproof.fuzz.amounts import GIB, KIB, MIB, amount, page_name, parsed
from pinproof.fuzz.draws import Draws, Odds
from pinproof.fuzz.sizes import memory_near, pages_near
from pinproof.fuzz.stock import Request, Stock
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Container, Pod, QosClass, Resources
from pinproof.scenario.quantity import Quantity

_QOS: Odds[QosClass] = Odds(("Guaranteed", 90), ("Burstable", 5), ("BestEffort", 5))
_CONTAINERS = Odds((1, 62), (2, 24), (3, 10), (4, 4))
_INIT_CONTAINERS = Odds((0, 70), (1, 18), (2, 8), (3, 4))
_RESTART_POLICIES: Odds[Literal["Always", "OnFailure", "Never"]] = Odds(
    ("Always", 70), ("Never", 15), ("OnFailure", 15)
)
_FRACTIONS = ("100m", "10m", "500m", "250m", "1500m")
_SPELLINGS = ("0.5Gi", "1.5Gi", "1e9", "512M", "128974848", "1G", "1.0", "100m", "1073741824000m", "0.1")
"""Amounts of memory as people write them; a kubelet cannot take some for whole bytes."""

UNKNOWN_PAGES = "hugepages-4Gi"
"""No machine has pages of this size; the kubelet crashes over a pod that asks for them (behaviour.md 3.4)."""


_VERY_MANY_NODES = 12
"""Above, the hints of one container are tens of megabytes, so a pod has two containers of each kind at most."""


class PodMaker:
    """Draws pods against what would be free."""

    def __init__(self, draws: Draws, machine: Machine, stock: Stock, *, static_cpus: bool) -> None:
        self._draws = draws
        self._stock = stock
        self._static_cpus = static_cpus
        self._page_sizes = {page_name(size): size for size, _ in machine.nodes[0].hugepages}
        self._most = 2 if len(machine.nodes) > _VERY_MANY_NODES else 4
        self._cores = [len(node.cpus) for node in machine.nodes if node.cpus]

    def draw(self, name: str) -> Pod:
        """A pod that fits, just fits or just does not."""
        draws = self._draws
        qos = draws.weigh(_QOS)
        requests = self._divided(self._request(), min(self._most, draws.weigh(_CONTAINERS)))
        containers = tuple(self._container(f"c{i}", request, qos) for i, request in enumerate(requests))
        init = tuple(
            self._init_container(f"i{i}", requests, qos) for i in range(min(self._most, draws.weigh(_INIT_CONTAINERS)))
        )
        return Pod(name, containers, init, restart_policy=draws.weigh(_RESTART_POLICIES))

    # --- sizes

    def _request(self) -> dict[str, int]:
        """What to ask for, by type, each near a boundary."""
        draws = self._draws
        request = {"memory": max(MIB, memory_near(draws, self._stock))}
        for kind, page in self._page_sizes.items():
            if draws.chance(45):
                size = pages_near(draws, self._stock, kind, page)
                request[kind] = size if draws.chance(70) else min(size, page)
        if draws.chance(0.1):
            request[UNKNOWN_PAGES] = 4 * GIB
        return request

    def _divided(self, whole: dict[str, int], count: int) -> list[dict[str, int]]:
        """A pod's request over its containers: nearly all to one, evenly, or each drawn for itself."""
        if count == 1:
            return [whole]
        way = self._draws.pick(("one", "even", "each"))
        if way == "each":
            return [whole] + [self._part(self._request(), count) for _ in range(count - 1)]
        part = self._part(whole, count)
        if way == "one":
            part = {kind: min(size, self._unit(kind) * 16) for kind, size in part.items()}
        first = {kind: size - part[kind] * (count - 1) for kind, size in whole.items()}
        return [first] + [part] * (count - 1)

    def _part(self, request: Request, count: int) -> dict[str, int]:
        """An even part of a request, in whole pages; memory is never nothing."""
        part = {kind: size // self._unit(kind) // count * self._unit(kind) for kind, size in request.items()}
        return part | {"memory": max(part["memory"], 4 * KIB)}

    def _unit(self, kind: str) -> int:
        return self._page_sizes.get(kind, 4 * GIB if kind == UNKNOWN_PAGES else 4 * KIB)

    # --- containers

    def _init_container(self, name: str, apps: Sequence[Request], qos: QosClass) -> Container:
        """As large as an app container, a little larger, or of its own size; a third are sidecars."""
        draws = self._draws
        request = dict(draws.pick(apps)) if draws.chance(60) else self._part(self._request(), 2)
        if draws.chance(20):
            request["memory"] += draws.pick((4 * KIB, GIB))
        return self._container(name, request, qos, sidecar=draws.chance(35))

    def _container(self, name: str, request: Request, qos: QosClass, *, sidecar: bool = False) -> Container:
        draws = self._draws
        if qos == "BestEffort":
            return Container(name, restart_always=sidecar)
        amounts = {kind: amount(size) for kind, size in request.items()}
        amounts["cpu"] = self._cpu()
        if draws.chance(0.5):
            amounts["memory"] = parsed(draws.pick(_SPELLINGS))
        if qos == "Burstable":
            return self._burstable(name, amounts, sidecar=sidecar)
        resources = _resources(amounts)
        return Container(name, resources, resources, restart_always=sidecar)

    def _burstable(self, name: str, amounts: Mapping[str, Quantity], *, sidecar: bool) -> Container:
        """Requests below the limits, or no limits except those that huge pages must have."""
        lower = self._draws.pick(({"cpu": parsed("5m")}, {"memory": parsed("4Ki")}, {}))
        limits = amounts if lower else {kind: q for kind, q in amounts.items() if kind.startswith("hugepages-")}
        requests = {**amounts, **{kind: min(q, amounts[kind]) for kind, q in lower.items()}}
        return Container(name, _resources(requests), _resources(limits), restart_always=sidecar)

    def _cpu(self) -> Quantity:
        """Few CPUs mostly; whole ones matter only where the CPU manager gives them out."""
        draws = self._draws
        if not draws.chance(45 if self._static_cpus else 8):
            return parsed(draws.pick(_FRACTIONS))
        if draws.chance(12):
            return parsed(str(max(1, draws.pick(self._cores) + draws.pick((0, -1, 1)))))
        return parsed(draws.pick(("1", "2", "1", "3")))


def _resources(amounts: Mapping[str, Quantity]) -> Resources:
    return tuple(sorted(amounts.items()))


def lasting(pod: Pod, *, pod_scope: bool) -> list[Request]:
    """What a pod would hold for long, request by request as the managers see them; nothing unless it is Guaranteed."""
    if pod.qos() != "Guaranteed":
        return []
    containers = [c for c in pod.init_containers if c.restart_always] + list(pod.containers)
    requests = [pod.requests] if pod.requests else [c.requests for c in containers]
    each: list[Request] = [{kind: q.value() for kind, q in resources if kind != "cpu"} for resources in requests]
    if not pod_scope:
        return each
    total: dict[str, int] = {}
    for request in each:
        for kind, size in request.items():
            total[kind] = total.get(kind, 0) + size
    return [total]
