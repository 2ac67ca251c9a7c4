"""The figures of the README, measured: `python -m benchmarks`, or one of them: `python -m benchmarks.replay_time`.

A figure is never asserted by a test: it says something about pinproof and the machine together. Every run therefore prints
what was measured beside what is wanted on two cores, and their ratio.
"""
