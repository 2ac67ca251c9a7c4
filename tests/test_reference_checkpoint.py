"""The state file against behaviour.md 4.2 and 4.3: checksums to the number, texts to the byte."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinproof.history import Block, Table
from pinproof.reference.checkpoint import (
    Checkpoint,
    CheckpointNode,
    Corrupted,
    WrongType,
    checksum,
    data_checksum,
    decode,
    encode,
    fnv1a32,
    sealed,
)
from pinproof.reference.go_json import syntax_error

ZERO = {"total": 0, "systemReserved": 0, "allocatable": 0, "reserved": 0, "free": 0}
GO_TEST: dict[str, Any] = {
    "policyName": "static",
    "machineState": {
        "0": {
            "numberOfAssignments": 0,
            "memoryMap": {
                "memory": {"total": 2048, "systemReserved": 512, "allocatable": 1536, "reserved": 512, "free": 1024}
            },
            "cells": [],
        }
    },
    "entries": {"pod": {"container1": [{"numaAffinity": [0], "type": "memory", "size": 512}]}},
}
NULLS: dict[str, Any] = {
    "policyName": "Static",
    "machineState": {
        "10": {"numberOfAssignments": 0, "memoryMap": None, "cells": None},
        "2": {
            "numberOfAssignments": 0,
            "memoryMap": {
                "hugepages-2Mi": ZERO,
                "memory": {"total": 1, "systemReserved": 2, "allocatable": 3, "reserved": 4, "free": 5},
            },
            "cells": [2, 10],
        },
    },
    "entries": {
        "p1": {
            "x": [
                {"numaAffinity": [0, 1], "type": "hugepages-1Gi", "size": 3},
                {"numaAffinity": [0, 1], "type": "memory", "size": 3},
            ]
        },
        "p2": {"a": [], "b": None},
    },
}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (GO_TEST, 4215593881),
        ({"policyName": "None", "machineState": {}}, 4236770233),
        ({"policyName": "None", "machineState": None}, 4132376582),
        ({"policyName": "Static", "machineState": {}}, 3940083781),
        (NULLS, 2108297112),
    ],
    ids=["upstream's own", "None", "null is not empty", "Static, first start", "nulls and numeric order"],
)
def test_checksum(document: dict[str, Any], expected: int) -> None:
    """The vectors of 4.3."""
    assert expected == checksum(decode(json.dumps(document)))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"policyName":"None","machineState":{}}', 3093843326),
        (json.dumps(GO_TEST, separators=(",", ":")), 1849615440),
    ],
)
def test_checksum_of_the_data_of_v3(data: str, expected: int) -> None:
    """1.37 hashes the text that it repeats."""
    assert expected == data_checksum(data)


@pytest.mark.parametrize(("data", "expected"), [(b"", 0x811C9DC5), (b"a", 0xE40C292C), (b"foobar", 0xBF9CF968)])
def test_fnv1a(data: bytes, expected: int) -> None:
    """The published test vectors of FNV-1a, 32 bit."""
    assert expected == fnv1a32(data)


def test_first_file_of_policy_none() -> None:
    """4.2, to the byte."""
    assert '{"policyName":"None","machineState":{},"checksum":4236770233}' == encode(sealed("None", {}, {}))


def test_text_sorts_ids_as_strings() -> None:
    """In the text node 10 comes before node 2, in the dump after it; `entries` is left out when empty."""
    nodes = {n: CheckpointNode(0, {}, (n,)) for n in (2, 10)}

    assert (
        '{"policyName":"Static","machineState":{"10":{"numberOfAssignments":0,"memoryMap":{},"cells":[10]},'
        '"2":{"numberOfAssignments":0,"memoryMap":{},"cells":[2]}},"checksum":7}'
    ) == encode(Checkpoint("Static", nodes, {}, 7))


def test_v3_repeats_its_data() -> None:
    """1.37: the V1 file with the same data as text, each with its checksum."""
    document = json.loads(encode(sealed("None", {}, {}, version=3)))

    assert '{"policyName":"None","machineState":{}}' == document["data"]
    assert (4236770233, 3093843326) == (document["checksum"], document["dataChecksum"])


@pytest.mark.parametrize("text", ["", "{", '{"policyName":"None"', "  "])
def test_short_file(text: str) -> None:
    """A file that ends early, in Go's words."""
    with pytest.raises(Corrupted, match="unexpected end of JSON input"):
        decode(text)


@pytest.mark.parametrize("text", ["[]", '{"machineState":{"x":{}}}', '{"entries":{"p":{"c":7}}}'])
def test_file_of_another_shape(text: str) -> None:
    """JSON, but no state file."""
    with pytest.raises(Corrupted):
        decode(text)


def test_words_about_another_shape() -> None:
    """Go names the kind of JSON that it met, and the field."""
    with pytest.raises(Corrupted, match=r"unmarshal array into Go value of type state\.MemoryManagerCheckpoint$"):
        decode("[]")
    with pytest.raises(
        WrongType, match=r"array into Go struct field MemoryManagerCheckpoint\.machineState of type"
    ) as seen:
        decode('{"machineState":[]}')
    assert seen.value.within("X").endswith("field X.machineState of type state.NUMANodeMap")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"machineState":{"p":{}}}', "number p into Go struct field MemoryManagerCheckpoint.machineState of type int"),
        (
            '{"machineState":{"0":{"cells":[0.1]}}}',
            "number 0.1 into Go struct field NUMANodeState.machineState.cells of type int",
        ),
        (
            '{"entries":{"p":{"c":[{"numaAffinity":[0.1]}]}}}',
            "number 0.1 into Go struct field Block.entries.numaAffinity of type int",
        ),
    ],
)
def test_words_about_numbers(text: str, words: str) -> None:
    """As a kubelet says them, where one bit of a sound file was turned over."""
    with pytest.raises(WrongType) as seen:
        decode(text)
    assert f"json: cannot unmarshal {words}" == str(seen.value)


def test_fields_in_any_case() -> None:
    """Go finds a field in any case of its letters, so a file with a bit turned over in a key may be as good as ever."""
    assert decode('{"policyName":"Static","checksum":7}') == decode('{"POLICYnAME":"Static","checksuM":7}')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "unexpected end of JSON input"),
        ('{"a"', "unexpected end of JSON input"),
        ('{"a":1}', ""),
        (' {"a" : [ ] , "b" : { } } ', ""),
        ('{"a":[-0.5e+7,"\\u00e4\\n",true,false,null]}', ""),
        ('["', "unexpected end of JSON input"),
        ('["\\', "invalid character ' ' in string escape code"),
        ("[nul", "invalid character ' ' in literal null (expecting 'l')"),
        ("[1.", "invalid character ' ' after decimal point in numeric literal"),
        ("{1}", "invalid character '1' looking for beginning of object key string"),
        ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        ('{"a";1}', "invalid character ';' after object key"),
        ('{"a":1]', "invalid character ']' after object key:value pair"),
        ("[1}", "invalid character '}' after array element"),
        ("[1]]", "invalid character ']' after top-level value"),
        ("[,]", "invalid character ',' looking for beginning of value"),
        ("[01]", "invalid character '1' after array element"),
        ("[-]", "invalid character ']' in numeric literal"),
        ("[1.]", "invalid character ']' after decimal point in numeric literal"),
        ("[1e]", "invalid character ']' in exponent of numeric literal"),
        ("[nul1]", "invalid character '1' in literal null (expecting 'l')"),
        ("[\x7f]", "invalid character '\\x7f' looking for beginning of value"),
        ("[\\]", "invalid character '\\\\' looking for beginning of value"),
        ("[']", "invalid character '\\'' looking for beginning of value"),
        ('["\n"]', "invalid character '\\n' in string literal"),
        ('["\\x"]', "invalid character 'x' in string escape code"),
        ('["\\u00g"]', "invalid character 'g' in \\u hexadecimal character escape"),
    ],
)
def test_words_about_syntax(text: str, words: str) -> None:
    """Go's words; each was compared with what `encoding/json` says."""
    assert words == syntax_error(text)


def test_null_is_an_empty_file() -> None:
    """JSON's null leaves Go's value as it is."""
    assert decode("{}") == decode("null")


numbers = st.integers(0, 2**63)
names = st.text(st.characters(categories=["Ll", "Nd"]), min_size=1, max_size=4)
nodes = st.builds(
    CheckpointNode,
    st.integers(0, 9),
    st.dictionaries(names, st.builds(Table, numbers, numbers, numbers, numbers, numbers), max_size=2),
    st.lists(st.integers(0, 20), max_size=3).map(tuple),
)
blocks = st.lists(st.builds(Block, st.tuples(st.integers(0, 20)), names, numbers), max_size=2).map(tuple)
entries = st.dictionaries(names, st.dictionaries(names, blocks, max_size=2), max_size=3)


@given(st.dictionaries(st.integers(0, 20), nodes, max_size=3), entries, st.sampled_from([1, 3]))
def test_texts_read_back(machine: dict[int, CheckpointNode], held: dict[str, Any], version: Literal[1, 3]) -> None:
    """What was written is read, verifies, and is written again to the byte."""
    written = sealed("Static", machine, held, version=version)

    assert written == decode(encode(written))
    assert written.checksum == checksum(written)
    assert encode(written) == encode(decode(encode(written)))
