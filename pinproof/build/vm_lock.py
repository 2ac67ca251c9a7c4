"""The kernel of virtual machines: one Debian package, with its checksum."""

from __future__ import annotations

from typing import Final

from pinproof.build.lock import Package

KERNEL: Final = Package(
    "linux-image-6.1.0-50-cloud-amd64",
    "6.1.176-1",
    "pool/main/l/linux-signed-amd64/linux-image-6.1.0-50-cloud-amd64_6.1.176-1_amd64.deb",
    "efe19f605b6f54a8352e68d85a629abb2d30b72a085faef603a9152590baa791",
)
"""Of Debian 12, whose modules are not compressed: the first program of a machine loads them as they are."""
