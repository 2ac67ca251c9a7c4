package cri

import (
	"context"
	"time"

	api "k8s.io/cri-api/pkg/apis/runtime/v1"

	"pinproof.dev/driver/internal/store"
)

// Nothing runs, so every container uses the same small constants.
const (
	usedMemory = 1 << 20
	usedCPU    = 1_000_000
)

func (s *runtimeService) ContainerStats(
	_ context.Context, r *api.ContainerStatsRequest,
) (*api.ContainerStatsResponse, error) {
	c, err := s.kept.Container(r.GetContainerId())
	if err != nil {
		return nil, rpcError(err)
	}
	return &api.ContainerStatsResponse{Stats: stats(c)}, nil
}

func (s *runtimeService) ListContainerStats(
	_ context.Context, r *api.ListContainerStatsRequest,
) (*api.ListContainerStatsResponse, error) {
	filter := r.GetFilter()
	reply := &api.ListContainerStatsResponse{}
	for _, c := range s.kept.Containers(func(c store.Container) bool {
		return c.Running() && (filter.GetId() == "" || filter.GetId() == c.ID) &&
			(filter.GetPodSandboxId() == "" || filter.GetPodSandboxId() == c.Sandbox.ID) &&
			matches(c.Config.GetLabels(), filter.GetLabelSelector())
	}) {
		reply.Stats = append(reply.Stats, stats(c))
	}
	return reply, nil
}

func (s *runtimeService) ListPodSandboxStats(
	context.Context, *api.ListPodSandboxStatsRequest,
) (*api.ListPodSandboxStatsResponse, error) {
	return &api.ListPodSandboxStatsResponse{}, nil
}

func (s *runtimeService) ListMetricDescriptors(
	context.Context, *api.ListMetricDescriptorsRequest,
) (*api.ListMetricDescriptorsResponse, error) {
	return &api.ListMetricDescriptorsResponse{}, nil
}

func (s *runtimeService) ListPodSandboxMetrics(
	context.Context, *api.ListPodSandboxMetricsRequest,
) (*api.ListPodSandboxMetricsResponse, error) {
	return &api.ListPodSandboxMetricsResponse{}, nil
}

func stats(c store.Container) *api.ContainerStats {
	now := time.Now().UnixNano()
	value := func(n uint64) *api.UInt64Value { return &api.UInt64Value{Value: n} }
	return &api.ContainerStats{
		Attributes: &api.ContainerAttributes{
			Id: c.ID, Metadata: c.Config.GetMetadata(),
			Labels: c.Config.GetLabels(), Annotations: c.Config.GetAnnotations(),
		},
		Cpu: &api.CpuUsage{Timestamp: now, UsageCoreNanoSeconds: value(usedCPU)},
		Memory: &api.MemoryUsage{
			Timestamp: now, WorkingSetBytes: value(usedMemory), UsageBytes: value(usedMemory), RssBytes: value(usedMemory),
		},
		WritableLayer: filesystem(),
	}
}

// filesystem is where the images would be.
func filesystem() *api.FilesystemUsage {
	return &api.FilesystemUsage{
		Timestamp: time.Now().UnixNano(), FsId: &api.FilesystemIdentifier{Mountpoint: "/var/lib"},
		UsedBytes: &api.UInt64Value{Value: 0}, InodesUsed: &api.UInt64Value{Value: 0},
	}
}
