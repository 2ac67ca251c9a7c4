"""What is written reads back equal."""

from __future__ import annotations

from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.reader import parse_scenario
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, Scenario, StateEdit, StateText, Step
from pinproof.scenario.topologies import machine, names, parse_machine
from pinproof.scenario.writer import write_machine, write_scenario

breaks = st.sampled_from("\n\r\x85\u2028\u2029\ufeff\0\t '\"#:")
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]) | breaks, max_size=8)
labels = st.sampled_from(["a", "b", "on", "1", "0x1", "1e3", "null", "y", "init-0"])
amounts = st.sampled_from(["0", "1", "0.5", "64Mi", "0.5Gi", "1e9", "128974848", "1.0"]).map(Quantity.parse)
pages = st.integers(min_value=0, max_value=8).map(lambda count: Quantity.of_bytes(count * 2**21))


@st.composite
def containers(draw: st.DrawFn, name: str, *, init: bool) -> Container:
    """A container with requests below or at its limits, some with a request alone."""
    limits = dict(draw(st.dictionaries(st.sampled_from(["cpu", "memory", "ephemeral-storage"]), amounts)))
    requests = {resource: draw(st.sampled_from([limit, Quantity.ZERO])) for resource, limit in limits.items()}
    requests |= {r: draw(amounts) for r in draw(st.lists(st.sampled_from(["cpu", "memory"]))) if r not in limits}
    if not requests.keys().isdisjoint({"cpu", "memory"}) and draw(st.booleans()):
        requests["hugepages-2Mi"] = limits["hugepages-2Mi"] = draw(pages)
    room = "memory" not in limits and draw(st.booleans())
    return Container(
        name=name,
        requests=tuple(sorted(requests.items())),
        limits=tuple(sorted(limits.items())),
        restart_always=init and draw(st.booleans()),
        touch=draw(amounts.filter(lambda amount: amount > Quantity.ZERO)) if room else None,
    )


@st.composite
def pods(draw: st.DrawFn, name: str) -> Pod:
    """A pod with distinct container names."""
    drawn = draw(st.lists(labels.filter(str.islower), min_size=1, max_size=4, unique=True))
    split = draw(st.integers(min_value=0, max_value=len(drawn) - 1))
    return Pod(
        name=name,
        init_containers=tuple(draw(containers(n, init=True)) for n in drawn[:split]),
        containers=tuple(draw(containers(n, init=False)) for n in drawn[split:]),
        restart_policy=draw(st.sampled_from(["Always", "OnFailure", "Never"])),
    )


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """A machine that can be."""
    ids = sorted(draw(st.sets(st.integers(min_value=0, max_value=40), min_size=1, max_size=4)))
    far = draw(st.none() | st.integers(min_value=10, max_value=255))
    nodes = [
        NumaNode(
            id=node,
            memory=draw(st.integers(min_value=2**21, max_value=2**31)) * 1024,
            cpus=CpuSet(range(4 * index, 4 * index + 4)) if index == 0 or draw(st.booleans()) else CpuSet(),
            hugepages=draw(st.sampled_from([(), ((2**21, 3),), ((2**21, 0), (2**30, 1))])),
            distances=None if far is None else tuple(10 if other == node else far for other in ids),
            socket=draw(st.none() | st.integers(min_value=0, max_value=3)),
        )
        for index, node in enumerate(ids)
    ]
    return Machine(
        name=draw(labels),
        nodes=tuple(nodes),
        threads_per_core=draw(st.sampled_from([1, 2])),
        numa=draw(st.booleans()),
        provenance=draw(texts).strip(),
    )


reservations = st.builds(
    MemoryReservation,
    numa_node=st.integers(min_value=-1, max_value=50),
    limits=st.dictionaries(st.sampled_from(["memory", "hugepages-1Gi"]), amounts).map(
        lambda limits: tuple(limits.items())
    ),
)
reserved = st.dictionaries(st.sampled_from(["cpu", "memory"]), st.sampled_from(["1", "1Gi", "1024Mi", "-1"])).map(
    lambda reserved: tuple(reserved.items())
)
configs = st.builds(
    KubeletConfig,
    memory_manager_policy=st.sampled_from(["None", "Static", "static", ""]),
    reserved_memory=st.lists(reservations, max_size=3).map(tuple),
    topology_manager_scope=st.sampled_from(["container", "pod"]),
    topology_manager_policy_options=st.dictionaries(texts, texts, max_size=2).map(
        lambda options: tuple(options.items())
    ),
    reserved_system_cpus=st.sampled_from(["", "0", "0-1,3"]),
    kube_reserved=reserved,
    eviction_hard=st.none() | st.sampled_from([(), (("memory.available", "5%"),), (("memory.available", "100Mi"),)]),
    merge_default_eviction_settings=st.booleans(),
    feature_gates=st.dictionaries(labels, st.booleans(), max_size=2).map(lambda gates: tuple(gates.items())),
)
states: st.SearchStrategy[Literal["keep", "lose"] | StateEdit | StateText] = st.one_of(
    st.just("keep"),
    st.just("lose"),
    st.builds(StateText, texts),
    st.builds(StateEdit, texts.filter(bool), texts, st.sampled_from(["keep", "recompute"])),
)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A scenario whose steps can follow one another."""
    steps: list[Step] = []
    alive: list[str] = []
    for name in draw(st.lists(st.sampled_from(["p", "q", "r"]), max_size=3, unique=True)):
        pod = draw(pods(name))
        steps.append(Admit(pod))
        alive.append(name)
        if draw(st.booleans()):
            steps.append(Exit(name, pod.containers[0].name, draw(st.sampled_from([0, 1, 137]))))
        if draw(st.booleans()):
            restart = Restart(
                state=draw(states),
                order=tuple(draw(st.permutations(alive))),
                signal=draw(st.sampled_from(["TERM", "KILL"])),
                machine=draw(st.none() | machines()),
                kubelet=draw(st.none() | configs),
                kubernetes=draw(st.sampled_from([None, "1.36", "1.36.3"])),
            )
            steps.append(restart)
        if draw(st.booleans()):
            alive.remove(name)
            steps.append(Remove(name))
    return Scenario(name=draw(labels), machine=draw(machines()), kubelet=draw(configs), steps=tuple(steps))


def spellings(scenario: Scenario) -> list[str]:
    """Every pod quantity as it was written, which equality does not see."""
    admitted = [step.pod for step in scenario.steps if isinstance(step, Admit)]
    return [
        amount.written or str(amount)
        for pod in admitted
        for container in pod.all_containers
        for _, amount in container.requests + container.limits
    ]


@settings(deadline=None, max_examples=60)
@given(scenarios())
def test_scenario_reads_back(scenario: Scenario) -> None:
    """Writing and reading a scenario gives the same scenario, down to the spelling of its quantities."""
    text = write_scenario(scenario)

    read = parse_scenario(text)

    assert scenario == read
    assert spellings(scenario) == spellings(read)
    assert text == write_scenario(read)


@settings(deadline=None)
@given(machines())
def test_machine_reads_back(shape: Machine) -> None:
    """Writing and reading a topology gives the same machine."""
    assert shape == parse_machine(write_machine(shape))


@settings(deadline=None, max_examples=300)
@given(texts)
def test_state_text_reads_back(text: str) -> None:
    """A state file comes back byte by byte, whatever is in it."""
    shape = Machine(name="inline", nodes=(NumaNode(id=0, memory=2**30, cpus=CpuSet([0])),))
    scenario = Scenario("x", shape, KubeletConfig(), (Restart(state=StateText(text)),))

    assert scenario == parse_scenario(write_scenario(scenario))


def test_topology_files_read_back() -> None:
    """Every machine that comes with pinproof can be written and read."""
    shapes = [machine(name) for name in names()]

    assert shapes == [parse_machine(write_machine(shape)) for shape in shapes]


def test_looks_as_people_write() -> None:
    """Nodes and containers stand on one line; the short form is used where it says the same."""
    both = (("cpu", Quantity.parse("2")), ("memory", Quantity.parse("4Gi")))
    scenario = Scenario(
        name="small",
        machine=Machine(name="inline", nodes=(NumaNode(id=0, memory=10 * 2**30, cpus=CpuSet([0, 1])),)),
        kubelet=KubeletConfig(memory_manager_policy="Static"),
        steps=(Admit(Pod("a", (Container("c", both, both),))), Remove("a")),
    )

    expected = """\
apiVersion: pinproof/v1alpha1
kind: Scenario
metadata: {name: small}
topology:
  nodes:
  - {id: 0, memory: 10Gi, cpus: 0-1}
kubelet: {memoryManagerPolicy: Static}
steps:
- admit:
    name: a
    containers:
    - {name: c, cpu: '2', memory: 4Gi}
- {remove: a}
"""
    assert expected == write_scenario(scenario)
