// Package trap stops a process at some of its system calls and asks what is to become of each, by the kernel's seccomp
// user notification: a call that is asked about has done nothing yet, and waits for the answer.
package trap

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// paths are the positions of a system call's paths among its arguments.
type paths []int

// trapped are the calls to ask about: renames always, opening files only where asked for, because there are thousands.
func trapped(alsoOpens bool) map[int32]paths {
	calls := maps.Clone(renames)
	if alsoOpens {
		maps.Copy(calls, opens)
	}
	return calls
}

// program is the filter: calls with these numbers on this architecture are asked about, all others go on.
func program(arch uint32, numbers []int32) []unix.SockFilter {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		answer = unix.BPF_RET | unix.BPF_K

		number, kind = 0, 4 // offsets in struct seccomp_data
	)
	n := len(numbers)
	text := []unix.SockFilter{{Code: load, K: kind}, {Code: equal, K: arch, Jf: uint8(n + 1)}, {Code: load, K: number}}
	for i, call := range numbers {
		text = append(text, unix.SockFilter{Code: equal, K: uint32(call), Jt: uint8(n - i)})
	}
	return append(text,
		unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ALLOW}, unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_USER_NOTIF})
}

// install puts the filter on this thread, and on what it executes, and returns where to be asked. It wants to be root of a
// user namespace, and the thread locked.
func install(alsoOpens bool) (int, error) {
	calls := trapped(alsoOpens)
	if len(calls) == 0 {
		return 0, fmt.Errorf("system calls cannot be trapped on %s", runtime.GOARCH)
	}
	text := program(architecture, slices.Sorted(maps.Keys(calls)))
	whole := unix.SockFprog{Len: uint16(len(text)), Filter: &text[0]}
	// Killable: a call that is asked about is not taken back because a signal comes, and then asked about again.
	listener, err := setFilter(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &whole)
	if errors.Is(err, unix.EINVAL) { // before Linux 5.19; see Listener.answer
		listener, err = setFilter(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, &whole)
	}
	if err != nil {
		return 0, fmt.Errorf("the kernel does not let system calls be trapped (seccomp user notification): %w", err)
	}
	return listener, nil
}

func setFilter(flags uintptr, whole *unix.SockFprog) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(whole)))
	if errno != 0 {
		return 0, errno
	}
	return int(fd), nil
}
