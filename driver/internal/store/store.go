// Package store keeps the pod sandboxes and containers of a node and the life cycle of each.
//
//	sandbox    ready → not ready → removed
//	container  created → running → exited(code) → removed
//
// It outlives every kubelet of the node. Nothing runs: a running container is a record that says so.
package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// ErrNotFound means that no sandbox or container has the id.
var ErrNotFound = errors.New("not found")

// A Sandbox is a pod as the runtime knows it.
type Sandbox struct {
	ID        string
	Config    *cri.PodSandboxConfig
	Handler   string
	Ready     bool
	CreatedAt int64 // nanoseconds since the epoch, unique
	StoppedAt int64 // 0 while it is ready
}

func (b Sandbox) uid() string { return b.Config.GetMetadata().GetUid() }

// A Container belongs to a sandbox; several attempts at the same container of a pod may exist at once.
type Container struct {
	ID         string
	Sandbox    Sandbox // as it was when the container was created
	Config     *cri.ContainerConfig
	Resources  *cri.LinuxContainerResources
	State      cri.ContainerState
	ExitCode   int32
	CreatedAt  int64
	StartedAt  int64
	FinishedAt int64
}

// UID is that of the pod.
func (c Container) UID() string { return c.Sandbox.uid() }

// Name is that of the container in its pod.
func (c Container) Name() string { return c.Config.GetMetadata().GetName() }

// Running reports whether the container has been started and has not ended.
func (c Container) Running() bool { return c.State == cri.ContainerState_CONTAINER_RUNNING }

// An Event is a step in the life of a container or of a sandbox.
type Event struct {
	Kind    cri.ContainerEventType
	ID      string  // of the container, or of the sandbox
	Sandbox Sandbox // as it was at the event
}

// Store is safe for concurrent use. What it returns are copies.
type Store struct {
	mu         sync.Mutex
	sandboxes  []*Sandbox
	containers []*Container
	serial     int
	clock      int64
	changed    chan struct{}
	listeners  map[chan Event]bool
	doomed     map[string]bool // UIDs of pods to forget when they are stopped
}

// New returns a store without anything in it.
func New() *Store {
	return &Store{changed: make(chan struct{}), listeners: map[chan Event]bool{}, doomed: map[string]bool{}}
}

// Changed returns a channel that is closed at the next change of anything in the store.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Listen delivers every event from now on until the returned function is called. A listener that falls a thousand events
// behind loses what comes then.
func (s *Store) Listen() (<-chan Event, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := make(chan Event, 1000)
	s.listeners[events] = true
	return events, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, events)
	}
}

// tell wakes whoever waits for a change; the lock is held.
func (s *Store) tell(event Event) {
	close(s.changed)
	s.changed = make(chan struct{})
	for listener := range s.listeners {
		select {
		case listener <- event:
		default:
		}
	}
}

// now never returns the same time twice: kubelets order attempts by their times.
func (s *Store) now() int64 {
	s.clock = max(s.clock+1, time.Now().UnixNano())
	return s.clock
}

func (s *Store) newID(kind string) string {
	s.serial++
	return fmt.Sprintf("%s-%d", kind, s.serial)
}

func (s *Store) sandbox(id string) (*Sandbox, error) {
	i := slices.IndexFunc(s.sandboxes, func(b *Sandbox) bool { return b.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("sandbox %q: %w", id, ErrNotFound)
	}
	return s.sandboxes[i], nil
}

func (s *Store) container(id string) (*Container, error) {
	i := slices.IndexFunc(s.containers, func(c *Container) bool { return c.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("container %q: %w", id, ErrNotFound)
	}
	return s.containers[i], nil
}

// ForgetAll drops every sandbox and container at once, as a runtime that restarts with nothing. Nobody is told of one.
func (s *Store) ForgetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sandboxes, s.containers, s.doomed = nil, nil, map[string]bool{}
	close(s.changed)
	s.changed = make(chan struct{})
}
