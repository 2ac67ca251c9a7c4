"""A history as a person reads it: after every step the pods, what they hold, and what is left on each node."""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.history import Hinted, History, NodeState, Observation
from pinproof.judge.render import describe_step
from pinproof.judge.words import block, hint, nodes, size
from pinproof.scenario.steps import Scenario

HINTS_SHOWN = 12
"""Of a resource; sixteen nodes have 65 535 masks."""


def shown(scenario: Scenario, history: History, *, notes: bool = False) -> str:
    """The history in plain text, ending with a newline.

    Args:
        scenario: what the history is of.
        history: what was predicted or seen.
        notes: add the decisions of the reference.
    """
    lines = []
    for index, observation in enumerate(history.observations):
        lines.append(describe_step(scenario, index))
        lines += [f"  {line}" for line in _observation(observation)]
        if notes:
            lines += [f"    {note.topic}: {note.text}" for note in observation.notes]
    return "\n".join(lines) + "\n"


def _observation(seen: Observation) -> Iterator[str]:
    if not seen.running:
        yield f"the kubelet refuses to start: {seen.refusal}" if seen.refusal else "the kubelet does not run"
        return
    for name, verdict in sorted((seen.pods or {}).items()):
        yield f"pod {name}: " + ("admitted" if verdict.admitted else f"rejected, {verdict.reason}: {verdict.message}")
    for name, number in sorted((seen.made or {}).items()):
        yield f"the controller of {name} has made {number} pod{'s' if number > 1 else ''}"
    for hinted in seen.hints or ():
        yield from _hinted(hinted)
    for pod, shares in sorted((seen.pod_assignments or {}).items()):
        yield f"{pod} as a whole: " + ", ".join(block(one) for one in shares)
    for pod, containers in sorted((seen.assignments or {}).items()):
        for container, blocks in sorted(containers.items()):
            yield f"{pod}/{container}: " + ", ".join(block(one) for one in blocks)
    for node, state in sorted((seen.machine or {}).items()):
        yield f"node {node}: {_node(state)}"


def _hinted(hinted: Hinted) -> Iterator[str]:
    """What the providers answered, a line a resource; those without preference have none."""
    asked = f"{hinted.pod}/{hinted.container}" if hinted.container else f"{hinted.pod} as a whole"
    for provider, resources in hinted.answers.items():
        for resource, hints in resources.items():
            if hints is not None:
                listed = [hint(each) for each in hints[:HINTS_SHOWN]]
                more = [f"and {len(hints) - HINTS_SHOWN} more"] if len(hints) > HINTS_SHOWN else []
                yield f"hints for {asked}: {provider}, {resource}: {'; '.join(listed + more) or 'impossible'}"
    if hinted.merged is not None:
        yield f"hints for {asked}: merged: {hint(hinted.merged)}"


def _node(state: NodeState) -> str:
    free = ", ".join(
        f"{kind} {size(table.free)} free of {size(table.allocatable)}" for kind, table in sorted(state.memory.items())
    )
    return f"{free}; group {nodes(state.cells)}, {state.number_of_assignments} assignments"
