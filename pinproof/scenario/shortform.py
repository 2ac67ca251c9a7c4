"""Pods of a document, in either form → `Pod`, and what the API would refuse in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pinproof.scenario.document import ContainerDocument, PodDocument
from pinproof.scenario.machines import Finding
from pinproof.scenario.manifest import ManifestContainer, ManifestDocument, ManifestResources
from pinproof.scenario.other_hints import hints_of, repeated_hints
from pinproof.scenario.pod import CONTROLLERS, Container, Pod, Resources
from pinproof.scenario.pod_level import HUGEPAGES, contradictions, is_pod_level, with_resources
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.yamltext import Location

OVERCOMMIT = frozenset({"cpu", "memory", "ephemeral-storage"})
"""Resources whose request may be below the limit."""


def pod_of(document: PodDocument | ManifestDocument) -> Pod:
    """The value of a pod."""
    if isinstance(document, PodDocument):
        pod = Pod(
            name=document.name,
            containers=tuple(_short(container) for container in document.containers),
            init_containers=tuple(_short(container) for container in document.init_containers),
            restart_policy=document.restart_policy,
            hints=hints_of(document.hints),
            by=document.by or "",
            replaces=document.replaces or "",
        )
        return _with(document.resources, pod)
    spec = document.spec
    pod = Pod(
        name=document.metadata.name,
        containers=tuple(_full(container) for container in spec.containers),
        init_containers=tuple(_full(container) for container in spec.init_containers),
        restart_policy=spec.restart_policy,
    )
    return _with(spec.resources, pod)


def _with(resources: ManifestResources, pod: Pod) -> Pod:
    return with_resources(pod, _resources(resources.requests), _resources(resources.limits))


def shorthand(document: ContainerDocument) -> dict[str, str]:
    """Resource → quantity of the keys that stand for request and limit at once."""
    both = {"cpu": document.cpu, "memory": document.memory}
    both |= {f"{HUGEPAGES}{size}": amount for size, amount in document.hugepages.items()}
    return {resource: amount for resource, amount in both.items() if amount is not None}


def _short(document: ContainerDocument) -> Container:
    both = shorthand(document)
    sidecar = document.restart_policy is not None
    container = _container(document.name, both | document.requests, both | document.limits, sidecar=sidecar)
    touch = Quantity.parse(document.touch) if document.touch is not None else None
    return replace(container, hints=hints_of(document.hints), touch=touch)


def _full(document: ManifestContainer) -> Container:
    resources = document.resources
    return _container(document.name, resources.requests, resources.limits, sidecar=document.restart_policy is not None)


def _container(name: str, requests: Mapping[str, str], limits: Mapping[str, str], *, sidecar: bool) -> Container:
    return Container(
        name=name, requests=_resources({**limits, **requests}), limits=_resources(limits), restart_always=sidecar
    )


def _resources(texts: Mapping[str, str]) -> Resources:
    return tuple((name, Quantity.parse(text)) for name, text in sorted(texts.items()))


def check_pod(document: PodDocument | ManifestDocument) -> Iterator[Finding]:
    """What the API would refuse in a pod, so that no kubelet ever sees it."""
    prefix: Location = ("spec",) if isinstance(document, ManifestDocument) else ()
    holder = document.spec if isinstance(document, ManifestDocument) else document
    groups: list[tuple[str, Sequence[ContainerDocument | ManifestContainer]]] = [
        ("initContainers", holder.init_containers),
        ("containers", holder.containers),
    ]
    names: set[str] = set()
    for key, group in groups:
        for index, container in enumerate(group):
            at = (*prefix, key, index)
            if container.name in names:
                yield (*at, "name"), f"the pod has a container {container.name} already; give every one its own name"
            names.add(container.name)
            if key == "containers" and container.restart_policy:
                yield (*at, "restartPolicy"), "only an init container can have one; set the pod's restartPolicy"
            yield from (((*at, *place), message) for place, message in _check_container(container))
    pod = pod_of(document)
    yield from (((*prefix, "resources", *place), message) for place, message in _check_pod_level(pod))
    yield from repeated_hints(pod)
    if pod.by in CONTROLLERS and pod.restart_policy != "Always":
        yield (*prefix, "restartPolicy"), f"a {pod.by} has only pods that restart their containers always"
    if pod.by and pod.replaces:
        yield (*prefix, "by"), f"the pod comes as the pod {pod.replaces} came, which it replaces; leave this out"


def _check_pod_level(pod: Pod) -> Iterator[Finding]:
    """Pod-level resources, after the API's defaults."""
    for key, resources in (("requests", pod.requests), ("limits", pod.limits)):
        for resource, _ in resources:
            if not is_pod_level(resource):
                yield (
                    (key, resource),
                    f"{resource} cannot be asked for by a pod as a whole; cpu, memory and huge pages can",
                )
    whole = Container("", pod.requests, pod.limits)
    yield from _check_resources(whole, _places(dict(pod.requests), dict(pod.limits)))
    yield from (((key, resource), message) for key, resource, message in contradictions(pod))


def _check_container(container: ContainerDocument | ManifestContainer) -> Iterator[Finding]:
    if isinstance(container, ManifestContainer):
        places = _places(container.resources.requests, container.resources.limits)
        places = {resource: ("resources", *place) for resource, place in places.items()}
        yield from _check_resources(_full(container), places)
        return
    both = shorthand(container)
    for key, texts in (("requests", container.requests), ("limits", container.limits)):
        for resource in texts.keys() & both.keys():
            yield (key, resource), f"{resource} is given apart and as request and limit at once; keep one of them"
    short: dict[str, Location] = {
        r: ("hugepages", r.removeprefix(HUGEPAGES)) if r.startswith(HUGEPAGES) else (r,) for r in both
    }
    made = _short(container)
    yield from _check_resources(made, _places(container.requests, container.limits) | short)
    yield from ((("touch",), message) for message in _check_touch(made))


def _check_touch(container: Container) -> Iterator[str]:
    touch, limit = container.touch, dict(container.limits).get("memory")
    if touch is None:
        return
    if touch <= Quantity.ZERO:
        yield f"{touch} is no memory; leave it out, or give an amount"
    elif limit is not None and touch >= limit:
        yield f"{touch} is not below the limit {limit}: a process needs some beside it"


def _places(requests: Iterable[str], limits: Iterable[str]) -> dict[str, Location]:
    """Where each resource stands, the request first."""
    places: dict[str, Location] = {name: ("limits", name) for name in limits}
    return places | {name: ("requests", name) for name in requests}


def _check_resources(container: Container, places: Mapping[str, Location]) -> Iterator[Finding]:
    limits = dict(container.limits)
    for resource, amount in container.requests:
        at, limit = places[resource], limits.get(resource)
        yield from ((at, message) for message in _check_amount(resource, amount))
        if limit is None and resource.startswith(HUGEPAGES):
            yield at, "huge pages need a limit; give the same as the request"
        elif limit is not None and resource.startswith(HUGEPAGES) and amount != limit:
            yield at, f"must equal the limit of {limit}: huge pages cannot be overcommitted"
        elif limit is not None and amount > limit:
            yield at, f"the request {amount} is above the limit {limit}"
    names = places.keys()
    if any(name.startswith(HUGEPAGES) for name in names) and names.isdisjoint({"cpu", "memory"}):
        yield (), "huge pages need cpu or memory beside them"


def _check_amount(resource: str, amount: Quantity) -> Iterator[str]:
    if amount < Quantity.ZERO:
        yield f"{amount} is negative"
    if resource in OVERCOMMIT:
        return
    if not resource.startswith(HUGEPAGES):
        yield f"{resource} is not a resource pinproof knows; these are cpu, memory, ephemeral-storage, hugepages-<size>"
        return
    try:
        size = Quantity.parse(resource.removeprefix(HUGEPAGES)).value()
    except ValueError as error:
        yield str(error)
        return
    if size <= 0 or amount.value() % size:
        yield f"{amount} is not a whole number of pages of {resource.removeprefix(HUGEPAGES)}"
