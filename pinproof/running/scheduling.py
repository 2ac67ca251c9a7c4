"""Which worker runs which case: all cases of one machine and configuration on one worker, hence on one kubelet.

Not `--dist=loadgroup`: with some releases of pytest it spreads a group over all workers. The first segment of a case id
is the group, which is why it holds no `-`.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # xdist ships no types

from pinproof.running.selection import group_of


class MachineScheduling(LoadScopeScheduling):  # type: ignore[misc]  # same
    """Keep every case of one machine and configuration on one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
