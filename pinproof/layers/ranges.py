"""Ordered lists of subjects as a user writes them: `component:1.29.6..1.37.1`, `reference:1.29..1.36,kubelet:./kubelet`."""

from __future__ import annotations

from pinproof.build.components import COMPONENT_RELEASES
from pinproof.errors import InputError, Problem
from pinproof.reference.behaviour import MINORS
from pinproof.running.releases import minor_number


def subjects_of(text: str, *, least: int = 2) -> tuple[str, ...]:
    """The subjects of a list with commas, ranges written out; InputError for fewer than `least` or a range of nothing."""
    found = tuple(spec for part in text.split(",") if part.strip() for spec in _expanded(part.strip()))
    if len(found) < least:
        why = "it takes two to differ" if least > 1 else "such as component:1.36.3"
        raise InputError("--subjects", Problem("", f"{text!r} names {len(found)}; {why}"))
    return found


def _expanded(spec: str) -> tuple[str, ...]:
    kind, _, what = spec.partition(":")
    first, dots, last = what.partition("..")
    if not dots or not _is_release(first) or not _is_release(last):
        return (spec,)  # a path may have dots as well
    known = MINORS if kind == "reference" else COMPONENT_RELEASES
    inside = [release for release in known if minor_number(first) <= minor_number(release) <= minor_number(last)]
    if not inside:
        raise InputError("--subjects", Problem("", f"{spec!r} has no release; known are {', '.join(known)}"))
    if kind != "reference":
        # The ends are taken at their word: another patch release than the known one.
        inside[0] = first if first.count(".") == 2 else inside[0]
        inside[-1] = last if last.count(".") == 2 else inside[-1]
    return tuple(f"{kind}:{release}" for release in inside)


def _is_release(text: str) -> bool:
    return text.removeprefix("v").replace(".", "").isdigit() and text.count(".") in {1, 2}
