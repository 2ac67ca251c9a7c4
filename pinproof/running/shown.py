"""A history as a person reads it: after every step the pods, what they hold, and what is left on each node."""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.history import History, NodeState, Observation
from pinproof.judge.render import describe_step
from pinproof.judge.words import block, nodes, size
from pinproof.scenario.steps import Scenario


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
    for pod, containers in sorted((seen.assignments or {}).items()):
        for container, blocks in sorted(containers.items()):
            yield f"{pod}/{container}: " + ", ".join(block(one) for one in blocks)
    for node, state in sorted((seen.machine or {}).items()):
        yield f"node {node}: {_node(state)}"


def _node(state: NodeState) -> str:
    free = ", ".join(
        f"{kind} {size(table.free)} free of {size(table.allocatable)}" for kind, table in sorted(state.memory.items())
    )
    return f"{free}; group {nodes(state.cells)}, {state.number_of_assignments} assignments"
