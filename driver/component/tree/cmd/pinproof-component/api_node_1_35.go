//go:build since_1_35

package main

import (
	"context"

	v1 "k8s.io/api/core/v1"
)

// nodeGetter is how the node predicates get the node object.
func nodeGetter(node *v1.Node) func(context.Context, bool) (*v1.Node, error) {
	return func(context.Context, bool) (*v1.Node, error) { return node, nil }
}
