"""The cluster subject: nodes of an existing cluster; and what it shares with kind, which is a cluster of our own."""
