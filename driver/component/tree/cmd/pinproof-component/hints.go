package main

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager/bitmask"
)

type hintMap = map[string][]topologymanager.TopologyHint

// hinted is what the providers answered for a container (or for a pod: no container), and what the Topology Manager kept.
type hinted struct {
	pod, container string
	answers        map[string]hintMap // by provider
	stored         bool
	merged         topologymanager.TopologyHint
}

// recorder hears what hint providers are asked and answer.
type recorder struct {
	on    bool
	heard []*hinted
	store topologymanager.Manager
}

func (r *recorder) answered(provider string, pod *v1.Pod, container string, hints hintMap) hintMap {
	if !r.on {
		return hints
	}
	last := r.last(pod.Name, container)
	if last == nil || last.stored || last.answers[provider] != nil {
		last = &hinted{pod: pod.Name, container: container, answers: map[string]hintMap{}}
		r.heard = append(r.heard, last)
	}
	if hints == nil {
		last.answers[provider] = hintMap{}
	} else {
		last.answers[provider] = hints
	}
	return hints
}

// allocating is called when a provider is to allocate: by then the Topology Manager has stored its hint.
func (r *recorder) allocating(pod *v1.Pod, container string) {
	if !r.on || len(r.heard) == 0 {
		return
	}
	last := r.heard[len(r.heard)-1]
	if last.pod != pod.Name || last.stored || (last.container != "" && last.container != container) {
		return
	}
	last.stored, last.merged = true, affinity(r.store, string(pod.UID), container)
}

func (r *recorder) last(pod, container string) *hinted {
	if len(r.heard) == 0 {
		return nil
	}
	if last := r.heard[len(r.heard)-1]; last.pod == pod && last.container == container {
		return last
	}
	return nil
}

func firstContainer(pod *v1.Pod) string {
	if len(pod.Spec.InitContainers) > 0 {
		return pod.Spec.InitContainers[0].Name
	}
	return pod.Spec.Containers[0].Name
}

// listener passes everything on to a manager and lets the recorder hear it. Its methods are in the api_*.go files.
type listener struct {
	name string
	topologymanager.HintProvider
	recorder *recorder
}

// otherProvider answers what the scenario says, as a device plugin might, and allocates nothing. Methods in api_*.go.
type otherProvider struct {
	recorder   *recorder
	pods       map[string]hintMap            // by UID
	containers map[string]map[string]hintMap // by UID and container
}

func newOtherProvider(r *recorder) *otherProvider {
	return &otherProvider{recorder: r, pods: map[string]hintMap{}, containers: map[string]map[string]hintMap{}}
}

func (o *otherProvider) expect(uid string, d *podDocument) error {
	var err error
	if d.Hints != nil {
		if o.pods[uid], err = d.Hints.hints(); err != nil {
			return err
		}
	}
	for _, list := range [][]containerDocument{d.Init, d.Containers} {
		for i := range list {
			if list[i].Hints == nil {
				continue
			}
			if o.containers[uid] == nil {
				o.containers[uid] = map[string]hintMap{}
			}
			if o.containers[uid][list[i].Name], err = list[i].Hints.hints(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d hintsDocument) hints() (hintMap, error) {
	made := hintMap{}
	for name, given := range d {
		if given == nil {
			made[name] = nil
			continue
		}
		made[name] = []topologymanager.TopologyHint{}
		for _, hint := range given {
			topologyHint := topologymanager.TopologyHint{Preferred: hint.preferred}
			if hint.mask != nil {
				mask, err := bitmask.NewBitMask(hint.mask...)
				if err != nil {
					return nil, err
				}
				topologyHint.NUMANodeAffinity = mask
			}
			made[name] = append(made[name], topologyHint)
		}
	}
	return made, nil
}
