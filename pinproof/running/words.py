"""What a kubelet says of itself while it runs: the lines of its log, and the events among them. Pure.

A kubelet without an API server has nobody to send events to, and logs them: `"Event occurred" object="NAMESPACE/POD" …`.
Static pods are called `NAME-NODE`, and every incarnation has a numbered namespace of its own; the newest is the one that is
meant, whatever is still said of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pinproof.subjects.kubelet.places import NODE_NAME
from pinproof.subjects.kubelet.refusal import unquote

_HEAD: Final = re.compile(r"^(?P<level>[IWEF])\d{4} \S+ +\d+ (?P<place>\S+):\d+\] (?P<rest>.*)$")
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_MESSAGE: Final = re.compile(rf"^(?P<message>{_QUOTED})")
_FIELD: Final = re.compile(rf" (?P<key>\w+)=(?P<value>{_QUOTED}|[^ ]+)")
_EVENT: Final = "Event occurred"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log, as klog writes it."""

    level: str
    """`I`, `W`, `E` or `F`."""

    source: str
    """File that logged it, such as `memory_manager.go`."""

    message: str
    fields: Mapping[str, str]
    """Key → value, unquoted; of a value that is not quoted, such as a list of hints, only what comes before its first space."""

    text: str
    """The line as it is."""


@dataclass(frozen=True, slots=True)
class Words:
    """The log of one kubelet process."""

    lines: tuple[Line, ...]

    def __repr__(self) -> str:
        """The last errors: what a person wants to see beside a failed assertion."""
        return "\n".join(["<log>", *(line.text for line in self.errors()[-5:])])

    @classmethod
    def of(cls, text: str) -> Words:
        """Read a log; what is no line of klog's is left out."""
        return cls(tuple(_lines(text)))

    def errors(self) -> list[Line]:
        """What it logged as an error, or as its last word."""
        return [line for line in self.lines if line.level in "EF"]

    def about(self, pod: str) -> list[Line]:
        """Lines that name the newest incarnation of a pod."""
        namespace = self._namespace(pod)
        named = f"{namespace}/{pod}-{NODE_NAME}"
        return [line for line in self.lines if line.fields.get("pod") == named] if namespace else []

    def events(self, pod: str, kind: str = "Warning") -> list[tuple[str, str]]:
        """(Reason, message) of the events of the newest incarnation of a pod."""
        named = f"{self._namespace(pod)}/{pod}-{NODE_NAME}"
        events = (line.fields for line in self.lines if line.message == _EVENT)
        return [
            (event["reason"], event["message"])
            for event in events
            if event.get("object") == named and event.get("type") == kind
        ]

    def _namespace(self, pod: str) -> str:
        """The namespace of the newest incarnation: the one with the highest number. Empty when the pod is not in the log."""
        owner = re.compile(rf"n(\d+)/{re.escape(pod)}-{NODE_NAME}")
        named = (owner.fullmatch(line.fields.get(key, "")) for line in self.lines for key in ("pod", "object"))
        numbers = [int(found[1]) for found in named if found]
        return f"n{max(numbers)}" if numbers else ""


def _lines(text: str) -> Iterator[Line]:
    for line in text.splitlines():
        head = _HEAD.match(line)
        if not head:
            continue
        rest = head["rest"]
        message = _MESSAGE.match(rest)
        said = unquote(message["message"]) if message else rest
        fields = (
            {found["key"]: unquote(found["value"]) for found in _FIELD.finditer(rest[message.end() :])}
            if message
            else {}
        )
        yield Line(head["level"], head["place"], said, fields, line)
