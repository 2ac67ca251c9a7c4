"""Builds what pinproof runs: kubelets and component drivers of any release, source tree or patch, the recording runtime.

Everything is built by Go from the public Go modules, into the user's cache directory, once. Only `kubelet`,
`component`, `runtime` and the small values their callers need are public here.
"""

from pinproof.build.changes import Edit
from pinproof.build.components import component
from pinproof.build.kubelets import kubelet
from pinproof.build.runtimes import runtime
from pinproof.build.sources import KNOWN_RELEASES

__all__ = ["KNOWN_RELEASES", "Edit", "component", "kubelet", "runtime"]
