"""The vm subject: kubelets in virtual machines, a kubelet for each scenario, and a machine for each shape in turn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pinproof.build import vm_image
from pinproof.errors import SubjectError
from pinproof.history import History
from pinproof.scenario.steps import Scenario
from pinproof.subjects.kubelet.faults import Traps
from pinproof.subjects.kubelet.node import Node, Setting
from pinproof.subjects.kubelet.performance import Performance
from pinproof.subjects.kubelet.refusal import Ending
from pinproof.subjects.kubelet.subject import CAPABILITIES as OF_A_KUBELET
from pinproof.subjects.kubelet.subject import Kubelets, KubeletSubject
from pinproof.subjects.protocol import NODE_STEPS, POWER_CUT, REBOOT, Capabilities
from pinproof.subjects.vm.checks import check
from pinproof.subjects.vm.node import CONSOLE, VmNode
from pinproof.subjects.vm.performance import VmPerformance
from pinproof.subjects.vm.spare import Spare
from pinproof.vm.guest import BootError, Means

CAPABILITIES: Final = Capabilities(
    observables=OF_A_KUBELET.observables | {"pages", "kernel"},
    steps=NODE_STEPS | {"admitTogether", POWER_CUT, REBOOT, "restart.kernel"},
)

PATIENCE: Final = 6.0
"""Factor on every wait: instructions are emulated."""


class VmSubject(KubeletSubject):
    """Boots a kubelet for every scenario, in a machine of its own or in that of the scenario before, with nothing left of it."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        binary: Path,
        means: Means,
        *,
        name: str,
        version: str | None = None,
        kubelets: Kubelets | None = None,
    ) -> None:
        """Look at the binary; nothing is started before the first scenario.

        Args:
            binary: the kubelet under test.
            means: what machines are made of, and how long to wait for them.
            name: the subject as the user wrote it.
            version: the kubelet's release, where it cannot tell by itself.
            kubelets: where other releases come from when a scenario restarts into one.

        Raises:
            SubjectError: the binary is not a kubelet that can be run in a machine.
        """
        super().__init__(
            binary,
            means.launcher,
            name=name,
            version=version,
            slow=means.timeouts.scale,
            cold=True,
            kubelets=kubelets,
        )
        self._means = means
        self._sound: Node | None = None
        """The machine whose last scenario came to its end."""

        self._spare = Spare[VmNode]()
        _check_static(binary)

    def properties(self) -> Mapping[str, str]:
        """Facts for reports."""
        facts = {
            key: value for key, value in super().properties().items() if key not in ("namespaces", "uid", "kernel")
        }
        return facts | {
            "kernel": vm_image.kernel_release(),
            "acceleration": self._means.how,
            "image": self._means.image.key,
            "memory": "unscaled",
            "patience": f"{PATIENCE:g}",
        }

    def run(self, scenario: Scenario) -> History:
        """Carry out the scenario.

        Raises:
            NotObservableError: no machine of ours can be what it wants.
            SubjectError: no machine or kubelet can be started, whatever the scenario.
        """
        check(scenario)
        try:
            history = super().run(scenario)
        except BootError as error:
            self._gathered = {**self._gathered, CONSOLE: error.console or "it says nothing\n"}
            raise
        self._sound = self._node if history.complete else None
        return history

    def close(self) -> None:
        """Switch off what runs. May be called twice."""
        super().close()
        self._spare.close()

    def _performance(self, scenario: Scenario, node: Node, refused: Ending | None) -> Performance:
        if not isinstance(node, VmNode):
            raise TypeError("not a virtual machine")
        return VmPerformance(scenario, node, identities=self._identities, refused=refused)

    def _set_up(self, setting: Setting, binaries: Mapping[str, Path], traps: Traps) -> Node:
        del traps
        disk = vm_image.kubelet_disk(binaries)
        self._sound = None
        renewed = self._spare.renewed(setting.machine, disk)
        if self._spare.trouble:
            self.discarded.append(self._spare.trouble)
        return renewed or VmNode(self._means, setting, kubelets=disk, releases=frozenset(binaries))

    def _part_with(self, node: Node) -> None:
        """Keep a machine whose scenario came to its end for the next one."""
        if node is self._sound and isinstance(node, VmNode):
            self._spare.keep(node)
        else:
            node.close()


def _check_static(binary: Path) -> None:
    """Raises SubjectError for a program that needs libraries: there are none of its own in the machine."""
    with binary.open("rb") as file:
        dynamic = b"/lib64/ld-linux" in file.read(4096)
    if dynamic:
        raise SubjectError(
            "open the subject",
            f"{binary} is not a static binary",
            fault="how the kubelet was built",
            remedy="build it with CGO_ENABLED=0, as `pinproof build kubelet` does",
        )
