"""Why some of upstream's lines are never reached: every gap is named here, and every name here is a gap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.coverage.profile import Gap


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a gap is one."""

    file: str
    """The end of its name below `pkg/kubelet/cm`."""

    function: str
    """With its receiver's type; empty for the whole file."""

    reason: str
    words: str = ""
    """Words that are among the lines of the gap; empty for every gap of the function."""

    def explains(self, gap: Gap) -> bool:
        """Whether it speaks of this gap."""
        return (
            gap.function.file.endswith(self.file)
            and self.function in {"", gap.function.name}
            and self.words in gap.text
        )


def sort_out(
    gaps: Iterable[Gap], explanations: Sequence[Explanation]
) -> tuple[dict[Gap, Explanation], list[Gap], list[Explanation]]:
    """Gaps with their explanation, gaps without one, and explanations of nothing."""
    explained: dict[Gap, Explanation] = {}
    bare: list[Gap] = []
    for gap in gaps:
        reason = next((each for each in explanations if each.explains(gap)), None)
        if reason:
            explained[gap] = reason
        else:
            bare.append(gap)
    used = set(explained.values())
    return explained, bare, [each for each in explanations if each not in used]


EXPLANATIONS: tuple[Explanation, ...] = ()
