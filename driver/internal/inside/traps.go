package inside

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"pinproof.dev/driver/internal/kubelet"
	"pinproof.dev/driver/internal/trap"
)

const (
	// trapSocket is where a trapped kubelet, which systemd starts, sends its listener.
	trapSocket = "/run/pinproof-trap.sock"

	birth = 20 * time.Second // from the start of the unit until the kubelet is trapped
)

// stateFiles are the checkpoints of the two managers, in the kubelet's directory.
var stateFiles = []string{"memory_manager_state", "cpu_manager_state"}

func newFiles() *trap.Files {
	return trap.NewFiles(kubelet.Root, stateFiles, func(string, string) {}) // nobody reads every text of them here
}

// useTrapped makes a kubelet the one that the unit starts, trapped from its first instruction on.
func useTrapped(path string, alsoOpens bool) error {
	own, err := os.Executable()
	if err != nil {
		return err
	}
	words := []string{"exec", own, trap.ByName, trapSocket}
	if alsoOpens {
		words = append(words, trap.Opens)
	}
	text := "#!/bin/sh\n" + strings.Join(append(words, path, `"$@"`), " ") + "\n"
	draft := filepath.Join(filepath.Dir(program), ".kubelet")
	_ = os.Remove(draft) // left by a node that lost its power meanwhile
	if err := os.WriteFile(draft, []byte(text), 0o755); err != nil {
		return err
	}
	return os.Rename(draft, program)
}

// trapped starts the unit and answers for its kubelet until that has ended.
func (n *node) trapped(startUnit func() error) error {
	await, err := trap.NewAwait(trapSocket)
	if err != nil {
		return err
	}
	if err := startUnit(); err != nil {
		return err
	}
	listener, pidfd, err := await.Listener(birth)
	if err != nil {
		return fmt.Errorf("trap the kubelet: %w", err)
	}
	go func() {
		defer unix.Close(pidfd)
		_ = listener.Serve(pidfd, n.files.Decide) // an error ends it, and the kubelet's calls fail, which it says
	}()
	return nil
}

type armRequest struct {
	Write  string `json:"write"`
	Number int    `json:"number"`
	Moment string `json:"moment"`
}

// arm lets the kubelet be killed at a write of a state file; writes are counted from now on.
func (n *node) arm(_ context.Context, r armRequest) (reply, error) {
	return nil, n.files.Arm(trap.Write{File: r.Write, Number: r.Number, Moment: r.Moment})
}

// disarm says whether the write was reached; if so, the kubelet has ended when it answers.
func (n *node) disarm(ctx context.Context, _ struct{}) (reply, error) {
	reached := n.files.Disarm()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for reached && n.running() {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the kubelet was killed and has not ended: %w", ctx.Err())
		case <-time.After(quick): // systemd takes note of it
		}
	}
	body := n.exited()
	body["reached"] = reached
	return body, nil
}

type diskRequest struct {
	File  string `json:"file"`
	State string `json:"state"`
}

// disk says on what disk a state file is from now on; for a kubelet that is trapped.
func (n *node) disk(_ context.Context, r diskRequest) (reply, error) {
	return nil, n.files.Disk(r.File, r.State)
}
