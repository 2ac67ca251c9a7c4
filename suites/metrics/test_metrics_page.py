"""The metrics page itself: which series of the managers a release shows, and what their histogram says.

The table is the register of what has to be judged: a series that a release adds is noticed here.
"""

from __future__ import annotations

from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from pinproof.running.releases import minor_number
from pinproof.suite import Prove, admit, besteffort, case, guaranteed, pod_level, restart, static
from pinproof.suite import container as one_container

CPU = static(topology="single-numa-node", cpu="static")
NONE = static()
WHOLE = static(topology="restricted", scope="pod", cpu="static", gates={"PodLevelResourceManagers": True})

OURS: Final = ("memory_manager", "topology_manager", "resource_manager", "aligned_compute", "admission_rejections")
SERIES: Final = {
    "memory_manager_pinning_requests": ("counter", "1.30"),
    "memory_manager_pinning_errors": ("counter", "1.30"),
    "topology_manager_admission_requests": ("counter", "1.27"),
    "topology_manager_admission_errors": ("counter", "1.27"),
    "topology_manager_admission_duration_ms": ("histogram", "1.27"),
    "container_aligned_compute_resources_count": ("counter", "1.32"),
    "container_aligned_compute_resources_failure_count": ("counter", "1.33"),
    "admission_rejections": ("counter", "1.32"),
}
"""Family without `kubelet_` and `_total` → type, first minor. A family appears with its first sample."""

BUCKETS: Final = tuple(0.05 * 2**power for power in range(15))
"""Milliseconds; the longest is 819.2."""

COURSE = (
    admit(guaranteed("a", memory="12Gi")),
    admit(guaranteed("b", memory="100Gi")),
    admit(guaranteed("c", memory="1Gi", cpu="2")),
    admit(besteffort("d")),
)
"""Refused for its alignment, failed to be allocated, admitted with everything, admitted with nothing."""


@case("MM-METRIC-019", machines="two_even", kubelet=CPU)
def test_series_of_the_managers(prove: Prove) -> None:
    """Exactly those of the table, each of its type; what appears beside them has to be judged too."""
    prove(*COURSE)

    known = {name: kind for name, (kind, since) in SERIES.items() if minor_number(since) <= minor_number(prove.minor)}
    assert known == families(prove.gathered("metrics.prom"))


@case("MM-METRIC-019", machines="two_even", kubelet=WHOLE, since="1.36")
def test_series_of_pod_level_managers(prove: Prove) -> None:
    """Three families more with the gate on, once each has counted; 1.36 has them without `kubelet_`."""
    whole = pod_level("p", one_container("own", memory="2Gi", cpu="1"), memory="6Gi", cpu="2")
    prove(*COURSE, admit(whole))

    shown = families(prove.gathered("metrics.prom"))
    more = {"allocations", "allocation_errors", "container_assignments"}
    assert more == {name.removeprefix("resource_manager_") for name in shown if name.startswith("resource_manager_")}


@case("MM-METRIC-020", machines="two_even", kubelet=[NONE, CPU])
def test_every_admission_has_a_duration(prove: Prove) -> None:
    """The histogram counts what the counter of requests counts, before and after a restart; its buckets are those promised."""
    for steps in (COURSE, (*COURSE, restart())):
        prove(*steps)
        page = prove.gathered("metrics.prom")
        bounds, counts = buckets(page)

        assert (*BUCKETS, float("inf")) == bounds
        assert sorted(counts) == counts
        requests = sample(page, "kubelet_topology_manager_admission_requests_total")
        assert requests == counts[-1] == sample(page, "kubelet_topology_manager_admission_duration_ms_count")


def families(page: str) -> dict[str, str]:
    """Families of the managers that have a sample → type; without `kubelet_` and `_total`."""
    ours = (family for family in text_string_to_metric_families(page) if any(word in family.name for word in OURS))
    return {family.name.removeprefix("kubelet_"): family.type for family in ours if family.samples}


def buckets(page: str) -> tuple[tuple[float, ...], list[float]]:
    """Upper bounds of the histogram, and how many admissions were no longer."""
    lines = [
        line for line in page.splitlines() if line.startswith("kubelet_topology_manager_admission_duration_ms_bucket")
    ]
    samples = [
        sample for family in text_string_to_metric_families("\n".join(lines) + "\n") for sample in family.samples
    ]
    return tuple(float(each.labels["le"]) for each in samples), [each.value for each in samples]


def sample(page: str, name: str) -> float:
    """The value of a series without labels."""
    (line,) = (line for line in page.splitlines() if line.startswith(f"{name} "))
    return float(line.split()[1])
