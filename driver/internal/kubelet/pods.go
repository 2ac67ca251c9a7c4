package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// readOnly is the kubelet's read-only port; every node has a network of its own, so all use the same.
const readOnly = "http://127.0.0.1:10255"

var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{Proxy: nil, DisableCompression: true}}

// A PodStatus is what a kubelet says of a pod.
type PodStatus struct {
	Phase     string
	Reason    string
	Message   string
	Processed bool // this kubelet has admitted the pod and worked on it, or has rejected it
}

// Rejected reports whether the kubelet refused the pod. A pod whose containers failed has no reason.
func (s PodStatus) Rejected() bool { return s.Phase == "Failed" && s.Reason != "" }

// Get returns the answer to a GET on the read-only port.
func Get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, readOnly+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s: %.200s", path, response.Status, body)
	}
	return body, nil
}

// Pods returns what the kubelet says of each pod it knows, by UID.
func Pods(ctx context.Context) (map[string]PodStatus, error) {
	body, err := Get(ctx, "/pods")
	if err != nil {
		return nil, err
	}
	var list struct {
		Items []struct {
			Metadata struct {
				UID string `json:"uid"`
			} `json:"metadata"`
			Status struct {
				Phase      string            `json:"phase"`
				Reason     string            `json:"reason"`
				Message    string            `json:"message"`
				Conditions []json.RawMessage `json:"conditions"`
			} `json:"status"`
		} `json:"items"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("GET /pods: %w", err)
	}
	pods := make(map[string]PodStatus, len(list.Items))
	for _, item := range list.Items {
		s := item.Status
		status := PodStatus{Phase: s.Phase, Reason: s.Reason, Message: s.Message}
		// A static pod has no conditions until its kubelet has begun to synchronise it, which follows admission.
		status.Processed = len(s.Conditions) > 0 || status.Rejected()
		pods[item.Metadata.UID] = status
	}
	return pods, nil
}
