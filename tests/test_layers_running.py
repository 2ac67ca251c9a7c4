"""Many scenarios looked at by `layers` and `diff`: side by side, and with everything found kept at once."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from pinproof import waiting
from pinproof.cli.main import main
from pinproof.judge.compare import Difference
from pinproof.layers.keeping import Folder
from pinproof.layers.looks import Agreed, Incomplete
from pinproof.layers.parting import Account, Look, Parting
from pinproof.layers.rendering import account_document
from pinproof.layers.running import WorkerError, alone, look_at
from pinproof.running.crew import Broken
from pinproof.scenario.reader import read_scenario
from pinproof.scenario.steps import Admit, Scenario
from pinproof.scenario.topologies import machine
from pinproof.suite import guaranteed, static

ROOT = Path(__file__).parent.parent
TWO = machine("two_even")
OLD_AND_NEW = ["--from=reference:1.31", "--to=reference:1.32"]


def scenario(name: str, pods: int = 1) -> Scenario:
    """So many pods."""
    return Scenario(name, TWO, static()(TWO), tuple(Admit(guaranteed(f"p{n}", memory="1Gi")) for n in range(pods)))


def parting(what: Scenario, path: str = "pods.p0") -> Parting:
    """A finding of one sort for each path."""
    return Parting(
        what, "component:x", "kubelet:x", (Difference(1, path, "here", "there"),), {"kubelet.log": what.name}
    )


def looks(what: Scenario) -> Look:
    """What is seen of a scenario says its name."""
    if what.name == "ctrl-c":
        raise KeyboardInterrupt
    if what.name == "broken":
        return Incomplete(what, "no verdict", {"kubelet.log": "…"})
    return parting(what) if what.name.startswith("parts") else Agreed()


def follow(names: list[str], folder: Folder) -> Account:
    """Look at scenarios of these names; the number of pods is that of letters."""
    account = Account(("reference:1.36", "kubelet:x"))

    def heard(look: Look) -> None:
        if isinstance(look, Parting):
            folder.finding(look, look.artefacts)
        elif isinstance(look, Incomplete):
            folder.incomplete(look)

    with pytest.raises(KeyboardInterrupt) if "ctrl-c" in names else nullcontext():
        look_at((scenario(name, len(name)) for name in names), alone(looks), heard=heard, count=account.add)
    return account


def files(place: Path) -> set[str]:
    return {str(file.relative_to(place)) for file in place.rglob("*") if file.is_file()}


def test_an_interruption_loses_nothing(tmp_path: Path) -> None:
    """What was found before is kept and counted."""
    account = follow(["agrees", "parts", "broken", "ctrl-c", "parts-too"], Folder(tmp_path, "layers"))

    assert (3, 1, 1, 1) == (account.scenarios, account.agreed, len(account.partings), len(account.incomplete))
    assert {
        "findings/parts.yaml",
        "findings/parts/kubelet.log",
        "incomplete/broken.yaml",
        "incomplete/broken/kubelet.log",
    } == (files(tmp_path))


def test_the_smallest_of_a_sort_is_kept(tmp_path: Path) -> None:
    """A larger one that was kept before goes."""
    folder = Folder(tmp_path, "layers")
    for name in ("parts-middle", "parts-large-one", "parts"):
        folder.finding(parting(scenario(name, len(name))), {"kubelet.log": name})
    folder.finding(parting(scenario("other"), "told.p0"))

    assert {"findings/parts.yaml", "findings/parts/kubelet.log", "findings/other.yaml"} == files(tmp_path)
    assert {"parts", "other"} == set(folder.files)


def test_the_account_on_disk_is_whole(tmp_path: Path) -> None:
    """And says whether it is the last one."""
    folder, account = Folder(tmp_path, "layers"), Account(("reference:1.36", "kubelet:x"))
    account.add(Agreed())
    folder.account(lambda found: account_document(account, files=found))
    first = json.loads((tmp_path / "layers.json").read_text(encoding="utf-8"))
    folder.account(lambda found: account_document(account, files=found), finished=True, last=True)

    assert (1, False) == (first["scenarios"], first["finished"])
    assert json.loads((tmp_path / "layers.json").read_text(encoding="utf-8"))["finished"]


def test_a_folder_without_a_place_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As without `--out`."""
    monkeypatch.chdir(tmp_path)
    assert 1 == len(follow(["parts", "broken"], Folder(None, "layers")).partings)

    assert set() == files(tmp_path)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_processes_come_to_the_same(workers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of the scenarios, whoever looked at them."""
    main(["diff", "--scenarios=30", "--seed=4", *OLD_AND_NEW, "--json"])
    expected = capsys.readouterr().out
    main(["diff", "--scenarios=30", "--seed=4", *OLD_AND_NEW, "--json", "-n", workers])

    assert expected == capsys.readouterr().out


def test_layers_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    """With subjects of their own."""
    code = main(["layers", "--scenarios=12", "--subject=reference:1.36", "--json", "-n", "2"])

    assert (0, 12) == (code, json.loads(capsys.readouterr().out)["agreed"])


def test_a_worker_that_ends_is_told() -> None:
    """What it said is the error."""

    def fails(what: Scenario) -> Look:
        raise WorkerError(Broken(f"gone at {what.name}", 12))

    with pytest.raises(WorkerError, match="gone at one") as raised:
        look_at([scenario("one")], alone(fails), heard=print, count=print)
    assert 12 == raised.value.exit_code


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A comparison that goes on for long, with two processes."""
    command = [
        sys.executable,
        "-m",
        "pinproof",
        "diff",
        "--scenarios=1000000",
        *OLD_AND_NEW,
        "-n=2",
        f"--out={tmp_path}/out",
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        yield process
        process.kill()


def some_were_found(place: Path) -> bool:
    file = place / "diff.json"
    return file.exists() and json.loads(file.read_text(encoding="utf-8"))["differing"] > 0


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_command_that_is_ended_has_kept_what_it_found(
    endless: subprocess.Popen[str], tmp_path: Path, sent: signal.Signals
) -> None:
    """By Ctrl-C, after which it tells of it, and by force."""
    place = tmp_path / "out"
    assert any(endless.poll() is not None or some_were_found(place) for _ in waiting.looks(math.inf))
    endless.send_signal(sent)
    out, err = endless.communicate(timeout=60)

    document = json.loads((place / "diff.json").read_text(encoding="utf-8"))
    group = document["groups"][0]
    assert not document["finished"]
    assert read_scenario(group["file"]).name
    if sent is signal.SIGINT:
        assert 130 == endless.returncode, err
        assert f"{document['differing']} differ" in out
