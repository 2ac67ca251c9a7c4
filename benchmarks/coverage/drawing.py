"""Runs drawn scenarios on a subject and looks at nothing: what they reach is counted by the driver itself."""

from __future__ import annotations

import argparse
from contextlib import closing

from pinproof.fuzz.draws import RandomDraws
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.scenarios import draw_scenario
from pinproof.subjects.registry import open_subject


def main() -> None:
    """Draw, run, forget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subject", required=True)
    parser.add_argument("--scenarios", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args()
    with closing(open_subject(given.subject)) as subject:
        profile = Profile.of(subject.version, subject.capabilities)
        for number in range(given.scenarios):
            draws = RandomDraws.of(seed=given.seed, number=number)
            subject.run(draw_scenario(draws, name=f"drawn-{number}", profile=profile))


if __name__ == "__main__":
    main()
