"""Scenarios: machines, configurations, pods and steps, as values and as files."""
