"""A cluster of kind: made, prepared for scenarios, and deleted without a trace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.subjects.cluster import image
from pinproof.subjects.cluster.api import Api, RefusedError
from pinproof.subjects.cluster.premises import await_account
from pinproof.subjects.kind import configuration, machines, places
from pinproof.subjects.kind.cluster_config import Plan, document, workers
from pinproof.subjects.kind.engine import Commands, run
from pinproof.subjects.kubelet.configuration import minor_of

PLAIN = Machine("plain", (NumaNode(0, 4 << 30, CpuSet((0,)), distances=(10,)),))
"""The machine of a worker that has served no scenario yet: its kubelet can have cgroups on every host."""

_CONFLICT = 409
_SERVICES = ("DOCKER_HOST", "CONTAINER_HOST")
"""Environment variables that say to which service an engine's command line speaks."""


_CNI = '{"cniVersion": "0.4.0", "name": "pinproof", "plugins": [{"type": "loopback"}]}'
"""For images without a network of their own: a node is ready when it has one, and pods here use that of their node."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a cluster on this machine."""

    path: Path

    @property
    def kubeconfig(self) -> Path:
        """How to reach it."""
        return self.path / "kubeconfig"

    @property
    def programs(self) -> Path:
        """What its workers can run; they see what is added later."""
        return self.path / "programs"

    def machine(self, rank: int) -> Path:
        """The made machine of a worker, counted from 1."""
        return self.path / "machines" / str(rank)

    def program(self, name: str, source: Path) -> str:
        """Let the workers have a program; returns its path inside them."""
        target = self.programs / name
        if not target.exists():
            self.programs.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{name}-{os.getpid()}")  # processes that share the cluster may do so at once
            shutil.copyfile(source, draft)
            draft.chmod(0o755)
            draft.rename(target)
        return f"{places.PROGRAMS}/{name}"


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes and deletes clusters."""

    engine: Commands
    kind: Path
    """The `kind` command."""

    runtime: Path
    """`pinproof-runtime`."""

    wrapper: Path | None = None
    """OCI runtime wrapper to be mounted; None where the image has it."""

    @property
    def where(self) -> str:
        """Which engine it is: its command line, and the service that this speaks to."""
        environment = self.engine.environment
        return " ".join([self.engine.name, *(environment.get(name, "") for name in _SERVICES)])

    def make(self, name: str, folder: Folder, *, image: str, release: str, number: int) -> None:
        """Create a cluster with so many workers, ready for scenarios. Raises SubjectError; nothing is left then."""
        folder.program("pinproof-runtime", self.runtime)
        for rank in range(1, number + 1):
            machines.write(folder.machine(rank), PLAIN)
        made = [folder.machine(rank) for rank in range(1, number + 1)]
        config = document(Plan(name, image, made, folder.programs, self.wrapper, minor=minor_of(release)))
        (folder.path / "cluster.yaml").write_text(config)
        try:
            self._create(name, folder)
            self._prepare(name, folder, workers(name, number))
        except BaseException:
            self.delete(name, folder)
            raise

    def delete(self, name: str, folder: Folder) -> None:
        """Delete a cluster and its folder; it need not exist, or not all of it. Raises SubjectError."""
        if self.engine.containers(name):
            command = [str(self.kind), "delete", "cluster", "--name", name, "--kubeconfig", str(folder.kubeconfig)]
            run(f"delete the cluster {name}", command, self.engine, "delete")
        shutil.rmtree(folder.path, ignore_errors=True)

    def runs(self, name: str, number: int) -> bool:
        """Whether a cluster is there with so many workers, and all of its nodes run."""
        states = self.engine.containers(name)
        return len(states) == number + 1 and all(states.values())

    def _create(self, name: str, folder: Folder) -> None:
        command = [str(self.kind), "create", "cluster", "--name", name, "--config", str(folder.path / "cluster.yaml")]
        command += ["--kubeconfig", str(folder.kubeconfig), "--wait", "0s"]
        run(f"create the cluster {name}", command, self.engine, "cluster")

    def _prepare(self, name: str, folder: Folder, nodes: Sequence[str]) -> None:
        archive = image.archive(self.runtime)
        with ThreadPoolExecutor(len(nodes)) as pool:
            list(pool.map(lambda node: self._prepare_node(node, archive), nodes))
        api = Api(folder.kubeconfig, timeouts=self.engine.timeouts)
        try:
            api.post(
                "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": places.NAMESPACE}}
            )
        except RefusedError as refused:
            if refused.code != _CONFLICT:
                raise
        await_account(api, places.NAMESPACE, self.engine.timeouts)

    def _prepare_node(self, node: str, archive: bytes) -> None:
        """Everything that a worker needs once, by one script."""
        step = f"prepare {node}"
        self.engine.run(step, "prepare", "exec", "-i", node, "sh", "-c", _SCRIPT, given=b"")
        self.engine.run(
            step, "prepare", "exec", "-i", node, "ctr", "-n", "k8s.io", "images", "import", "-", given=archive
        )


_SCRIPT = f"""set -e
systemctl disable --quiet kubelet
[ -e {places.OWN_KUBELET} ] || cp /usr/bin/kubelet {places.OWN_KUBELET}
mkdir -p {places.DROP_IN.rpartition("/")[0]}
cat > {places.DROP_IN} <<'EOF'
{configuration.drop_in(places.LOG)}EOF
mkdir -p {places.RUNTIME_DROP_IN.rpartition("/")[0]}
cat > {places.RUNTIME_DROP_IN} <<'EOF'
{configuration.runtime_drop_in()}EOF
cat > {places.ENVIRONMENT} <<'EOF'
{configuration.environment()}EOF
[ -n "$(ls /etc/cni/net.d 2>/dev/null)" ] || echo '{_CNI}' > /etc/cni/net.d/10-pinproof.conflist
[ -e {places.BASE_CONFIG} ] || cp {places.CONFIG} {places.BASE_CONFIG}
sed -i 's/ *--pod-infra-container-image=[^" ]*//' {places.FLAGS}
systemctl daemon-reload
systemctl restart containerd
"""
"""Run once in every worker. A kubelet is started by a step of a scenario, not by a boot.

kubeadm up to 1.34 gives it a flag that does nothing any more, and with which one from 1.35 on does not start.
"""
