//go:build since_1_31

package main

import "k8s.io/component-base/featuregate"

type featureGates = featuregate.MutableVersionedFeatureGate
