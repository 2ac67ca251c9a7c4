"""E4: the names of policies are case-sensitive, and the two managers spell theirs differently.

Symptom: `unknown policy: "static"`. Cause: the memory manager has `None` and `Static`, the CPU manager `none` and `static`.
All releases.
https://github.com/kubernetes/kubernetes/issues/102073
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.topologies import machine
from pinproof.suite import Configuration, Prove, case, none_policy, static


def spelled(policy: str, slug: str) -> Configuration:
    """A sound reservation with this policy."""
    return static(memory_manager_policy=policy, slug=slug)


LOWER, UPPER, MIXED = (spelled(word, f"word_{n}") for n, word in enumerate(("static", "STATIC", "sTatic")))
NONE_LOWER, BEST_EFFORT_LOWER = spelled("none", "none_small"), spelled("best-effort", "best_effort_small")
WINDOWS = replace(machine("two_even"), os="windows")


@case("MM-CONF-012", machines="two_even", kubelet=[LOWER, UPPER, MIXED, NONE_LOWER, BEST_EFFORT_LOWER])
def test_other_spellings_are_refused(prove: Prove) -> None:
    """The message repeats the word."""
    seen = prove()

    assert not seen.running
    word = dict(prove.configuration.settings)["memory_manager_policy"]
    assert f'unknown policy: "{word}"' in seen.refusal


@case("MM-CONF-012", machines="two_even", kubelet=[static(), none_policy()])
def test_right_spellings_start(prove: Prove) -> None:
    """`Static` and `None`."""
    assert prove().running


@case("MM-CONF-013", machines="two_even", kubelet=spelled("BestEffort", "windows_policy"), since="1.32")
def test_policy_of_windows_on_linux(prove: Prove) -> None:
    """`BestEffort` is named as not available here."""
    assert 'policy "BestEffort" is not available for platform "linux"' in prove().refusal


@case(
    "MM-WINDOWS-001",
    machines="two_even",
    kubelet=static(eviction_hard={"memory.available": "100Mi"}, slug="static_there"),
    since="1.32",
)
def test_policy_of_linux_on_windows(prove: Prove) -> None:
    """`Static` must fail there."""
    assert 'policy "Static" is not available on Windows' in prove(machine=WINDOWS).refusal
