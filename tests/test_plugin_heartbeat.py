"""The heartbeat: how far, what, and since when."""

from __future__ import annotations

import queue

from pinproof.running.heartbeat import Heartbeat


def test_a_line_says_how_far_the_run_is() -> None:
    """Done of total, the cases that run, the age of the last event."""
    heartbeat = Heartbeat(lambda _: None)
    heartbeat.total = 3
    heartbeat.began("a")
    heartbeat.began("b")
    heartbeat.ended("a")

    assert "1/3 done, running b, last event 0 s ago" == heartbeat.line()


def test_lines_come_until_it_is_stopped() -> None:
    """And none after that."""
    lines: queue.Queue[str] = queue.Queue()
    heartbeat = Heartbeat(lines.put, interval=0.01)
    heartbeat.start()
    first = lines.get(timeout=10)
    heartbeat.stop()
    count = lines.qsize()

    assert first.startswith("0/0 done, running nothing")
    assert count == lines.qsize()
