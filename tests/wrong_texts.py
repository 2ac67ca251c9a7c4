"""Kubelets that decide what they should, and say the wrong things: logs, metrics pages and calls that cases must not accept."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pinproof.history import History, Observation
from pinproof.scenario.steps import Scenario
from pinproof.subjects.kubelet.places import NODE_NAME
from pinproof.subjects.reference import ReferenceSubject

_COMPLAINT = (
    'E1122 10:00:00.000000       7 topology.go:1] "open /sys/devices/system/node/node2/cpulist: no such file or directory"',
    *(
        f'I1122 10:00:00.000000       7 event.go:389] "Event occurred" object="n1/{pod}-{NODE_NAME}" fieldPath="" '
        'kind="Pod" apiVersion="v1" type="Warning" reason="TopologyAffinityError" message="Resources cannot be allocated"'
        for pod in "abc"
    ),
)
_DIFFERENT = (
    'E1122 10:00:00.000000       7 policy_static.go:900] "Memory states for the NUMA node and resource are different" '
    'field="Free"'
)
_CREATED = '{"method": "CreateContainer", "request": {"uid": "a.2", "cpuset_mems": "1"}}'
_MOVED = '{"method": "UpdateContainerResources", "request": {"uid": "a.2", "cpuset_mems": "0"}}'

TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "says nothing": {"kubelet.log": "", "metrics.prom": "", "calls.jsonl": ""},
        "complains of every pod": {"kubelet.log": "\n".join(_COMPLAINT)},
        "does not say where": {"kubelet.log": _DIFFERENT},
        "moves containers": {"calls.jsonl": "\n".join([_CREATED] * 3 + [_MOVED])},
        "takes an hour": {"metrics.prom": "kubelet_topology_manager_admission_duration_ms_sum 3.6e+06"},
    }
)
"""What is wrong → artefact → its text."""

DECIDES_NOTHING = "takes an hour"
"""The model of this one is left out: it is for machines on which the model takes long too."""


class TellingSubject(ReferenceSubject):
    """The reference, with artefacts of our own making."""

    def __init__(self, name: str, minor: str) -> None:
        super().__init__(minor)
        self.name = f"text:{name}"
        self._wrong = name

    def run(self, scenario: Scenario) -> History:
        """As the reference does."""
        if self._wrong == DECIDES_NOTHING:
            return History(self.name, (Observation(running=True),))
        return super().run(scenario)

    def gather(self) -> Mapping[str, str]:
        """Artefacts of the last scenario."""
        return TEXTS[self._wrong]
