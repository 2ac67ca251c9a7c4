package main

import (
	"maps"
	"slices"

	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
	"k8s.io/kubernetes/pkg/kubelet/util/store"
)

// snapshot is a node whose kubelet was stopped: what is on disk and what the pods have come to.
type snapshot struct {
	Arrivals  int                `json:"arrivals"`
	Files     map[string]string  `json:"files"`
	Names     map[string]string  `json:"names"`
	Residents []residentSnapshot `json:"residents"`
	Disk      map[string]string  `json:"disk"`
	Fails     map[string]int     `json:"fails"`
}

type residentSnapshot struct {
	Document *podDocument         `json:"document"`
	UID      string               `json:"uid"`
	Admitted bool                 `json:"admitted"`
	Reason   string               `json:"reason,omitempty"`
	Message  string               `json:"message,omitempty"`
	Told     map[string][2]string `json:"told"`
	Over     []string             `json:"over"`
	Finished bool                 `json:"finished"`
	ByName   bool                 `json:"byName"`
	Sandbox  bool                 `json:"sandbox"`
	Waiting  []string             `json:"waiting"` // containers that were created and not started
}

func (n *node) snapshot() *snapshot {
	taken := &snapshot{
		Arrivals: n.arrivals, Files: map[string]string{}, Names: n.names, Residents: []residentSnapshot{},
		Disk: n.disk.states, Fails: n.runtime.fails,
	}
	for path, data := range store.Files {
		taken.Files[path] = string(data)
	}
	for _, r := range n.residents {
		one := residentSnapshot{
			Document: r.document, UID: string(r.pod.UID), Admitted: r.verdict.Admit, Reason: r.verdict.Reason, Message: r.verdict.Message,
			Told: map[string][2]string{}, Over: []string{}, Finished: r.finished, ByName: r.byName,
			Sandbox: r.sandbox, Waiting: []string{},
		}
		for name, was := range r.told {
			one.Told[name] = [2]string{was.mems, was.cpus}
			if !was.started {
				one.Waiting = append(one.Waiting, name)
			}
		}
		for name := range r.over {
			one.Over = append(one.Over, name)
		}
		taken.Residents = append(taken.Residents, one)
	}
	return taken
}

// resume makes the node what it was; its kubelet is down.
func (n *node) resume(from *snapshot) error {
	n.arrivals = from.Arrivals
	for path, data := range from.Files {
		store.Files[path] = []byte(data)
	}
	maps.Copy(n.disk.states, from.Disk)
	maps.Copy(n.runtime.fails, from.Fails)
	for uid, name := range from.Names {
		n.names[uid] = name
	}
	for i := range from.Residents {
		one := &from.Residents[i]
		pod, err := one.Document.build(one.UID)
		if err != nil {
			return err
		}
		r := &resident{
			document: one.Document, pod: pod, told: map[string]told{}, over: map[string]bool{}, finished: one.Finished, byName: one.ByName,
			sandbox: one.Sandbox,
			verdict: lifecycle.PodAdmitResult{Admit: one.Admitted, Reason: one.Reason, Message: one.Message},
		}
		for name, was := range one.Told {
			r.told[name] = told{mems: was[0], cpus: was[1], started: !slices.Contains(one.Waiting, name)}
		}
		for _, name := range one.Over {
			r.over[name] = true
		}
		n.residents = append(n.residents, r)
	}
	return nil
}
