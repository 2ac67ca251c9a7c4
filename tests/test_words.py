"""A kubelet's log, read: its lines, its errors, and the events it had nobody to send to."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pinproof.running.examine import examine
from pinproof.running.prove import Prove
from pinproof.running.seen import NotObservableError
from pinproof.running.words import Words
from pinproof.scenario.topologies import machine
from pinproof.subjects.reference import ReferenceSubject
from pinproof.suite import static

LOG = """\
Flag --config has been deprecated
I1122 04:50:48.060000   18605 policy_static.go:441] "Allocate" pod="n1/a-node" containerName="c"
I1122 04:50:48.066257 185 event.go:389] "Event occurred" object="n1/a-node" type="Warning" reason="Old" message="of before"
I1122 04:50:48.066258 185 event.go:389] "Event occurred" object="n3/a-node" type="Normal" reason="Pulled" message="an image"
I1122 04:50:48.066259 185 event.go:389] "Event occurred" object="n3/a-node" type="Warning" reason="Full" message="a \\"big\\" pod"
E1122 04:50:48.066260   18605 memory_manager.go:276] "Allocate error" err="no room" pod="n3/a-node" containerName="c"
I1122 04:50:48.066261   18605 scope.go:93] "TopologyHints" hints={"memory":[{"a":3}]} pod="n2/ba-node"
I1122 04:50:48.066262   18605 pod_workers.go:979] "Pod worker has stopped" pod="n1/a-node" podUID="a.1"
F1122 04:50:48.066263   18605 run.go:1] not structured
"""


def test_a_line_has_level_place_message_and_fields() -> None:
    """What is no line of klog's is left out; a line without structure has no fields."""
    first, *_, last = Words.of(LOG).lines

    assert ("I", "policy_static.go", "Allocate") == (first.level, first.source, first.message)
    assert {"pod": "n1/a-node", "containerName": "c"} == first.fields
    assert ("F", "not structured", {}) == (last.level, last.message, last.fields)


def test_values_that_are_not_quoted_do_not_hide_those_behind_them() -> None:
    """Hints are printed as JSON without spaces."""
    (line,) = Words.of(LOG).about("ba")

    assert '{"memory":[{"a":3}]}' == line.fields["hints"]


def test_errors_are_those_of_both_levels() -> None:
    """An error, and the last word before the end."""
    assert ["Allocate error", "not structured"] == [line.message for line in Words.of(LOG).errors()]


def test_events_are_those_of_the_newest_pod_of_that_name() -> None:
    """The one in `n1` was another scenario's, or an incarnation before; what it was told is not told again."""
    words = Words.of(LOG)

    assert [("Full", 'a "big" pod')] == words.events("a")
    assert [("Pulled", "an image")] == words.events("a", "Normal")
    assert ["Allocate error"] == [line.message for line in words.about("a")]


def test_pods_that_are_not_in_the_log_have_nothing() -> None:
    """Neither events nor lines."""
    words = Words.of(LOG)

    assert ([], []) == (words.events("x"), words.about("x"))
    assert ([], []) == (words.events("node"), words.about(""))


def test_a_failure_shows_the_last_errors() -> None:
    """Not the whole log."""
    assert repr(Words.of(LOG)).splitlines()[1].endswith('err="no room" pod="n3/a-node" containerName="c"')


class Talking(ReferenceSubject):
    """A subject whose log has a line more each time it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def gather(self) -> Mapping[str, str]:
        """The log so far."""
        self.read += 1
        return {"kubelet.log": "".join(LOG.splitlines(keepends=True)[: self.read])}


def prove(subject: ReferenceSubject) -> Prove:
    """A case on the subject."""
    return Prove(subject, machine("one"), static(), examine)


def test_a_log_is_read_until_it_has_what_it_should() -> None:
    """The event of the newest pod is the fifth line."""
    subject = Talking()
    words = prove(subject).words(lambda words: ("Full", 'a "big" pod') in words.events("a"))

    assert (5, "Full") == (subject.read, words.events("a")[0][0])


def test_a_log_that_never_has_it_is_returned_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the case can fail, and show what was logged instead."""
    monkeypatch.setattr("pinproof.running.prove._LOGGED", 0.1)

    assert prove(Talking()).words(lambda words: words.events("nobody")).lines


def test_a_subject_without_a_log_makes_the_case_not_applicable() -> None:
    """It is said by name."""
    with pytest.raises(NotObservableError, match=r"does not show kubelet\.log"):
        prove(ReferenceSubject()).words()
