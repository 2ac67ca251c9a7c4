"""A scenario carried out in a virtual machine: as on every node, but containers are real, and end with the machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pinproof.history import Pages
from pinproof.scenario.steps import Restart, Scenario
from pinproof.subjects.kubelet import places
from pinproof.subjects.kubelet.identities import Identities
from pinproof.subjects.kubelet.lifecycle import LivePod
from pinproof.subjects.kubelet.performance import Performance
from pinproof.subjects.kubelet.refusal import Ending
from pinproof.subjects.vm.manifest import vm_pod
from pinproof.subjects.vm.node import VmNode
from pinproof.vm.pages import kernel, pages


class VmPerformance(Performance):
    """One run of a scenario in a machine."""

    def __init__(self, scenario: Scenario, node: VmNode, *, identities: Identities, refused: Ending | None) -> None:
        """As every performance."""
        super().__init__(scenario, node, identities=identities, refused=refused)
        self._machine = node

    def _manifest(self, live: LivePod) -> tuple[str, str]:
        text = vm_pod(live.pod, uid=live.uid, namespace=live.namespace, arrival=live.arrival)
        return places.manifest(live.uid), text

    def _observe(self, number: int) -> None:
        """As on every node, and where the memory lies of what runs."""
        super()._observe(number)
        seen = self._machine.pages()
        lying: dict[str, dict[str, Pages]] = {}
        for one in seen["containers"]:
            if one["uid"] in self._names.pods:
                lying.setdefault(self._names.of(one["uid"]), {})[one["container"]] = pages(one)
        self._observations[-1] = replace(self._observations[-1], pages=lying, kernel=kernel(seen))

    def _restart(self, step: Restart) -> None:
        if step.boots or step.machine not in (None, self._node.setting.machine):
            self._expect_everything_anew()
        super()._restart(step)

    def _stop(self, step: Restart) -> None:
        if step.boots:
            self._machine.reboot(step.machine, step.kernel, orderly=step.signal == "REBOOT")
        else:
            super()._stop(step)

    def _record(self, before: str, after: str) -> Iterator[tuple[str, str | None]]:
        """Nothing: pods have cgroups here."""
        del before, after
        yield from ()
