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
	s.tell(Event{cri.ContainerEventType_CONTAINER_CREATED_EVENT, box.ID, box.ID})
	s.tell(Event{cri.ContainerEventType_CONTAINER_STARTED_EVENT, box.ID, box.ID})
	return *box
}

// StopSandbox ends the sandbox and its running containers. A sandbox that is gone is already stopped.
func (s *Store) StopSandbox(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if box, err := s.sandbox(id); err == nil {
		s.stopSandbox(box)
	}
}

func (s *Store) stopSandbox(box *Sandbox) {
	for _, c := range s.containers {
		if c.Sandbox.ID == box.ID {
			s.finish(c, 0)
		}
	}
	if box.Ready {
		box.Ready = false
		s.tell(Event{cri.ContainerEventType_CONTAINER_STOPPED_EVENT, box.ID, box.ID})
	}
}

// RemoveSandbox stops the sandbox and forgets it and its containers. Removing it twice is no error.
func (s *Store) RemoveSandbox(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	box, err := s.sandbox(id)
	if err != nil {
		return
	}
	s.stopSandbox(box)
	for _, c := range slices.Clone(s.containers) {
		if c.Sandbox.ID == id {
			s.forget(c)
		}
	}
	s.sandboxes = slices.DeleteFunc(s.sandboxes, func(b *Sandbox) bool { return b.ID == id })
	s.tell(Event{cri.ContainerEventType_CONTAINER_DELETED_EVENT, id, id})
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
