package cri

import (
	"slices"
	"time"

	"google.golang.org/grpc"
	api "k8s.io/cri-api/pkg/apis/runtime/v1"

	"pinproof.dev/driver/internal/store"
)

// refresh is how often every pod is announced anew. A kubelet's pod worker wants to hear of the pod after its own last
// step, and would otherwise wait up to five seconds for it.
const refresh = 20 * time.Millisecond

// starting is how long a container may be created and not started before a kubelet hears of it. It makes another attempt
// at one that it sees so, as if starting it had failed, though it was only about to.
const starting = 100 * time.Millisecond

// settled is how long after the end of a sandbox its pod is announced still.
const settled = 2 * time.Second

// GetContainerEvents is for kubelets with the feature gate EventedPLEG: they hear of an exit at once instead of at the
// next relist, up to a second later.
func (s *runtimeService) GetContainerEvents(
	_ *api.GetEventsRequest, stream grpc.ServerStreamingServer[api.ContainerEventResponse],
) error {
	events, stop := s.kept.Listen()
	defer stop()
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	for {
		var news []store.Event
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case event := <-events:
			news = append(news, event)
		case <-ticker.C:
			since := time.Now().Add(-settled).UnixNano()
			for _, box := range s.kept.Sandboxes(func(b store.Sandbox) bool { return b.Ready || b.StoppedAt > since }) {
				// Of all kinds of event, a creation alone updates what is known and starts nothing.
				created := api.ContainerEventType_CONTAINER_CREATED_EVENT
				news = append(news, store.Event{Kind: created, ID: box.ID, Sandbox: box})
			}
		}
		for _, event := range news {
			announcement := s.announcement(event)
			if isStarting(announcement.GetContainersStatuses()) {
				continue // the start is an event too
			}
			if err := stream.Send(announcement); err != nil {
				return err
			}
		}
	}
}

func isStarting(containers []*api.ContainerStatus) bool {
	since := time.Now().Add(-starting).UnixNano()
	return slices.ContainsFunc(containers, func(c *api.ContainerStatus) bool {
		return c.GetState() == api.ContainerState_CONTAINER_CREATED && c.GetCreatedAt() > since
	})
}

func (s *runtimeService) announcement(event store.Event) *api.ContainerEventResponse {
	read := time.Now().UnixNano() // before the look: what is told may be newer than its time, never older
	box, err := s.kept.Sandbox(event.Sandbox.ID)
	if err != nil {
		box = event.Sandbox // it is gone; kubelets still want to know which pod it was
	}
	return &api.ContainerEventResponse{
		ContainerId: event.ID, ContainerEventType: event.Kind, CreatedAt: read,
		PodSandboxStatus: sandboxStatus(box), ContainersStatuses: s.statusesIn(box.ID),
	}
}
