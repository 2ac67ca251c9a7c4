//go:build !since_1_37

package main

import v1 "k8s.io/api/core/v1"

func (l *listener) GetTopologyHints(pod *v1.Pod, container *v1.Container) hintMap {
	return l.recorder.answered(l.name, pod, container.Name, l.HintProvider.GetTopologyHints(pod, container))
}

func (l *listener) GetPodTopologyHints(pod *v1.Pod) hintMap {
	return l.recorder.answered(l.name, pod, "", l.HintProvider.GetPodTopologyHints(pod))
}

func (l *listener) Allocate(pod *v1.Pod, container *v1.Container) error {
	l.recorder.allocating(pod, container.Name)
	return l.HintProvider.Allocate(pod, container)
}

func (o *otherProvider) GetTopologyHints(pod *v1.Pod, container *v1.Container) hintMap {
	return o.recorder.answered(other, pod, container.Name, o.containers[string(pod.UID)][container.Name])
}

func (o *otherProvider) GetPodTopologyHints(pod *v1.Pod) hintMap {
	return o.recorder.answered(other, pod, "", o.pods[string(pod.UID)])
}

func (o *otherProvider) Allocate(pod *v1.Pod, container *v1.Container) error {
	o.recorder.allocating(pod, container.Name)
	return nil
}
