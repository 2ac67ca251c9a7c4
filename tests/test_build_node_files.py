"""What makes a node of unpacked packages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pinproof.build import node_files
from pinproof.build.layers import Directory, File, Symlink, Tree

UNITS = "etc/systemd/system"
SYSTEM = "usr/lib/systemd/system"
CONTAINERD_UNIT = (
    "[Service]\nExecStart=/usr/local/bin/containerd\nLimitNOFILE=infinity\nTasksMax=infinity\nOOMScoreAdjust=-999\n"
)
SETTINGS = 'version = 2\n  sandbox_image = "registry.k8s.io/pause:3.10"\n  restrict_oom_score_adj = false\n'


@pytest.fixture
def node(tmp_path: Path) -> Tree:
    """A node made of next to nothing."""
    tree = Tree()
    tree.update(
        {
            "usr/share/base-passwd/passwd.master": File(b"root:*:0:0:root:/root:/bin/bash\n"),
            "usr/share/base-passwd/group.master": File(b"root:*:0:\n"),
            "usr/share/ca-certificates/mozilla/A.crt": File(b"A\n"),
            "usr/share/ca-certificates/mozilla/B.crt": File(b"B\n"),
            "etc/systemd/journald.conf": File(b"[Journal]\n"),
            f"{SYSTEM}/multi-user.target.wants/getty.target": Symlink("../getty.target"),
            f"{SYSTEM}/sysinit.target.wants/systemd-tmpfiles-setup.service": Symlink(
                "../systemd-tmpfiles-setup.service"
            ),
            f"{SYSTEM}/sysinit.target.wants/systemd-journald.service": Symlink("../systemd-journald.service"),
        }
    )
    files = {
        "usr/local/bin/entrypoint": "#!/bin/bash\n",
        "etc/containerd/config.toml": SETTINGS,
        f"{UNITS}/containerd.service": CONTAINERD_UNIT,
        f"{UNITS}/kubelet.service": "[Service]\n",
        "LICENSES/README.txt": "x",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    node_files.add_node_files(tree, tmp_path)
    return tree


def test_services_start(node: Tree) -> None:
    """Those of a node and no others; what would change the host's kernel never."""
    started = [path.rpartition("/")[2] for path in node.paths() if path.startswith(f"{UNITS}/multi-user.target.wants/")]

    assert started == [
        "containerd.service",
        "kubelet.service",
        "pinproof-addons.service",
        "pinproof-images.service",
        "pinproof-network.service",
        "undo-mount-hacks.service",
    ]
    assert f"{SYSTEM}/multi-user.target.wants/getty.target" not in node
    assert f"{SYSTEM}/sysinit.target.wants/systemd-tmpfiles-setup.service" not in node
    assert f"{SYSTEM}/sysinit.target.wants/systemd-journald.service" in node
    assert node[f"{UNITS}/systemd-binfmt.service"] == Symlink("/dev/null")


def test_no_limit_is_raised(node: Tree) -> None:
    """A host without CAP_SYS_RESOURCE would refuse to."""
    assert (
        node.read(f"{UNITS}/containerd.service")
        == b"[Service]\nExecStart=/usr/local/bin/containerd\nTasksMax=infinity\n"
    )
    assert b"restrict_oom_score_adj = true" in node.read("etc/containerd/config.toml")


def test_what_maintainer_scripts_would_have_done(node: Tree) -> None:
    """Accounts, links, certificates."""
    assert node.read("etc/passwd").startswith(
        b"root:*:0:0:root:/root:/bin/bash\nmessagebus:*:101:101::/:/usr/sbin/nologin\n"
    )
    assert b"systemd-journal:*:999:\n" in node.read("etc/group")
    assert node.read("etc/ssl/certs/ca-certificates.crt") == b"A\nB\n"
    assert node["bin"] == Symlink("usr/bin")
    assert node["tmp"] == Directory(0o1777)
    assert node["usr/sbin/iptables-save"] == Symlink("/etc/alternatives/iptables-save")
    assert node["etc/alternatives/iptables-save"] == Symlink("/usr/sbin/iptables-nft-save")


def test_kinds_files(node: Tree) -> None:
    """Scripts can be run; other things are only read; licences are in the module."""
    assert node["usr/local/bin/entrypoint"] == File(b"#!/bin/bash\n", 0o755)
    assert node[f"{UNITS}/kubelet.service"] == File(b"[Service]\n", 0o644)
    assert "LICENSES" not in node


def test_alternatives() -> None:
    """As update-alternatives writes them, or it would not let kind's entrypoint choose."""
    assert node_files.alternatives("iptables") == (
        "auto\n/usr/sbin/iptables\n"
        "iptables-restore\n/usr/sbin/iptables-restore\n"
        "iptables-save\n/usr/sbin/iptables-save\n"
        "\n"
        "/usr/sbin/iptables-legacy\n10\n/usr/sbin/iptables-legacy-restore\n/usr/sbin/iptables-legacy-save\n"
        "/usr/sbin/iptables-nft\n20\n/usr/sbin/iptables-nft-restore\n/usr/sbin/iptables-nft-save\n"
        "\n"
    )


def test_pause_image() -> None:
    """The one that this release's kubeadm has in mind, or the kubelet would remove it as unused."""
    changed = node_files.with_pause(SETTINGS, "registry.k8s.io/pause:3.10.2").decode()

    assert re.findall(r"sandbox_image.*", changed) == ['sandbox_image = "registry.k8s.io/pause:3.10.2"']
    assert changed.splitlines()[0] == "version = 2"


def test_container_defaults() -> None:
    """Kind's hook is added to those there are; limits are gone; what was given is not changed."""
    spec = {"process": {"rlimits": [1], "cwd": "/"}, "hooks": {"createContainer": [{"path": "/a"}]}}

    made = json.loads(node_files.container_defaults(spec))

    assert made == {
        "process": {"cwd": "/"},
        "hooks": {"createContainer": [{"path": "/a"}, {"path": "/kind/bin/mount-product-files.sh"}]},
    }
    assert spec["process"] == {"rlimits": [1], "cwd": "/"}
