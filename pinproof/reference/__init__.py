"""The reference memory manager: what a kubelet must do, written to be read beside the documentation."""
