"""A machine's command line, its monitor, and the templates that are kept; no machine is started."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pinproof.build.vm_image import VmImage
from pinproof.errors import SubjectError
from pinproof.scenario.topologies import machine
from pinproof.subjects.kubelet.agent import AgentError
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.vm import acceleration, programs
from pinproof.vm.guest import Boot, Guest, Means
from pinproof.vm.qmp import Monitor

MACHINE = machine("small_two")
SIZES = (1600 << 20, 1568 << 20)


@pytest.fixture
def made(tmp_path: Path) -> Guest:
    """A machine whose disk is made by a command that does nothing."""
    image = VmImage(Path("/i/vmlinuz"), Path("/i/first"), Path("/i/disk"), "key")
    means = Means(programs.Qemu("/q/qemu", "/bin/true", ("/q/share",)), image, Path("/l/launcher"), Timeouts(), "tcg")
    return Guest(means, tmp_path, kubelets=Path("/k/disk"))


def after(words: list[str], name: str) -> list[str]:
    """What follows each of a word."""
    return [value for word, value in itertools.pairwise(words) if word == name]


def test_the_kernel_stays_where_it_is_unless_it_may_choose(made: Guest) -> None:
    boot = Boot(MACHINE, SIZES)
    (usual,) = after(list(made.command(boot)), "-append")
    (chosen,) = after(list(made.command(replace(boot, random=True, words=("crashkernel=64M",)))), "-append")

    assert "nokaslr" in usual.split()
    assert "nokaslr" not in chosen.split()
    assert "crashkernel=64M" in chosen.split()


def test_a_machine_has_its_disk_that_of_kubelets_and_a_port(made: Guest, tmp_path: Path) -> None:
    words = list(made.command(Boot(MACHINE, SIZES)))

    assert after(words, "-drive") == [
        f"file={tmp_path}/disk.qcow2,if=virtio,format=qcow2,cache=unsafe",
        "file=/k/disk,if=virtio,format=raw,readonly=on",
    ]
    assert "socket,id=agent,fd=3" in after(words, "-chardev")
    assert after(words, "-L") == ["/q/share"]
    assert not after(words, "-netdev")


def test_acceleration_that_is_unknown_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(acceleration.VARIABLE, "hvf")

    with pytest.raises(SubjectError, match=r"hvf(.|\n)*kvm, tcg"):
        acceleration.asked()


PRINTS = "#!/bin/sh\necho 'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)'\n"


@pytest.mark.parametrize(
    ("emulator", "expected"),
    [
        pytest.param(PRINTS, True, id="comes to its end"),
        pytest.param("#!/bin/sh\nexec sleep 60\n", False, id="hangs"),
        pytest.param("#!/bin/sh\nexit 1\n", False, id="does not begin"),
    ],
)
def test_kvm_is_only_used_where_a_kernel_comes_to_its_end(tmp_path: Path, emulator: str, expected: bool) -> None:
    program = tmp_path / "qemu"
    program.write_text(emulator)
    program.chmod(0o755)

    assert expected is acceleration.runs(programs.Qemu(str(program), ""), Path("/i/vmlinuz"), "kvm", seconds=1)


def test_what_was_found_is_kept_while_the_machine_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second question starts nothing."""
    tries: list[str] = []

    def runs(*_: object) -> bool:
        tries.append("")
        return False

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(acceleration.VARIABLE, raising=False)
    monkeypatch.setattr(acceleration, "hindrance", lambda: "")
    monkeypatch.setattr(acceleration, "runs", runs)

    chosen = [acceleration.chosen(programs.Qemu("", ""), tmp_path) for _ in range(2)]

    assert ["tcg", "tcg"] == chosen
    assert [""] == tries
    assert "tcg" == acceleration.found()


def test_a_disk_that_cannot_be_made_is_an_error(made: Guest, tmp_path: Path) -> None:
    means = replace(made._means, qemu=programs.Qemu("/q/qemu", "/bin/false"))

    with pytest.raises(SubjectError, match="make a disk"):
        Guest(means, tmp_path, kubelets=Path("/k/disk"))


def served(
    path: Path, answer: Callable[[str], dict[str, object]], *, closing: Callable[[], None] = lambda: None
) -> threading.Thread:
    """A monitor that greets and answers commands until it is told to quit; what it does then, before it is gone, is `closing`."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rw") as stream:
            stream.write('{"QMP": {}}\n')
            stream.flush()
            for line in stream:
                command = json.loads(line)["execute"]
                event = json.dumps({"event": "STOP"})
                stream.write(f"{event}\n{json.dumps(answer(command))}\n")
                stream.flush()
                if command == "quit":
                    break
            closing()
        listening.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def test_the_monitor_carries_out_commands_among_events(tmp_path: Path) -> None:
    thread = served(tmp_path / "qmp", lambda command: {"return": {"status": "completed", "of": command}})

    with Monitor(tmp_path / "qmp", seconds=5) as monitor:
        assert monitor.do("query-status")["of"] == "query-status"
        monitor.migrated()
    thread.join(5)


def test_power_is_taken_when_the_disk_is_written(made: Guest) -> None:
    """The process may be killed when it has closed its monitor, which it does after its disks: before, the disk has old parts."""
    done: list[str] = []
    cut = threading.Event()

    def closing() -> None:
        cut.wait(0.3)  # what it has to write takes longer than who does not wait for it
        done.append("written")

    thread = served(made.monitor, lambda _: {"return": {}}, closing=closing)
    made.cut()
    seen = list(done)
    cut.set()
    thread.join(5)

    assert ["written"] == seen


def test_what_a_machine_refuses_is_an_error(tmp_path: Path) -> None:
    served(tmp_path / "qmp", lambda command: {"error": {"desc": "no"}} if command == "cont" else {"return": {}})

    with Monitor(tmp_path / "qmp", seconds=5) as monitor, pytest.raises(SubjectError, match="cont: no"):
        monitor.do("cont")


def test_a_machine_that_ends_before_it_greets_is_an_error(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "qmp"))
        listening.listen()

        def end() -> None:
            connection, _ = listening.accept()
            connection.close()

        thread = threading.Thread(target=end, daemon=True)
        thread.start()
        with pytest.raises(SubjectError, match="talk with a virtual machine"):
            Monitor(tmp_path / "qmp", seconds=5)
        thread.join(5)


def test_a_machine_that_does_not_listen_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="talk with a virtual machine"):
        Monitor(tmp_path / "qmp", seconds=0)


def test_a_machine_that_does_not_start_tells_its_last_words_and_keeps_all_of_them(made: Guest) -> None:
    (made.folder / "console").write_text("".join(f"line {number}\n" for number in range(20)))
    error = made.failing(AgentError("node agent, read", "it said nothing", fault="f", remedy="r"))

    assert "it said nothing; its console ends with\nline 12\n" in str(error)
    assert "line 11\n" not in str(error)
    assert error.console.startswith("line 0\n")


def test_a_kernel_that_panics_is_told_of_in_the_first_line(made: Guest) -> None:
    lines = ["[    2.2] Kernel panic - not syncing: no init", *["[    2.3] trace"] * 20]
    (made.folder / "console").write_text("\n".join(lines))
    error = made.failing(AgentError("node agent, read", "it said nothing", fault="f", remedy="r"))

    assert "it said nothing (Kernel panic - not syncing: no init); its console ends with\n" in str(error)


def test_qemu_that_was_unpacked_finds_its_firmware_and_libraries(tmp_path: Path) -> None:
    found = programs._within(tmp_path)

    assert found.emulator == f"{tmp_path}/usr/bin/qemu-system-x86_64"
    assert found.firmware == (f"{tmp_path}/usr/share/qemu", f"{tmp_path}/usr/share/seabios")
    assert f"{tmp_path}/lib/x86_64-linux-gnu" in found.env["LD_LIBRARY_PATH"].split(":")
