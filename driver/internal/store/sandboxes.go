package store

import (
	"slices"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// RunSandbox adds a ready sandbox and returns it.
func (s *Store) RunSandbox(config *cri.PodSandboxConfig, handler string) Sandbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	box := &Sandbox{ID: s.newID("sandbox"), Config: config, Handler: handler, Ready: true, CreatedAt: s.now()}
	s.sandboxes = append(s.sandboxes, box)
	delete(s.doomed, box.uid()) // the pod is back
	s.tell(Event{cri.ContainerEventType_CONTAINER_CREATED_EVENT, box.ID, *box})
	s.tell(Event{cri.ContainerEventType_CONTAINER_STARTED_EVENT, box.ID, *box})
	return *box
}

// StopSandbox ends the sandbox and its running containers. A sandbox that is gone is already stopped.
func (s *Store) StopSandbox(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	box, err := s.sandbox(id)
	if err != nil {
		return
	}
	s.stopSandbox(box)
	if s.doomed[box.uid()] {
		delete(s.doomed, box.uid())
		s.removeSandbox(box)
	}
}

func (s *Store) stopSandbox(box *Sandbox) {
	for _, c := range s.containers {
		if c.Sandbox.ID == box.ID {
			s.finish(c, stopped)
		}
	}
	if box.Ready {
		box.Ready, box.StoppedAt = false, s.now()
		s.tell(Event{cri.ContainerEventType_CONTAINER_STOPPED_EVENT, box.ID, *box})
	}
}

// RemoveSandbox stops the sandbox and forgets it and its containers. Removing it twice is no error.
func (s *Store) RemoveSandbox(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if box, err := s.sandbox(id); err == nil {
		s.removeSandbox(box)
	}
}

func (s *Store) removeSandbox(box *Sandbox) {
	s.stopSandbox(box)
	for _, c := range slices.Clone(s.containers) {
		if c.Sandbox.ID == box.ID {
			s.forget(c)
		}
	}
	s.sandboxes = slices.DeleteFunc(s.sandboxes, func(other *Sandbox) bool { return other == box })
	s.tell(Event{cri.ContainerEventType_CONTAINER_DELETED_EVENT, box.ID, *box})
}

// Forget removes every sandbox of a pod, those that are still ready as soon as the kubelet stops them. Kubelets leave that
// to a collection once a minute, in which time a fast runner piles up thousands.
func (s *Store) Forget(uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, box := range slices.Clone(s.sandboxes) {
		switch {
		case box.uid() != uid:
		case box.Ready:
			s.doomed[uid] = true
		default:
			s.removeSandbox(box)
		}
	}
}

// Sandbox returns the sandbox with the id, or ErrNotFound.
func (s *Store) Sandbox(id string) (Sandbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	box, err := s.sandbox(id)
	if err != nil {
		return Sandbox{}, err
	}
	return *box, nil
}

// Sandboxes returns those that keep accepts, oldest first.
func (s *Store) Sandboxes(keep func(Sandbox) bool) []Sandbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Sandbox
	for _, box := range s.sandboxes {
		if keep(*box) {
			found = append(found, *box)
		}
	}
	return found
}
