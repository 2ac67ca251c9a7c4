"""What scenarios in virtual machines take: time, CPU seconds, memory.

    python -m benchmarks.vm_speed

One machine at a time, of the topology small_two; its image and the kubelet are made before. The first scenario has a copy of a
template, the next ones have that machine again. CPU seconds are those of QEMU: on a machine with other work they say more than
the time.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.figures import Figure, Options, run
from pinproof import build
from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.build.vm_image import kubelet_disk, vm_image
from pinproof.scenario.machine import Machine
from pinproof.scenario.steps import Restart, Scenario, Step
from pinproof.scenario.topologies import machine
from pinproof.subjects.kubelet.observe import capture_error
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.subjects.protocol import Subject
from pinproof.subjects.registry import open_subject
from pinproof.subjects.vm.subject import PATIENCE
from pinproof.suite import admit, guaranteed, static
from pinproof.vm import acceleration, sizing, templates
from pinproof.vm.board import PAGE
from pinproof.vm.guest import Means
from pinproof.vm.programs import qemu

SPEC = f"vm:{DEFAULT_RELEASE}"
PODS = tuple(admit(guaranteed(name, memory="256Mi")) for name in "ab")


class Spent:
    """What something took."""

    seconds = 0.0
    cpu = 0.0


def measure(options: Options) -> Iterable[Figure]:
    """A template, then scenarios one after the other."""
    del options
    two = machine("small_two")
    made = _template(replace(two, nodes=(two.nodes[0], replace(two.nodes[1], memory=two.nodes[1].memory - PAGE))))
    yield Figure("a template", made.seconds, "s", 30)
    yield Figure("a template", made.cpu, "CPU s", 30)
    with closing(open_subject(SPEC)) as subject:
        _scenario(subject, two)  # its template is made, if there is none
    plans: tuple[tuple[str, tuple[Step, ...], float], ...] = (
        ("two pods in a copy of a template", PODS, 8),
        ("no pod", (), 8),
        ("two pods", PODS, 8),
        ("two pods and a restart", (*PODS, Restart()), 8),
        ("two pods and a loss of power", (*PODS, Restart(signal="POWER")), 20),
        ("two pods and a reboot", (*PODS, Restart(signal="REBOOT")), 20),
    )
    with closing(open_subject(SPEC)) as subject:
        for name, steps, wanted in plans:
            spent = _scenario(subject, two, *steps)
            yield Figure(name, spent.seconds, "s", wanted)
            yield Figure(name, spent.cpu, "CPU s", wanted)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    yield Figure("the largest process", largest, "MiB", 2048)


def _template(shape: Machine) -> Spent:
    """A template that nobody has made yet, and that is removed again; how large its memory must be is found before."""
    image, programs = vm_image(), qemu()
    timeouts = Timeouts(PATIENCE)
    means = Means(programs, image, build.runtime(), timeouts, acceleration.chosen(programs, image.kernel))
    kubelets = kubelet_disk({DEFAULT_RELEASE: build.kubelet(DEFAULT_RELEASE)})
    sizes = sizing.sizes(means, shape, kubelets=kubelets)
    with _watched() as spent:
        made = templates.template(shape, sizes, means, kubelets=kubelets)
    shutil.rmtree(made.path)
    return spent


def _scenario(subject: Subject, shape: Machine, *steps: Step) -> Spent:
    """A scenario, what is done away with of the one before it included."""
    scenario = Scenario("vm-speed", shape, static(reserved="64Mi")(shape), steps)
    with _watched() as spent:
        history = subject.run(scenario)
    if not history.complete:
        raise capture_error("measure a scenario", history.trouble)
    return spent


@contextmanager
def _watched() -> Iterator[Spent]:
    spent, before, began = Spent(), _children(), time.perf_counter()
    yield spent
    spent.seconds, spent.cpu = time.perf_counter() - began, _children() - before


def _children() -> float:
    """CPU seconds of all processes of ours and of theirs, of which those that run have no children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    parents, spent = _processes()
    ticks, below = 0, [os.getpid()]
    while below:
        above = below.pop()
        below += (children := [number for number, parent in parents.items() if parent == above])
        ticks += sum(spent[number] for number in children)
    return used.ru_utime + used.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def _processes() -> tuple[dict[int, int], dict[int, int]]:
    """Process → its parent, and → the clock ticks that it has used, as proc(5) has them."""
    parents, spent = dict[int, int](), dict[int, int]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended just now
            words = stat.read_text().rpartition(")")[2].split()
            number = int(stat.parent.name)
            parents[number], spent[number] = int(words[1]), int(words[11]) + int(words[12])
    return parents, spent


if __name__ == "__main__":
    sys.exit(run(measure))
