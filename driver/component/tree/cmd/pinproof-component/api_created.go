package main

import (
	"k8s.io/apimachinery/pkg/util/version"
	linked "k8s.io/component-base/version"
)

// createdInitStays: an init container that was created and not started is waited for, for ever. Releases that start it have
// #126543, which also came to patch releases of older minors.
var createdInitStays = func() bool {
	has, err := version.ParseSemantic(linked.Get().GitVersion)
	if err != nil || has.Minor() < 29 || has.Minor() > 31 {
		return false
	}
	first := map[uint]string{29: "1.29.9", 30: "1.30.5", 31: "1.31.1"}[has.Minor()]
	return !has.AtLeast(version.MustParseSemantic(first))
}()
