//go:build !since_1_35

package main

import v1 "k8s.io/api/core/v1"

// nodeGetter is how the node predicates get the node object.
func nodeGetter(node *v1.Node) func() (*v1.Node, error) {
	return func() (*v1.Node, error) { return node, nil }
}
