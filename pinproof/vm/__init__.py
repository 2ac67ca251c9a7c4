"""Virtual machines with true NUMA nodes, by QEMU."""
