package inside

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"pinproof.dev/driver/internal/store"
	"pinproof.dev/driver/internal/workload"
)

const (
	containerd = "unix:///run/containerd/containerd.sock"

	// records is where the wrapper of the OCI runtime writes what it was told, one file a container.
	records = "/var/lib/pinproof/told"
)

// Labels with which every kubelet marks what it makes.
const (
	labelUID       = "io.kubernetes.pod.uid"
	labelNamespace = "io.kubernetes.pod.namespace"
	labelPod       = "io.kubernetes.pod.name"
	labelContainer = "io.kubernetes.container.name"
)

// annotationSource says where a kubelet has a pod from.
const annotationSource = "kubernetes.io/config.source"

// A container is one attempt at one, as the runtime has it.
type container struct {
	id        string
	created   int64
	UID       string `json:"uid"`
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Container string `json:"container"`
	Attempt   uint32 `json:"attempt"`
	State     string `json:"state"`
	Mems      string `json:"mems"`
	CPUs      string `json:"cpus"`
}

// A runtime is the node's containerd.
type runtime struct{ client cri.RuntimeServiceClient }

func connect() (*runtime, error) {
	conn, err := grpc.NewClient(containerd, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &runtime{cri.NewRuntimeServiceClient(conn)}, nil
}

// containers lists those of all pods, the newest last.
func (r *runtime) containers(ctx context.Context) ([]container, error) {
	reply, err := r.client.ListContainers(ctx, &cri.ListContainersRequest{})
	if err != nil {
		return nil, fmt.Errorf("list the containers: %w", err)
	}
	list := []container{}
	for _, c := range reply.GetContainers() {
		list = append(list, container{
			id: c.GetId(), created: c.GetCreatedAt(), UID: c.GetLabels()[labelUID], Namespace: c.GetLabels()[labelNamespace],
			Pod: c.GetLabels()[labelPod], Container: c.GetLabels()[labelContainer],
			Attempt: c.GetMetadata().GetAttempt(), State: store.StateName(c.GetState()),
		})
	}
	slices.SortFunc(list, func(a, b container) int { return int(a.created - b.created) })
	return list, nil
}

// told completes containers with what the OCI runtime was told when they were created.
func told(list []container) error {
	for i := range list {
		text, err := os.ReadFile(filepath.Join(records, list[i].id+".json"))
		if err != nil {
			return fmt.Errorf("what the runtime was told of %s/%s: %w", list[i].Pod, list[i].Container, err)
		}
		var record struct {
			Mems string `json:"mems"`
			CPUs string `json:"cpus"`
		}
		if err := json.Unmarshal(text, &record); err != nil {
			return fmt.Errorf("what the runtime was told of %s/%s: %w", list[i].Pod, list[i].Container, err)
		}
		list[i].Mems, list[i].CPUs = record.Mems, record.CPUs
	}
	return nil
}

// end lets a running container end with a code.
func (r *runtime) end(ctx context.Context, id string, code int) error {
	reply, err := r.client.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: id, Verbose: true})
	if err != nil {
		return err
	}
	var info struct {
		PID int `json:"pid"`
	}
	if err := json.Unmarshal([]byte(reply.GetInfo()["info"]), &info); err != nil || info.PID <= 0 {
		return fmt.Errorf("the runtime does not tell the process of container %s", id)
	}
	file := fmt.Sprintf("/proc/%d/root%s", info.PID, workload.CodeFile)
	if err := os.WriteFile(file, []byte(strconv.Itoa(code)), 0o644); err != nil {
		return err
	}
	// The first process of a namespace never hears of a signal that it has no handler for, and it may only just have begun.
	for alive(info.PID) {
		_ = syscall.Kill(info.PID, workload.Tell) // it fails only if the process has ended meanwhile
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d of container %s does not end: %w", info.PID, id, ctx.Err())
		case <-time.After(quick):
		}
	}
	return nil
}

// purge ends and removes everything that runs for pods of an API server: those of the node itself stay.
func (r *runtime) purge(ctx context.Context) error {
	reply, err := r.client.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	if err != nil {
		return fmt.Errorf("list the sandboxes: %w", err)
	}
	done := make(chan error, len(reply.GetItems()))
	begun := 0
	for _, sandbox := range reply.GetItems() {
		if sandbox.GetAnnotations()[annotationSource] != "api" {
			continue
		}
		begun++
		go func() {
			_, err := r.client.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: sandbox.GetId()})
			if err == nil {
				_, err = r.client.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: sandbox.GetId()})
			}
			done <- err
		}()
	}
	var failed []error
	for range begun {
		failed = append(failed, <-done)
	}
	return errors.Join(failed...)
}

// latest is the newest attempt at a container, nil if there is none.
func latest(list []container, uid, name string) *container {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].UID == uid && list[i].Container == name {
			return &list[i]
		}
	}
	return nil
}
