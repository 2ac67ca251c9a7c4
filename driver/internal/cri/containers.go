package cri

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	api "k8s.io/cri-api/pkg/apis/runtime/v1"

	"pinproof.dev/driver/internal/store"
)

func (s *runtimeService) CreateContainer(
	_ context.Context, r *api.CreateContainerRequest,
) (*api.CreateContainerResponse, error) {
	c, err := s.kept.CreateContainer(r.GetPodSandboxId(), r.GetConfig())
	if err != nil {
		return nil, rpcError(err)
	}
	return &api.CreateContainerResponse{ContainerId: c.ID}, nil
}

func (s *runtimeService) StartContainer(
	_ context.Context, r *api.StartContainerRequest,
) (*api.StartContainerResponse, error) {
	c, err := s.kept.Container(r.GetContainerId())
	if err != nil {
		return nil, rpcError(err)
	}
	if err := touchLog(c); err != nil {
		return nil, rpcError(err)
	}
	if err := s.kept.StartContainer(c.ID); err != nil {
		return nil, rpcError(err)
	}
	return &api.StartContainerResponse{}, nil
}

func (s *runtimeService) StopContainer(
	_ context.Context, r *api.StopContainerRequest,
) (*api.StopContainerResponse, error) {
	s.kept.StopContainer(r.GetContainerId())
	return &api.StopContainerResponse{}, nil
}

func (s *runtimeService) RemoveContainer(
	_ context.Context, r *api.RemoveContainerRequest,
) (*api.RemoveContainerResponse, error) {
	s.kept.RemoveContainer(r.GetContainerId())
	return &api.RemoveContainerResponse{}, nil
}

func (s *runtimeService) UpdateContainerResources(
	_ context.Context, r *api.UpdateContainerResourcesRequest,
) (*api.UpdateContainerResourcesResponse, error) {
	if err := s.kept.UpdateResources(r.GetContainerId(), r.GetLinux()); err != nil {
		return nil, rpcError(err)
	}
	return &api.UpdateContainerResourcesResponse{}, nil
}

func (s *runtimeService) ReopenContainerLog(
	_ context.Context, r *api.ReopenContainerLogRequest,
) (*api.ReopenContainerLogResponse, error) {
	c, err := s.kept.Container(r.GetContainerId())
	if err != nil {
		return nil, rpcError(err)
	}
	if err := touchLog(c); err != nil {
		return nil, rpcError(err)
	}
	return &api.ReopenContainerLogResponse{}, nil
}

// ExecSync is how probes of the exec kind ask; every probe succeeds.
func (s *runtimeService) ExecSync(context.Context, *api.ExecSyncRequest) (*api.ExecSyncResponse, error) {
	return &api.ExecSyncResponse{}, nil
}

func (s *runtimeService) ContainerStatus(
	_ context.Context, r *api.ContainerStatusRequest,
) (*api.ContainerStatusResponse, error) {
	c, err := s.kept.Container(r.GetContainerId())
	if err != nil {
		return nil, rpcError(err)
	}
	return &api.ContainerStatusResponse{Status: containerStatus(c)}, nil
}

func (s *runtimeService) ListContainers(
	_ context.Context, r *api.ListContainersRequest,
) (*api.ListContainersResponse, error) {
	filter := r.GetFilter()
	reply := &api.ListContainersResponse{}
	for _, c := range s.kept.Containers(func(c store.Container) bool {
		return (filter.GetId() == "" || filter.GetId() == c.ID) &&
			(filter.GetPodSandboxId() == "" || filter.GetPodSandboxId() == c.Sandbox.ID) &&
			(filter.GetState() == nil || filter.GetState().GetState() == c.State) &&
			matches(c.Config.GetLabels(), filter.GetLabelSelector())
	}) {
		image := c.Config.GetImage()
		reply.Containers = append(reply.Containers, &api.Container{
			Id: c.ID, PodSandboxId: c.Sandbox.ID, Metadata: c.Config.GetMetadata(), Image: image,
			ImageRef: image.GetImage(), ImageId: image.GetImage(), State: c.State, CreatedAt: c.CreatedAt,
			Labels: c.Config.GetLabels(), Annotations: c.Config.GetAnnotations(),
		})
	}
	return reply, nil
}

func (s *runtimeService) statusesIn(sandboxID string) []*api.ContainerStatus {
	var statuses []*api.ContainerStatus
	for _, c := range s.kept.Containers(func(c store.Container) bool { return c.Sandbox.ID == sandboxID }) {
		statuses = append(statuses, containerStatus(c))
	}
	return statuses
}

func containerStatus(c store.Container) *api.ContainerStatus {
	image := c.Config.GetImage()
	reply := &api.ContainerStatus{
		Id: c.ID, Metadata: c.Config.GetMetadata(), State: c.State, CreatedAt: c.CreatedAt, StartedAt: c.StartedAt,
		FinishedAt: c.FinishedAt, ExitCode: c.ExitCode, Image: image, ImageRef: image.GetImage(), ImageId: image.GetImage(),
		Labels: c.Config.GetLabels(), Annotations: c.Config.GetAnnotations(), Mounts: c.Config.GetMounts(),
		LogPath: logPath(c), Resources: &api.ContainerResources{Linux: c.Resources},
	}
	if c.State == api.ContainerState_CONTAINER_EXITED {
		reply.Reason = "Completed"
		if c.ExitCode != 0 {
			reply.Reason = "Error"
		}
	}
	return reply
}

func logPath(c store.Container) string {
	return filepath.Join(c.Sandbox.Config.GetLogDirectory(), c.Config.GetLogPath())
}

// touchLog makes the container's empty log, which a kubelet links, rotates and reads.
func touchLog(c store.Container) error {
	if c.Config.GetLogPath() == "" {
		return nil
	}
	path := logPath(c)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return os.WriteFile(path, nil, 0o640)
	}
	return nil
}
