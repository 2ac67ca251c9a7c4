"""What a wrong model is: the reference with one bug."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WrongModel:
    """One bug."""

    name: str
    """What is wrong, in a few words."""

    module: str
    """Module of `pinproof.reference`."""

    find: str
    replace: str
    case: str
    """Below `suites/`: the module, `::`, the test function that must fail. Its literal expectations notice by themselves."""
