"""What makes a kind node of unpacked Debian packages.

Accounts, links and units that maintainer scripts would have made, kind's own files, a pod network, and the images that a node
begins with. Everything is a function from a tree of files to files; nothing is run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pinproof.build.debian import MERGED
from pinproof.build.layers import Directory, Entry, File, Symlink, Tree

UNITS = "etc/systemd/system"
WANTED = f"{UNITS}/multi-user.target.wants"

ACCOUNTS = (("messagebus", 101), ("systemd-network", 998), ("systemd-journal", 999))
"""Of D-Bus and systemd, as Debian numbers them."""

ALTERNATIVES = ("iptables", "ip6tables")
"""kind's entrypoint chooses between `legacy` and `nft` of each with update-alternatives."""

NETWORK_SCRIPT = """\
#!/bin/bash
# A pod network without an agent: a bridge with one /24 for each node, named by the last number of the node's address, and a
# route to every node that may be there. Addresses may change at a restart, so this is done at each.
set -eu
address=$(ip -4 -o addr show eth0 | awk '{split($4, a, "/"); print a[1]; exit}')
network=${address%.*} own=${address##*.}
cat > /etc/cni/net.d/10-pinproof.conflist <<END
{"cniVersion": "0.4.0", "name": "pinproof", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "ipam":
    {"type": "host-local", "ranges": [[{"subnet": "10.244.$own.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
END
for other in $(seq 2 30); do
  [ "$other" = "$own" ] || ip route replace "10.244.$other.0/24" via "$network.$other"
done
"""

IMAGES_SCRIPT = """\
#!/bin/bash
# Gives containerd the images of the archives that are named, once. A worker has no use for those of the control plane.
set -eu
for name; do
  stamp=/var/lib/containerd/.pinproof-$name
  case $name:$(hostname) in
    control-plane:*-worker|control-plane:*-worker[0-9]*) continue ;;
  esac
  [ -e "$stamp" ] && continue
  ctr --namespace k8s.io images import --no-unpack --label io.cri-containerd.pinned=pinned "/kind/images/$name.tar"
  touch "$stamp"
done
"""

NETWORK_SERVICE = """\
[Unit]
Before=containerd.service kubelet.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/kind/bin/pinproof-network.sh
"""

IMAGES_SERVICE = """\
[Unit]
After=containerd.service
Requires=containerd.service
Before=kubelet.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/kind/bin/pinproof-images.sh node control-plane
"""

ADDONS_SERVICE = """\
# kube-proxy and CoreDNS, which no kubelet waits for: the import takes what time the start of the cluster leaves it.
[Unit]
After=containerd.service pinproof-images.service
Requires=containerd.service
[Service]
Type=simple
RemainAfterExit=yes
Nice=19
ExecStart=/kind/bin/pinproof-images.sh addons
"""

STORAGE_MANIFEST = """\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
"""

NETWORK_MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: pod-network-is-in-the-node-image, namespace: kube-system}
"""


def add_node_files(tree: Tree, kind_files: Path) -> None:
    """Make a node of a tree of unpacked packages.

    Args:
        tree: Debian's files; changed.
        kind_files: `images/base/files` of the kind module.
    """
    tree.update({name: Symlink(target) for name, target in MERGED.items()})
    tree.update(dict(_scripts_would_have_made(tree)))
    for path in sorted(kind_files.rglob("*")):
        name = str(path.relative_to(kind_files))
        if path.is_file() and not name.startswith("LICENSES/"):
            executable = name.startswith(("usr/local/bin/", "kind/bin/"))
            tree.add(name, File(path.read_bytes(), 0o755 if executable else 0o644))
    tree.update(_own_files())
    _arrange_units(tree)
    tree.add("etc/containerd/config.toml", File(containerd_settings(tree.read("etc/containerd/config.toml").decode())))
    tree.add(f"{UNITS}/containerd.service", File(unlimited_away(tree.read(f"{UNITS}/containerd.service").decode())))


def _scripts_would_have_made(tree: Tree) -> Iterator[tuple[str, Entry]]:
    yield (
        "etc/passwd",
        File(_accounts(tree.read("usr/share/base-passwd/passwd.master"), "{0}:*:{1}:{1}::/:/usr/sbin/nologin")),
    )
    yield "etc/group", File(_accounts(tree.read("usr/share/base-passwd/group.master"), "{0}:*:{1}:"))
    yield "etc/nsswitch.conf", File(b"passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n")
    yield "etc/resolv.conf", File(b"")
    yield "tmp", Directory(0o1777)
    yield "var/tmp", Directory(0o1777)
    yield "var/run", Symlink("/run")
    yield "var/lock", Symlink("/run/lock")
    yield "usr/bin/awk", Symlink("mawk")
    yield "usr/bin/which", Symlink("which.debianutils")
    authorities = [
        path for path in tree.paths() if path.startswith("usr/share/ca-certificates/") and path.endswith(".crt")
    ]
    yield "etc/ssl/certs/ca-certificates.crt", File(b"".join(tree.read(path) for path in authorities))
    for name in ALTERNATIVES:
        yield f"var/lib/dpkg/alternatives/{name}", File(alternatives(name).encode())
        for command in (name, f"{name}-restore", f"{name}-save"):
            yield f"usr/sbin/{command}", Symlink(f"/etc/alternatives/{command}")
            yield f"etc/alternatives/{command}", Symlink(f"/usr/sbin/{command.replace(name, f'{name}-nft')}")


def _accounts(master: bytes, form: str) -> bytes:
    return master + "".join(form.format(name, number) + "\n" for name, number in ACCOUNTS).encode()


def alternatives(name: str) -> str:
    """What update-alternatives keeps of a command that comes as `legacy` and as `nft`."""
    followers = (f"{name}-restore", f"{name}-save")
    lines = ["auto", f"/usr/sbin/{name}"]
    for follower in followers:
        lines += [follower, f"/usr/sbin/{follower}"]
    lines.append("")
    for mode, priority in (("legacy", 10), ("nft", 20)):
        lines += [f"/usr/sbin/{name}-{mode}", str(priority)]
        lines += [f"/usr/sbin/{follower.replace(name, f'{name}-{mode}')}" for follower in followers]
    return "\n".join([*lines, "", ""])


def _own_files() -> dict[str, Entry]:
    plugins: dict[str, Entry] = {
        f"opt/cni/bin/{name}": Symlink(f"/usr/lib/cni/{name}")
        for name in ("bridge", "host-local", "loopback", "portmap", "ptp")
    }
    return plugins | {
        "etc/cni/net.d": Directory(),
        "etc/kubernetes/manifests": Directory(),
        "kind/bin/pinproof-network.sh": File(NETWORK_SCRIPT.encode(), 0o755),
        "kind/bin/pinproof-images.sh": File(IMAGES_SCRIPT.encode(), 0o755),
        "kind/manifests/default-cni.yaml": File(NETWORK_MANIFEST.encode()),
        "kind/manifests/default-storage.yaml": File(STORAGE_MANIFEST.encode()),
        f"{UNITS}/pinproof-network.service": File(NETWORK_SERVICE.encode()),
        f"{UNITS}/pinproof-images.service": File(IMAGES_SERVICE.encode()),
        f"{UNITS}/pinproof-addons.service": File(ADDONS_SERVICE.encode()),
    }


def _arrange_units(tree: Tree) -> None:
    """Leave out what has no place in a container, as kind's own Dockerfile does, and have the node's services started."""
    units = "usr/lib/systemd/system"
    tree.remove(
        f"{units}/sysinit.target.wants/systemd-tmpfiles-setup.service",
        f"{units}/multi-user.target.wants/*",
        f"{units}/local-fs.target.wants/*",
        f"{units}/sockets.target.wants/*udev*",
        f"{units}/sockets.target.wants/*initctl*",
        f"{units}/basic.target.wants/*",
        f"{UNITS}/*.wants/*",
    )
    for unit in ("kubelet", "containerd", "undo-mount-hacks", "pinproof-network", "pinproof-images", "pinproof-addons"):
        tree.add(f"{WANTED}/{unit}.service", Symlink(f"/{UNITS}/{unit}.service"))
    for unit in ("systemd-binfmt", "systemd-sysusers", "systemd-firstboot"):  # the first would change the host's kernel
        tree.add(f"{UNITS}/{unit}.service", Symlink("/dev/null"))
    tree.add("etc/systemd/journald.conf", File(tree.read("etc/systemd/journald.conf") + b"ReadKMsg=no\n"))


def containerd_settings(text: str) -> bytes:
    """The settings that kind has, for hosts too where a process may not lower its own OOM score (no CAP_SYS_RESOURCE)."""
    return text.replace("restrict_oom_score_adj = false", "restrict_oom_score_adj = true").encode()


def with_pause(text: str, pause: str) -> bytes:
    """The settings of containerd with the pause image that this kubeadm has in mind."""
    lines = [f'  sandbox_image = "{pause}"' if "sandbox_image =" in line else line for line in text.splitlines()]
    return ("\n".join(lines) + "\n").encode()


def unlimited_away(unit: str) -> bytes:
    """The unit of containerd without the limits and scores that only CAP_SYS_RESOURCE may raise."""
    raised = ("OOMScoreAdjust=", "LimitNPROC=", "LimitCORE=", "LimitNOFILE=")
    return "".join(line for line in unit.splitlines(keepends=True) if not line.startswith(raised)).encode()


def container_defaults(spec: dict[str, Any]) -> bytes:
    """What every container on the node begins with: containerd's default, with kind's hook and without limits."""
    spec = json.loads(json.dumps(spec))
    spec.setdefault("hooks", {}).setdefault("createContainer", []).append({"path": "/kind/bin/mount-product-files.sh"})
    spec["process"].pop("rlimits", None)
    return json.dumps(spec).encode()
