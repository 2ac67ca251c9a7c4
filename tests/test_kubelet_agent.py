"""The client of the node agent: replies by number, and a plain message for every way an agent can fail."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pinproof.errors import InputError
from pinproof.subjects.kubelet.agent import Agent, AgentError
from pinproof.subjects.kubelet.timeouts import VARIABLE, Timeouts

Start = Callable[..., Agent]

ECHO = """
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps({"id": request["id"] - 1, "ok": True}), flush=True)
    print(json.dumps({"id": request["id"], "ok": True, "asked": request}), flush=True)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an agent whose behaviour is a few lines of Python; all are closed in the end."""
    agents: list[Agent] = []

    def make(behaviour: str, *, scale: float = 1.0) -> Agent:
        path = tmp_path / "agent"
        path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{behaviour}")
        path.chmod(0o755)
        agents.append(Agent(path, namespaces="user", timeouts=Timeouts(scale)))
        return agents[-1]

    yield make
    for agent in agents:
        agent.close()


def failure(agent: Agent) -> AgentError:
    with pytest.raises(AgentError) as caught:
        agent.call("observe")
    return caught.value


def test_a_reply_belongs_to_its_request(start: Start) -> None:
    """A late reply to a former request is dropped; limits go out in milliseconds."""
    agent = start(ECHO)

    replies = [agent.call("await_gone", seconds=1.5, uids=["a"]) for _ in range(2)]

    assert {"id": 2, "op": "await_gone", "uids": ["a"], "timeout_ms": 1500} == replies[1]["asked"]


def test_an_agent_that_ends_leaves_its_last_words(start: Start) -> None:
    """The exit code and what it printed are in the message."""
    agent = start("sys.stdin.readline(); sys.stderr.write('no room'); sys.exit(7)")

    assert "ended with code 7: no room" in failure(agent).message


def test_an_agent_that_cannot_have_its_namespaces_says_so(start: Start) -> None:
    """Number 0 is an error of the agent itself, whatever was asked."""
    agent = start(
        """print('{"id":0,"error":"not permitted","step":"namespaces"}'); sys.stdout.flush(); sys.stdin.read()"""
    )

    error = failure(agent)

    assert ("node agent, namespaces", "not permitted") == (error.step, error.message)


def test_an_agent_that_is_silent_is_given_up(start: Start) -> None:
    """Every request has a limit."""
    agent = start("sys.stdin.read()", scale=0.01)

    assert "no answer in time" == failure(agent).message


def test_an_agent_that_babbles_is_quoted(start: Start) -> None:
    """What is not JSON is shown."""
    agent = start("print('hello'); sys.stdout.flush(); sys.stdin.read()")

    assert "not JSON: b'hello'" == failure(agent).message


def test_closing_ends_the_agent_and_may_be_repeated(start: Start) -> None:
    """The end of its standard input is the end of the agent, even of one that does not care."""
    agent = start("""print('{"id":1}'); sys.stdout.flush(); time.sleep(600)""", scale=0.2)
    agent.call("setup")

    agent.close()
    agent.close()

    assert not Path(f"/proc/{agent.pid}").exists()


def test_a_missing_agent_is_named(tmp_path: Path) -> None:
    """With what to do about it."""
    with pytest.raises(AgentError, match="pinproof build runtime"):
        Agent(tmp_path / "nothing", namespaces="user", timeouts=Timeouts())


def test_one_factor_stretches_every_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes from the environment unless it is given."""
    monkeypatch.setenv(VARIABLE, "3")

    assert (60.0, 40.0) == (Timeouts.from_environment().seconds("stop"), Timeouts.from_environment(2).seconds("stop"))


@pytest.mark.parametrize("factor", ["0", "-1", "nan", "much", "inf"])
def test_a_factor_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, factor: str) -> None:
    """Only positive numbers are factors."""
    monkeypatch.setenv(VARIABLE, factor)

    with pytest.raises(InputError, match="is not a factor"):
        Timeouts.from_environment()
