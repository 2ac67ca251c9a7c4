"""Where things lie: inside a node of a cluster, and in the folder that belongs to a cluster on this machine."""

from __future__ import annotations

from typing import Final

CONFIG: Final = "/var/lib/kubelet/config.yaml"
"""What kubeadm wrote, and the scenario's fields in it."""

PROGRAMS: Final = "/pinproof/programs"
"""The cluster's folder of programs, read-only: kubelets, and the node's side of this subject."""

AGENT: Final = f"{PROGRAMS}/pinproof-runtime"
OWN_KUBELET: Final = "/usr/bin/kubelet.own"
"""The kubelet of the node image."""

LOG: Final = "/var/log/pinproof-kubelet.log"
DROP_IN: Final = "/etc/systemd/system/kubelet.service.d/99-pinproof.conf"
RUNTIME_DROP_IN: Final = "/etc/systemd/system/containerd.service.d/99-pinproof.conf"
FLAGS: Final = "/var/lib/kubelet/kubeadm-flags.env"
"""The file with arguments that kubeadm writes."""

LAZY: Final = {"GOGC": "400"}
"""Environment of programs whose memory may grow to five times what they use before they look for garbage."""

ENVIRONMENT: Final = "/etc/default/kubelet"
WRAPPER: Final = "/pinproof/pinproof-oci"
"""The wrapper of the OCI runtime, which goes by its name."""

NAMESPACE: Final = "pinproof"

STATE_FILES: Final = (
    "memory_manager_state",
    "cpu_manager_state",
    "dra_manager_state",
    "allocated_pods_state",
    "actuated_pods_state",
    "pod_status_manager_state",
)
"""What a kubelet remembers of its pods, in its own folder."""

BASE_CONFIG: Final = "/var/lib/kubelet/config.kubeadm.yaml"
"""The configuration as kubeadm wrote it."""
