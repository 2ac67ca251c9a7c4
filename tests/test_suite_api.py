"""The vocabulary of a suite: words become the values that they promise."""

from __future__ import annotations

import pytest

from pinproof.history import Block, History, Observation, PodVerdict
from pinproof.running.seen import NothingToSeeError, NotObservableError
from pinproof.running.steps import planned
from pinproof.scenario.steps import Restart
from pinproof.scenario.topologies import machine
from pinproof.subjects.protocol import Capabilities
from pinproof.suite import (
    Seen,
    besteffort,
    block,
    burstable,
    case,
    configured,
    container,
    gib,
    guaranteed,
    none_policy,
    restart,
    sidecar,
    static,
)


def test_a_reservation_is_sound_on_every_machine() -> None:
    """What is reserved on the nodes is what Node Allocatable holds back: kubeReserved and 100Mi of eviction."""
    config = static()(machine("three"))

    assert [0, 1, 2] == [entry.numa_node for entry in config.reserved_memory]
    assert (("memory", "1436Mi"),) == config.kube_reserved


def test_a_reservation_follows_the_eviction_threshold() -> None:
    """Without a threshold nothing is added to it."""
    assert (("memory", "512Mi"),) == static(eviction_hard={})(machine("one")).kube_reserved


def test_nodes_without_memory_reserve_nothing() -> None:
    """The memory manager counts nothing there."""
    config = static()(machine("memoryless"))

    assert [0, 2] == [entry.numa_node for entry in config.reserved_memory]


def test_many_nodes_get_the_option_they_need() -> None:
    """Unless there is no topology manager policy, which ignores options."""
    restricted = static(topology="restricted")(machine("sixteen"))

    assert (("max-allowable-numa-nodes", "16"),) == restricted.topology_manager_policy_options
    assert () == static()(machine("sixteen")).topology_manager_policy_options


def test_a_static_cpu_manager_leaves_the_lowest_cpu_to_the_system() -> None:
    """It refuses to start without a reservation."""
    assert "0" == static(cpu="static")(machine("two_even")).reserved_system_cpus


@pytest.mark.parametrize(
    ("configuration", "slug"),
    [
        (static(), "static_none"),
        (static(topology="single-numa-node", scope="pod", cpu="static"), "static_single_pod_cpu"),
        (static(reserved="1Gi"), "static_none_1Gi"),
        (static(topology="best-effort", options={"prefer-closest-numa-nodes": "true"}),
         "static_besteffort_prefer_closest_numa_nodes"),
        (none_policy(topology="restricted"), "none_restricted"),
        (configured("no-such-policy", memory_manager_policy="static"), "no_such_policy"),
        (static(slug="drained"), "drained"),
    ],
)  # fmt: skip
def test_slugs_tell_configurations_apart(configuration: object, slug: str) -> None:
    """And hold no '-', which separates the segments of a case id."""
    assert slug == getattr(configuration, "slug", None)


def test_a_field_that_does_not_exist_is_refused_at_once() -> None:
    """Not when the kubelet ignores it."""
    with pytest.raises(ValueError, match="memory_policy"):
        configured("x", memory_policy="Static")


def test_pods_are_of_the_class_they_are_named_after() -> None:
    """A case that says guaranteed means it."""
    assert "Guaranteed" == guaranteed("a", memory="1Gi", init=[sidecar("s", memory="1Gi")]).qos()
    assert "Burstable" == burstable("a").qos()
    assert "BestEffort" == besteffort("a").qos()
    with pytest.raises(ValueError, match="meant to be Guaranteed"):
        guaranteed("a", containers=[container(memory="1Gi", limited=False)])


def test_a_case_says_what_it_proves_and_where() -> None:
    """Ids that are equal, and cases without a requirement, are mistakes of the author."""
    with pytest.raises(ValueError, match="at least one requirement"):
        case(machines="one", kubelet=static())
    with pytest.raises(ValueError, match="one~static_none"):
        case("MM-A-001", machines="one", kubelet=[static(), static(gates={})])


def test_a_restart_is_planned_on_the_machine_that_the_scenario_has_reached() -> None:
    """Its configuration fits the machine that it changes to."""
    steps = planned((restart(machine="three"), restart(kubelet=static())), machine("one"))

    second = steps[1]
    assert isinstance(second, Restart)
    assert second.kubelet is not None
    assert 3 == len(second.kubelet.reserved_memory)


def seen(*observations: Observation, shows: tuple[str, ...] = ("pods", "assignments", "counters")) -> Seen:
    """What a subject with these abilities showed."""
    return Seen(History("kubelet:1.36.3", observations), Capabilities(frozenset(shows), frozenset()))


def test_steps_are_counted_from_the_start_of_the_kubelet() -> None:
    """0 is the start, -1 the last; a step that was not reached is a failure, not a value."""
    history = seen(Observation(running=True, pods={}), Observation(running=True, pods={"a": PodVerdict(admitted=True)}))

    assert not history.admitted("a", after=0)
    assert history.admitted("a")
    assert [] == history.at(0).pods()
    with pytest.raises(NothingToSeeError, match="ends with step 1"):
        history.admitted("a", after=2)


def test_blocks_are_sorted_and_in_bytes() -> None:
    """As `block` spells them."""
    blocks = (Block((0, 1), "memory", gib(4)), Block((0, 1), "hugepages-1Gi", gib(2)))
    history = seen(Observation(running=True, assignments={"a": {"c": blocks}}))

    assert [block((1, 0), hugepages_1Gi="2Gi"), block((0, 1), memory="4Gi")] == history.blocks("a")
    assert [] == history.blocks("b")


def test_counters_go_by_short_names() -> None:
    """A labelled one that was never touched is 0, an unknown plain one is a mistake."""
    counters = {"kubelet_x_total": 2, 'kubelet_y_count{boundary="numa_node",scope="pod"}': 1}
    history = seen(Observation(running=True, counters=counters))

    assert 2 == history.counter("x_total") == history.counter("kubelet_x_total")
    assert 1 == history.counter("y_count", scope="pod", boundary="numa_node")
    assert 0 == history.counter("y_count", scope="container", boundary="numa_node")
    with pytest.raises(NothingToSeeError, match="kubelet_z_total"):
        history.counter("z_total")


def test_what_a_subject_cannot_show_is_not_what_it_did_not_show() -> None:
    """The first is not applicable; the second, with the reason, fails the case."""
    history = seen(Observation(running=False, refusal="foreign state file"))

    with pytest.raises(NotObservableError, match="does not show told"):
        history.mems("a")
    with pytest.raises(NothingToSeeError, match="did not run: foreign state file"):
        history.admitted("a")
    assert "foreign state file" == history.refusal
