package store

import (
	"fmt"
	"slices"
	"syscall"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// CreateContainer adds a created container to a ready sandbox.
func (s *Store) CreateContainer(sandboxID string, config *cri.ContainerConfig) (Container, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	box, err := s.sandbox(sandboxID)
	if err != nil {
		return Container{}, err
	}
	if !box.Ready {
		return Container{}, fmt.Errorf("sandbox %q is not ready", sandboxID)
	}
	c := &Container{
		ID: s.newID("container"), Sandbox: *box, Config: config, Resources: config.GetLinux().GetResources(),
		State: cri.ContainerState_CONTAINER_CREATED, CreatedAt: s.now(),
	}
	s.containers = append(s.containers, c)
	s.tell(Event{cri.ContainerEventType_CONTAINER_CREATED_EVENT, c.ID, *box})
	return *c, nil
}

// StartContainer lets a created container run.
func (s *Store) StartContainer(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.container(id)
	if err != nil {
		return err
	}
	if c.State != cri.ContainerState_CONTAINER_CREATED {
		return fmt.Errorf("container %q is %s and cannot be started", id, StateName(c.State))
	}
	c.State, c.StartedAt = cri.ContainerState_CONTAINER_RUNNING, s.now()
	s.tell(Event{cri.ContainerEventType_CONTAINER_STARTED_EVENT, c.ID, c.Sandbox})
	return nil
}

// stopped is the code of a process that does not handle SIGTERM. With 0 a pod that is rejected at a restart, and does not
// restart its containers always, would end up Succeeded, and its status would have no reason any more.
const stopped = 128 + int32(syscall.SIGTERM)

// StopContainer ends a container as SIGTERM does. One that has ended, or is gone, is already stopped.
func (s *Store) StopContainer(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, err := s.container(id); err == nil {
		s.finish(c, stopped)
	}
}

// Exit ends the running container of a pod with a code of its own choice.
func (s *Store) Exit(uid, name string, code int32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Backward(s.containers) {
		if c.UID() == uid && c.Name() == name && c.Running() {
			s.finish(c, code)
			return nil
		}
	}
	return fmt.Errorf("container %q of pod %q is not running", name, uid)
}

// RemoveContainer ends a container and forgets it. Removing it twice is no error.
func (s *Store) RemoveContainer(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, err := s.container(id); err == nil {
		s.finish(c, stopped)
		s.forget(c)
	}
}

// UpdateResources notes what a kubelet changes of a container's resources; what it leaves unset stays.
func (s *Store) UpdateResources(id string, change *cri.LinuxContainerResources) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.container(id)
	if err != nil {
		return err
	}
	c.Resources = merged(c.Resources, change)
	return nil
}

// Container returns the container with the id, or ErrNotFound.
func (s *Store) Container(id string) (Container, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.container(id)
	if err != nil {
		return Container{}, err
	}
	return *c, nil
}

// Containers returns those that keep accepts, oldest first.
func (s *Store) Containers(keep func(Container) bool) []Container {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Container
	for _, c := range s.containers {
		if keep(*c) {
			found = append(found, *c)
		}
	}
	return found
}

// Latest returns the newest attempt at a container of a pod.
func (s *Store) Latest(uid, name string) (Container, bool) {
	all := s.Containers(func(c Container) bool { return c.UID() == uid && c.Name() == name })
	if len(all) == 0 {
		return Container{}, false
	}
	return all[len(all)-1], true
}

// StateName is the word of the protocol for a state.
func StateName(state cri.ContainerState) string {
	switch state {
	case cri.ContainerState_CONTAINER_CREATED:
		return "created"
	case cri.ContainerState_CONTAINER_RUNNING:
		return "running"
	case cri.ContainerState_CONTAINER_EXITED:
		return "exited"
	default:
		return "unknown"
	}
}

// finish ends a container that has not ended yet; the lock is held.
func (s *Store) finish(c *Container, code int32) {
	if c.State == cri.ContainerState_CONTAINER_EXITED {
		return
	}
	c.State, c.ExitCode, c.FinishedAt = cri.ContainerState_CONTAINER_EXITED, code, s.now()
	s.tell(Event{cri.ContainerEventType_CONTAINER_STOPPED_EVENT, c.ID, c.Sandbox})
}

// forget drops a container; the lock is held.
func (s *Store) forget(c *Container) {
	s.containers = slices.DeleteFunc(s.containers, func(other *Container) bool { return other == c })
	s.tell(Event{cri.ContainerEventType_CONTAINER_DELETED_EVENT, c.ID, c.Sandbox})
}

func merged(old, change *cri.LinuxContainerResources) *cri.LinuxContainerResources {
	next := &cri.LinuxContainerResources{
		CpuPeriod:              either(change.GetCpuPeriod(), old.GetCpuPeriod()),
		CpuQuota:               either(change.GetCpuQuota(), old.GetCpuQuota()),
		CpuShares:              either(change.GetCpuShares(), old.GetCpuShares()),
		MemoryLimitInBytes:     either(change.GetMemoryLimitInBytes(), old.GetMemoryLimitInBytes()),
		OomScoreAdj:            either(change.GetOomScoreAdj(), old.GetOomScoreAdj()),
		CpusetCpus:             either(change.GetCpusetCpus(), old.GetCpusetCpus()),
		CpusetMems:             either(change.GetCpusetMems(), old.GetCpusetMems()),
		MemorySwapLimitInBytes: either(change.GetMemorySwapLimitInBytes(), old.GetMemorySwapLimitInBytes()),
		HugepageLimits:         old.GetHugepageLimits(),
		Unified:                old.GetUnified(),
	}
	if len(change.GetHugepageLimits()) > 0 {
		next.HugepageLimits = change.GetHugepageLimits()
	}
	if len(change.GetUnified()) > 0 {
		next.Unified = change.GetUnified()
	}
	return next
}

// either is a unless it is unset.
func either[T comparable](a, b T) T {
	var unset T
	if a == unset {
		return b
	}
	return a
}
