package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"pinproof.dev/driver/internal/containerd"
	"pinproof.dev/driver/internal/kubelet"
	"pinproof.dev/driver/internal/mounts"
	"pinproof.dev/driver/internal/workload"
)

// guestOperations are those of a node that is a machine of its own: nothing is made there but what its kernel shows.
func guestOperations(runtime *containerd.Runtime, ready func() error) map[string]operation {
	g := guest{runtime, ready}
	all := maps.Clone(operations)
	for _, name := range []string{"machine", "fault", "forget_all"} {
		delete(all, name)
	}
	maps.Copy(all, map[string]operation{
		"setup": {carryOut: with(g.setup)},
		"write": {carryOut: with(g.write)},
		"pages": {carryOut: with(g.pages), beside: true},
		"purge": {carryOut: with(g.purge)},
		"sync":  {carryOut: with(g.sync)},
		"still": {carryOut: with(g.still)},
		"ready": {carryOut: with(g.await)},
		"renew": {carryOut: with(g.renew)},
	})
	return all
}

// Guest serves a machine until the input ends; ready waits until its container runtime is.
func Guest(in io.Reader, out io.Writer, ready func() error) error {
	runtime, err := containerd.Connect()
	if err != nil {
		return err
	}
	node := newAgent("guest")
	node.has, node.rhythm = contained{runtime}, emulated
	defer node.kill()
	return serve(node, guestOperations(runtime, ready), in, out)
}

// emulated is the rhythm of a machine whose instructions are emulated: questions keep a kubelet from its work.
var emulated = rhythm{100 * time.Millisecond, 400 * time.Millisecond}

// contained are the containers of a real runtime.
type contained struct{ runtime *containerd.Runtime }

func (c contained) List(ctx context.Context, everything bool) ([]Container, error) {
	found, err := c.runtime.Containers(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Container, 0, len(found))
	for _, one := range found {
		var details containerd.Details
		if everything {
			if details, err = c.runtime.Details(ctx, one.ID); err != nil {
				continue // it was removed meanwhile
			}
		}
		list = append(list, Container{
			UID: one.UID, Namespace: one.Namespace, Pod: one.Pod, Container: one.Container, Attempt: one.Attempt,
			State: one.State, Mems: details.Mems, CPUs: details.CPUs, ExitCode: details.ExitCode,
		})
	}
	return list, nil
}

func (c contained) Exit(ctx context.Context, uid, name string, code int32) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list, err := c.runtime.Containers(ctx)
	if err != nil {
		return err
	}
	newest := containerd.Latest(list, uid, name)
	if newest == nil || newest.State != "running" {
		return fmt.Errorf("container %q of pod %q is not running", name, uid)
	}
	return c.runtime.End(ctx, newest.ID, int(code))
}

// Forget leaves it to the kubelet, which collects what ended pods have left once a minute.
func (contained) Forget(context.Context, []string) error { return nil }

func (contained) Changed() <-chan struct{} { return nil }

type guest struct {
	runtime *containerd.Runtime
	ready   func() error
}

// await waits for the container runtime.
func (g guest) await(*agent, context.Context, struct{}) (reply, error) { return nil, g.ready() }

type guestSetup struct {
	Kubelets map[string]string `json:"kubelets"`
	Time     int64             `json:"time"`       // nanoseconds since 1970
	Sizes    []string          `json:"page_sizes"` // of huge pages, as in sysfs (2048kB): those that the node offers
}

func (g guest) setup(a *agent, _ context.Context, r guestSetup) (reply, error) {
	if err := g.ready(); err != nil {
		return nil, err
	}
	if err := unix.Settimeofday(&unix.Timeval{Sec: r.Time / 1e9, Usec: r.Time % 1e9 / 1e3}); err != nil {
		return nil, fmt.Errorf("set the clock: %w", err)
	}
	// Not before, because whoever freezes a machine does not know which kubelets it will run.
	const readOnly = unix.MS_RDONLY | unix.MS_NOATIME
	if err := unix.Mount("/dev/vdb", "/kubelets", "ext4", readOnly, ""); err != nil {
		return nil, fmt.Errorf("mount the disk of kubelets: %w", err)
	}
	for name, path := range r.Kubelets {
		binary, err := kubelet.Open(path)
		if err != nil {
			return nil, err
		}
		a.kubelets[name] = binary
	}
	return nil, mounts.OfferOnly(r.Sizes)
}

func (guest) write(_ *agent, _ context.Context, r writeRequest) (reply, error) {
	return nil, applyAll(r)
}

type purgeRequest struct {
	Timeout millis `json:"timeout_ms"`
}

// purge removes what pods have left in the runtime, while no kubelet runs.
func (g guest) purge(a *agent, ctx context.Context, r purgeRequest) (reply, error) {
	if a.running() {
		return nil, errors.New("the kubelet runs")
	}
	ctx, cancel := context.WithTimeout(ctx, r.Timeout.duration())
	defer cancel()
	return nil, g.runtime.Purge(ctx)
}

// sync writes everything to the disk.
func (guest) sync(*agent, context.Context, struct{}) (reply, error) {
	syncDisks()
	return nil, nil
}

// still writes everything to the disk and lets nobody change it any more: whoever tries waits until the machine has no power.
func (guest) still(*agent, context.Context, struct{}) (reply, error) {
	const freeze = 0xc0045877 // FIFREEZE
	root, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	if err := unix.IoctlSetInt(root, freeze, 0); err != nil {
		return nil, fmt.Errorf("freeze the disk's file system: %w", err)
	}
	return nil, nil
}

type pagesRequest struct {
	Timeout millis `json:"timeout_ms"`
}

// pages tells where the memory of each running container lies, in the kernel's own words, once all of them have touched
// what they were told to.
func (g guest) pages(a *agent, ctx context.Context, r pagesRequest) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout.duration())
	defer cancel()
	for {
		seen, touched, err := g.look(ctx)
		late := ctx.Err() != nil
		if err != nil && !late {
			return nil, err
		}
		if touched || late {
			log, err := kernelLog()
			return reply{"containers": seen, "kernel_log": log, "totals": totals(), "timeout": !touched}, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(emulated.slow): // nobody announces that a process has another name
		}
	}
}

func (g guest) look(ctx context.Context) (seen []map[string]any, touched bool, err error) {
	list, err := g.runtime.Containers(ctx)
	if err != nil {
		return nil, false, err
	}
	seen, touched = []map[string]any{}, true
	for _, one := range list {
		if one.State != "running" {
			continue
		}
		details, err := g.runtime.Details(ctx, one.ID)
		if err != nil || details.PID <= 0 {
			continue // it ended meanwhile
		}
		proc := fmt.Sprintf("/proc/%d/", details.PID)
		// The maps last: those of a process that has ended are empty, and all that was read before is of a living one.
		name, status := textOf(proc+"comm"), textOf(proc+"status")
		mems, effective := textOf(cgroupOf(proc)+"/cpuset.mems"), textOf(cgroupOf(proc)+"/cpuset.mems.effective")
		maps := textOf(proc + "numa_maps")
		if name == nil || status == nil || mems == nil || effective == nil || maps == nil || *maps == "" {
			continue // same
		}
		touched = touched && *name == workload.Touched+"\n"
		seen = append(seen, map[string]any{
			"uid": one.UID, "container": one.Container, "attempt": one.Attempt, "name": *name,
			"numa_maps": maps, "status": status, "mems": mems, "effective": effective,
		})
	}
	return seen, touched, nil
}

// totals are the kernel's own words on each node's memory.
func totals() map[string]*string {
	found := map[string]*string{}
	entries, err := os.ReadDir(mounts.Nodes)
	if err != nil {
		return found
	}
	for _, entry := range entries {
		if text := textOf(mounts.Nodes + "/" + entry.Name() + "/meminfo"); text != nil {
			found[entry.Name()] = text
		}
	}
	return found
}
