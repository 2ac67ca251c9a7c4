"""On a real cluster, which takes an engine: what a user sees of a refusal, and that nothing is left however a run ends."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from pinproof.cli.main import main
from pinproof.engine import Engine
from pinproof.errors import SubjectError
from pinproof.running.examine import examine
from pinproof.scenario.reader import read_scenario
from pinproof.scenario.steps import Restart, Scenario
from pinproof.scenario.topologies import machine
from pinproof.subjects.kind.subject import KEEP, KindSubject
from pinproof.subjects.kubelet.binary import KubeletBinary
from pinproof.subjects.registry import open_subject
from pinproof.suite import admit, burstable, guaranteed, static
from tests.kind_runs import SPEC, containers, scenario_file

pytestmark = pytest.mark.engine
pytest_plugins = ["tests.kind_fixtures"]

MINUTES = 15 * 60


@pytest.mark.timeout(MINUTES)
def test_a_refusal_is_a_phase_a_reason_a_message_and_an_event(subject: KindSubject, tmp_path: Path) -> None:
    """The judge compares phase, reason and message; the event says the same."""
    proof = examine(subject, read_scenario(scenario_file(tmp_path)))

    assert "passed" == proof.judgement.outcome
    events = subject.gather()["events.json"]
    assert '"reason": "UnexpectedAdmissionError"' in events or '"reason": "TopologyAffinityError"' in events


@pytest.mark.timeout(MINUTES)
def test_pods_that_return_are_judged_by_the_machine_that_is_there(subject: KindSubject) -> None:
    """Of two pods on 20Gi one fits when half of it is gone; by the Node object of before, both would."""
    two = machine("two_even")
    half = replace(two, nodes=tuple(replace(node, memory=node.memory // 2) for node in two.nodes))
    pods = (admit(guaranteed("a", memory="6Gi")), admit(burstable("b", memory="6Gi")))
    scenario = Scenario("shrunk", two, static()(two), (*pods, Restart(machine=half, state="lose")))

    proof = examine(subject, scenario)

    assert "passed" == proof.judgement.outcome, proof.judgement
    last = proof.observed.observations[-1].pods
    assert {"a": True, "b": False} == {name: verdict.admitted for name, verdict in (last or {}).items()}


@pytest.mark.timeout(MINUTES)
def test_a_kubelet_that_does_not_start_is_told_with_its_last_words(
    subject: KindSubject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the node, where systemd starts it; the next run has a kubelet that starts."""
    del subject
    broken = tmp_path / "kubelet"
    broken.write_text("#!/bin/sh\necho 'the moon is in the wrong phase' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr("pinproof.build.kubelet", lambda *_, **__: broken)
    monkeypatch.setattr("pinproof.subjects.kind.opening.inspect", lambda path, **_: KubeletBinary(path, "1.36.3"))
    opened = open_subject(f"{SPEC}&kubelet={broken}")

    with ExitStack() as stack:
        stack.callback(opened.close)
        with pytest.raises(SubjectError) as refused:
            opened.run(read_scenario(scenario_file(tmp_path)))

    assert refused.value.step == "start the kubelet"
    assert "the moon is in the wrong phase" in refused.value.message


@pytest.mark.timeout(MINUTES)
def test_a_cluster_that_is_kept_is_used_again(
    engine: Engine,
    subject: KindSubject,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says how to be reached; a run that does not keep it ends it."""
    del subject
    before = containers(engine)
    command = ["replay", str(scenario_file(tmp_path)), "--subject", SPEC]

    monkeypatch.setenv(KEEP, "1")
    assert main(command) == 0
    kept = containers(engine)
    reach = re.search(r"kubectl --kubeconfig (\S+) get pods", capfd.readouterr().err)
    assert reach is not None
    assert Path(reach[1]).exists()
    assert kept != before

    assert main(command) == 0
    assert kept == containers(engine)

    monkeypatch.delenv(KEEP)
    assert main(command) == 0
    assert before == containers(engine)
