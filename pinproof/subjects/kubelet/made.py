"""A machine as the files in which a kubelet looks for it. Pure.

cAdvisor, inside the kubelet, reads the machine from constant paths (behaviour.md 1.6). These are their contents for any
`Machine`: the node directories, the CPU directories, the huge page pools, `/proc/meminfo`, `/proc/cpuinfo`, and the kernel
tunables that a kubelet wants, so that none of the host's is ever changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode

NODES: Final = "/sys/devices/system/node"
CPUS: Final = "/sys/devices/system/cpu"
HUGEPAGES: Final = "/sys/kernel/mm/hugepages"

Entry = str | None | Mapping[str, str]
"""A file's text, None for a directory, `{"link": target}` for a symbolic link."""

Tree = dict[str, Entry]

POSSIBLE_NODES: Final = 8
"""What firmware leaves room for: most machines have more possible nodes than online ones, and no directories for them."""

SYSCTLS: Final = {
    "/proc/sys/vm/overcommit_memory": "1\n",
    "/proc/sys/vm/panic_on_oom": "0\n",
    "/proc/sys/kernel/panic": "10\n",
    "/proc/sys/kernel/panic_on_oops": "1\n",
    "/proc/sys/kernel/keys/root_maxkeys": "1000000\n",
    "/proc/sys/kernel/keys/root_maxbytes": "25000000\n",
}
"""What a kubelet would otherwise write into the host's kernel, as root, or refuse to start without."""


@dataclass(frozen=True, slots=True)
class MadeFiles:
    """Everything that is bound over the host's files."""

    trees: Mapping[str, Tree | None]
    """Directory → contents by relative path; None hides the contents."""

    files: Mapping[str, str]


def made_files(machine: Machine) -> MadeFiles:
    """All files of a machine."""
    return MadeFiles(
        trees={
            NODES: _node_tree(machine) if machine.numa else None,
            CPUS: _cpu_tree(machine),
            HUGEPAGES: dict(_pools(machine.hugepages)),
        },
        files={"/proc/meminfo": _meminfo(machine), "/proc/cpuinfo": _cpuinfo(machine), **SYSCTLS},
    )


def _node_tree(machine: Machine) -> Tree:
    ids = CpuSet(node.id for node in machine.nodes)
    possible = CpuSet(range(max(POSSIBLE_NODES, max(ids, default=0) + 1)))
    with_memory = CpuSet(node.id for node in machine.nodes if node.memory)
    tree: Tree = {
        "online": f"{ids}\n",
        "possible": f"{possible}\n",
        "has_cpu": f"{CpuSet(node.id for node in machine.nodes if node.cpus)}\n",
        "has_memory": f"{with_memory}\n",
        "has_normal_memory": f"{with_memory}\n",
    }
    for node in machine.nodes:
        tree.update((f"node{node.id}/{path}", entry) for path, entry in _node(machine, node))
    return tree


def _node(machine: Machine, node: NumaNode) -> Iterator[tuple[str, Entry]]:
    kib = node.memory // 1024
    yield "meminfo", "".join(f"Node {node.id} {name}: {kib:>14} kB\n" for name in ("MemTotal", "MemFree"))
    yield "cpulist", f"{node.cpus}\n"
    if node.distances is not None:
        yield "distance", " ".join(map(str, node.distances)) + "\n"
    own = dict(node.hugepages)
    yield "hugepages", None
    for path, entry in _pools({size: own.get(size, 0) for size in machine.hugepages}):
        yield f"hugepages/{path}", entry
    for cpu in sorted(node.cpus):
        # The kernel links them too; cAdvisor reads a CPU's topology through its node.
        yield f"cpu{cpu}", {"link": f"../../cpu/cpu{cpu}"}


def _pools(pages: Mapping[int, int]) -> Iterator[tuple[str, Entry]]:
    """The huge page directories: page size in bytes → pages."""
    for size, count in sorted(pages.items()):
        yield f"hugepages-{size // 1024}kB/nr_hugepages", f"{count}\n"
        yield f"hugepages-{size // 1024}kB/free_hugepages", f"{count}\n"


def _cpu_tree(machine: Machine) -> Tree:
    every = f"{machine.cpus}\n"
    tree: Tree = {"online": every, "possible": every, "present": every, "offline": "\n"}
    core = 0
    for node in machine.nodes:
        cpus = sorted(node.cpus)
        for first in range(0, len(cpus), machine.threads_per_core):
            threads = CpuSet(cpus[first : first + machine.threads_per_core])
            for cpu in threads:
                tree.update(_cpu(cpu, core=core, socket=machine.socket_of(node), threads=threads))
            core += 1
    return tree


def _cpu(cpu: int, *, core: int, socket: int, threads: CpuSet) -> Tree:
    return {
        f"cpu{cpu}/online": "1\n",
        f"cpu{cpu}/topology/core_id": f"{core}\n",
        f"cpu{cpu}/topology/physical_package_id": f"{socket}\n",
        f"cpu{cpu}/topology/thread_siblings_list": f"{threads}\n",
        f"cpu{cpu}/topology/core_cpus_list": f"{threads}\n",
    }


def _meminfo(machine: Machine) -> str:
    kib = machine.memory // 1024
    sizes = {
        "MemTotal": kib,
        "MemFree": kib,
        "MemAvailable": kib,
        "Buffers": 0,
        "Cached": 0,
        "SwapTotal": 0,
        "SwapFree": 0,
    }
    return "".join(f"{name + ':':<16}{size:>8} kB\n" for name, size in sizes.items())


def _cpuinfo(machine: Machine) -> str:
    """CAdvisor counts the sockets here, not in the CPU directories, and their number decides which CPUs are taken first."""
    blocks = {}
    for node in machine.nodes:
        cpus = sorted(node.cpus)
        for position, cpu in enumerate(cpus):
            facts = {
                "processor": cpu,
                "vendor_id": "pinproof",
                "model name": "made",
                "cpu MHz": "2000.000",
                "physical id": machine.socket_of(node),
                "core id": cpus[position - position % machine.threads_per_core],
            }
            blocks[cpu] = "".join(f"{name:<16}: {value}\n" for name, value in facts.items())
    return "\n".join(blocks[cpu] for cpu in sorted(blocks)) + "\n"
