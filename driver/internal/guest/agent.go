package guest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"pinproof.dev/driver/internal/containerd"
	"pinproof.dev/driver/internal/control"
)

const (
	port     = "/dev/vport0p1"
	log      = "/var/log/containerd.log"
	images   = "/images/node.tar"
	imported = "/var/lib/containerd/.imported" // on the same disk as what was imported

	quick    = 10 * time.Millisecond
	patience = 10 * time.Minute // who asks is less patient
)

// Agent starts the container runtime and serves the port; it returns when it is told to shut down.
func Agent() int {
	if err := agent(); err != nil {
		fmt.Fprintln(os.Stderr, "pinproof-agent:", err)
		return 1
	}
	return 0
}

func agent() error {
	// Whoever runs out of memory in a cpuset must not take us, or the runtime, for the culprit.
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("-999"), 0); err != nil {
		return err
	}
	say("the agent starts")
	ready := make(chan error, 1)
	go func() { ready <- startRuntime() }()
	channel, err := openPort()
	if err != nil {
		return err
	}
	defer channel.Close()
	return control.Guest(channel, channel, sync.OnceValue(func() error { return <-ready }))
}

// say writes to the console how far the machine is, with the seconds since its kernel started.
func say(what string) {
	uptime, _ := os.ReadFile("/proc/uptime") // it is there once /proc is
	seconds, _, _ := strings.Cut(string(uptime), " ")
	fmt.Fprintf(os.Stderr, "pinproof: %s s: %s\n", seconds, what)
}

func startRuntime() error {
	output, err := os.Create(log)
	if err != nil {
		return err
	}
	defer output.Close()
	command := exec.Command("containerd")
	command.Stdout, command.Stderr = output, output
	command.Env = append(os.Environ(), "GOGC=400") // for what it starts, too: programs of a moment, which need not collect garbage
	if err := command.Start(); err != nil {
		return err
	}
	go func() { _ = command.Wait() }() // what it says is in its log
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := containerd.Await(ctx); err != nil {
		return err
	}
	say("containerd answers")
	if _, err := os.Stat(imported); err == nil {
		return nil
	}
	said, err := exec.CommandContext(ctx, "ctr", "-n", "k8s.io", "images", "import", images).CombinedOutput()
	if err != nil {
		return fmt.Errorf("import the images: %w: %s", err, said)
	}
	say("the images are imported")
	return os.WriteFile(imported, nil, 0o644)
}

// A channel is the machine's port. Nobody at the other end looks like the end of a file, and is none.
type channel struct{ fd int }

func openPort() (*channel, error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(quick) { // the device appears when its driver is ready
		fd, err := unix.Open(port, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err == nil {
			return &channel{fd}, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("open %s: %w", port, err)
		}
	}
}

func (c *channel) Read(data []byte) (int, error) {
	for {
		n, err := unix.Read(c.fd, data)
		switch {
		case n > 0:
			return n, nil
		case err != nil && err != unix.EINTR && err != unix.EAGAIN:
			return 0, err
		}
		time.Sleep(quick) // until there is somebody
	}
}

func (c *channel) Write(data []byte) (int, error) {
	written := 0
	for written < len(data) {
		n, err := unix.Write(c.fd, data[written:])
		if n > 0 {
			written += n
		} else if err != nil && err != unix.EINTR && err != unix.EAGAIN {
			return written, err
		} else {
			time.Sleep(quick)
		}
	}
	return written, nil
}

func (c *channel) Close() error { return unix.Close(c.fd) }

var _ io.ReadWriteCloser = (*channel)(nil)
