//go:build !since_1_31

package main

// knownByName: a running container is the one of the manifest only if it was made of the same spec as a whole.
const knownByName = false
