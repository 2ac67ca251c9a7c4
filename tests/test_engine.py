"""Container engines: which is found, what is said of one that does not answer, the bookkeeping of one of pinproof's own."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pinproof import waiting
from pinproof.build import cache, runtimes
from pinproof.build.layers import Image
from pinproof.engine import Engine, engines, loading, own, programs, running, supervisor, traces
from pinproof.errors import InputError, SubjectError

DENIED = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"
ASLEEP = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a shell script on a PATH that has nothing else of containers."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for name in ("sh", "cat", "true", "echo"):
        (binaries / name).symlink_to(Path("/bin") / name)
    monkeypatch.setenv("PATH", str(binaries))
    monkeypatch.delenv("PINPROOF_ENGINE", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    def script(name: str, text: str) -> None:
        (binaries / name).write_text(f"#!/bin/sh\n{text}\n")
        (binaries / name).chmod(0o755)

    return script


def test_docker_that_answers(install: Install) -> None:
    """It is used and told to kind, even where Podman is there too."""
    install("docker", "echo 28.2.2")
    install("podman", "echo 5.0.0")

    with running() as engine:
        found = engine

    assert found == Engine("docker", {"KIND_EXPERIMENTAL_PROVIDER": "docker"}, "28.2.2", own=False)
    assert found.environment()["KIND_EXPERIMENTAL_PROVIDER"] == "docker"


def test_podman_instead_of_a_docker_that_sleeps(install: Install) -> None:
    install("docker", f"echo '{ASLEEP}' >&2; exit 1")
    install("podman", "echo 5.0.0")

    engine, refusals = engines.found()

    assert engine is not None
    assert (engine.name, engine.version) == ("podman", "5.0.0")
    assert [refusal.name for refusal in refusals] == ["docker"]


@pytest.mark.parametrize(
    ("script", "message", "remedy"),
    [
        (
            f"echo '{DENIED}' >&2; exit 1",
            "docker is installed and does not answer: permission denied",
            "usermod -aG docker",
        ),
        (f"echo '{ASLEEP}' >&2; exit 1", "Is the docker daemon running?", "sudo systemctl start docker"),
        ("exit 1", "does not answer: no answer", "sudo systemctl start docker"),
        ("true", "does not answer: no answer", "sudo systemctl start docker"),
    ],
)
def test_docker_that_does_not_answer(install: Install, script: str, message: str, remedy: str) -> None:
    """One message with what it said and what to do; exit 12."""
    install("docker", script)

    with pytest.raises(SubjectError) as refused, running():
        pass

    assert message in refused.value.message
    assert remedy in refused.value.remedy
    assert refused.value.exit_code == 12


def test_no_engine(install: Install) -> None:
    """It is said why none was started, and what to install."""
    with (
        pytest.raises(SubjectError, match=r"neither docker nor podman is on PATH.*that needs root") as refused,
        running(),
    ):
        pass

    assert "install Docker or Podman" in refused.value.remedy


def test_engine_that_is_asked_for(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other is taken in its place; an unknown one is bad input."""
    install("docker", "echo 28.2.2")
    monkeypatch.setenv("PINPROOF_ENGINE", "podman")
    with pytest.raises(SubjectError, match="PINPROOF_ENGINE asks for podman, which is not on PATH"), running():
        pass

    monkeypatch.setenv("PINPROOF_ENGINE", "rkt")
    with pytest.raises(InputError, match="'rkt' is no engine; give docker, podman or own"), running():
        pass


@pytest.mark.parametrize(
    ("missing", "hindrance"),
    [("root", "that needs root"), ("unshare", "no unshare"), ("apt-get", "no dockerd on PATH, and no apt"), ("", "")],
)
def test_hindrances(install: Install, monkeypatch: pytest.MonkeyPatch, missing: str, hindrance: str) -> None:
    """What an engine of pinproof's own needs."""
    monkeypatch.setattr("os.geteuid", lambda: 1000 if missing == "root" else 0)
    for name in {"unshare", "apt-get", "dpkg-deb"} - {missing}:
        install(name, "true")

    assert hindrance in own.hindrance()
    assert own.possible() == (not hindrance)


# --- images


def image(layer: str = "") -> Image:
    return Image(f"localhost/pinproof/node:v1.36.3-{layer or 'new'}", (), {})


def test_image_that_is_there_is_not_loaded_again(install: Install, tmp_path: Path) -> None:
    install("docker", f'echo "$@" >> {tmp_path}/log')

    assert loading.load(Engine("docker", {}), image()) == "localhost/pinproof/node:v1.36.3-new"
    assert (tmp_path / "log").read_text() == "image inspect localhost/pinproof/node:v1.36.3-new\n"


def test_loading(install: Install, tmp_path: Path) -> None:
    """The image goes in by standard input, older ones of the release go, and it must run privileged."""
    family = "localhost/pinproof/node"
    install(
        "docker",
        f"""echo "$@" >> {tmp_path}/log
case "$1 $2" in
  "image inspect") exit 1;;
  "load "*) cat > {tmp_path}/image;;
  "image ls") echo {family}:v1.36.3-old; echo {family}:v1.36.3-new; echo {family}:v1.35.4-old;;
esac""",
    )

    loading.load(Engine("docker", {}), image())

    asked = (tmp_path / "log").read_text().splitlines()
    assert (tmp_path / "image").stat().st_size > 0
    assert asked[1:3] == ["load", f"image ls --format {{{{.Repository}}}}:{{{{.Tag}}}} {family}"]
    assert asked[3] == f"image rm {family}:v1.36.3-old"
    assert asked[4].startswith("run --rm --privileged")


@pytest.mark.parametrize(
    ("script", "message", "remedy"),
    [
        ("load) echo 'write /x: no space left on device' >&2; exit 1;;", "no space left on device", "make room"),
        ("load) echo 'bad archive' >&2; exit 1;;", "docker does not take it: bad archive", "docker info"),
        ("run) echo 'operation not permitted' >&2; exit 125;;", "not run privileged containers: operation", "=own"),
    ],
)
def test_engine_that_refuses(install: Install, script: str, message: str, remedy: str) -> None:
    """Its own words, whose fault, and what to do."""
    install("docker", f'case "$1" in image) exit 1;; {script} esac')

    with pytest.raises(SubjectError) as refused:
        loading.load(Engine("docker", {}), image())

    assert message in refused.value.message
    assert remedy in refused.value.remedy


# --- an engine of pinproof's own


@pytest.fixture
def where(tmp_path: Path) -> own.Place:
    """The place of an engine, below a directory of this test's."""
    found = own.Place("pinproof-test1234", tmp_path / "run", tmp_path / "data")
    found.run.mkdir()
    return found


HOLD = """
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX if sys.argv[2] == "exclusive" else fcntl.LOCK_SH)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold() -> Iterator[Callable[[Path, str], subprocess.Popen[str]]]:
    """Another process that holds a lock until it is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(path: Path, kind: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-I", "-c", HOLD, str(path), kind]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


Hold = Callable[[Path, str], "subprocess.Popen[str]"]


def test_nobody_joins_what_does_not_run(where: own.Place) -> None:
    """Files of an engine whose supervisor was killed are traces, not an engine."""
    where.supervisor.touch()
    where.users.touch()

    assert own._joined(where) is None


def test_a_running_engine_is_joined(where: own.Place, hold: Hold) -> None:
    """And is then used, for others to see, until the lock is given back."""
    hold(where.supervisor, "exclusive")

    users = own._joined(where)

    assert users is not None
    assert own._used(where)
    users.close()
    assert not own._used(where)


def test_an_engine_that_ends_is_waited_for(where: own.Place, hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its supervisor has the users' lock: nobody can join it any more."""
    supervised = hold(where.supervisor, "exclusive")
    hold(where.users, "exclusive")
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        supervised.kill()
        supervised.wait()

    monkeypatch.setattr("time.sleep", sleep)

    assert own._joined(where) is None
    assert waited == [waiting.PAUSE]


def test_a_killed_user_is_no_user(where: own.Place, hold: Hold) -> None:
    """Locks end with their process, whatever ended it."""
    user = hold(where.users, "shared")
    assert own._used(where)

    user.kill()
    user.wait()

    assert not own._used(where)


def test_supervisor_waits_for_the_last_user(where: own.Place, hold: Hold) -> None:
    """It ends when nobody is left; of an engine that died meanwhile it tells those who wait for it."""
    user = hold(where.users, "shared")
    engine = subprocess.Popen(["false"])
    engine.wait()
    polls: list[int] = []

    def poll(_: float) -> None:
        polls.append(1)
        if len(polls) == 3:
            user.kill()
            user.wait()

    with pytest.MonkeyPatch.context() as patch, where.users.open("a") as users:
        patch.setattr("time.sleep", poll)
        supervisor._wait(where, engine, users)

    assert len(polls) == 3
    assert (where.run / "ended").read_text() == "1"


def test_keeping(where: own.Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one of pinproof's own needs to be told; it is not waited for then."""
    monkeypatch.setattr(own, "place", lambda: where)
    own.keep(Engine("docker", {}), wanted=True)
    assert not where.kept.exists()

    own.keep(Engine("docker", {}, own=True), wanted=True)
    own._await_end(where)
    assert where.kept.exists()

    own.keep(Engine("docker", {}, own=True), wanted=False)
    assert not where.kept.exists()


def test_command_of_the_engine(where: own.Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It changes no firewall, has no bridge nobody asked for, and all it writes lies in its place."""
    hidden = (tmp_path / "etc-docker", tmp_path / "run-containerd")
    hidden[1].mkdir()
    monkeypatch.setattr(supervisor, "HIDDEN", hidden)
    monkeypatch.setattr(supervisor, "MADE", (*hidden, tmp_path / "opt"))
    monkeypatch.setattr(runtimes, "command", lambda which: Path("/built", which))

    script = supervisor.command(where)[-1]

    for option in ("--iptables=false", "--ip-forward=false", "--bridge=none", f"--data-root={where.data}"):
        assert option in script
    assert f"--add-runtime=pinproof={where.run}/pinproof-oci-plain --default-runtime=pinproof" in script
    assert f"mount -t tmpfs tmpfs {hidden[0]} && mount -t tmpfs tmpfs {hidden[1]} && " in script
    assert where.missing.read_text() == f"{hidden[0]}\n{tmp_path / 'opt'}\n"


def test_traces_are_removed(where: own.Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control groups in every hierarchy, directories that were not there before, files; nothing else."""
    monkeypatch.setattr(traces, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(traces, "EMPTYING_SECONDS", 0.0)
    for path in (
        "cgroup/pinproof-test1234/c1",
        "cgroup/cpu/pinproof-test1234/c1/kubelet",
        "cgroup/cpu/other",
        "opt/bin",
        "data/x",
    ):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/kept").touch()
    where.missing.write_text(f"{tmp_path / 'opt'}\n{tmp_path / 'etc'}\n")

    own.remove_traces(where)

    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "cgroup",
        "cgroup/cpu",
        "cgroup/cpu/other",
        "etc",
        "etc/kept",
    ]


def test_only_a_bridge_is_removed() -> None:
    """An interface of this name that is none, or is not there, is left alone."""
    traces.remove_bridge("lo")
    traces.remove_bridge("pinp-nosuch")


def test_names_fit_the_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Fifteen letters for an interface, 107 for a socket; another cache has another engine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ("long" * 40)))
    one = own.place()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert len(one.bridge) <= 15
    assert len(one.socket.removeprefix("unix://")) <= 107
    assert own.place().name != one.name


def test_programs_of_the_machine_come_first(install: Install) -> None:
    """Nothing is fetched where all are there."""
    for name in programs.NEEDED:
        install(name, "true")

    assert programs.programs().env == {}


def test_programs_that_cannot_be_fetched(install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One message with apt's words; nothing stays behind."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache, "require_space", lambda *_: None)
    install("apt-get", "echo 'E: Unable to locate package docker.io' >&2; exit 100")

    with pytest.raises(SubjectError, match=r"apt cannot fetch docker\.io, iptables\nE: Unable to locate package"):
        programs.programs()

    assert not list((tmp_path / "pinproof").glob("engine-programs/*"))


def test_lock_is_not_waited_for(tmp_path: Path) -> None:
    with (tmp_path / "l").open("a") as one, (tmp_path / "l").open("a") as other:
        assert own.lock(one, fcntl.LOCK_EX)
        assert not own.lock(other, fcntl.LOCK_SH)
        assert own.is_locked(tmp_path / "l")
