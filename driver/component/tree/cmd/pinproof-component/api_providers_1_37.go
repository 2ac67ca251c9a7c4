//go:build since_1_37

package main

import (
	"context"

	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
)

func (l *listener) GetTopologyHints(logger klog.Logger, pod *v1.Pod, container *v1.Container, operation lifecycle.Operation) hintMap {
	return l.recorder.answered(l.name, pod, container.Name, l.HintProvider.GetTopologyHints(logger, pod, container, operation))
}

func (l *listener) GetPodTopologyHints(logger klog.Logger, pod *v1.Pod, operation lifecycle.Operation) hintMap {
	return l.recorder.answered(l.name, pod, "", l.HintProvider.GetPodTopologyHints(logger, pod, operation))
}

func (l *listener) Allocate(ctx context.Context, pod *v1.Pod, container *v1.Container, operation lifecycle.Operation) error {
	l.recorder.allocating(pod, container.Name)
	return l.HintProvider.Allocate(ctx, pod, container, operation)
}

func (o *otherProvider) GetTopologyHints(_ klog.Logger, pod *v1.Pod, container *v1.Container, _ lifecycle.Operation) hintMap {
	return o.recorder.answered(other, pod, container.Name, o.containers[string(pod.UID)][container.Name])
}

func (o *otherProvider) GetPodTopologyHints(_ klog.Logger, pod *v1.Pod, _ lifecycle.Operation) hintMap {
	return o.recorder.answered(other, pod, "", o.pods[string(pod.UID)])
}

func (o *otherProvider) Allocate(_ context.Context, pod *v1.Pod, container *v1.Container, _ lifecycle.Operation) error {
	o.recorder.allocating(pod, container.Name)
	return nil
}

func (l *listener) AllocatePod(logger klog.Logger, pod *v1.Pod, operation lifecycle.Operation) error {
	l.recorder.allocating(pod, firstContainer(pod))
	return l.HintProvider.AllocatePod(logger, pod, operation)
}

func (o *otherProvider) AllocatePod(_ klog.Logger, pod *v1.Pod, _ lifecycle.Operation) error {
	o.recorder.allocating(pod, firstContainer(pod))
	return nil
}
