//go:build since_1_36 && !since_1_37

package main

import v1 "k8s.io/api/core/v1"

func (l *listener) AllocatePod(pod *v1.Pod) error {
	l.recorder.allocating(pod, firstContainer(pod))
	return l.HintProvider.AllocatePod(pod)
}

func (o *otherProvider) AllocatePod(pod *v1.Pod) error {
	o.recorder.allocating(pod, firstContainer(pod))
	return nil
}
