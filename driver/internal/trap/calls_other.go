//go:build !amd64 && !arm64

package trap

// Nothing can be trapped on other architectures.
const architecture = 0

var renames, opens map[int32]paths
