"""How long one admission takes on a machine of so many NUMA nodes (kubernetes#135541).

    python -m benchmarks.numa_curve --subject component:1.36.3 --subject kubelet:1.36.3 --seconds 20

A provider proposes every set of nodes that has room, and there are twice as many sets with each node more. So the table grows
until an admission takes longer than it may, and says by how much the last nodes made it longer; what it would be for 34 nodes is
reckoned from that, and marked as reckoned.

Two machines are measured: every node with memory, of which the pod needs one; and memory on two nodes alone, as on the board of
that issue, which has 34. The time is that of a scenario with one admission less that of the same scenario without, on a subject
that has started before; the shortest of three where it is short, since other work only adds to it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from pinproof import build
from pinproof.errors import PinproofError, SubjectError
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.steps import Scenario, Step
from pinproof.subjects.component.binary import release_of
from pinproof.subjects.component.subject import ComponentSubject
from pinproof.subjects.protocol import Subject
from pinproof.subjects.registry import open_subject
from pinproof.suite import admit, guaranteed, static

NODES = (2, 4, 8, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 34)
POLICIES = ("best-effort", "restricted")
GIB = 1 << 30
TRIES = 3
LAST = 4
"""Points that tell how the curve grows; before, other work weighs as much."""

AGAIN = 5.0
"""Seconds of an admission that is measured once."""

FULL, SPARSE = "memory on all nodes", "memory on two nodes"


@dataclass(frozen=True, slots=True)
class Point:
    """One admission."""

    nodes: int
    seconds: float


def machine(nodes: int, *, shape: str) -> Machine:
    """A machine of so many nodes of 2Gi with one CPU each, or with memory and CPUs on two of them alone."""
    full = nodes if shape == FULL else 2
    return Machine(
        "curve",
        tuple(
            NumaNode(
                number,
                2 * GIB if number < full else 0,
                CpuSet((number,)) if number < full else CpuSet(()),
                distances=tuple(10 if other == number else 20 for other in range(nodes)),
            )
            for number in range(nodes)
        ),
    )


def admission(subject: Subject, nodes: int, *, policy: str, shape: str) -> float:
    """Seconds of one admission of a Guaranteed pod of 1Gi. Raises SubjectError where it never ends."""
    made = machine(nodes, shape=shape)
    config = static(topology=policy, reserved={0: "512Mi"})(made)

    def run(*steps: Step) -> float:
        began = time.perf_counter()
        history = subject.run(Scenario("curve", made, config, steps))
        spent = time.perf_counter() - began
        verdict = (history.observations[-1].pods or {}).get("a") if history.observations else None
        if not history.complete or (steps and (verdict is None or not verdict.admitted)):
            said = history.trouble or str(verdict or history.observations[-1].refusal)
            raise SubjectError("measure", said, fault="the subject", remedy="see kubernetes#135541")
        return spent

    idle = min(run() for _ in range(TRIES + 1))  # the first of them starts the subject
    first = run(admit(guaranteed("a", memory="1Gi")))
    again = TRIES - 1 if first < AGAIN else 0
    return min([first, *(run(admit(guaranteed("a", memory="1Gi"))) for _ in range(again))]) - idle


def opened(spec: str, *, slow: float) -> Subject:
    """The subject; a component that does not tell of its hints, which would take longer than to make them."""
    kind, _, what = spec.partition(":")
    if kind != "component":
        return open_subject(spec, slow=slow)
    binary = build.component(what)
    return ComponentSubject(binary, version=release_of(binary), name=spec, slow=slow, show=())


def curve(spec: str, *, policy: str, shape: str, seconds: float) -> Iterator[Point | str]:
    """Points until an admission takes longer than `seconds`, then why there are no more."""
    with closing(opened(spec, slow=max(1.0, seconds / 10))) as subject:
        for nodes in NODES:
            try:
                point = Point(nodes, admission(subject, nodes, policy=policy, shape=shape))
            except SubjectError as error:
                yield f"{nodes} nodes: {str(error).splitlines()[0]}"
                return
            yield point
            if point.seconds > seconds:
                yield f"more than {seconds:g} s, so no larger machine was tried"
                return


def growth(points: list[Point]) -> str:
    """What one node more costs at the end of the curve, and what that makes of 34 nodes."""
    long = [point for point in points[-LAST:] if point.seconds > 0.5]
    if len(long) < 2:
        return "too short to tell how it grows"
    first, last = long[0], long[-1]
    factor = (last.seconds / first.seconds) ** (1 / (last.nodes - first.nodes))
    reckoned = last.seconds * factor ** (34 - last.nodes)
    return f"times {factor:.2f} with each node from {first.nodes} to {last.nodes}; 34 nodes reckoned from that: {_long(reckoned)}"


def _long(seconds: float) -> str:
    for unit, size in (("years", 365 * 86400), ("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} s"


def lines(specs: Iterable[str], *, seconds: float) -> Iterator[str]:
    """One table a subject, policy and shape."""
    for spec in specs:
        for shape in (FULL, SPARSE):
            for policy in POLICIES:
                yield f"\n{spec}, {policy}, {shape}"
                points = []
                for found in curve(spec, policy=policy, shape=shape, seconds=seconds):
                    if isinstance(found, str):
                        yield f"  {found}"
                    else:
                        points.append(found)
                        yield f"  {found.nodes:2} nodes  {found.seconds:8.3f} s"
                yield f"  {growth(points)}"


def main() -> int:
    """Print the tables as they grow."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.numa_curve", description=__doc__)
    parser.add_argument("--subject", action="append", metavar="S", help="a subject; again for more")
    parser.add_argument("--seconds", type=float, default=10.0, help="the longest admission (default 10)")
    given = parser.parse_args()
    try:
        for line in lines(given.subject or ["component:1.36.3"], seconds=given.seconds):
            print(line, flush=True)
    except PinproofError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
