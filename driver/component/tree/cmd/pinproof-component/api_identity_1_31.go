//go:build since_1_31

package main

// knownByName: a running container is the one of the manifest if it was made of the same name and image (#124220).
const knownByName = true
