package cri

import (
	"context"
	"time"

	api "k8s.io/cri-api/pkg/apis/runtime/v1"

	"pinproof.dev/driver/internal/store"
)

// podIP is that of every pod with a network of its own; nothing listens there.
const podIP = "10.88.0.2"

func (s *runtimeService) RunPodSandbox(
	_ context.Context, r *api.RunPodSandboxRequest,
) (*api.RunPodSandboxResponse, error) {
	return &api.RunPodSandboxResponse{PodSandboxId: s.kept.RunSandbox(r.GetConfig(), r.GetRuntimeHandler()).ID}, nil
}

func (s *runtimeService) StopPodSandbox(
	_ context.Context, r *api.StopPodSandboxRequest,
) (*api.StopPodSandboxResponse, error) {
	s.kept.StopSandbox(r.GetPodSandboxId())
	return &api.StopPodSandboxResponse{}, nil
}

func (s *runtimeService) RemovePodSandbox(
	_ context.Context, r *api.RemovePodSandboxRequest,
) (*api.RemovePodSandboxResponse, error) {
	s.kept.RemoveSandbox(r.GetPodSandboxId())
	return &api.RemovePodSandboxResponse{}, nil
}

func (s *runtimeService) PodSandboxStatus(
	_ context.Context, r *api.PodSandboxStatusRequest,
) (*api.PodSandboxStatusResponse, error) {
	read := time.Now().UnixNano() // before the look: what is told may be newer than its time, never older
	box, err := s.kept.Sandbox(r.GetPodSandboxId())
	if err != nil {
		return nil, rpcError(err)
	}
	return &api.PodSandboxStatusResponse{
		Status: sandboxStatus(box), ContainersStatuses: s.statusesIn(box.ID), Timestamp: read,
	}, nil
}

func (s *runtimeService) ListPodSandbox(
	_ context.Context, r *api.ListPodSandboxRequest,
) (*api.ListPodSandboxResponse, error) {
	filter := r.GetFilter()
	reply := &api.ListPodSandboxResponse{}
	for _, box := range s.kept.Sandboxes(func(box store.Sandbox) bool {
		return (filter.GetId() == "" || filter.GetId() == box.ID) &&
			(filter.GetState() == nil || filter.GetState().GetState() == sandboxState(box)) &&
			matches(box.Config.GetLabels(), filter.GetLabelSelector())
	}) {
		reply.Items = append(reply.Items, &api.PodSandbox{
			Id: box.ID, Metadata: box.Config.GetMetadata(), State: sandboxState(box), CreatedAt: box.CreatedAt,
			Labels: box.Config.GetLabels(), Annotations: box.Config.GetAnnotations(), RuntimeHandler: box.Handler,
		})
	}
	return reply, nil
}

// UpdatePodSandboxResources is told when a pod's resources are resized in place; the calls keep the figures.
func (s *runtimeService) UpdatePodSandboxResources(
	context.Context, *api.UpdatePodSandboxResourcesRequest,
) (*api.UpdatePodSandboxResourcesResponse, error) {
	return &api.UpdatePodSandboxResourcesResponse{}, nil
}

func sandboxState(box store.Sandbox) api.PodSandboxState {
	if box.Ready {
		return api.PodSandboxState_SANDBOX_READY
	}
	return api.PodSandboxState_SANDBOX_NOTREADY
}

func sandboxStatus(box store.Sandbox) *api.PodSandboxStatus {
	// A kubelet makes a new sandbox if the namespaces it reads here are not those it asked for.
	options := box.Config.GetLinux().GetSecurityContext().GetNamespaceOptions()
	return &api.PodSandboxStatus{
		Id: box.ID, Metadata: box.Config.GetMetadata(), State: sandboxState(box), CreatedAt: box.CreatedAt,
		Network: &api.PodSandboxNetworkStatus{Ip: podIP},
		Linux:   &api.LinuxPodSandboxStatus{Namespaces: &api.Namespace{Options: options}},
		Labels:  box.Config.GetLabels(), Annotations: box.Config.GetAnnotations(), RuntimeHandler: box.Handler,
	}
}
