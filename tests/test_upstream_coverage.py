"""Coverage of upstream: profiles are read, gaps are named, and every gap has an explanation."""

from __future__ import annotations

from benchmarks.coverage.document import document, place
from benchmarks.coverage.explained import Explanation, sort_out
from benchmarks.coverage.measure import DRAWN, Measured
from benchmarks.coverage.profile import Block, Gap, gaps, parse, statements

SOURCE = """\
package memorymanager

func (p *staticPolicy) Name() policyType {
	return policyTypeStatic
}

func (p *staticPolicy) Allocate(size int) error {
	if size < 0 {
		return odd
	}
	p.take(size)
	return nil
}

func never[T any](p T) {
	p.go()
}
"""

FILE = "memorymanager/policy_static.go"
PROFILE = """\
mode: set
k8s.io/cm/memorymanager/policy_static.go:3.42,5.2 1 1
k8s.io/cm/memorymanager/policy_static.go:7.49,8.14 1 1
k8s.io/cm/memorymanager/policy_static.go:8.14,10.3 1 0
k8s.io/cm/memorymanager/policy_static.go:11.2,12.12 2 3
k8s.io/cm/memorymanager/policy_static.go:15.24,17.2 1 0
k8s.io/elsewhere/other.go:1.1,2.2 9 9
"""


def found() -> list[Gap]:
    every, reached = parse(PROFILE, root="k8s.io/cm")
    return gaps(every, reached, {FILE: SOURCE})


def test_a_profile_tells_what_ran() -> None:
    """Statements are counted; packages beside the root are not."""
    every, reached = parse(PROFILE, root="k8s.io/cm")

    assert (6, 4) == (statements(every), statements(reached))
    assert {FILE} == {block.file for block in every}


def test_gaps_are_named_by_function_and_lines() -> None:
    """A function of which nothing ran was never called."""
    assert [
        f"`{FILE}` `staticPolicy.Allocate`: lines 8–10",
        f"`{FILE}` `never`: never called",
    ] == [place(gap) for gap in found()]


def test_every_gap_wants_an_explanation() -> None:
    """And every explanation a gap: what is reached after all need not be explained."""
    odd = Explanation("policy_static.go", "staticPolicy.Allocate", "It cannot be.", words="size < 0")
    stale = Explanation("policy_static.go", "staticPolicy.Name", "It is never asked.")
    explained, bare, unused = sort_out(found(), (odd, stale))

    assert [odd] == list(explained.values())
    assert ["never"] == [gap.function.name for gap in bare]
    assert [stale] == unused


def test_the_page_tells_figures_and_gaps() -> None:
    """By file and by suite."""
    every, reached = parse(PROFILE, root="k8s.io/cm")
    first = frozenset({min(reached, key=lambda block: block.first)})
    measured = Measured("1.36.3", 10, every, {"admission": first, DRAWN: reached})
    page = document(measured, {}, found())

    assert f"| {FILE} | 6 | 16.7 % | 66.7 % | 66.7 % | 2 |" in page
    assert "| admission | 16.7 % | – | 0 |" in page
    assert "| drawn | 66.7 % | – | 3 |" in page
    assert "**2 statements that nobody has explained yet.**" in page


def test_a_block_is_ordered_by_place() -> None:
    """So that the page does not depend on the order of a set."""
    assert Block(FILE, 3, 1, 4, 9) < Block(FILE, 11, 1, 12, 1)
