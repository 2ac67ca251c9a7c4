"""A scenario stopped after every step, and its pods brought back in every order, on every kind of state file.

`trials.py` makes the restarts, `orders.py` and `damage.py` say in which orders and on which files, `outcomes.py` groups what
came of them. All of it is pure; `pinproof/running/permuting.py` carries them out.
"""

from pinproof.permutations.changes import CHANGES
from pinproof.permutations.damage import DISKS, STATES, SWEEPS
from pinproof.permutations.orders import ALL_UP_TO, orders
from pinproof.permutations.outcomes import Outcome, Permuted, Result
from pinproof.permutations.trials import Course, Trial, courses, trials

__all__ = [
    "ALL_UP_TO",
    "CHANGES",
    "DISKS",
    "STATES",
    "SWEEPS",
    "Course",
    "Outcome",
    "Permuted",
    "Result",
    "Trial",
    "courses",
    "orders",
    "trials",
]
