"""All figures, in one table."""

import sys

from benchmarks import (
    campaign_rate,
    cold_rate,
    component_rate,
    help_time,
    reference_steps,
    replay_time,
    restart_rate,
    scenario_rate,
    suite_rate,
)
from benchmarks.figures import run

if __name__ == "__main__":
    modules = (
        reference_steps,
        help_time,
        replay_time,
        component_rate,
        campaign_rate,
        scenario_rate,
        restart_rate,
        cold_rate,
        suite_rate,
    )
    sys.exit(run(*(module.measure for module in modules)))
