"""From what the agent saw to an observation: by pod name, complete or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pinproof.errors import CaptureError
from pinproof.history import Block, CpuState, PodVerdict, Resources, Told
from pinproof.reference.checkpoint import data_checksum
from pinproof.subjects.kubelet.observe import Names, counters, observation, raw

METRICS = "kubelet_topology_manager_admission_requests_total 3\nkubelet_memory_manager_pinning_requests_total 2\n"
TABLE = {"total": 10, "systemReserved": 1, "allocatable": 9, "reserved": 4, "free": 5}
STATE = {
    "policyName": "Static",
    "machineState": {"10": {"numberOfAssignments": 1, "memoryMap": {"memory": TABLE}, "cells": [10]}},
    "entries": {"a.1": {"c": [{"numaAffinity": [10], "type": "memory", "size": 4}]}},
    "checksum": 1,
}
NAMES = Names({"a.1": "a", "b.2": "b"}, {"n1": "a.1", "n2": "b.2"})


def container(uid: str, attempt: int, mems: str) -> dict[str, Any]:
    return {"uid": uid, "container": "c", "attempt": attempt, "mems": mems, "cpus": "0-1", "state": "running"}


def pod(uid: str, **status: str) -> dict[str, Any]:
    return {"metadata": {"uid": uid}, "status": status}


def reply(**changed: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "running": True,
        "errors": [],
        "state": json.dumps(STATE),
        "cpu_state": '{"policyName":"static","defaultCpuSet":"0,3","entries":{"a.1":{"c":"1-2"}}}',
        "metrics": METRICS,
        "pods": {"items": [pod("a.1", phase="Running"), pod("b.2", phase="Failed", reason="Why", message="Because")]},
        "containers": [container("a.1", 0, "0"), container("a.1", 1, "10"), container("b.2", 0, "0")],
        "pod_resources": {
            "list": [
                {
                    "namespace": "n1",
                    "name": "a-node",
                    "containers": [
                        {"name": "c", "cpus": [2, 1], "memory": [{"type": "memory", "size": 4, "nodes": [10]}]}
                    ],
                }
            ],
            "allocatable": {"cpus": [3, 2, 1], "memory": []},
        },
    }
    return {**whole, **changed}


def test_pods_go_by_their_names() -> None:
    """UIDs, namespaces and the kubelet's own pod names do not appear; numbers are bytes and node ids."""
    seen = observation(reply(), NAMES, baseline={})

    assert {"a": PodVerdict(True), "b": PodVerdict(False, "Why", "Because")} == seen.pods
    assert {"a": {"c": (Block((10,), "memory", 4),)}} == seen.assignments
    assert CpuState("0,3", {"a": {"c": "1-2"}}) == seen.cpu
    assert {"a": {"c": Resources((Block((10,), "memory", 4),), "1-2")}} == seen.pod_resources
    assert Resources((), "1-3") == seen.allocatable


@pytest.mark.parametrize(("damaged", "size"), [(0, 4), (1, 7)])
def test_data_of_a_later_format_counts_where_it_is_whole(damaged: int, size: int) -> None:
    """What lies beside it is for earlier kubelets, and may be damaged without this one noticing."""
    data = json.dumps({key: value for key, value in STATE.items() if key != "checksum"})
    beside = {"entries": {"a.1": {"c": [{"numaAffinity": [10], "type": "memory", "size": 7}]}}}
    file = STATE | beside | {"data": data, "dataChecksum": data_checksum(data) + damaged}
    seen = observation(reply(state=json.dumps(file)), NAMES, baseline={})

    assert {"a": {"c": (Block((10,), "memory", size),)}} == seen.assignments


def test_the_newest_attempt_tells_what_the_runtime_was_told() -> None:
    """A restarted container counts by its last creation; containers of a rejected pod do not count."""
    assert {"a": {"c": Told("10", "0-1")}} == observation(reply(), NAMES, baseline={}).told


def test_counters_are_differences_from_the_baseline() -> None:
    """A kubelet that served other scenarios starts at zero for this one."""
    seen = observation(reply(), NAMES, baseline={"kubelet_memory_manager_pinning_requests_total": 2})

    assert {
        "kubelet_topology_manager_admission_requests_total": 3,
        "kubelet_memory_manager_pinning_requests_total": 0,
    } == seen.counters


def test_labels_are_sorted() -> None:
    """A counter with labels has one name, however the page writes it."""
    page = METRICS + 'kubelet_container_aligned_compute_resources_count{scope="pod",boundary="numa_node"} 1\n'

    assert 1 == counters(page)['kubelet_container_aligned_compute_resources_count{boundary="numa_node",scope="pod"}']


def test_two_incarnations_of_a_pod_are_both_shown() -> None:
    """A removed pod whose memory is still held beside its successor is not overwritten by it."""
    both = {**STATE, "entries": {"a.1": {"c": []}, "a.9": {"c": []}}}
    names = Names({"a.1": "a", "a.9": "a"}, {})

    seen = observation(reply(state=json.dumps(both)), names, baseline={})

    assert ["a", "a (a.9)"] == list(seen.assignments or ())


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"metrics": "<html>"}, "/metrics"),
        ({"metrics": None}, "/metrics"),
        ({"metrics": METRICS + "kubelet_memory_manager_pinning_errors_total oops\n"}, "/metrics"),
        ({"metrics": METRICS + "kubelet_memory_manager_pinning_errors_total 0.5\n"}, "/metrics"),
        ({"state": "{"}, "memory_manager_state"),
        ({"state": ""}, "memory_manager_state"),
        ({"state": "[]"}, "memory_manager_state"),
        ({"state": '{"machineState":{"0":{}}}'}, "memory_manager_state"),
        ({"cpu_state": "x"}, "cpu_manager_state"),
        ({"errors": ["GET /pods: refused"]}, "observe"),
    ],
)
def test_what_cannot_be_read_is_named(changed: dict[str, Any], named: str) -> None:
    """Garbage from a running kubelet is an error that names the page or file, never an empty observation."""
    with pytest.raises(CaptureError) as caught:
        observation(reply(**changed), NAMES, baseline={})

    assert named in caught.value.step


def test_a_kubelet_that_does_not_run_shows_its_file_and_its_reason() -> None:
    """Its state file may be broken: the text is shown as it is and not read."""
    seen = observation(reply(running=False, state="{", pods=None), NAMES, baseline={}, refusal="corrupted")

    assert (False, "corrupted", "{") == (seen.running, seen.refusal, seen.state_file)
    assert (None, None, None) == (seen.pods, seen.assignments, seen.counters)


def test_the_raw_text_survives_an_unreadable_observation() -> None:
    """What could not be understood is kept for a person to look at."""
    assert "garbage" == raw(reply(state="garbage")).state_file
