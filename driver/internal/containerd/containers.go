// Package containerd asks the container runtime of a real node what it has, and lets containers of ours end.
package containerd

import (
	"cmp"
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

	"pinproof.dev/driver/internal/oci"
	"pinproof.dev/driver/internal/store"
	"pinproof.dev/driver/internal/workload"
)

const (
	socket = "unix:///run/containerd/containerd.sock"

	quick = 5 * time.Millisecond
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

// A Container is one attempt at one, as the runtime has it.
type Container struct {
	ID        string `json:"-"`
	created   int64
	UID       string `json:"uid"`
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Container string `json:"container"`
	Attempt   uint32 `json:"attempt"`
	State     string `json:"state"`
	Mems      string `json:"mems"`
	CPUs      string `json:"cpus"`

	last     Sets      // what the runtime was told at last, updates included
	Enforced *Enforced `json:"enforced,omitempty"`
}

// A Runtime is the node's containerd.
type Runtime struct{ client cri.RuntimeServiceClient }

// Connect prepares the connection; it is made at the first call.
func Connect() (*Runtime, error) {
	conn, err := grpc.NewClient(socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &Runtime{cri.NewRuntimeServiceClient(conn)}, nil
}

// Await waits until the runtime answers.
func Await(ctx context.Context) error {
	runtime, err := Connect()
	if err != nil {
		return err
	}
	for {
		_, err := runtime.client.Version(ctx, &cri.VersionRequest{})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the container runtime does not answer: %w", err)
		case <-time.After(quick):
		}
	}
}

// Containers lists those of all pods, the newest last.
func (r *Runtime) Containers(ctx context.Context) ([]Container, error) {
	reply, err := r.client.ListContainers(ctx, &cri.ListContainersRequest{})
	if err != nil {
		return nil, fmt.Errorf("list the containers: %w", err)
	}
	list := []Container{}
	for _, c := range reply.GetContainers() {
		list = append(list, Container{
			ID: c.GetId(), created: c.GetCreatedAt(), UID: c.GetLabels()[labelUID], Namespace: c.GetLabels()[labelNamespace],
			Pod: c.GetLabels()[labelPod], Container: c.GetLabels()[labelContainer],
			Attempt: c.GetMetadata().GetAttempt(), State: store.StateName(c.GetState()),
		})
	}
	slices.SortFunc(list, func(a, b Container) int { return int(a.created - b.created) })
	return list, nil
}

// Told completes containers with what the OCI runtime was told when they were created.
func (r *Runtime) Told(ctx context.Context, list []Container) error {
	for i := range list {
		if err := r.told(ctx, &list[i]); err != nil {
			return fmt.Errorf("what the runtime was told of %s/%s: %w", list[i].Pod, list[i].Container, err)
		}
	}
	return nil
}

func (r *Runtime) told(ctx context.Context, c *Container) error {
	text, err := os.ReadFile(filepath.Join(oci.Told, c.ID+".json"))
	if os.IsNotExist(err) && c.State == "created" {
		return r.toldBefore(ctx, c)
	}
	if err != nil {
		return err
	}
	var record oci.Record
	if err := json.Unmarshal(text, &record); err != nil {
		return err
	}
	c.Mems, c.CPUs = record.Mems, record.CPUs
	c.last = Sets{record.Mems, record.CPUs}
	for _, update := range record.Updates { // one says what it changes
		c.last = Sets{cmp.Or(update.Mems, c.last.Mems), cmp.Or(update.CPUs, c.last.CPUs)}
	}
	return nil
}

// toldBefore is for a container that has not been started: containerd tells the OCI runtime of it only then.
func (r *Runtime) toldBefore(ctx context.Context, c *Container) error {
	reply, err := r.client.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: c.ID})
	if err != nil {
		return err
	}
	resources := reply.GetStatus().GetResources().GetLinux()
	c.Mems, c.CPUs = resources.GetCpusetMems(), resources.GetCpusetCpus()
	return nil
}

// Details are what the runtime knows of a container beside its state.
type Details struct {
	PID      int // 0: it does not run
	Mems     string
	CPUs     string
	ExitCode *int32 // nil: it has not ended
}

// Details asks for those of one container. Its sets are those that it was given last.
func (r *Runtime) Details(ctx context.Context, id string) (Details, error) {
	reply, err := r.client.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: id, Verbose: true})
	if err != nil {
		return Details{}, err
	}
	var info struct {
		PID  int `json:"pid"`
		Spec struct {
			Linux struct {
				Resources struct {
					CPU struct {
						CPUs string `json:"cpus"`
						Mems string `json:"mems"`
					} `json:"cpu"`
				} `json:"resources"`
			} `json:"linux"`
		} `json:"runtimeSpec"`
	}
	if err := json.Unmarshal([]byte(reply.GetInfo()["info"]), &info); err != nil {
		return Details{}, fmt.Errorf("the runtime's words on container %s: %w", id, err)
	}
	set := info.Spec.Linux.Resources.CPU
	found := Details{PID: info.PID, Mems: set.Mems, CPUs: set.CPUs}
	if status := reply.GetStatus(); status.GetState() == cri.ContainerState_CONTAINER_EXITED {
		code := status.GetExitCode()
		found.ExitCode = &code
	}
	return found, nil
}

// End lets a running container end with a code.
func (r *Runtime) End(ctx context.Context, id string, code int) error {
	pid, err := r.process(ctx, id)
	if err != nil {
		return err
	}
	file := fmt.Sprintf("/proc/%d/root%s", pid, workload.CodeFile)
	if err := os.WriteFile(file, []byte(strconv.Itoa(code)), 0o644); err != nil {
		return err
	}
	// The first process of a namespace never hears of a signal that it has no handler for, and it may only just have begun.
	for syscall.Kill(pid, 0) == nil {
		_ = syscall.Kill(pid, workload.Tell) // it fails only if the process has ended meanwhile
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d of container %s does not end: %w", pid, id, ctx.Err())
		case <-time.After(quick):
		}
	}
	return nil
}

// Purge ends and removes everything that runs for pods that a kubelet was given, by an API server or in files.
func (r *Runtime) Purge(ctx context.Context) error {
	reply, err := r.client.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	if err != nil {
		return fmt.Errorf("list the sandboxes: %w", err)
	}
	done := make(chan error, len(reply.GetItems()))
	begun := 0
	for _, sandbox := range reply.GetItems() {
		if sandbox.GetAnnotations()[annotationSource] == "" {
			continue // no kubelet's
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

// Latest is the newest attempt at a container, nil if there is none.
func Latest(list []Container, uid, name string) *Container {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].UID == uid && list[i].Container == name {
			return &list[i]
		}
	}
	return nil
}
