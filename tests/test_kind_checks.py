"""What no cluster can be asked for is said before anything is begun."""

from __future__ import annotations

import pytest

from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.scenario.steps import Admit, Restart, Scenario, StateEdit, StateText, Step
from pinproof.scenario.topologies import machine
from pinproof.subjects.kind.checks import check
from pinproof.subjects.kind.subject import crashes_over_containers
from pinproof.subjects.protocol import NotObservableError
from pinproof.suite import burstable, guaranteed, static

A = Admit(guaranteed("a", memory="1Gi"))


def scenario(*steps: Step) -> Scenario:
    return Scenario("s", Machine("m", ()), KubeletConfig(), steps)


@pytest.mark.parametrize(
    "restart",
    [
        Restart(state=StateText('{"entries":{"a.1":{}}}')),
        Restart(state=StateEdit("a.1", "a.2")),
        Restart(cpu_state=StateText('{"entries":{"a.1":{}}}')),
    ],
)
def test_a_file_with_uids(restart: Restart) -> None:
    with pytest.raises(NotObservableError, match="UIDs are the API server's"):
        check(scenario(A, restart))


@pytest.mark.parametrize("text", ["{}", '{"checksum":1.5}', '{"banana.1":0}'])
def test_a_file_without_uids_is_welcome(text: str) -> None:
    check(scenario(A, Restart(state=StateText(text))))


def test_memory_for_no_process() -> None:
    with pytest.raises(NotObservableError, match="pod 'b' may use 64Ki"):
        check(scenario(A, Admit(guaranteed("b", memory="64Ki"))))


def test_a_request_is_no_limit() -> None:
    check(scenario(Admit(burstable("a", memory="64Ki"))))


def test_a_quantity_that_the_api_server_writes_anew() -> None:
    with pytest.raises(NotObservableError, match=r"writes 1\.5Gi of pod 'a' as 1536Mi"):
        check(scenario(Admit(guaranteed("a", memory="1.5Gi"))))


@pytest.mark.parametrize("memory", ["1Gi", "1536Mi", "1073741824", "1G"])
def test_a_quantity_that_converts_as_it_is(memory: str) -> None:
    check(scenario(Admit(guaranteed("a", memory=memory))))


@pytest.mark.parametrize(
    ("releases", "crashes"),
    [(("1.34.4", "1.35.4"), True), (("1.33.13", "1.34.4"), False), (("1.35.4", "1.36.3", "1.34.4"), False)],
)
def test_kubelets_that_resize_always_crash_over_containers_of_earlier_ones(
    releases: tuple[str, ...], *, crashes: bool
) -> None:
    """Where pods have no cgroups; that is asked besides."""
    first, *later = releases
    steps = tuple(Restart(kubernetes=release) for release in later)
    two = machine("two_even")

    assert crashes == crashes_over_containers(Scenario("s", two, static()(two), steps), first)
