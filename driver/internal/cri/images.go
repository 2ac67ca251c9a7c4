package cri

import (
	"context"
	"sync"

	api "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// imageService has every image that it is asked for; one megabyte each, under its own name.
type imageService struct {
	api.UnimplementedImageServiceServer
	mu    sync.Mutex
	known map[string]*api.Image
	order []string
}

func (s *imageService) ListImages(context.Context, *api.ListImagesRequest) (*api.ListImagesResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply := &api.ListImagesResponse{}
	for _, name := range s.order {
		reply.Images = append(reply.Images, s.known[name])
	}
	return reply, nil
}

func (s *imageService) ImageStatus(
	_ context.Context, r *api.ImageStatusRequest,
) (*api.ImageStatusResponse, error) {
	return &api.ImageStatusResponse{Image: s.image(r.GetImage().GetImage())}, nil
}

func (s *imageService) PullImage(_ context.Context, r *api.PullImageRequest) (*api.PullImageResponse, error) {
	return &api.PullImageResponse{ImageRef: s.image(r.GetImage().GetImage()).GetId()}, nil
}

// RemoveImage succeeds and the image stays: a kubelet that collects garbage must not change a scenario.
func (s *imageService) RemoveImage(context.Context, *api.RemoveImageRequest) (*api.RemoveImageResponse, error) {
	return &api.RemoveImageResponse{}, nil
}

func (s *imageService) ImageFsInfo(
	context.Context, *api.ImageFsInfoRequest,
) (*api.ImageFsInfoResponse, error) {
	here := []*api.FilesystemUsage{filesystem()}
	return &api.ImageFsInfoResponse{ImageFilesystems: here, ContainerFilesystems: here}, nil
}

func (s *imageService) image(name string) *api.Image {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[name] == nil {
		s.known[name] = &api.Image{
			Id: name, RepoTags: []string{name}, Size: 1 << 20, Spec: &api.ImageSpec{Image: name}, Pinned: true,
		}
		s.order = append(s.order, name)
	}
	return s.known[name]
}
