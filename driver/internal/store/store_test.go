package store

import (
	"errors"
	"slices"
	"testing"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func newPod(s *Store, uid string) Sandbox {
	return s.RunSandbox(&cri.PodSandboxConfig{Metadata: &cri.PodSandboxMetadata{Uid: uid, Name: uid}}, "")
}

func newContainer(t *testing.T, s *Store, box Sandbox, name string, attempt uint32) Container {
	t.Helper()
	c, err := s.CreateContainer(box.ID, &cri.ContainerConfig{
		Metadata: &cri.ContainerMetadata{Name: name, Attempt: attempt},
		Linux: &cri.LinuxContainerConfig{
			Resources: &cri.LinuxContainerResources{CpusetMems: "0", CpusetCpus: "1-2", CpuShares: 1024},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func stateOf(t *testing.T, s *Store, id string) string {
	t.Helper()
	c, err := s.Container(id)
	if errors.Is(err, ErrNotFound) {
		return "removed"
	}
	return StateName(c.State)
}

// A container is created, runs, ends with the code it was told to, and is removed.
func TestContainerLifeCycle(t *testing.T) {
	s := New()
	c := newContainer(t, s, newPod(s, "u"), "c", 0)
	states := []string{stateOf(t, s, c.ID)}
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, stateOf(t, s, c.ID))
	}
	step(s.StartContainer(c.ID))
	step(s.Exit("u", "c", 7))
	ended, _ := s.Container(c.ID)
	s.RemoveContainer(c.ID)
	step(nil)

	if want := []string{"created", "running", "exited", "removed"}; !slices.Equal(want, states) {
		t.Errorf("want the states %v, got %v", want, states)
	}
	if ended.ExitCode != 7 || ended.CreatedAt >= ended.StartedAt || ended.StartedAt >= ended.FinishedAt {
		t.Errorf("want exit code 7 and rising times, got %+v", ended)
	}
}

// What the life cycle does not allow is an error, and changes nothing.
func TestImpossibleSteps(t *testing.T) {
	s := New()
	box := newPod(s, "u")
	c := newContainer(t, s, box, "c", 0)
	if s.Exit("u", "c", 0) == nil {
		t.Error("a container that was never started must not exit")
	}
	s.StopContainer(c.ID)
	if s.StartContainer(c.ID) == nil {
		t.Error("a container that has ended must not start again")
	}
	s.StopSandbox(box.ID)
	if _, err := s.CreateContainer(box.ID, &cri.ContainerConfig{}); err == nil {
		t.Error("a sandbox that is not ready must not take a container")
	}
	if err := s.StartContainer("container-99"); !errors.Is(err, ErrNotFound) {
		t.Errorf("want ErrNotFound, got %v", err)
	}
}

// Stopping a sandbox ends its containers and no others; removing it forgets them.
func TestSandboxTakesItsContainersAlong(t *testing.T) {
	s := New()
	box, other := newPod(s, "u"), newPod(s, "v")
	mine, theirs := newContainer(t, s, box, "c", 0), newContainer(t, s, other, "c", 0)
	for _, c := range []Container{mine, theirs} {
		if err := s.StartContainer(c.ID); err != nil {
			t.Fatal(err)
		}
	}
	s.StopSandbox(box.ID)
	stopped := stateOf(t, s, mine.ID)
	s.RemoveSandbox(box.ID)

	if got := []string{stopped, stateOf(t, s, mine.ID), stateOf(t, s, theirs.ID)}; !slices.Equal(
		[]string{"exited", "removed", "running"}, got) {
		t.Errorf("want exited, removed and the other running, got %v", got)
	}
}

// Forgetting a pod leaves nothing of it once its sandboxes are stopped, and everything of the others.
func TestForget(t *testing.T) {
	s := New()
	stopped, running := newPod(s, "u"), newPod(s, "u")
	newContainer(t, s, stopped, "c", 0)
	newContainer(t, s, running, "c", 1)
	newContainer(t, s, newPod(s, "v"), "c", 2)
	left := func() (attempts []uint32) {
		for _, c := range s.Containers(func(Container) bool { return true }) {
			attempts = append(attempts, c.Config.GetMetadata().GetAttempt())
		}
		return attempts
	}
	s.StopSandbox(stopped.ID)
	s.Forget("u")
	before := left()
	s.StopSandbox(running.ID)
	after := left()

	if !slices.Equal([]uint32{1, 2}, before) || !slices.Equal([]uint32{2}, after) {
		t.Errorf("want 1 and 2, then 2 alone, got %v, then %v", before, after)
	}
}

// A kubelet may stop and remove twice, or what is not there.
func TestStoppingAndRemovingIsIdempotent(t *testing.T) {
	s := New()
	box := newPod(s, "u")
	c := newContainer(t, s, box, "c", 0)
	for range 2 {
		s.StopContainer(c.ID)
		s.RemoveContainer(c.ID)
		s.StopSandbox(box.ID)
		s.RemoveSandbox(box.ID)
	}

	everything := len(s.Sandboxes(func(Sandbox) bool { return true })) + len(s.Containers(func(Container) bool { return true }))
	if everything != 0 {
		t.Errorf("want an empty store, got %d entries", everything)
	}
}

// The newest attempt stands for the container, and it is the one that exits.
func TestNewestAttempt(t *testing.T) {
	s := New()
	box := newPod(s, "u")
	for attempt := range uint32(2) {
		if err := s.StartContainer(newContainer(t, s, box, "c", attempt).ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Exit("u", "c", 1); err != nil {
		t.Fatal(err)
	}
	latest, _ := s.Latest("u", "c")

	if latest.Config.GetMetadata().GetAttempt() != 1 || latest.Running() {
		t.Errorf("want attempt 1 ended, got %+v", latest)
	}
}

// An update changes what it names and leaves the rest.
func TestUpdateResources(t *testing.T) {
	s := New()
	c := newContainer(t, s, newPod(s, "u"), "c", 0)
	if err := s.UpdateResources(c.ID, &cri.LinuxContainerResources{CpusetMems: "0-1"}); err != nil {
		t.Fatal(err)
	}
	after, _ := s.Container(c.ID)

	if r := after.Resources; r.GetCpusetMems() != "0-1" || r.GetCpusetCpus() != "1-2" || r.GetCpuShares() != 1024 {
		t.Errorf("want only cpuset_mems changed, got %v", r)
	}
	if c.Resources.GetCpusetMems() != "0" {
		t.Error("a copy that was given out must not change")
	}
}

// Whoever took the channel before a change is woken by it, and a listener hears each event once.
func TestChangesAreTold(t *testing.T) {
	s := New()
	events, stop := s.Listen()
	changed := s.Changed()
	box := newPod(s, "u")
	<-changed
	stop()
	s.StopSandbox(box.ID)

	if len(events) != 2 {
		t.Errorf("want created and started while listening, got %d events", len(events))
	}
}
