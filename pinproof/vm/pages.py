"""Where memory lies, read from the kernel's own words. Pure.

Only pages that belong to no file are counted, and huge pages: those of a program's file lie where it was read first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pinproof.history import Kernel, Pages
from pinproof.vm import totals

_ALLOWED: Final = re.compile(r"^Mems_allowed_list:\s*(\S*)$", re.MULTILINE)
_COUNT: Final = re.compile(r"N(\d+)=(\d+)")
_PAGE: Final = "kernelpagesize_kB="
_OOM: Final = re.compile(r"oom-kill:constraint=(?P<why>\w+),.*?\btask=(?P<task>[^,]+),")


def pages(seen: Mapping[str, Any]) -> Pages:
    """Those of a container, from the texts that the node agent read. Raises ValueError for what no kernel writes."""
    anonymous, huge = lying(seen["numa_maps"] or "")
    allowed = _ALLOWED.search(seen["status"] or "")
    if not allowed:
        raise ValueError("the status of a process has no Mems_allowed_list")
    return Pages(anonymous, huge, (seen["mems"] or "").strip(), (seen["effective"] or "").strip(), allowed[1])


def lying(numa_maps: str) -> tuple[dict[int, int], dict[int, int]]:
    """NUMA node → bytes, of anonymous and of huge pages."""
    anonymous: dict[int, int] = {}
    huge: dict[int, int] = {}
    for line in numa_maps.splitlines():
        words = line.split()
        if "huge" in words:
            target = huge
        elif any(word.startswith("anon=") for word in words):
            if any(word.startswith("file=") for word in words):
                continue  # private copies of a file's pages: few, and some lie where the file was read
            target = anonymous
        else:
            continue
        unit = next((int(word.removeprefix(_PAGE)) << 10 for word in words if word.startswith(_PAGE)), 4096)
        for word in words:
            found = _COUNT.fullmatch(word)
            if found:
                target[int(found[1])] = target.get(int(found[1]), 0) + int(found[2]) * unit
    return dict(sorted(anonymous.items())), dict(sorted(huge.items()))


def kernel(seen: Mapping[str, Any]) -> Kernel:
    """What the kernel says of the node as a whole."""
    killed = tuple(f"{found['task']} ({found['why']})" for found in _OOM.finditer(seen["kernel_log"] or ""))
    return Kernel(totals.totals(seen["totals"]), killed)
