package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

const kib = 1024

// machine is what cAdvisor would say of the scenario's machine.
type machine struct {
	windows bool
	info    *machineInfo
}

type machineDocument struct {
	OS             string         `json:"os"`
	ThreadsPerCore int            `json:"threadsPerCore"`
	NUMA           *bool          `json:"numa"`
	Nodes          []nodeDocument `json:"nodes"`
}

type nodeDocument struct {
	ID        int         `json:"id"`
	Memory    uint64      `json:"memory"`
	CPUs      []int       `json:"cpus"`
	HugePages [][2]uint64 `json:"hugepages"`
	Distances []uint64    `json:"distances"`
	Socket    *int        `json:"socket"`
}

func (n *nodeDocument) socket() int {
	if n.Socket == nil {
		return n.ID
	}
	return *n.Socket
}

func readMachine(text json.RawMessage) (*machine, error) {
	var document machineDocument
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("machine: %w", err)
	}
	if len(document.Nodes) == 0 {
		return nil, fmt.Errorf("machine: it has no nodes")
	}
	return &machine{windows: document.OS == "windows", info: document.info()}, nil
}

func (d *machineDocument) info() *machineInfo {
	info := &machineInfo{}
	pools := d.pools()
	sockets := map[int]*nodeInfo{}
	nextCore := 0
	for i := range d.Nodes {
		node := &d.Nodes[i]
		cores := d.cores(node, &nextCore)
		info.NumCores += len(node.CPUs)
		info.NumPhysicalCores += len(cores)
		info.MemoryCapacity += node.Memory / kib * kib
		seen := nodeInfo{Id: node.ID, Memory: node.Memory / kib * kib, Cores: cores, Distances: node.Distances}
		for _, size := range pools {
			seen.HugePages = append(seen.HugePages, hugePagesInfo{PageSize: size / kib, NumPages: pagesOf(node, size)})
		}
		info.Topology = append(info.Topology, seen)
		if len(cores) > 0 {
			if sockets[node.socket()] == nil {
				sockets[node.socket()] = &nodeInfo{Id: node.socket()}
			}
			sockets[node.socket()].Cores = append(sockets[node.socket()].Cores, cores...)
		}
	}
	info.NumSockets = len(sockets)
	for _, size := range pools {
		total := uint64(0)
		for i := range d.Nodes {
			total += pagesOf(&d.Nodes[i], size)
		}
		info.HugePages = append(info.HugePages, hugePagesInfo{PageSize: size / kib, NumPages: total})
	}
	if d.NUMA != nil && !*d.NUMA {
		info.Topology = socketsAsNodes(sockets)
	}
	// cAdvisor globs directories, so node10 precedes node2.
	sort.Slice(info.Topology, func(i, j int) bool {
		return strconv.Itoa(info.Topology[i].Id) < strconv.Itoa(info.Topology[j].Id)
	})
	return info
}

// pools are the page sizes that any node has, ascending; the kernel offers each on all nodes.
func (d *machineDocument) pools() []uint64 {
	var sizes []uint64
	known := map[uint64]bool{}
	for i := range d.Nodes {
		for _, pages := range d.Nodes[i].HugePages {
			if !known[pages[0]] {
				known[pages[0]] = true
				sizes = append(sizes, pages[0])
			}
		}
	}
	sort.Slice(sizes, func(i, j int) bool { return sizes[i] < sizes[j] })
	return sizes
}

func pagesOf(node *nodeDocument, size uint64) uint64 {
	for _, pages := range node.HugePages {
		if pages[0] == size {
			return pages[1]
		}
	}
	return 0
}

// cores groups neighbouring CPUs of a node; core numbers are unique on the machine.
func (d *machineDocument) cores(node *nodeDocument, next *int) []coreInfo {
	cpus := append([]int{}, node.CPUs...)
	sort.Ints(cpus)
	threads := d.ThreadsPerCore
	if threads < 1 {
		threads = 1
	}
	var cores []coreInfo
	for first := 0; first < len(cpus); first += threads {
		last := first + threads
		if last > len(cpus) {
			last = len(cpus)
		}
		cores = append(cores, coreInfo{Id: *next, Threads: cpus[first:last:last], SocketID: node.socket()})
		*next++
	}
	return cores
}

// socketsAsNodes is what cAdvisor makes of a kernel without NUMA: packages as nodes without memory.
func socketsAsNodes(sockets map[int]*nodeInfo) []nodeInfo {
	var nodes []nodeInfo
	for _, node := range sockets {
		nodes = append(nodes, *node)
	}
	return nodes
}

// capacity is the node's capacity as the kubelet computes it.
func (m *machine) capacity() v1.ResourceList {
	capacity := v1.ResourceList{
		v1.ResourceCPU:    *resource.NewMilliQuantity(int64(m.info.NumCores)*1000, resource.DecimalSI),
		v1.ResourceMemory: *resource.NewQuantity(int64(m.info.MemoryCapacity), resource.BinarySI),
	}
	for _, pages := range m.info.HugePages {
		size := int64(pages.PageSize) * kib
		name := v1.ResourceHugePagesPrefix + resource.NewQuantity(size, resource.BinarySI).String()
		capacity[v1.ResourceName(name)] = *resource.NewQuantity(size*int64(pages.NumPages), resource.BinarySI)
	}
	return capacity
}
