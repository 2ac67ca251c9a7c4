package main

import (
	"fmt"

	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
)

// interrupted carries out a step in which the kubelet is to be killed; where it does not come to the point it lives on.
func (n *node) interrupted(c *crashDocument) error {
	n.disk.strike(c.At.Write)
	n.runtime.strike(c.At.Call)
	defer func() {
		n.disk.strike(nil)
		n.runtime.strike(nil)
	}()
	return n.carryOut(&c.During)
}

// dies is the end of a kubelet that was killed, which has said nothing. A pod that it rejected while it started comes back, as
// does the pod that it was about to admit.
func (n *node) dies() {
	n.managers, n.refusal = nil, ""
	n.runtime.kubeletStops()
	if n.starting {
		for _, r := range n.residents {
			r.verdict = lifecycle.PodAdmitResult{Admit: true}
		}
	}
}

func (c *crashDocument) check() error {
	switch {
	case c.During.events() != 1 || c.During.troubles() != 0:
		return fmt.Errorf("crash: one of admit, remove, exit and restart is interrupted")
	case (c.At.Write == nil) == (c.At.Call == nil):
		return fmt.Errorf("crash: at a write or at a call")
	case c.At.Write != nil:
		return c.At.Write.check()
	}
	return c.At.Call.check()
}

func (p *writePoint) check() error {
	if p.Number < 1 || (p.Moment != "before" && p.Moment != "unnamed" && p.Moment != "after") {
		return fmt.Errorf("crash: before, unnamed or after the n-th write from 1, not %q the %d-th", p.Moment, p.Number)
	}
	return checkFile(p.File)
}

func (p *callPoint) check() error {
	if p.Number < 1 || (p.Moment != "before" && p.Moment != "after") {
		return fmt.Errorf("crash: before or after the n-th call from 1, not %q the %d-th", p.Moment, p.Number)
	}
	if p.Method != runSandbox && p.Method != create && p.Method != start {
		return fmt.Errorf("crash: there is no %s here; pods are not stopped as a kubelet stops them", p.Method)
	}
	return nil
}
