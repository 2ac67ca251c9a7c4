package main

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubetypes "k8s.io/kubernetes/pkg/kubelet/types"
)

const namespace = "default"

// quantities are those parsed before; scenarios repeat a few hundred texts over and over.
var quantities = map[string]resource.Quantity{}

const quantitiesKept = 1 << 14

func quantity(text string) (resource.Quantity, error) {
	known, ok := quantities[text]
	if !ok {
		parsed, err := resource.ParseQuantity(text)
		if err != nil {
			return known, fmt.Errorf("quantity %q: %w", text, err)
		}
		if len(quantities) == quantitiesKept {
			clear(quantities)
		}
		quantities[text], known = parsed, parsed
	}
	return known.DeepCopy(), nil
}

func resourceList(texts map[string]string) (v1.ResourceList, error) {
	if texts == nil {
		return nil, nil
	}
	list := make(v1.ResourceList, len(texts))
	for name, text := range texts {
		amount, err := quantity(text)
		if err != nil {
			return nil, err
		}
		list[v1.ResourceName(name)] = amount
	}
	return list, nil
}

// build makes the static pod that the kubelet would read from a manifest; the file source fills in nothing that matters here.
func (d *podDocument) build(uid string) (*v1.Pod, error) {
	pod := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:        d.Name,
			Namespace:   namespace,
			UID:         types.UID(uid),
			Annotations: map[string]string{kubetypes.ConfigSourceAnnotationKey: kubetypes.FileSource},
		},
		Spec: v1.PodSpec{RestartPolicy: v1.RestartPolicy(d.RestartPolicy), HostNetwork: true},
	}
	if d.RestartPolicy == "" {
		pod.Spec.RestartPolicy = v1.RestartPolicyAlways
	}
	var err error
	if pod.Spec.InitContainers, err = containers(d.Init); err != nil {
		return nil, err
	}
	if pod.Spec.Containers, err = containers(d.Containers); err != nil {
		return nil, err
	}
	requests, err := resourceList(d.Requests)
	if err != nil {
		return nil, err
	}
	limits, err := resourceList(d.Limits)
	if err != nil {
		return nil, err
	}
	if len(requests)+len(limits) > 0 {
		setPodResources(pod, v1.ResourceRequirements{Requests: requests, Limits: limits})
	}
	return pod, nil
}

func containers(documents []containerDocument) ([]v1.Container, error) {
	if len(documents) == 0 {
		return nil, nil
	}
	made := make([]v1.Container, len(documents))
	for i := range documents {
		document := &documents[i]
		requests, err := resourceList(document.Requests)
		if err != nil {
			return nil, err
		}
		limits, err := resourceList(document.Limits)
		if err != nil {
			return nil, err
		}
		made[i] = v1.Container{Name: document.Name, Resources: v1.ResourceRequirements{Requests: requests, Limits: limits}}
		if document.Sidecar {
			always := v1.ContainerRestartPolicyAlways
			made[i].RestartPolicy = &always
		}
	}
	return made, nil
}
