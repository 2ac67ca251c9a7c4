"""Several subjects on the same scenario: where they part, since when, and what explains it."""
