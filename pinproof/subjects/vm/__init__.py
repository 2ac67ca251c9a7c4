"""The vm subject: real kernels with true NUMA nodes, in virtual machines."""
