package control

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"

	"pinproof.dev/driver/internal/kubelet"
)

// patience is how long a question may take, and an observation where nobody says how long.
const patience = 10 * time.Second

type observeRequest struct {
	Timeout      millis   `json:"timeout_ms"` // until it is incomplete
	PodResources bool     `json:"pod_resources"`
	Allocatable  *bool    `json:"allocatable"` // false: of PodResources only the list
	Metrics      bool     `json:"metrics"`
	Families     []string `json:"metric_prefixes"` // only the samples whose names begin so; none: all of /metrics
}

// observe collects everything that can be seen of the node. What could not be had is null and named in "errors".
func (a *agent) observe(ctx context.Context, r observeRequest) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, max(patience, r.Timeout.duration()))
	defer cancel()
	list, err := a.has.List(ctx, true)
	if err != nil {
		return nil, err
	}
	body := reply{
		"running": false, "exit_code": nil, "metrics": nil, "pods": nil, "pod_resources": nil, "errors": []string{},
		"state": textOf(kubelet.Root + "/memory_manager_state"), "cpu_state": textOf(kubelet.Root + "/cpu_manager_state"),
		"containers": list, "hanging": a.hanging(),
	}
	process := a.current()
	if process == nil {
		return body, nil
	}
	if _, ended := process.Exit(); !ended {
		inquire(ctx, process, r, body)
	}
	exit, ended := process.Exit()
	body["running"] = !ended
	if ended {
		body["exit_code"] = exit.Code
	}
	return body, nil
}

// inquire puts what the kubelet itself has to say into the body. Its answers take longer than the questions, so they are
// asked at once.
func inquire(ctx context.Context, process *kubelet.Process, r observeRequest, body reply) {
	var mu sync.Mutex
	var group sync.WaitGroup
	errors := []string{}
	put := func(key string, question func() (any, error)) {
		group.Go(func() {
			answer, err := question()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errors = append(errors, err.Error())
				return
			}
			body[key] = answer
		})
	}
	put("pods", func() (any, error) {
		pods, err := kubelet.Get(ctx, "/pods")
		return json.RawMessage(pods), err
	})
	if r.Metrics {
		put("metrics", func() (any, error) {
			metrics, err := kubelet.Get(ctx, "/metrics")
			return string(samples(metrics, r.Families)), err
		})
	}
	if r.PodResources {
		put("pod_resources", func() (any, error) {
			return process.PodResources(ctx, r.Allocatable == nil || *r.Allocatable)
		})
	}
	group.Wait()
	body["errors"] = errors
}

// samples keeps the lines of the wanted families: all metrics of a kubelet are some hundred kilobytes.
func samples(metrics []byte, prefixes []string) []byte {
	if len(prefixes) == 0 {
		return metrics
	}
	var kept []byte
	for line := range bytes.Lines(metrics) {
		name := bytes.TrimPrefix(bytes.TrimPrefix(line, []byte("# HELP ")), []byte("# TYPE "))
		for _, prefix := range prefixes {
			if bytes.HasPrefix(name, []byte(prefix)) {
				kept = append(kept, line...)
				break
			}
		}
	}
	return kept
}
