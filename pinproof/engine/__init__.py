"""Container engines: one that runs on this machine, or one that pinproof starts and ends.

Public: `running`, `Engine`, `keep`, and `found` for those who only ask.
"""

from pinproof.engine.engines import Engine, found, running
from pinproof.engine.own import keep

__all__ = ["Engine", "found", "keep", "running"]
