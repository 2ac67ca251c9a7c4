package cri

import (
	"time"

	"google.golang.org/grpc"
	api "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// GetContainerEvents is for kubelets with the feature gate EventedPLEG: they hear of an exit at once instead of at the
// next relist, up to a second later.
func (s *runtimeService) GetContainerEvents(
	_ *api.GetEventsRequest, stream grpc.ServerStreamingServer[api.ContainerEventResponse],
) error {
	events, stop := s.kept.Listen()
	defer stop()
	for {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case event := <-events:
			reply := &api.ContainerEventResponse{
				ContainerId: event.ID, ContainerEventType: event.Kind, CreatedAt: time.Now().UnixNano(),
				ContainersStatuses: s.statusesIn(event.SandboxID),
			}
			if box, err := s.kept.Sandbox(event.SandboxID); err == nil {
				reply.PodSandboxStatus = sandboxStatus(box)
			}
			if err := stream.Send(reply); err != nil {
				return err
			}
		}
	}
}
