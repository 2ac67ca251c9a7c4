package trap

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const writer = "PINPROOF_TEST_WRITES" // set: this test binary is a process that writes files, in the directory it names

// TestMain makes this binary the process that is trapped, as the node agent makes itself one.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == Command:
		runtime.LockOSThread()
		// The node agent is root, if only of its own namespace; who runs tests may be anybody.
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			panic(err)
		}
		os.Exit(Main(os.Args[2:]))
	case len(os.Args) > 1 && os.Args[1] == ByName:
		runtime.LockOSThread()
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			panic(err) // same
		}
		os.Exit(MainByName(os.Args[2:]))
	case os.Getenv(writer) != "":
		os.Exit(write(os.Getenv(writer)))
	default:
		os.Exit(m.Run())
	}
}

// write gives the file `state` the texts 1 and 2, and another file a text, and reads `state`; it tells what went wrong.
func write(directory string) int {
	for _, pair := range [][2]string{{"state", "1"}, {"other", "x"}, {"state", "2"}} {
		draft := filepath.Join(directory, "."+pair[1])
		err := os.WriteFile(draft, []byte(pair[1]), 0o600)
		if err == nil {
			err = os.Rename(draft, filepath.Join(directory, pair[0]))
		}
		fmt.Println(pair[0], pair[1], errors.Unwrap(err))
	}
	_, err := os.ReadFile(filepath.Join(directory, "state"))
	fmt.Println("read", errors.Unwrap(err))
	return 0
}

// run lets a process write under a trap; the words of the process, and how it ended.
func run(t *testing.T, directory string, files *Files, opens bool) (string, syscall.WaitStatus) {
	t.Helper()
	self, err := unix.Open("/proc/self/exe", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(self)
	var words strings.Builder
	cmd := exec.Command("writer")
	cmd.Err = nil // it is no command to be looked up
	cmd.Stdout, cmd.Stderr, cmd.Env = &words, &words, append(os.Environ(), writer+"="+directory)
	pidfd := -1
	cmd.SysProcAttr = &syscall.SysProcAttr{PidFD: &pidfd}
	birth, err := Wrap(cmd, self, opens)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listener, err := birth.Listener()
	birth.Close()
	if err != nil {
		_ = cmd.Wait()
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- listener.Serve(pidfd, files.Decide) }()
	_ = cmd.Wait() // how it ended is what the test is about
	if err := <-served; err != nil {
		t.Error(err)
	}
	return words.String(), cmd.ProcessState.Sys().(syscall.WaitStatus)
}

type noted []string

func newFiles(directory string) (*Files, *noted) {
	notes := &noted{}
	return NewFiles(directory, []string{"state"}, func(file, text string) { *notes = append(*notes, file+" "+text) }), notes
}

// contents are the files of a directory and their texts.
func contents(t *testing.T, directory string) string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(directory, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, entry.Name()+"="+string(text))
	}
	return strings.Join(list, " ")
}

// A process that is trapped and not meddled with does what it would have done; its writes are noted.
func TestNothingIsMeddledWith(t *testing.T) {
	directory := t.TempDir()
	files, notes := newFiles(directory)
	words, status := run(t, directory, files, true)

	want := "state 1 <nil>\nother x <nil>\nstate 2 <nil>\nread <nil>\n"
	if words != want || !status.Exited() || contents(t, directory) != "other=x state=2" {
		t.Errorf("it said %q, ended with %v and left %s", words, status, contents(t, directory))
	}
	if got := strings.Join(*notes, ", "); got != "state 1, state 2" {
		t.Errorf("noted: %s", got)
	}
}

// At each moment of each write the process is killed there, and the files are what they are at that moment.
func TestKillAtWrite(t *testing.T) {
	for write, want := range map[Write]string{
		{"state", 1, Before}:  "",
		{"state", 1, Unnamed}: ".1=1",
		{"state", 1, After}:   "state=1",
		{"state", 2, Before}:  "other=x state=1",
		{"state", 2, Unnamed}: ".2=2 other=x state=1",
		{"state", 2, After}:   "other=x state=2",
	} {
		directory := t.TempDir()
		files, _ := newFiles(directory)
		if err := files.Arm(write); err != nil {
			t.Fatal(err)
		}
		_, status := run(t, directory, files, false)

		if got := contents(t, directory); !status.Signaled() || status.Signal() != syscall.SIGKILL || got != want {
			t.Errorf("%v: ended with %v, want %q, got %q", write, status, want, got)
		}
		if !files.Disarm() || files.Disarm() {
			t.Errorf("%v: it was reached, once", write)
		}
	}
}

// A write that does not come kills nothing.
func TestWriteThatDoesNotCome(t *testing.T) {
	directory := t.TempDir()
	files, _ := newFiles(directory)
	if err := files.Arm(Write{"state", 3, After}); err != nil {
		t.Fatal(err)
	}
	_, status := run(t, directory, files, false)

	if !status.Exited() || files.Disarm() || contents(t, directory) != "other=x state=2" {
		t.Errorf("ended with %v and left %s", status, contents(t, directory))
	}
}

// On each disk the calls that cannot succeed fail with its error, and those of other files go on.
func TestDisks(t *testing.T) {
	for state, want := range map[string]string{
		"works":      "state 1 <nil>\nother x <nil>\nstate 2 <nil>\nread <nil>\n",
		"full":       "state 1 no space left on device\nother x <nil>\nstate 2 no space left on device\nread no such file or directory\n",
		"read-only":  "state 1 read-only file system\nother x <nil>\nstate 2 read-only file system\nread no such file or directory\n",
		"unreadable": "state 1 <nil>\nother x <nil>\nstate 2 <nil>\nread permission denied\n",
	} {
		directory := t.TempDir()
		files, _ := newFiles(directory)
		if err := files.Disk("state", state); err != nil {
			t.Fatal(err)
		}
		if words, _ := run(t, directory, files, true); words != want {
			t.Errorf("%s: want %q, got %q", state, want, words)
		}
	}
}

// After a write on a disk that does not take it there is nothing new, though the process is killed after it.
func TestKillOnAFullDisk(t *testing.T) {
	directory := t.TempDir()
	files, _ := newFiles(directory)
	if err := errors.Join(files.Disk("state", "full"), files.Arm(Write{"state", 1, After})); err != nil {
		t.Fatal(err)
	}
	_, status := run(t, directory, files, false)

	if got := contents(t, directory); !status.Signaled() || got != ".1=1" {
		t.Errorf("ended with %v and left %s", status, got)
	}
}

// What cannot be is refused when it is asked for.
func TestRefusals(t *testing.T) {
	files, _ := newFiles("/nowhere")
	for _, err := range []error{
		files.Arm(Write{"other", 1, After}), files.Arm(Write{"state", 0, After}), files.Arm(Write{"state", 1, "during"}),
		files.Disk("other", "full"), files.Disk("state", "slow"),
	} {
		if err == nil {
			t.Error("want an error")
		}
	}
}

// evaluate runs a filter as the kernel would.
func evaluate(filter []unix.SockFilter, arch uint32, number int32) uint32 {
	var value uint32
	for at := 0; ; at++ {
		switch line := filter[at]; line.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			value = map[uint32]uint32{0: uint32(number), 4: arch}[line.K]
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			if value == line.K {
				at += int(line.Jt)
			} else {
				at += int(line.Jf)
			}
		default:
			return line.K
		}
	}
}

// The filter asks about its calls, each of them, on its architecture alone.
func TestFilter(t *testing.T) {
	filter := program(7, []int32{82, 264, 316})
	for number, want := range map[int32]uint32{
		82: unix.SECCOMP_RET_USER_NOTIF, 264: unix.SECCOMP_RET_USER_NOTIF, 316: unix.SECCOMP_RET_USER_NOTIF,
		0: unix.SECCOMP_RET_ALLOW, 83: unix.SECCOMP_RET_ALLOW, 82 | 0x40000000: unix.SECCOMP_RET_ALLOW,
	} {
		if got := evaluate(filter, 7, number); got != want {
			t.Errorf("call %d: want %x, got %x", number, want, got)
		}
	}
	if got := evaluate(filter, 8, 82); got != unix.SECCOMP_RET_ALLOW {
		t.Errorf("another architecture: %x", got)
	}
}

func TestAProcessThatSomebodyElseStartsIsTrapped(t *testing.T) {
	directory := t.TempDir()
	await, err := NewAwait(filepath.Join(directory, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	files := NewFiles(directory, []string{"state"}, func(string, string) {})
	if err := files.Arm(Write{File: "state", Number: 2, Moment: Before}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", ByName, filepath.Join(directory, "socket"), "/proc/self/exe")
	cmd.Env = append(os.Environ(), writer+"="+directory)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listener, pidfd, err := await.Listener(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	if err := listener.Serve(pidfd, files.Decide); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it is killed
	if text, _ := os.ReadFile(filepath.Join(directory, "state")); string(text) != "1" || !files.Disarm() {
		t.Errorf("the file has %q", text)
	}
}

func TestNobodyIsTrappedWhereNobodyWaits(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", ByName, filepath.Join(t.TempDir(), "socket"), "/proc/self/exe")
	cmd.Env = append(os.Environ(), writer+"="+t.TempDir())
	if said, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(said), "nobody waits") {
		t.Errorf("%v: %s", err, said)
	}
}
