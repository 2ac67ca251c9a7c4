"""Words for kubelet configurations: makers that know a machine only when they are asked.

A `Configuration` is called with a `Machine` and answers with the `KubeletConfig` for it, so that one line of a case
fits every machine it is parametrised over. Its `slug` goes into the case id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.machine import Machine
from pinproof.scenario.quantity import Quantity

EVICTION = 100 << 20
"""`memory.available` of `evictionHard` where a configuration leaves it out: counts as reserved (behaviour.md 1.3)."""

NODES_WITHOUT_OPTION = 8
"""More NUMA nodes than this need `max-allowable-numa-nodes` under any topology manager policy but `none`."""

MAX_NODES = "max-allowable-numa-nodes"

_SHORT = {"best-effort": "besteffort", "single-numa-node": "single"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A kubelet configuration for any machine."""

    slug: str
    """Its name in case ids: no `-`, which separates the segments of an id."""

    settings: tuple[tuple[str, Any], ...] = ()
    """(field of `KubeletConfig`, value in that field's own form), ascending by field."""

    reserved: tuple[tuple[int | None, str], ...] = ()
    """(NUMA node, or None for every node that has memory; quantity to reserve)."""

    lowest_cpu: bool = False
    """Reserve the machine's lowest CPU for the system: the static CPU manager wants at least one."""

    def __call__(self, machine: Machine) -> KubeletConfig:
        """The configuration on this machine."""
        config = KubeletConfig(**dict(self.settings))
        config = self._with_memory(config, machine)
        if self.lowest_cpu and not config.reserved_system_cpus:
            config = replace(config, reserved_system_cpus=str(min(machine.cpus)))
        return self._with_many_nodes(config, machine)

    def _with_memory(self, config: KubeletConfig, machine: Machine) -> KubeletConfig:
        amounts: dict[int, str] = {}
        for node, amount in self.reserved:
            everywhere = [seen.id for seen in machine.seen() if seen.memory]
            amounts.update(dict.fromkeys(everywhere if node is None else [node], amount))
        if not amounts or config.reserved_memory:
            return config
        entries = {node: {"memory": amount} for node, amount in sorted(amounts.items())}
        total = sum(Quantity.parse(amount).value() for amount in amounts.values())
        kube = config.kube_reserved or (("memory", str(Quantity.of_bytes(total - _held_back(config)))),)
        return replace(config, reserved_memory=_reservations(entries), kube_reserved=kube)

    def _with_many_nodes(self, config: KubeletConfig, machine: Machine) -> KubeletConfig:
        options = dict(config.topology_manager_policy_options)
        nodes = len(machine.seen())
        if nodes <= NODES_WITHOUT_OPTION or config.topology_manager_policy == "none" or MAX_NODES in options:
            return config
        options[MAX_NODES] = str(nodes)
        return replace(config, topology_manager_policy_options=tuple(sorted(options.items())))


def static(
    *,
    topology: str = "none",
    scope: str = "container",
    cpu: str = "none",
    options: Mapping[str, str] | None = None,
    reserved: str | Mapping[int, str] = "512Mi",
    gates: Mapping[str, bool] | None = None,
    slug: str | None = None,
    **more: Any,
) -> Configuration:
    """Memory manager policy Static with a sound reservation.

    Args:
        topology: topology manager policy.
        scope: topology manager scope.
        cpu: CPU manager policy; with `static` the machine's lowest CPU is reserved for the system.
        options: topology manager policy options; `max-allowable-numa-nodes` is added where the machine needs it.
        reserved: memory to reserve on every node that has memory, or node → quantity. `kubeReserved` is made to fit:
            the sum less the 100Mi that the default eviction threshold holds back.
        gates: feature gates.
        slug: name in case ids, made from the arguments otherwise.
        more: further fields of `KubeletConfig`; what is given here replaces what would be made.
    """
    parts = ["static", _SHORT.get(topology, topology)]
    parts += [scope] if scope != "container" else []
    parts += ["cpu"] if cpu == "static" else []
    return _configuration(
        parts,
        slug,
        {
            "memory_manager_policy": "Static",
            "topology_manager_policy": topology,
            "topology_manager_scope": scope,
            "cpu_manager_policy": cpu,
            "topology_manager_policy_options": options or {},
            "feature_gates": gates or {},
            **more,
        },
        reserved=_wanted(reserved),
        lowest_cpu=cpu == "static",
    )


def none_policy(
    *,
    topology: str = "none",
    scope: str = "container",
    cpu: str = "none",
    gates: Mapping[str, bool] | None = None,
    slug: str | None = None,
    **more: Any,
) -> Configuration:
    """Memory manager policy None: memory is counted by nobody. Arguments as for `static`."""
    parts = ["none", _SHORT.get(topology, topology)]
    parts += [scope] if scope != "container" else []
    parts += ["cpu"] if cpu == "static" else []
    settings = {
        "memory_manager_policy": "None",
        "topology_manager_policy": topology,
        "topology_manager_scope": scope,
        "cpu_manager_policy": cpu,
        "feature_gates": gates or {},
        **more,
    }
    return _configuration(parts, slug, settings, lowest_cpu=cpu == "static")


def configured(slug: str, **fields: Any) -> Configuration:
    """Exactly these fields of `KubeletConfig`, sound or not; mappings may stand for its tuples of pairs.

    `reserved_memory` may be written `{0: {"memory": "512Mi"}}`, or as a list of `(node, {...})` to name a node twice.
    """
    return _configuration([slug], None, fields)


def _configuration(
    parts: list[str],
    slug: str | None,
    settings: Mapping[str, Any],
    *,
    reserved: tuple[tuple[int | None, str], ...] = (),
    lowest_cpu: bool = False,
) -> Configuration:
    unknown = settings.keys() - {field.name for field in fields(KubeletConfig)}
    if unknown:
        raise ValueError(f"KubeletConfig has no field {', '.join(sorted(unknown))}")
    extra = [] if len(parts) == 1 else _described(settings, reserved)
    return Configuration(
        slug=_clean(slug or "_".join(parts + extra)),
        settings=tuple(sorted((name, _value(name, value)) for name, value in settings.items())),
        reserved=reserved,
        lowest_cpu=lowest_cpu,
    )


_NAMED = {"memory_manager_policy", "topology_manager_policy", "topology_manager_scope", "cpu_manager_policy"}
"""Settings that a slug already speaks of in its first words."""


def _described(settings: Mapping[str, Any], reserved: tuple[tuple[int | None, str], ...]) -> list[str]:
    words = [f"{node}_{amount}" for node, amount in reserved if node is not None]
    words += [amount for node, amount in reserved if node is None and amount != "512Mi"]
    for name, value in settings.items():
        if name in _NAMED or (not value and name != "eviction_hard"):
            continue
        if name in {"topology_manager_policy_options", "feature_gates"}:
            words += [key if text in {"true", True} else f"{key}_{text}" for key, text in value.items()]
        else:
            words.append(f"{name}_{value}")
    return words


def _held_back(config: KubeletConfig) -> int:
    """Bytes that the hard eviction threshold adds to the reservation; a percentage needs its own `kube_reserved`."""
    if config.eviction_hard is None:
        return EVICTION
    written = dict(config.eviction_hard).get("memory.available")
    if written is None:
        return EVICTION if config.merge_default_eviction_settings else 0
    return Quantity.parse(written).value()


def _clean(slug: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", slug).strip("_")


def _wanted(reserved: str | Mapping[int, str]) -> tuple[tuple[int | None, str], ...]:
    if isinstance(reserved, str):
        return ((None, reserved),)
    return tuple(sorted(reserved.items()))


def _value(name: str, value: Any) -> Any:
    """The field's own form: tuples of pairs, hashable."""
    if name == "reserved_memory":
        return _reservations(value)
    if isinstance(value, Mapping):
        return tuple(value.items())
    return value


def _reservations(
    entries: Mapping[int, Mapping[str, str]] | Sequence[tuple[int, Mapping[str, str]] | MemoryReservation],
) -> tuple[MemoryReservation, ...]:
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    return tuple(
        pair
        if isinstance(pair, MemoryReservation)
        else MemoryReservation(pair[0], tuple((kind, Quantity.parse(amount)) for kind, amount in pair[1].items()))
        for pair in pairs
    )
