"""Wrong models for cases that no other one makes fail: mostly controls, which say what must not happen.

They name no case of their own: `witnesses.yaml` says which cases fail on them. Models of options, limits and values first, then
of books and files, of admission, and of what is reported.
"""

from __future__ import annotations

from tests.wrong_model import WrongModel


def wrong(name: str, module: str, find: str, replace: str) -> WrongModel:
    """One bug."""
    return WrongModel(name, module, find, replace, case="")


SETTINGS = (
    wrong(
        "policy None in any case of letters",
        "configuration",
        'if config.memory_manager_policy == "None":',
        'if config.memory_manager_policy.lower() == "none":',
    ),
    wrong(
        "policy None keeps books",
        "configuration",
        "        return default_books([])\n",
        '        return default_books([(node.id, {"memory": (node.memory, 0)}) for node in machine.seen()])\n',
    ),
    wrong(
        "topology policies are not looked up",
        "configuration",
        "if config.topology_manager_policy not in TOPOLOGY_POLICIES:",
        "if False:",
    ),
    wrong(
        "scopes are not looked up",
        "configuration",
        "if config.topology_manager_scope not in TOPOLOGY_SCOPES:",
        "if False:",
    ),
    wrong(
        "unknown options are taken",
        "configuration",
        "                raise StartRefused(f'unknown Topo",
        "                str(f'unknown Topo",
    ),
    wrong(
        "options of no policy are read",
        "configuration",
        'if config.topology_manager_policy == "none":',
        'if config.topology_manager_policy == "none" and not config.topology_manager_policy_options:',
    ),
    wrong(
        "what is no boolean is false",
        "configuration",
        "    raise StartRefused(f'bad value for option \"{option}\"')\n",
        "    return False\n",
    ),
    wrong(
        "what is no number is the default",
        "configuration",
        "        raise StartRefused(f'unable to convert policy option to integer \"{option}\"') from None\n",
        "        return DEFAULT_MAX_NODES\n",
    ),
    wrong("a limit may be lowered", "configuration", "if limit < DEFAULT_MAX_NODES:", "if False:"),
    wrong("a limit is one less", "configuration", "if len(nodes) > limit:", "if len(nodes) >= limit:"),
    wrong(
        "no limit is above eight",
        "configuration",
        "        limit = int(value)\n",
        "        limit = min(8, int(value))\n",
    ),
    wrong(
        "distances are always needed",
        "configuration",
        "if closest and any(node.distances is None for node in nodes):",
        "if any(node.distances is None for node in nodes):",
    ),
    wrong(
        "missing distances do not matter",
        "configuration",
        "if closest and any(node.distances is None for node in nodes):",
        "if False:",
    ),
    wrong("any CPU policy will do", "configuration", 'if config.cpu_manager_policy != "static":', "if False:"),
    wrong(
        "no CPU has to be reserved",
        "configuration",
        '        raise StartRefused("[cpumanager] unable to determine reserved CPU resources for static policy")\n',
        "        return None\n",
    ),
    wrong("any type can be reserved", "configuration", "if not is_memory(memory_type):", "if False:"),
    wrong(
        "anything can be held back",
        "configuration",
        "            raise StartRefused(f'cannot reserve \"{resource}\" resource')\n",
        "            continue\n",
    ),
    wrong(
        "a map of thresholds keeps the default",
        "configuration",
        "if config.merge_default_eviction_settings and behaviour.merges_default_eviction else",
        "if True else",
    ),
    wrong(
        "defaults are never merged",
        "configuration",
        "if config.merge_default_eviction_settings and behaviour.merges_default_eviction else",
        "if False else",
    ),
    wrong(
        "pod-level resources are overlooked",
        "configuration",
        "    on = config.gate(PLR, default=behaviour.pod_level_resources_by_default)\n",
        '    return "ignored"\n    on = config.gate(PLR, default=behaviour.pod_level_resources_by_default)\n',
    ),
)

RESERVATIONS = (
    wrong(
        "sums are compared as they are written",
        "configuration",
        "if (ours := reserved.get(memory_type, Quantity.ZERO)) != (theirs",
        "if str(ours := reserved.get(memory_type, Quantity.ZERO)) != str(theirs",
    ),
    wrong(
        "less may be reserved than is due",
        "configuration",
        "if (ours := reserved.get(memory_type, Quantity.ZERO)) != (theirs",
        "if (ours := reserved.get(memory_type, Quantity.ZERO)) > (theirs",
    ),
    wrong(
        "nodes without CPUs cannot be reserved",
        "configuration",
        "known = {node.id for node in machine.seen()}",
        "known = {node.id for node in machine.seen() if node.cpus}",
    ),
)

BOOKS = (
    wrong(
        "books have no sizes without pages",
        "view",
        "memory=dict(zip(books.types, now.tables, strict=True)),",
        "memory={t: table for t, table in zip(books.types, now.tables, strict=True) if table.total},",
    ),
    wrong(
        "reservations in bytes are overlooked",
        "configuration",
        "        (entry.numa_node, memory_type): quantity.exact_int()\n",
        '        (entry.numa_node, memory_type): quantity.exact_int() if str(quantity).endswith("i") else 0\n',
    ),
    wrong(
        "every kernel has huge pages",
        "configuration",
        '        totals["memory"] = node.memory\n',
        '        totals |= {"memory": node.memory, "hugepages-2Mi": totals.get("hugepages-2Mi", 1 << 21)}\n',
    ),
    wrong(
        "sizes without pages are left out",
        "restart",
        "memory=dict(zip(books.types, node.tables, strict=True)),\n            cells=",
        "memory={t: s for t, s in zip(books.types, node.tables, strict=True) if s.total},\n            cells=",
    ),
    wrong(
        "the CPU manager reads the file of any policy",
        "cpu_file",
        "    if on_disk.policy != reader.policy:\n",
        "    if False:\n",
    ),
    wrong(
        "huge pages are counted one by one",
        "configuration",
        "size * count for size, count in node.hugepages}\n        totals",
        "count for size, count in node.hugepages}\n        totals",
    ),
    wrong(
        "nodes are numbered in their order", "configuration", "nodes.append((node.id, {", "nodes.append((len(nodes), {"
    ),
    wrong(
        "a node without memory is left out",
        "configuration",
        "    for node in machine.seen():\n        totals",
        "    for node in (each for each in machine.seen() if each.memory):\n        totals",
    ),
    wrong("entries are not written", "checkpoint", "    if checkpoint.entries:\n", "    if False:\n"),
    wrong(
        "sizes are written as text",
        "checkpoint",
        '"type": b.type, "size": b.size}',
        '"type": b.type, "size": str(b.size)}',
    ),
    wrong(
        "a refused file is made anew",
        "node",
        "            self.refusal = str(refusal)\n",
        "            self.refusal, self._files.contents = str(refusal), replace(self._files.contents, memory=None)\n",
    ),
    wrong(
        "a file that is lost is empty",
        "files",
        '        if step.state == "lose":\n            self.contents = replace(self.contents, memory=None)\n',
        '        if step.state == "lose":\n            self.contents = replace(self.contents, memory="")\n',
    ),
    wrong(
        "a file that does not fit is forgotten",
        "files",
        "            raise StartRefused(verdict)\n",
        "            return fresh\n",
    ),
)

ADMISSIONS = (
    wrong(
        "what sidecars have is left for init containers",
        "pod_level",
        "resource for resource in total if taken[resource] >= total[resource]]):",
        "resource for resource in total if taken[resource] > total[resource]]):",
    ),
    wrong(
        "a part of a byte is a byte",
        "requests",
        "            size = quantity.exact_int()\n",
        "            size = quantity.value()\n",
    ),
    wrong(
        "a container that comes back is a new pod",
        "node",
        '            self._reach("life.container-comes-back")\n',
        '            self._reach("life.container-comes-back")\n            self.arrive(pod)\n',
    ),
    wrong(
        "best-effort takes no more than one node",
        "topology_manager",
        'return self.policy == "best-effort" or hint.preferred',
        'return (hint.mask or 0).bit_count() < 2 and (self.policy == "best-effort" or hint.preferred)',
    ),
    wrong("containers are told no node", "node", 'cpuset_mems=",".join(map(str, mems))', 'cpuset_mems=""'),
    wrong(
        "containers are told every node",
        "node",
        "        mems = memory.books.ids_of(memory.nodes_of(resident.uid, container.name))\n",
        "        mems = tuple(node.id for node in self._machine.nodes)\n",
    ),
    wrong(
        "the highest of the fittest",
        "topology_manager",
        "        lowest = smallest(masks)\n        if masks",
        "        lowest = max(members(masks))\n        if masks",
    ),
    wrong(
        "what nobody agrees on is as wide as can be",
        "topology_manager",
        "(*range(largest_minimum, 0, -1), *range(largest_minimum + 1, self._nodes + 1))",
        "range(self._nodes, 0, -1)",
    ),
    wrong(
        "other providers are not asked",
        "topology_manager",
        "        lists = _lists(answers, reach)\n",
        "        lists = _lists(list(answers)[:2], reach)\n",
    ),
    wrong(
        "memory has no say",
        "admission",
        '    def _pins_memory(self) -> bool:\n        return self._settings.policy != "None"',
        "    def _pins_memory(self) -> bool:\n        return False",
    ),
    wrong(
        "everything is pinned",
        "admission",
        '    def _pins_memory(self) -> bool:\n        return self._settings.policy != "None"',
        "    def _pins_memory(self) -> bool:\n        return True",
    ),
    wrong("nothing counts against the node", "admission", "            if wanted > room:\n", "            if False:\n"),
    wrong(
        "features are not looked at",
        "admission",
        "        if not self._behaviour.refuses_unsupported_pod_level_resources or",
        "        if True or",
    ),
)

REPORTS = (
    wrong(
        "admissions are not counted", "node", "names = [ADMISSION_REQUESTS, ADMISSION_ERRORS]", "names: list[str] = []"
    ),
    wrong("nothing is aligned", "admission", 'if exists and merger.policy == "single-numa-node":', "if False:"),
    wrong(
        "alignments are there once they happen",
        "node",
        "        names += [labelled(m, boundary=",
        "        str() and [labelled(m, boundary=",
    ),
    wrong(
        "pinning is there once it happens",
        "node",
        "            names += [PINNING_REQUESTS, PINNING_ERRORS]\n",
        "            pass\n",
    ),
)

CLUSTERS = (
    wrong(
        "controllers give up",
        "cluster",
        "            self._made[self._first[name]] += 1\n",
        "            pass\n",
    ),
    wrong(
        "events have the words of the status", "cluster", "verdict.message.removeprefix(REJECTED)", "verdict.message"
    ),
    wrong(
        "the kernel hears of no CPUs",
        "cluster",
        "Enforced(told, told)",
        'Enforced(told, told._replace(cpuset_cpus=""))',
    ),
)

KERNELS = (
    wrong(
        "memory lies where processes run",
        "kernel",
        "    first = min(bound)\n",
        "    first = 0\n",
    ),
    wrong("the kernel binds to one node", "kernel", "str(bound), str(bound))", "str(first), str(first))"),
    wrong("huge pages lie on node 0", "kernel", "{first: huge} if huge", "{0: huge} if huge"),
)

LAST = (wrong("policy None is not known", "configuration", 'if config.memory_manager_policy == "None":', "if False:"),)
"""What no kubelet would come through that asks for it: for controls alone that have nothing else to go wrong."""

FOR_CASES: tuple[WrongModel, ...] = (
    *SETTINGS,
    *RESERVATIONS,
    *BOOKS,
    *ADMISSIONS,
    *REPORTS,
    *CLUSTERS,
    *KERNELS,
    *LAST,
)
