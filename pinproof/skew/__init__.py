"""Version skew: state files that kubelets of every release wrote, and which release starts on which of them."""
