"""The real kubelet process on a made machine: the default subject."""
