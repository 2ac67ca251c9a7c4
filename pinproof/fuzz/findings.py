"""What makes two failures the same: a signature without names, numbers and sizes.

A scenario that fails shows

* of every broken invariant its first violation that the ledger does not explain;
* of the differences from the model the first one of the earliest step, since later ones mostly follow from it;
* or the trouble that left it without a verdict: a driver that died, a judge that raised.

>>> abstract("rejected, X: pod a needs 4294967296 (4Gi) on {0,1}", {"a"})
'rejected, X: pod * needs # on {#}'
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from pinproof.judge.verdict import Finding, Judgement
from pinproof.scenario.contents import pods
from pinproof.scenario.steps import Restart, Scenario

VERDICTS = ("pods", "refusal", "running")
"""Fields of a difference where what was seen tells defects apart; of all others the place alone does."""

PREFIXES = ("Pod was rejected: ", "Allocate failed due to ", "[memorymanager] ")
"""What many messages begin with."""

LONGEST = 160
"""Characters of what was said that a signature keeps."""

FRAMES = 3
"""Frames of a stack that a signature keeps: the innermost that lie in Kubernetes or in pinproof."""

_NUMBER = re.compile(r"-?(?<![A-Za-z\d])\d+(?:[.,]\d+)*(?:[KMGT]i?\b)?(?: \((?:about )?[\d.]+[KMGT]i\))?")
_REPEATED = re.compile(r"(.{3,}?)(?:[;,] (?:and )?\1)+")
_GO_FRAME = re.compile(r"^\s*(k8s\.io/[\w./*()-]+)\(", re.MULTILINE)
_PYTHON_FRAME = re.compile(r'File ".*/(pinproof/[\w/]+)\.py", line \d+, in (\w+)')
_WORD = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True, order=True)
class Signature:
    """What a kind of failure has in common."""

    oracle: Literal["required", "modelled", "trouble"]
    requirement: str
    """Id of the broken invariant, empty unless required."""

    step: str
    """`start`, `admit`, `remove`, `exit`, or `restart` with what is special about it."""

    path: str
    """Where in the observation; `*` for names, `#` for node ids."""

    said: str
    """What was expected and seen, where that tells defects apart; the top of the stack of a panic."""

    def __str__(self) -> str:
        name = self.requirement or {"modelled": "model", "trouble": "no verdict"}.get(self.oracle, "")
        return f"{name}: {self.step}: {self.path}" + (f": {self.said}" if self.said else "")

    @property
    def id(self) -> str:
        """Short, the same in every run, fit for a folder's name: `model-admit-pods-1a2b3c4d`."""
        digest = hashlib.sha256("\0".join((self.oracle, self.requirement, self.step, self.path, self.said)).encode())
        words = (self.requirement or self.oracle, self.step.split(" ", 1)[0], self.path.split(".", 1)[0])
        slug = "-".join(re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in words)
        return f"{slug.replace('modelled', 'model')}-{digest.hexdigest()[:8]}"


def signatures(
    scenario: Scenario, judgement: Judgement, *, explained: Callable[[Finding], bool] = lambda _: False
) -> Mapping[Signature, Finding]:
    """Signature → the finding that it is of. `explained` are findings that have been explained otherwise."""
    if judgement.trouble:
        return {_trouble(judgement.trouble): Finding("modelled", "", 0, "", "a verdict", "", judgement.trouble)}
    first: dict[str, Finding] = {}
    for finding in judgement.findings:
        if finding.requirement not in first and not explained(finding):
            first[finding.requirement] = finding
    names = _names(scenario)
    return {_signature(scenario, finding, names): finding for finding in first.values()}


def _signature(scenario: Scenario, finding: Finding, names: Collection[str]) -> Signature:
    path = abstract(finding.path, names)
    said = ""
    if finding.oracle == "required":
        said = f"expected {abstract(finding.expected, names)}, seen {_kind(finding.seen, names)}"
    elif path.split(".", 1)[0] in VERDICTS:
        said = f"seen {_kind(finding.seen, names)}"
    return Signature(finding.oracle, finding.requirement, step_kind(scenario, finding.step), path, said[:LONGEST])


def _kind(text: str, names: Collection[str]) -> str:
    """What was seen: the reason of a rejected pod, the core of a message."""
    verdict, colon, _ = text.partition(": ")
    if colon and verdict.startswith("rejected, "):
        return verdict
    for prefix in PREFIXES:
        text = text.removeprefix(prefix)
    return abstract(text, names)


def _trouble(text: str) -> Signature:
    frames = _GO_FRAME.findall(text)[:FRAMES]
    frames += [".".join(frame) for frame in reversed(_PYTHON_FRAME.findall(text)[-FRAMES:])]
    said = " < ".join(frames) or abstract(text.strip().splitlines()[0], ())
    return Signature("trouble", "", "any", "", said[: 2 * LONGEST])


def step_kind(scenario: Scenario, index: int) -> str:
    """What kind of step led to an observation, with what matters most about a restart."""
    if not 0 < index <= len(scenario.steps):
        return "start"
    step = scenario.steps[index - 1]
    if not isinstance(step, Restart):
        return type(step).__name__.lower()
    if not isinstance(step.state, str):
        return "restart edited"
    if step.state == "lose":
        return "restart lost"
    changed = step.machine or step.kubelet or step.kubernetes
    return "restart changed" if changed else "restart"


def abstract(text: str, names: Collection[str]) -> str:
    """The text without what differs from one scenario to the next: names of pods and containers, numbers, sizes."""
    text = _WORD.sub(lambda found: _part(found[0], names), " ".join(text.split()))
    text = _NUMBER.sub("#", text)
    text = re.sub(r"#(?:, ?#)+", "#", text)
    return _REPEATED.sub(r"\1", text)


def _part(word: str, names: Collection[str]) -> str:
    """A word that is a name, or a path with names in it."""
    return ".".join("*" if part in names else part for part in word.split("."))


def _names(scenario: Scenario) -> frozenset[str]:
    found: set[str] = set()
    for pod in pods(scenario):
        found.add(pod.name)
        found.update(container.name for container in pod.all_containers)
    return frozenset(found)
