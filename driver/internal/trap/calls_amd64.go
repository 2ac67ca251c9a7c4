package trap

import "golang.org/x/sys/unix"

const architecture = unix.AUDIT_ARCH_X86_64

// renames and opens are the system calls of their kind → the positions of their paths among the arguments.
var (
	renames = map[int32]paths{unix.SYS_RENAME: {0, 1}, unix.SYS_RENAMEAT: {1, 3}, unix.SYS_RENAMEAT2: {1, 3}}
	opens   = map[int32]paths{unix.SYS_OPEN: {0}, unix.SYS_OPENAT: {1}, unix.SYS_OPENAT2: {1}}
)
