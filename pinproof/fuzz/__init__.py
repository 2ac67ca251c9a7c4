"""Fuzzing: scenarios drawn at random, run on a subject and on the reference, compared, shrunk and kept.

What is drawn: `scenarios.py` and the modules it names. How a campaign runs: `campaign.py`.
"""
