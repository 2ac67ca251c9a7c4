"""Where things lie inside a node's namespaces. Constants: every node has its own `/var/lib`, so nothing collides."""

from __future__ import annotations

from typing import Final

ROOT: Final = "/var/lib/kubelet"
STATE: Final = f"{ROOT}/memory_manager_state"
CPU_STATE: Final = f"{ROOT}/cpu_manager_state"
ACTUATED: Final = f"{ROOT}/actuated_pods_state"
CERTIFICATES: Final = f"{ROOT}/pki"
CERTIFICATE: Final = f"{CERTIFICATES}/kubelet.crt"
KEY: Final = f"{CERTIFICATES}/kubelet.key"
PAIR: Final = (CERTIFICATE, KEY)

OURS: Final = "/var/lib/pinproof"
CONFIG: Final = f"{OURS}/kubelet.json"
MANIFESTS: Final = f"{OURS}/manifests"
RUNTIME_SOCKET: Final = f"{OURS}/cri.sock"

NODE_NAME: Final = "node"
NODE_IP: Final = "10.88.0.1"
READ_ONLY_PORT: Final = 10255


def manifest(uid: str) -> str:
    """Path of a pod's manifest."""
    return f"{MANIFESTS}/{uid}.json"
