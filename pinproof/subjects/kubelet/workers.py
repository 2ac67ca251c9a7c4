"""What a kubelet's log says of its pod workers: whether a pod that is over counts as active still. Pure.

An admission takes memory from pods that are not active (behaviour.md 4.8), so a step is over only when nobody counts a
finished or rejected pod any more. No endpoint says so; the workers log it.
"""

from __future__ import annotations

from collections.abc import Sequence

_OVER = "Pod is complete and the worker can now stop"
"""Nothing of a finished pod is left to its worker; only then does the kubelet count it as inactive."""

_ORPHAN_OVER = "Pod terminated all orphaned containers successfully and worker can now stop"
"""The same where the housekeeping came upon the containers of a rejected pod that no worker had heard of."""

_HEARD_OF = "Pod is being synced for the first time"
_SANDBOX_ENDED = '"Type":"ContainerDied","Data":"sandbox-'


def is_over(uid: str, log: Sequence[str]) -> bool:
    """Whether the worker of a pod has come to its end."""
    return any(_OVER in line and f'"{uid}"' in line for line in log)


def is_inactive(uid: str, log: Sequence[str]) -> bool:
    """Whether a kubelet has done with a rejected pod that had run.

    Its containers are ended by the housekeeping. Where their end is heard of only after that, a worker is made for the
    pod once more, and the pod counts as active until that worker is done; where it was heard of before, none is.
    """
    if is_over(uid, log):
        return True
    mine = [line for line in log if f'"{uid}"' in line]
    ended = max((at for at, line in enumerate(mine) if _ORPHAN_OVER in line), default=None)
    if ended is None or not any(_SANDBOX_ENDED in line for line in mine):
        return False
    return not any(_HEARD_OF in line for line in mine[ended:])
