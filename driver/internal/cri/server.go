// Package cri is a container runtime that runs nothing: it answers a kubelet from the store.
package cri

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	api "k8s.io/cri-api/pkg/apis/runtime/v1"

	"pinproof.dev/driver/internal/recorder"
	"pinproof.dev/driver/internal/store"
)

// Name is how the runtime introduces itself; container ids in a pod's status begin with it.
const Name = "pinproof"

// Serve answers on a Unix socket until the process ends.
func Serve(socket string, kept *store.Store, calls *recorder.Recorder) error {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(calls.Intercept), grpc.MaxRecvMsgSize(16<<20))
	api.RegisterRuntimeServiceServer(server, &runtimeService{kept: kept})
	api.RegisterImageServiceServer(server, &imageService{known: map[string]*api.Image{}})
	go func() { _ = server.Serve(listener) }() // it only ends with the process
	return nil
}

// runtimeService answers what it must; a method a newer kubelet may add is Unimplemented, which kubelets expect.
type runtimeService struct {
	api.UnimplementedRuntimeServiceServer
	kept *store.Store
}

func (s *runtimeService) Version(context.Context, *api.VersionRequest) (*api.VersionResponse, error) {
	return &api.VersionResponse{
		Version: "0.1.0", RuntimeName: Name, RuntimeVersion: "1.0.0", RuntimeApiVersion: "v1",
	}, nil
}

func (s *runtimeService) Status(context.Context, *api.StatusRequest) (*api.StatusResponse, error) {
	return &api.StatusResponse{
		Status: &api.RuntimeStatus{Conditions: []*api.RuntimeCondition{
			{Type: api.RuntimeReady, Status: true},
			{Type: api.NetworkReady, Status: true},
		}},
		RuntimeHandlers: []*api.RuntimeHandler{{Name: "", Features: &api.RuntimeHandlerFeatures{}}},
		Features:        &api.RuntimeFeatures{},
	}, nil
}

func (s *runtimeService) RuntimeConfig(
	context.Context, *api.RuntimeConfigRequest,
) (*api.RuntimeConfigResponse, error) {
	driver := api.CgroupDriver_CGROUPFS
	return &api.RuntimeConfigResponse{Linux: &api.LinuxRuntimeConfiguration{CgroupDriver: driver}}, nil
}

func (s *runtimeService) UpdateRuntimeConfig(
	context.Context, *api.UpdateRuntimeConfigRequest,
) (*api.UpdateRuntimeConfigResponse, error) {
	return &api.UpdateRuntimeConfigResponse{}, nil
}

// rpcError turns an error of the store into what a kubelet looks for.
func rpcError(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return status.Error(codes.NotFound, err.Error())
	}
	return status.Error(codes.FailedPrecondition, err.Error())
}

// matches reports whether labels have every pair of the selector.
func matches(labels, selector map[string]string) bool {
	for key, want := range selector {
		if got, ok := labels[key]; !ok || got != want {
			return false
		}
	}
	return true
}
