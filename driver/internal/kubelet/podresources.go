package kubelet

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	api "k8s.io/kubelet/pkg/apis/podresources/v1"
)

// PodResources is what the kubelet tells monitoring agents.
type PodResources struct {
	List        []PodAssignments `json:"list"`
	Allocatable *Assignment      `json:"allocatable"` // nil: not asked for
}

// PodAssignments are those of the containers of a pod.
type PodAssignments struct {
	Namespace  string                `json:"namespace"`
	Name       string                `json:"name"`
	Containers []ContainerAssignment `json:"containers"`
}

// ContainerAssignment is that of a container.
type ContainerAssignment struct {
	Name string `json:"name"`
	Assignment
}

// Assignment is a set of CPUs and memory blocks.
type Assignment struct {
	CPUs   []int64  `json:"cpus"`
	Memory []Memory `json:"memory"`
}

// Memory is a block of memory on a group of NUMA nodes.
type Memory struct {
	Type  string  `json:"type"`
	Size  uint64  `json:"size"` // bytes
	Nodes []int64 `json:"nodes"`
}

// Connect prepares the connection to the kubelet's PodResources service; it is made at the first call.
func Connect() (*grpc.ClientConn, error) {
	return grpc.NewClient(
		"unix://"+Root+"/pod-resources/kubelet.sock", grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
}

// PodResources asks the kubelet of this process.
func (p *Process) PodResources(ctx context.Context, allocatable bool) (*PodResources, error) {
	return Ask(ctx, p.conn, allocatable)
}

// Ask asks a kubelet for List and, if wanted, GetAllocatableResources. The kubelet answers a hundred calls a second and no
// more.
func Ask(ctx context.Context, conn *grpc.ClientConn, allocatable bool) (*PodResources, error) {
	lister := api.NewPodResourcesListerClient(conn)
	list, err := patiently(ctx, func() (*api.ListPodResourcesResponse, error) {
		return lister.List(ctx, &api.ListPodResourcesRequest{})
	})
	if err != nil {
		return nil, err
	}
	reply := &PodResources{List: []PodAssignments{}}
	for _, pod := range list.GetPodResources() {
		reply.List = append(reply.List, podAssignments(pod))
	}
	if !allocatable {
		return reply, nil
	}
	all, err := patiently(ctx, func() (*api.AllocatableResourcesResponse, error) {
		return lister.GetAllocatableResources(ctx, &api.AllocatableResourcesRequest{})
	})
	if err != nil {
		return nil, err
	}
	reply.Allocatable = &Assignment{CPUs: cpus(all.GetCpuIds()), Memory: memory(all.GetMemory())}
	return reply, nil
}

// patiently repeats a call that the kubelet refuses because it allows only a hundred a second.
func patiently[T any](ctx context.Context, call func() (T, error)) (T, error) {
	for {
		reply, err := call()
		if status.Code(err) != codes.ResourceExhausted {
			return reply, err
		}
		select {
		case <-ctx.Done():
			return reply, errors.Join(err, ctx.Err())
		case <-time.After(3 * time.Millisecond):
		}
	}
}

func podAssignments(pod *api.PodResources) PodAssignments {
	reply := PodAssignments{Namespace: pod.GetNamespace(), Name: pod.GetName(), Containers: []ContainerAssignment{}}
	for _, c := range pod.GetContainers() {
		assigned := Assignment{CPUs: cpus(c.GetCpuIds()), Memory: memory(c.GetMemory())}
		reply.Containers = append(reply.Containers, ContainerAssignment{Name: c.GetName(), Assignment: assigned})
	}
	return reply
}

func memory(blocks []*api.ContainerMemory) []Memory {
	reply := []Memory{}
	for _, block := range blocks {
		nodes := []int64{}
		for _, node := range block.GetTopology().GetNodes() {
			nodes = append(nodes, node.GetID())
		}
		reply = append(reply, Memory{Type: block.GetMemoryType(), Size: block.GetSize(), Nodes: nodes})
	}
	return reply
}

func cpus(ids []int64) []int64 { return append([]int64{}, ids...) }
