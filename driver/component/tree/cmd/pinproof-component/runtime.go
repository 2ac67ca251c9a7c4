package main

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
)

// Calls of a kubelet to its container runtime, as far as what leads to them is here.
const (
	runSandbox = "RunPodSandbox"
	create     = "CreateContainer"
	start      = "StartContainer"
)

// containerRuntime is what goes wrong with the runtime, and a moment of the step at which the kubelet is killed.
type containerRuntime struct {
	point *callPoint
	left  int             // calls until then
	fails map[string]int  // method → how many more calls fail
	hangs map[string]bool // methods that are not answered until the kubelet stops
}

// strike kills the kubelet at a point of what it does from now on; nil: nowhere.
func (c *containerRuntime) strike(at *callPoint) {
	c.point, c.left = at, 0
	if at != nil {
		c.left = at.Number
	}
}

// kubeletStops ends calls that hang.
func (c *containerRuntime) kubeletStops() { clear(c.hangs) }

// ending is how a call ended.
type ending int

const (
	done ending = iota
	failed
	hung
)

// call does what a method does, unless it fails, or hangs, or the kubelet is killed before it or behind it.
func (c *containerRuntime) call(method string, does func()) ending {
	here := false
	if c.point != nil && c.point.Method == method {
		c.left--
		here = c.left == 0
	}
	if here && c.point.Moment == "before" {
		panic(killed{})
	}
	ended := done
	switch {
	case c.hangs[method]:
		ended = hung
	case c.fails[method] > 0:
		c.fails[method]--
		ended = failed
	default:
		does()
	}
	if here {
		panic(killed{})
	}
	return ended
}

// insist calls until the call does not fail.
func (n *node) insist(method string, does func()) ending {
	for {
		if ended := n.runtime.call(method, does); ended != failed {
			return ended
		}
	}
}

// happens makes the runtime what a step says. An answer that comes late is one to the managers like any other.
func (n *node) happens(to *runtimeDocument) {
	switch {
	case to.Forgets:
		n.forgetContainers()
	case to.How == "fails":
		n.runtime.fails[to.Call] = to.Times
	case to.How == "hangs":
		n.runtime.hangs[to.Call] = true
	}
}

// forgetContainers: the runtime has no containers any more, so that those of all pods are made anew, init containers first.
func (n *node) forgetContainers() {
	for _, r := range n.residents {
		r.sandbox, r.told = false, map[string]told{}
		if r.active() {
			r.over = map[string]bool{}
		}
	}
	if n.managers == nil {
		return
	}
	for _, r := range n.residents {
		if r.active() {
			n.startContainers(r)
		}
	}
}

// madeAnew makes a container again whose start failed; before that the kubelet takes note that it does not run.
func (n *node) madeAnew(r *resident, container *v1.Container, init bool) {
	if init && createdInitStays {
		return
	}
	if !init {
		n.stopped(r, container.Name)
	}
	n.startContainer(r, container, init)
}

func (d *runtimeDocument) check() error {
	known := map[string]bool{"late": true, "fails": true, "hangs": true}
	if d.Forgets == (d.Call != "" || d.How != "" || d.Times != 0) {
		return fmt.Errorf("runtime: either forgets, or a call and how it ends")
	}
	if !d.Forgets && !known[d.How] {
		return fmt.Errorf("runtime: late, fails or hangs, not %q", d.How)
	}
	return nil
}
