"""Names of policies, scopes and options, and what they need of the machine."""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.config import KubeletConfig
from pinproof.suite import Configuration, Prove, admit, besteffort, case, configured, guaranteed, none_policy, static


def spelled(policy: str, slug: str) -> Configuration:
    """A sound reservation with this memory manager policy."""
    return static(memory_manager_policy=policy, slug=slug)


def optional(slug: str, topology: str = "restricted", **options: str) -> Configuration:
    """Policy None with topology manager options, `_` standing for `-`."""
    return none_policy(
        topology=topology,
        topology_manager_policy_options={name.replace("_", "-"): value for name, value in options.items()},
        slug=slug,
    )


@case("MM-CONF-012", machines="two_even", kubelet=spelled("static", "lower_case"))
def test_policy_in_lower_case(prove: Prove) -> None:
    """The policy is `Static`; the spelling of the CPU manager's is not understood."""
    seen = prove()

    assert not seen.running
    assert 'unknown policy: "static"' in seen.refusal


@case("MM-CONF-012", machines="two_even", kubelet=none_policy(memory_manager_policy="none", slug="none_in_lower_case"))
def test_policy_none_in_lower_case(prove: Prove) -> None:
    """The policy is `None`, although the API's comment writes it small."""
    seen = prove()

    assert not seen.running
    assert 'unknown policy: "none"' in seen.refusal


@case("MM-CONF-013", machines="two_even", kubelet=spelled("BestEffort", "windows_policy"), since="1.32")
def test_policy_of_windows(prove: Prove) -> None:
    """`BestEffort` exists on Windows only, and the message says so."""
    seen = prove()

    assert not seen.running
    assert 'policy "BestEffort" is not available for platform "linux"' in seen.refusal


@case("MM-CONF-014", machines="two_even", kubelet=none_policy(topology="Restricted", slug="topology_upper_case"))
def test_topology_policy_that_does_not_exist(prove: Prove) -> None:
    """Topology manager policies are lower case, and the message lists them."""
    seen = prove()

    assert not seen.running
    assert '(--topology-manager-policy) "Restricted" must be one of' in seen.refusal


@case("MM-CONF-014", machines="two_even", kubelet=static(topology="restricted", scope="node"))
def test_scope_that_does_not_exist(prove: Prove) -> None:
    """There are the scopes `container` and `pod`."""
    seen = prove()

    assert not seen.running
    assert '(--topology-manager-scope) "node" must be one of: "container", or "pod"' in seen.refusal


@case("MM-CONF-015", machines="two_even", kubelet=optional("unknown_option", prefer_far_numa_nodes="true"))
def test_option_that_does_not_exist(prove: Prove) -> None:
    """An option that the topology manager does not know is refused by name."""
    seen = prove()

    assert not seen.running
    assert 'unknown Topology Manager Policy option: "prefer-far-numa-nodes"' in seen.refusal


@case("MM-CONF-015", machines="two_even", kubelet=optional("closest_maybe", prefer_closest_numa_nodes="maybe"))
def test_closest_that_is_no_boolean(prove: Prove) -> None:
    """`prefer-closest-numa-nodes` wants a boolean."""
    seen = prove()

    assert not seen.running
    assert 'bad value for option "prefer-closest-numa-nodes"' in seen.refusal


@case("MM-CONF-015", machines="two_even", kubelet=optional("max_true", max_allowable_numa_nodes="true"), since="1.31")
def test_max_nodes_that_is_no_number(prove: Prove) -> None:
    """`max-allowable-numa-nodes` wants a number, whatever the documentation's example showed for a while."""
    seen = prove()

    assert not seen.running
    assert 'unable to convert policy option to integer "max-allowable-numa-nodes"' in seen.refusal


@case("MM-CONF-015", machines="two_even", kubelet=optional("max_7", max_allowable_numa_nodes="7"), since="1.31")
def test_max_nodes_below_the_default(prove: Prove) -> None:
    """`max-allowable-numa-nodes` cannot be lowered below 8, also not on a machine of two nodes."""
    seen = prove()

    assert not seen.running
    assert 'the minimum value of "max-allowable-numa-nodes" should not be less than 8' in seen.refusal


@case("MM-CONF-016", machines="two_even", kubelet=optional("ignored", topology="none", prefer_far_numa_nodes="maybe"))
def test_options_without_policy(prove: Prove) -> None:
    """With topology manager policy `none` options are not looked at."""
    seen = prove(admit(guaranteed("a", memory="1Gi")))

    assert seen.admitted("a")


@case("MM-CONF-017", machines=["sixteen", "grace_blackwell"], kubelet=none_policy(slug="default_limit"))
def test_more_nodes_than_allowed(prove: Prove) -> None:
    """A topology manager policy starts on at most 8 nodes where no option is given; nodes without memory count too."""
    seen = prove(kubelet=KubeletConfig(topology_manager_policy="restricted"))

    assert not seen.running
    assert "unsupported on machines with more than 8 NUMA Nodes" in seen.refusal


@case("MM-CONF-017", machines="sixteen", kubelet=optional("set_15", max_allowable_numa_nodes="15"), since="1.31")
def test_one_node_more_than_allowed(prove: Prove) -> None:
    """With the option the limit is the number given, and the message names it."""
    seen = prove()

    assert not seen.running
    assert "unsupported on machines with more than 15 NUMA Nodes" in seen.refusal


@case("MM-CONF-018", machines="sixteen", kubelet=optional("set_16", max_allowable_numa_nodes="16"), since="1.31")
def test_as_many_nodes_as_allowed(prove: Prove) -> None:
    """With the limit raised to its number of nodes a machine of sixteen is served."""
    seen = prove(admit(besteffort("a")))

    assert seen.admitted("a")


@case("MM-CONF-018", machines="eight_nps4", kubelet=optional("without_option"))
def test_eight_nodes_need_no_option(prove: Prove) -> None:
    """Eight nodes are within the limit that holds without the option."""
    seen = prove(admit(besteffort("a")))

    assert seen.admitted("a")


@case("MM-CONF-018", machines=["sixteen", "grace_blackwell"], kubelet=static())
def test_limit_is_of_the_topology_policies(prove: Prove) -> None:
    """With topology manager policy `none` the memory manager starts on any number of nodes."""
    seen = prove(admit(besteffort("a")))

    assert seen.admitted("a")
    assert "Static" == seen.policy


@case("MM-CONF-019", machines="two_even", kubelet=optional("closest", prefer_closest_numa_nodes="true"))
def test_closest_without_distances(prove: Prove) -> None:
    """`prefer-closest-numa-nodes` needs distances; where the kernel shows none the kubelet does not start."""
    nodes = tuple(replace(node, distances=None) for node in prove.machine.nodes)
    seen = prove(machine=replace(prove.machine, nodes=nodes))

    assert not seen.running
    assert "error getting NUMA distances from cadvisor" in seen.refusal


@case("MM-CONF-019", machines="two_even", kubelet=[optional("closest_F", prefer_closest_numa_nodes="F"), static()])
def test_no_distances_are_needed_otherwise(prove: Prove) -> None:
    """Without the option, or with it switched off in any spelling of false, distances are not asked for."""
    nodes = tuple(replace(node, distances=None) for node in prove.machine.nodes)
    seen = prove(admit(guaranteed("a", memory="1Gi")), machine=replace(prove.machine, nodes=nodes))

    assert seen.admitted("a")


@case("MM-CONF-020", machines="two_even", kubelet=configured("cpu_without_reserved", cpu_manager_policy="static"))
def test_cpu_manager_without_reserved_cpus(prove: Prove) -> None:
    """CPU manager policy `static` wants CPUs reserved for the system."""
    seen = prove()

    assert not seen.running
    assert "unable to determine reserved CPU resources for static policy" in seen.refusal


@case("MM-CONF-020", machines="two_even", kubelet=configured("cpu_upper_case", cpu_manager_policy="Static"))
def test_cpu_policy_in_upper_case(prove: Prove) -> None:
    """The CPU manager's policy is `static`; the spelling of the memory manager's is not understood."""
    seen = prove()

    assert not seen.running
    assert 'unknown policy: "Static"' in seen.refusal
