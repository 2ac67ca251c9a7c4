"""What a node of somebody else's may be put to, where it may be disrupted at all: decided before anything is begun. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction

from pinproof.errors import InputError
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.configuration import settle
from pinproof.reference.model import predict
from pinproof.running.given import require_empty
from pinproof.scenario.contents import kubelets, restarts
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Admit, AdmitTogether, Scenario, Step
from pinproof.subjects.cluster import share
from pinproof.subjects.cluster.beginning import configuration_differs
from pinproof.subjects.cluster.rewriting import joined
from pinproof.subjects.kind.configuration import may_have_cgroups
from pinproof.subjects.protocol import Found, NotObservableError


def alters(own: Scenario) -> bool:
    """Whether a restart of it changes files of the node."""
    return any(step.kubelet or (step.state, step.cpu_state) != ("keep", "keep") for step in restarts(own))


def require_possible(
    scenario: Scenario,
    own: Scenario,
    found: Found,
    there: Collection[Pod],
    *,
    release: str,
    cpus: CpuSet,
    part: Fraction,
) -> None:
    """Raises NotObservableError for what is not done to a node.

    Args:
        scenario: the whole of it, from the node as it was found on.
        own: the steps that are to be carried out.
        found: the node.
        there: the pods that are not ours.
        release: of the kubelet.
        cpus: those that the kernel has.
        part: of what is free with each configuration, so much may be asked for.
    """
    changed = configuration_differs(found.machine, scenario.kubelet, found.kubelet, release)
    if changed:
        require_empty(found.before)
    if changed or any(restarts(own)):
        _require_harmless(scenario, [pod.name for pod in there], release)
    if not changed and not alters(own):
        return
    for config in kubelets(replace(own, kubelet=scenario.kubelet)):
        left = configuration_differs(found.machine, config, joined(found.kubelet, config), release)
        if left:
            raise NotObservableError(f"what the node has beside it would stay: {'; '.join(left)}")
        if not may_have_cgroups(found.machine, config, cpus):
            raise NotObservableError(
                "its CPU manager would write CPUs into the cgroup of all pods that the kernel does not have"
            )
        # Pods that return are judged by what the API server has of the node, before or after the change: they fit with either.
        capacity = settle(found.machine, config, behaviour_of(release), lambda options: next(iter(options))).capacity
        share.check(own.steps, share.without(capacity, there), part)


def _require_harmless(scenario: Scenario, there: Collection[str], release: str) -> None:
    """Nobody orders anything on a node whose kubelet does not run, and a pod of others that is rejected is lost."""
    one_by_one: list[Step] = []
    for step in scenario.steps:
        one_by_one += [Admit(pod) for pod in step.pods] if isinstance(step, AdmitTogether) else [step]
    try:
        histories = predict(replace(scenario, steps=tuple(one_by_one)), behaviour_of(release), texts=False).histories
    except InputError as error:
        raise NotObservableError(f"it cannot be said what a restart leads to: {error}") from error
    for seen in (seen for history in histories for seen in history.observations):
        if not seen.running:
            raise NotObservableError(f"the kubelet would not run, which no node of others is put to: {seen.refusal}")
        pods = seen.pods or {}
        lost = [f"{name} ({pods[name].reason})" for name in there if name in pods and not pods[name].admitted]
        if lost:
            raise NotObservableError(f"pods that are there would be rejected: {', '.join(lost)}")
