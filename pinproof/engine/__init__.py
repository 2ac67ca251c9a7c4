"""Container engines: one that runs on this machine, or one that pinproof starts and ends.

Public: `running`, `Engine`, and `found` for those who only ask.
"""

from pinproof.engine.engines import Engine, found, running

__all__ = ["Engine", "found", "running"]
