"""Words for pods: `guaranteed("a", memory="4Gi")` is a value, not a manifest.

Quantities are text as Kubernetes spells them. A word promises the QoS class it is named after: a pod that comes out in
another class is a mistake in the case and raises ValueError when the case runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pinproof.scenario.pod import Container, Pod, QosClass, Resources, Way
from pinproof.scenario.pod_level import with_resources
from pinproof.scenario.quantity import Quantity

RestartPolicy = Literal["Always", "OnFailure", "Never"]


def container(
    name: str = "c",
    *,
    memory: str | None = None,
    cpu: str | None = "100m",
    hugepages: Mapping[str, str] | None = None,
    requests: Mapping[str, str] | None = None,
    limited: bool = True,
    touch: str | None = None,
) -> Container:
    """A container whose limits are these amounts, and its requests too unless `requests` changes them.

    Args:
        name: container name.
        memory: limit of memory, None for none.
        cpu: limit of CPU, None for none.
        hugepages: page size (`2Mi`) → amount (`64Mi`).
        requests: requests that differ from the limits.
        limited: False keeps memory and CPU as requests only; huge pages keep their limit, they have no meaning without.
        touch: memory that its process writes to, on subjects whose containers touch memory; None leaves it to them.
    """
    amounts = {} if memory is None else {"memory": memory}
    amounts |= {} if cpu is None else {"cpu": cpu}
    pages = {f"hugepages-{size}": amount for size, amount in (hugepages or {}).items()}
    return Container(
        name=name,
        requests=_resources({**amounts, **pages, **(requests or {})}),
        limits=_resources({**amounts, **pages} if limited else pages),
        touch=None if touch is None else Quantity.parse(touch),
    )


def sidecar(
    name: str,
    *,
    memory: str | None = None,
    cpu: str | None = "100m",
    hugepages: Mapping[str, str] | None = None,
) -> Container:
    """A restartable init container; give it in `init=`."""
    return replace(container(name, memory=memory, cpu=cpu, hugepages=hugepages), restart_always=True)


def pod(
    name: str,
    *containers: Container,
    init: Sequence[Container] = (),
    restart_policy: RestartPolicy = "Always",
) -> Pod:
    """A pod of these containers, of whatever QoS class they make it."""
    return Pod(name=name, containers=containers, init_containers=tuple(init), restart_policy=restart_policy)


def guaranteed(
    name: str,
    *,
    memory: str | None = None,
    cpu: str = "100m",
    hugepages: Mapping[str, str] | None = None,
    touch: str | None = None,
    containers: Sequence[Container] = (),
    init: Sequence[Container] = (),
    restart_policy: RestartPolicy = "Always",
) -> Pod:
    """A Guaranteed pod: either one container `c` of these amounts, or the containers given."""
    apps = containers or [container(memory=memory, cpu=cpu, hugepages=hugepages, touch=touch)]
    return _promised("Guaranteed", pod(name, *apps, init=init, restart_policy=restart_policy))


def burstable(
    name: str,
    *,
    memory: str | None = "64Mi",
    cpu: str = "100m",
    hugepages: Mapping[str, str] | None = None,
    touch: str | None = None,
    containers: Sequence[Container] = (),
    init: Sequence[Container] = (),
    restart_policy: RestartPolicy = "Always",
) -> Pod:
    """A Burstable pod: either one container `c` that requests these amounts without limits, or the containers given."""
    apps = containers or [container(memory=memory, cpu=cpu, hugepages=hugepages, limited=False, touch=touch)]
    return _promised("Burstable", pod(name, *apps, init=init, restart_policy=restart_policy))


def pod_level(
    name: str,
    *containers: Container,
    memory: str,
    cpu: str,
    hugepages: Mapping[str, str] | None = None,
    init: Sequence[Container] = (),
    restart_policy: RestartPolicy = "Always",
) -> Pod:
    """A Guaranteed pod that asks for these amounts as a whole (`spec.resources`); its containers may ask for parts of them."""
    whole = container(memory=memory, cpu=cpu, hugepages=hugepages).limits
    plain = pod(name, *containers, init=init, restart_policy=restart_policy)
    return _promised("Guaranteed", with_resources(plain, whole, whole))


def hinted(where: Pod, **devices: Sequence[tuple[tuple[int, ...] | None, bool]] | None) -> Pod:
    """The pod with what another hint provider answers, for the pod (scope pod) and each of its containers (scope container).

    `gpu=[((0,), True)]` is device `example.com/gpu` with one preferred hint for node 0; None is no preference, an empty list
    is impossible.
    """
    hints = tuple(
        (f"example.com/{device}", None if given is None else tuple(given)) for device, given in devices.items()
    )
    apps = tuple(replace(one, hints=hints) for one in where.containers)
    return replace(where, hints=hints, containers=apps)


def brought(pod: Pod, *, by: Way) -> Pod:
    """The pod as it comes to its node by the scheduler, a Deployment or DaemonSet, or as a static pod."""
    return replace(pod, by=by)


def replacement(name: str, *, of: Pod) -> Pod:
    """The pod that the controller of a rejected one has made for it."""
    return replace(of, name=name, by="", replaces=of.name)


def besteffort(
    name: str,
    *,
    containers: Sequence[Container] = (),
    init: Sequence[Container] = (),
    restart_policy: RestartPolicy = "Always",
) -> Pod:
    """A BestEffort pod: one container `c` that asks for nothing, or the containers given."""
    apps = containers or [container(cpu=None)]
    return _promised("BestEffort", pod(name, *apps, init=init, restart_policy=restart_policy))


def _promised(qos: QosClass, made: Pod) -> Pod:
    if made.qos() != qos:
        raise ValueError(f"the pod {made.name!r} is meant to be {qos} but its resources make it {made.qos()}")
    return made


def _resources(amounts: Mapping[str, str]) -> Resources:
    return tuple(sorted((name, Quantity.parse(amount)) for name, amount in amounts.items()))
