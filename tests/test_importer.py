"""Real machines as topology files, from small made trees and XML texts."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from pinproof.cli.topology import add_parser
from pinproof.errors import InputError
from pinproof.importer.lstopo import import_lstopo, parse_lstopo
from pinproof.importer.sysfs import import_sysfs
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.topologies import read_machine

XML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE topology SYSTEM "hwloc2.dtd">
<topology version="2.0">
  <object type="Machine" os_index="0" cpuset="0x00000003,0x0000000f">
    <info name="DMIProductName" value="Model &amp; 1"/>
    <object type="Package" os_index="0" cpuset="0x0000000f">
      <object type="NUMANode" os_index="0" cpuset="0x0000000f" gp_index="9" local_memory="1073741824">
        <page_type size="4096" count="131072"/><page_type size="2097152" count="256"/>
      </object>
      <object type="NUMANode" os_index="2" cpuset="0x0000000f" gp_index="8" local_memory="2147483648">
        <page_type size="4096" count="524288"/><page_type size="2097152" count="0"/>
      </object>
      <object type="Core" cpuset="0x00000003"><object type="PU" os_index="0"/><object type="PU" os_index="1"/></object>
      <object type="Core" cpuset="0x0000000c"><object type="PU" os_index="2"/><object type="PU" os_index="3"/></object>
    </object>
    <object type="Package" os_index="1" cpuset="0x00000003,">
      <object type="NUMANode" os_index="1" cpuset="0x00000003," gp_index="7" local_memory="1073741824"/>
      <object type="Core" cpuset="0x00000003,"><object type="PU" os_index="32"/><object type="PU" os_index="33"/></object>
    </object>
  </object>
  <distances2 type="NUMANode" nbobjs="3" kind="5" name="NUMALatency" indexing="os">
    <indexes length="6">0 1 2 </indexes>
    <u64values length="12">10 21 14 </u64values><u64values length="16">21 10 24 14 24 10 </u64values>
  </distances2>
</topology>
"""


def write(root: Path, files: dict[str, str]) -> Path:
    """A tree of small files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return root


def cpu(number: int, package: int, siblings: str) -> dict[str, str]:
    """Files of one CPU."""
    topology = f"devices/system/cpu/cpu{number}/topology"
    return {f"{topology}/physical_package_id": str(package), f"{topology}/thread_siblings_list": siblings}


def node(number: int, kib: int, cpus: str, distance: str, pages: int = 0) -> dict[str, str]:
    """Files of one node."""
    directory = f"devices/system/node/node{number}"
    return {
        f"{directory}/meminfo": f"Node {number} MemTotal:       {kib} kB\nNode {number} MemFree: 3 kB",
        f"{directory}/cpulist": cpus,
        f"{directory}/distance": distance,
        f"{directory}/hugepages/hugepages-2048kB/nr_hugepages": str(pages),
    }


def two_sockets(root: Path) -> Path:
    """Two sockets of two threads each and a memory-only node; CPU 4 is offline."""
    files = {"devices/system/cpu/online": "0-3", "devices/system/node/online": "0-1,10"}
    files |= cpu(0, 0, "0-1") | cpu(1, 0, "0-1") | cpu(2, 1, "2-3") | cpu(3, 1, "2-3") | cpu(4, 1, "4")
    files |= node(0, 4096, "0-1", "10 21 14", 1) | node(1, 8192, "2-4", "21 10 24") | node(10, 1024, "", "14 24 10")
    return write(root, files)


def run(*arguments: str) -> int:
    """Run the command line of this command alone."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    parsed = parser.parse_args(["topology", *arguments])
    return int(parsed.run(parsed))


def test_sysfs(tmp_path: Path) -> None:
    """The kernel's directories become nodes in numerical order; offline CPUs are left out."""
    imported = import_sysfs(two_sockets(tmp_path), name="mine")

    expected = Machine(
        name="mine",
        nodes=(
            NumaNode(0, 4096 * 1024, CpuSet([0, 1]), ((2**21, 1),), (10, 21, 14)),
            NumaNode(1, 8192 * 1024, CpuSet([2, 3]), ((2**21, 0),), (21, 10, 24)),
            NumaNode(10, 1024 * 1024, CpuSet(), ((2**21, 0),), (14, 24, 10)),
        ),
        threads_per_core=2,
        provenance="Imported from a copy of /sys.",
    )
    assert expected == imported.machine
    assert () == imported.notes


def test_sysfs_differences_are_noted(tmp_path: Path) -> None:
    """What a topology file cannot say is said beside it: nodes across sockets, siblings that are not neighbours."""
    files = cpu(0, 0, "0,2") | cpu(1, 1, "1,3") | cpu(2, 0, "0,2") | cpu(3, 1, "1,3") | node(0, 4096, "0-3", "10")
    root = write(tmp_path, {"devices/system/cpu/online": "0-3"} | files)

    imported = import_sysfs(root, name="mine")

    assert [0] == [node.id for node in imported.machine.nodes]
    assert ["spans the sockets [0, 1]" in imported.notes[0], "adjacent" in imported.notes[1]] == [True, True]


def test_sysfs_without_numa(tmp_path: Path) -> None:
    """A kernel without NUMA has no node directories: every socket gets a share of the memory."""
    files = {"sys/devices/system/cpu/online": "0-1", "proc/meminfo": "MemTotal:  4096 kB"}
    files |= {f"sys/{name}": text for name, text in (cpu(0, 0, "0") | cpu(1, 1, "1")).items()}
    root = write(tmp_path, files)

    imported = import_sysfs(root / "sys", name="mine")

    expected = (NumaNode(0, 2048 * 1024, CpuSet([0]), socket=0), NumaNode(1, 2048 * 1024, CpuSet([1]), socket=1))
    assert (False, expected) == (imported.machine.numa, imported.machine.nodes)


def test_lstopo() -> None:
    """A memory-only node has the CPUs beside it in hwloc; they belong to the lower node."""
    imported = parse_lstopo(XML.encode(), source="x.xml", name="mine")

    expected = Machine(
        name="mine",
        nodes=(
            NumaNode(0, 2**30, CpuSet([0, 1, 2, 3]), ((2**21, 256),), (10, 21, 14), 0),
            NumaNode(1, 2**30, CpuSet([32, 33]), (), (21, 10, 24), 1),
            NumaNode(2, 2**31, CpuSet(), ((2**21, 0),), (14, 24, 10)),
        ),
        threads_per_core=2,
        provenance="Imported from lstopo of a Model & 1.",
    )
    assert expected == imported.machine


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("<topology", "line 1: this is not XML"),
        ("<topology><object type='Machine'/></topology>", "not a topology of hwloc 2"),
        ("<topology version='2.0'></topology>", "no NUMA nodes"),
        ("<!DOCTYPE t [<!ENTITY a 'aaa'>]><topology version='2.0'>&a;</topology>", "declares entities"),
        (XML.replace("0x0000000f", "0xf...f"), "has no end"),
    ],
)
def test_lstopo_refuses(xml: str, expected: str) -> None:
    """What is no topology, or an attack, is refused with the way to make a good one."""
    with pytest.raises(InputError, match=expected):
        parse_lstopo(xml.encode(), source="x.xml", name="mine")


def test_missing_sources(tmp_path: Path) -> None:
    """A directory that is not /sys and a file that is not there are told by name."""
    with pytest.raises(InputError, match="give a directory like /sys"):
        import_sysfs(tmp_path, name="mine")
    with pytest.raises(InputError, match="cannot be read"):
        import_lstopo(tmp_path / "none.xml", name="mine")


def test_command_writes_a_file_that_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`topology import` makes a file that a scenario can name."""
    root = two_sockets(tmp_path / "sys")

    assert 0 == run("import", "--sys", str(root), "--output", str(tmp_path / "mine.yaml"))

    assert "mine" == read_machine(tmp_path / "mine.yaml").name
    assert "mine.yaml" in capsys.readouterr().out


def test_command_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without an output file the text goes to standard output."""
    (tmp_path / "x.xml").write_text(XML)

    assert 0 == run("import", "--lstopo", str(tmp_path / "x.xml"), "--name", "board")

    assert capsys.readouterr().out.startswith("apiVersion: pinproof/v1alpha1\nkind: Topology\nmetadata: {name: board")


def test_command_cannot_write(tmp_path: Path) -> None:
    """An output that cannot be written is one message."""
    root = two_sockets(tmp_path / "sys")

    with pytest.raises(InputError, match="cannot be written"):
        run("import", "--sys", str(root), "--output", str(tmp_path / "no" / "mine.yaml"))


def test_command_lists(capsys: pytest.CaptureFixture[str]) -> None:
    """`topology list` names every machine on a line of its own."""
    assert 0 == run("list")

    assert "grace_blackwell         34   144     960Gi" in capsys.readouterr().out
