package main

import utilfeature "k8s.io/apiserver/pkg/util/feature"

// pristineGates are the feature gates as the release has them.
var pristineGates = utilfeature.DefaultMutableFeatureGate
