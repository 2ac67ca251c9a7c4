"""The component subject: the kubelet's own managers in one long-lived process, without the kubelet around them."""
