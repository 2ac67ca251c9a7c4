"""How a suite runs: the words of a case, the proof of a scenario, the pytest side of both."""
