"""Which lines of the memory and the topology manager the suites and drawn scenarios reach: `python -m benchmarks.coverage`."""
