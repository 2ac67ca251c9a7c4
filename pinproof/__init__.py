"""Proof that a kubelet pins memory the way Kubernetes promises."""

__version__ = "0.1.0"
