"""The image that containers of scenarios run, and the pod that looks at a node: one program, as an archive to import."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path
from typing import Final

DEFAULT: Final = "pinproof.dev/workload:1"
"""How the image goes by, where nobody says otherwise."""

_PROGRAM = "pinproof-runtime"
_CREATED = "2024-01-01T00:00:00Z"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def archive(program: Path, *, name: str = DEFAULT, machine: str = "") -> bytes:
    """The archive; `machine` is the architecture as `uname -m` says it, without it this one's.

    The same program gives the same bytes.
    """
    machine = machine or platform.machine()
    layer = _tar({_PROGRAM: (program.read_bytes(), 0o755)})
    config = {
        "architecture": _ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "created": _CREATED,
        "config": {"Entrypoint": [f"/{_PROGRAM}", "workload"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created": _CREATED, "created_by": "pinproof"}],
    }
    described = json.dumps(config).encode()
    about = f"{hashlib.sha256(described).hexdigest()}.json"
    manifest = [{"Config": about, "RepoTags": [name], "Layers": ["layer.tar"]}]
    return _tar(
        {
            about: (described, 0o644),
            "layer.tar": (layer, 0o644),
            "manifest.json": (json.dumps(manifest).encode(), 0o644),
        }
    )


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, (content, mode) in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()
