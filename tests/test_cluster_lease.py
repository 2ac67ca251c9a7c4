"""Who has which node, and what becomes of what a dead one has changed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from pinproof.errors import SubjectError
from pinproof.subjects.cluster import access, lease, premises
from pinproof.subjects.cluster.disruption import Disruption
from pinproof.subjects.cluster.lease import holder, is_dead, take
from pinproof.subjects.cluster.premises import LEASES
from pinproof.subjects.kubelet.timeouts import Timeouts
from tests.cluster_fakes import Document, FakeApi

ACCOUNT = "/api/v1/namespaces/pinproof/serviceaccounts/default"


@pytest.fixture
def fake() -> FakeApi:
    made = FakeApi()
    made.objects[ACCOUNT] = {"metadata": {"resourceVersion": "0"}}
    return made


def held(fake: FakeApi, node: str, who: str, *, ago: float = 0) -> None:
    """A lease that somebody has renewed so many seconds ago."""
    renewed = (datetime.now(UTC) - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": who, "leaseDurationSeconds": 30, "renewTime": renewed}
    fake.post(LEASES, {"metadata": {"name": node}, "spec": spec})


def who_has(fake: FakeApi, node: str) -> str:
    return str(fake.objects[f"{LEASES}/{node}"]["spec"]["holderIdentity"])


def test_the_first_free_node_is_taken_and_given_back(fake: FakeApi) -> None:
    held(fake, "a", "other/1/2/3/4")

    taken = take(fake.api, ["a", "b"])

    assert "b" == taken.node
    taken.give_back()
    assert f"{LEASES}/b" not in fake.objects
    assert f"{LEASES}/a" in fake.objects


def test_where_all_are_in_use_it_says_by_whom(fake: FakeApi) -> None:
    held(fake, "a", "other/1/2/3/4")

    with pytest.raises(SubjectError, match="every node is in use: a by other/1/2/3/4"):
        take(fake.api, ["a"])


def test_a_holder_of_this_machine_that_is_no_more_is_replaced_at_once(fake: FakeApi) -> None:
    dead = holder().replace(f"/{os.getpid()}/", "/4000000/")
    held(fake, "a", dead)

    taken = take(fake.api, ["a"])

    assert dead != who_has(fake, "a")
    taken.give_back()


def test_a_stale_lease_is_taken_if_nothing_happens_to_it(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_LOOK", 0.01)
    held(fake, "a", "other/1/2/3/4", ago=60)

    take(fake.api, ["a"], pause=0.05).give_back()

    held(fake, "b", "other/1/2/3/4", ago=60)
    renewals = iter(range(100))

    class Renewed(FakeApi):
        """Where the holder of a slow clock goes on."""

        def get(self, path: str, **query: object) -> Document:
            found = super().get(path, **query)
            if path == f"{LEASES}/b":
                self.patch(path, {"spec": {"renewals": next(renewals)}})
            return found

    slow = Renewed()
    slow.objects = fake.objects
    with pytest.raises(SubjectError, match="every node is in use"):
        take(slow.api, ["b"], pause=0.05)


def test_who_is_alive_is_not_dead() -> None:
    assert not is_dead(holder())
    assert not is_dead("somewhere-else/boot/1/2/3")
    assert not is_dead("nonsense")
    assert is_dead(holder().replace(f"/{os.getpid()}/", "/4000000/"))


def test_what_a_dead_run_has_changed_is_restored_by_the_next(fake: FakeApi) -> None:
    fake.objects["/api/v1/nodes/a"] = {"metadata": {"resourceVersion": "0"}, "spec": {}}
    first = take(fake.api, ["a"])
    Disruption(fake.api, first).cordon()
    assert fake.objects["/api/v1/nodes/a"]["spec"]["unschedulable"]
    fake.objects[f"{LEASES}/a"]["spec"]["holderIdentity"] = holder().replace(f"/{os.getpid()}/", "/4000000/")

    second = take(fake.api, ["a"])
    assert {"unschedulable": False} == second.restore
    Disruption(fake.api, second).restore()

    assert "unschedulable" not in fake.objects["/api/v1/nodes/a"]["spec"]
    assert {} == second.restore
    first.lost = "it was killed"
    second.give_back()


def test_a_node_that_was_cordoned_before_stays_so(fake: FakeApi) -> None:
    fake.objects["/api/v1/nodes/a"] = {"metadata": {"resourceVersion": "0"}, "spec": {"unschedulable": True}}
    taken = take(fake.api, ["a"])
    disruption = Disruption(fake.api, taken)

    disruption.cordon()
    disruption.restore()

    assert fake.objects["/api/v1/nodes/a"]["spec"]["unschedulable"]
    taken.give_back()


def test_the_last_one_out_deletes_the_namespace_that_a_run_has_made(fake: FakeApi) -> None:
    premises.enter(fake.api, Timeouts())
    first, second = take(fake.api, ["a"]), take(fake.api, ["b"])

    first.give_back()
    premises.leave(fake.api)
    assert premises.PATH in fake.objects

    second.give_back()
    premises.leave(fake.api)
    assert premises.PATH not in fake.objects


def test_a_namespace_of_the_administrator_stays_as_it_is(fake: FakeApi) -> None:
    fake.post("/api/v1/namespaces", {"metadata": {"name": "pinproof", "labels": {"a": "b"}}})
    before = fake.get(premises.PATH)

    premises.enter(fake.api, Timeouts())
    premises.leave(fake.api)

    assert before == fake.get(premises.PATH)


def test_who_comes_while_the_last_one_goes_keeps_the_namespace(fake: FakeApi) -> None:
    """The mark of who comes makes it another object than the one that was to be deleted."""
    premises.enter(fake.api, Timeouts())

    class Coming(FakeApi):
        """Where somebody enters between the look and the deletion, once."""

        come = False

        def delete(self, path: str, *, version: str = "") -> bool:
            if not self.come:
                self.come = True
                premises.enter(fake.api, Timeouts())
                take(fake.api, ["b"])
            return super().delete(path, version=version)

    going = Coming()
    going.objects, going._versions = fake.objects, 100
    fake._versions = 1000

    premises.leave(going.api)

    assert premises.PATH in fake.objects


def test_everything_that_is_not_allowed_is_told_at_once(fake: FakeApi) -> None:
    class Poor(FakeApi):
        """Where pods may be looked at alone."""

        def allows(self, attributes: Document) -> bool:
            return attributes["verb"] in ("get", "list", "watch")

    with pytest.raises(SubjectError) as raised:
        access.require(Poor().api, disruptive=True)

    for words in ("create pods", "create pods/exec", "patch nodes of the cluster", "create namespaces of the cluster"):
        assert words in raised.value.message
    access.require(fake.api, disruptive=True)
