"""A9: a kubelet dies between two writes of one admission, and does not start again.

Symptom: the books say that memory is taken, no entry says by whom, and every start ends with "the expected machine state is
different from the real one". Cause: an admission writes the books first and the blocks after them, each time the whole file.
Releases: the CPU manager's form is from 1.16; the memory manager's is looked at here.
https://github.com/kubernetes/kubernetes/issues/84783
"""

from __future__ import annotations

import json

from pinproof.reference.checkpoint import data_checksum
from pinproof.suite import Prove, admit, block, case, edited, gib, guaranteed, replaced, restart, static

STATIC = static()
POD = admit(guaranteed("a", memory="4Gi"))
ENTRY = '"entries":{"a.1":{"c":[{"numaAffinity":[0],"type":"memory","size":4294967296}]}},'


@case("MM-REG-A9-001", machines="two_even", kubelet=STATIC, until="1.36")
def test_books_were_written_and_blocks_were_not(prove: Prove) -> None:
    """The file between the two writes: 4Gi of node 0 are reserved, for nobody. The pod is admitted as if it were new."""
    seen = prove(POD, restart(state=edited(ENTRY, "", checksum="recompute")))

    assert seen.running
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-REG-A9-001", machines="two_even", kubelet=STATIC, since="1.37")
def test_books_were_written_and_blocks_were_not_in_the_new_format(prove: Prove) -> None:
    """The same in the format of 1.37, whose `data` is what counts."""
    table = {"total": gib(10.5), "systemReserved": gib(0.5), "allocatable": gib(10), "reserved": gib(4), "free": gib(6)}
    unused = table | {"reserved": 0, "free": gib(10)}
    machine = {
        "0": {"numberOfAssignments": 1, "memoryMap": {"memory": table}, "cells": [0]},
        "1": {"numberOfAssignments": 0, "memoryMap": {"memory": unused}, "cells": [1]},
    }
    books = {"policyName": "Static", "machineState": machine}
    data = json.dumps(books, separators=(",", ":"))
    file = json.dumps(books | {"checksum": 1, "data": data, "dataChecksum": data_checksum(data)})
    seen = prove(POD, restart(state=replaced(file)))

    assert seen.running
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-RESTART-004", machines="two_even", kubelet=STATIC)
def test_killed_after_both(prove: Prove) -> None:
    """The control: the whole allocation is in the file."""
    seen = prove(POD, restart(signal="KILL"), restart(signal="KILL"))

    assert [block(0, memory="4Gi")] == seen.blocks("a")
