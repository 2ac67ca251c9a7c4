"""Findings as a person wants them: the step, the field, expected and seen, why, and the command that replays it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from itertools import groupby
from textwrap import fill

from pinproof.judge.verdict import Finding, Judgement
from pinproof.scenario.faults import AtWrite, CallFault, Disk, Point, Runtime
from pinproof.scenario.steps import (
    Admit,
    AdmitTogether,
    Crash,
    Exit,
    Remove,
    Restart,
    Scenario,
    StateEdit,
    StateText,
    Step,
)

WIDTH = 96
"""Of explanations, in columns, without their margin."""

IN_FULL = 12
"""Findings of one step that are shown in full; more of them say little that is new."""


def describe_step(scenario: Scenario, index: int) -> str:
    """What led to an observation: `step 3: admit b`, `start of the kubelet`."""
    if index == 0:
        return "start of the kubelet"
    if index > len(scenario.steps):
        return f"step {index}: beyond the end of the scenario"
    return f"step {index}: {_action(scenario.steps[index - 1])}"


def _action(step: Step) -> str:
    match step:
        case Admit(pod):
            return f"admit {pod.name}"
        case AdmitTogether(pods):
            return f"admit together {', '.join(pod.name for pod in pods)}"
        case Remove(pod=name):
            return f"remove {name}"
        case Exit(pod=name, container=container, code=code):
            return f"container {container} of {name} exits with code {code}"
        case Restart():
            return "restart" + _restart(step)
        case Crash(during, at):
            moment = "between text and name of" if at.moment == "unnamed" else at.moment
            return f"{_action(during)}, killed {moment} {_point(at)}"
        case Disk(state, file):
            return f"the disk of {file or 'the state files'} is {state}" if state != "works" else "the disk works again"
        case Runtime(CallFault(method, how, times)):
            return f"{method} {how}" + (f" {times} times" if how != "hangs" else "")
        case Runtime():
            return "the container runtime forgets everything"


def _point(point: Point) -> str:
    return f"write {point.number} of {point.file}" if isinstance(point, AtWrite) else f"{point.method} {point.number}"


def _restart(step: Restart) -> str:
    facts: list[str] = []
    match step.state:
        case "keep":
            facts.append("state kept")
        case "lose":
            facts.append("state lost")
        case StateEdit(find=find, replace=replace, checksum=checksum):
            facts.append(f"state edited: {find!r} → {replace!r}, checksum {checksum}")
        case StateText():
            facts.append("state replaced")
    if step.cpu_state != "keep":
        facts.append(f"CPU state {'lost' if step.cpu_state == 'lose' else 'replaced'}")
    if step.boots:
        how = "the node's power was cut" if step.signal == "POWER" else "the node was rebooted"
        facts.append(how + (f", kernel with {step.kernel}" if step.kernel else ""))
    if step.signal == "KILL":
        facts.append("killed")
    if step.order:
        facts.append(f"pods in the order {', '.join(step.order)}")
    facts += [
        f"other {name}"
        for name, value in (("machine", step.machine), ("configuration", step.kubelet))
        if value is not None
    ]
    if step.kubernetes:
        facts.append(f"release {step.kubernetes}")
    return f" ({'; '.join(facts)})"


def one_line(finding: Finding, scenario: Scenario) -> str:
    """The compact form: `step 3: admit b: machine.0.memory.free: expected 0, seen 1073741824 (1Gi)`."""
    name = f"[{finding.requirement}] " if finding.requirement else ""
    where = describe_step(scenario, finding.step)
    return f"{name}{where}: {finding.path}: expected {_flat(finding.expected)}, seen {_flat(finding.seen)}"


def replay_command(file: str, subject: str) -> str:
    """The one command that shows it again."""
    return shlex.join(["pinproof", "replay", file, "--subject", subject])


def render(judgement: Judgement, scenario: Scenario, *, file: str, subject: str) -> str:
    """The judgement in plain text, ends with a newline: a headline; unless passed, the findings by step and how to replay."""
    lines = list(_lines(judgement, scenario))
    if judgement.outcome != "passed":
        lines.append(f"replay: {replay_command(file, subject)}")
    return "\n".join(lines) + "\n"


def _lines(judgement: Judgement, scenario: Scenario) -> Iterator[str]:
    yield f"{scenario.name}: {judgement.outcome}{_count(judgement)}"
    if judgement.trouble:
        yield from _indented("no verdict: " + judgement.trouble, "  ")
    steps = [(index, list(found)) for index, found in groupby(judgement.findings, key=lambda finding: finding.step)]
    for position, (index, findings) in enumerate(steps):
        if position and _only_modelled(findings):
            later = sum(len(found) for _, found in steps[position:])
            yield f"  and {later} more in later steps, of which the first is"
            yield f"    {one_line(findings[0], scenario)}"
            return
        yield ""
        yield f"  {describe_step(scenario, index)}"
        yield from _step(findings)
    if judgement.findings:
        yield ""


def _only_modelled(findings: list[Finding]) -> bool:
    """Differences from the model mostly follow from those of an earlier step; broken requirements do not."""
    return all(finding.oracle == "modelled" for finding in findings)


def _count(judgement: Judgement) -> str:
    if not judgement.findings:
        return f", compared: {', '.join(judgement.compared)}" if judgement.outcome == "passed" else ""
    required = sum(finding.oracle == "required" for finding in judgement.findings)
    modelled = len(judgement.findings) - required
    counts = ((required, "against what is required"), (modelled, "against the model"))
    return f", {' and '.join(f'{n} {what}' for n, what in counts if n)}"


def _step(findings: list[Finding]) -> Iterator[str]:
    explained: set[str] = set()
    for finding in findings[:IN_FULL]:
        yield f"    {finding.requirement or 'model'}  {finding.path}"
        yield from _labelled("expected", finding.expected)
        yield from _labelled("seen", finding.seen)
        if finding.oracle == "required" and finding.explanation not in explained:
            yield from _labelled("because", fill(finding.explanation, WIDTH))
            explained.add(finding.explanation)
    if len(findings) > IN_FULL:
        yield f"    and {len(findings) - IN_FULL} more in this step"
    notes = next((found.explanation for found in findings if found.oracle == "modelled" and found.explanation), "")
    if notes:
        yield "    how the model came to what it expects:"
        yield from _indented(notes, "      ")


def _labelled(label: str, text: str) -> Iterator[str]:
    first, *rest = text.splitlines() or [""]
    yield f"      {label:<9}{first}"
    for line in rest:
        yield f"{'':15}{line}"


def _indented(text: str, margin: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"{margin}{line}"


def _flat(text: str) -> str:
    return " ".join(text.split())
