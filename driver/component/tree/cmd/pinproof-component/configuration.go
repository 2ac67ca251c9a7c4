package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/apis/config/scheme"
	"k8s.io/kubernetes/pkg/kubelet/apis/config/validation"
	"k8s.io/kubernetes/pkg/kubelet/eviction"
	evictionapi "k8s.io/kubernetes/pkg/kubelet/eviction/api"
	"k8s.io/utils/cpuset"
)

// baseConfiguration is what boots a kubelet without an API server, cgroups or network; it says nothing about memory.
const baseConfiguration = `{"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","staticPodPath":"/pods",` +
	`"containerRuntimeEndpoint":"unix:///cri.sock","authentication":{"anonymous":{"enabled":true},"webhook":{"enabled":false},"x509":{}},` +
	`"authorization":{"mode":"AlwaysAllow"},"cgroupsPerQOS":false,"enforceNodeAllocatable":[],"failSwapOn":false,"failCgroupV1":false,` +
	`"localStorageCapacityIsolation":false,"makeIPTablesUtilChains":false,"cpuManagerReconcilePeriod":"1h"`

const windowsMemoryThreshold = "500Mi"

// settings are a configuration that the kubelet accepted, as far as that can be told before its managers are made.
type settings struct {
	kubelet      *kubeletconfig.KubeletConfiguration
	gates        featureGates
	reservedCPUs cpuset.CPUSet
	reservation  v1.ResourceList // Node Allocatable keeps it from pods
	node         *v1.Node
	overcommit   string // the refusal, after the managers have started, of a reservation beyond capacity
	refusal      string // else nothing but gates is set
}

// universal decodes a configuration file and fills in defaults, as the kubelet does.
var universal = func() runtime.Decoder {
	_, factory, err := scheme.NewSchemeAndCodecs()
	if err != nil {
		panic(err) // the scheme is compiled in
	}
	return factory.UniversalDecoder()
}()

func decode(text string) (*kubeletconfig.KubeletConfiguration, error) {
	object, _, err := universal.Decode([]byte(text), nil, nil)
	if err != nil {
		return nil, fmt.Errorf("failed to load kubelet config file: %w", err)
	}
	return object.(*kubeletconfig.KubeletConfiguration), nil
}

// settle does what the kubelet does before it makes its managers. Its refusals are upstream's own, in upstream's order.
func settle(fields json.RawMessage, on *machine) *settings {
	s := &settings{gates: pristineGates.DeepCopy()}
	defer s.use()() // the gates of the last scenario must not decide what is a default in this one
	if err := s.load(fields, on); err != nil {
		s.refusal = err.Error()
		return s
	}
	if err := s.reserve(on); err != nil {
		s.refusal = "failed to run Kubelet: " + err.Error()
	}
	return s
}

func (s *settings) load(fields json.RawMessage, on *machine) error {
	text := baseConfiguration
	if inside := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(string(fields)), "{"), "}"); strings.TrimSpace(inside) != "" {
		text += "," + inside
	}
	kubelet, err := decode(text + "}")
	if err != nil {
		return err
	}
	mergeEviction(kubelet, on.windows)
	if err := s.gates.SetFromMap(kubelet.FeatureGates); err != nil {
		return fmt.Errorf("failed to set feature gates from initial flags-based config: %w", err)
	}
	s.kubelet = kubelet
	if err := validation.ValidateKubeletConfiguration(kubelet, s.gates); err != nil {
		return fmt.Errorf("failed to validate kubelet configuration, error: %w", err)
	}
	return nil
}

// use makes the gates those that Kubernetes looks at, and answers what undoes it.
func (s *settings) use() (undo func()) {
	utilfeature.DefaultMutableFeatureGate, utilfeature.DefaultFeatureGate = s.gates, s.gates
	return func() {
		utilfeature.DefaultMutableFeatureGate, utilfeature.DefaultFeatureGate = pristineGates, pristineGates
	}
}

// mergeEviction gives the thresholds their defaults, which the kubelet's command does and not the configuration's decoder.
func mergeEviction(kubelet *kubeletconfig.KubeletConfiguration, windows bool) {
	standard := map[string]string{}
	for signal, value := range eviction.DefaultEvictionHard {
		standard[signal] = value
	}
	if windows {
		standard[string(evictionapi.SignalMemoryAvailable)] = windowsMemoryThreshold
	}
	if kubelet.EvictionHard == nil {
		kubelet.EvictionHard = standard
	} else if mergesDefaultEviction(kubelet) {
		for signal, value := range standard {
			if _, given := kubelet.EvictionHard[signal]; !given {
				kubelet.EvictionHard[signal] = value
			}
		}
	}
}

// reserve works out what Node Allocatable keeps from pods: system + kube + the hard threshold of memory.
func (s *settings) reserve(on *machine) error {
	if err := s.reserveCPUs(on); err != nil {
		return err
	}
	kube, err := reserved(s.kubelet.KubeReserved)
	if err != nil {
		return fmt.Errorf("--kube-reserved value failed to parse: %w", err)
	}
	system, err := reserved(s.kubelet.SystemReserved)
	if err != nil {
		return fmt.Errorf("--system-reserved value failed to parse: %w", err)
	}
	thresholds, err := eviction.ParseThresholdConfig(nil, s.kubelet.EvictionHard, nil, nil, nil)
	if err != nil {
		return err
	}
	capacity := on.capacity()
	threshold := memoryThreshold(thresholds, capacity[v1.ResourceMemory])
	s.reservation = v1.ResourceList{}
	for name := range capacity {
		value := resource.NewQuantity(0, resource.DecimalSI)
		value.Add(system[name])
		value.Add(kube[name])
		if name == v1.ResourceMemory && threshold != nil {
			value.Add(*threshold)
		}
		if !value.IsZero() {
			s.reservation[name] = *value
		}
	}
	s.overcommit = overcommit(capacity, s.reservation)
	s.node = nodeOf(capacity, s.reservation, int64(s.kubelet.MaxPods))
	return nil
}

// reserveCPUs: the list of CPUs replaces what the two reservations say about cpu.
func (s *settings) reserveCPUs(on *machine) error {
	if s.kubelet.ReservedSystemCPUs == "" {
		return nil
	}
	cpus, err := cpuset.Parse(s.kubelet.ReservedSystemCPUs)
	if err != nil {
		return fmt.Errorf("unable to parse reserved-cpus list: %s", err)
	}
	var online []int
	for _, node := range on.info.Topology {
		for _, core := range node.Cores {
			online = append(online, core.Threads...)
		}
	}
	if all := cpuset.New(online...); !cpus.IsSubsetOf(all) {
		return fmt.Errorf("reserved-cpus: %s is not a subset of online-cpus: %s", s.kubelet.ReservedSystemCPUs, all)
	}
	s.reservedCPUs = cpus
	if cpus.Size() > 0 {
		delete(s.kubelet.KubeReserved, "cpu")
		if s.kubelet.SystemReserved == nil {
			s.kubelet.SystemReserved = map[string]string{}
		}
		s.kubelet.SystemReserved["cpu"] = strconv.Itoa(cpus.Size())
	}
	return nil
}

func reserved(texts map[string]string) (v1.ResourceList, error) {
	list := v1.ResourceList{}
	for name, text := range texts {
		switch name {
		case "cpu", "memory", "ephemeral-storage", "pid":
		default:
			return nil, fmt.Errorf("cannot reserve %q resource", name)
		}
		amount, err := resource.ParseQuantity(text)
		if err != nil {
			return nil, fmt.Errorf("failed to parse quantity %q for %q resource: %w", text, name, err)
		}
		if amount.Sign() == -1 {
			return nil, fmt.Errorf("resource quantity for %q cannot be negative: %v", name, text)
		}
		list[v1.ResourceName(name)] = amount
	}
	return list, nil
}

func memoryThreshold(thresholds []evictionapi.Threshold, capacity resource.Quantity) *resource.Quantity {
	var found *resource.Quantity
	for _, threshold := range thresholds {
		if threshold.Signal == evictionapi.SignalMemoryAvailable && threshold.Operator == evictionapi.OpLessThan {
			found = evictionapi.GetThresholdQuantity(threshold.Value, &capacity)
		}
	}
	return found
}

func overcommit(capacity, reservation v1.ResourceList) string {
	var faults []string
	for name, amount := range reservation {
		left := capacity[name].DeepCopy()
		left.Sub(amount)
		if left.Sign() < 0 {
			faults = append(faults, fmt.Sprintf("Resource %q has a reservation of %v but capacity of %v. Expected capacity >= reservation.", name, amount, capacity[name]))
		}
	}
	if faults == nil {
		return ""
	}
	return "invalid Node Allocatable configuration. " + strings.Join(faults, " ")
}

// nodeOf is the node object with which the node predicates reckon; huge pages are taken off memory.
func nodeOf(capacity, reservation v1.ResourceList, pods int64) *v1.Node {
	allocatable := v1.ResourceList{}
	for name, amount := range capacity {
		allocatable[name] = less(amount, reservation[name])
	}
	memory := allocatable[v1.ResourceMemory]
	for name, amount := range capacity {
		if strings.HasPrefix(string(name), v1.ResourceHugePagesPrefix) {
			memory = less(memory, amount)
		}
	}
	allocatable[v1.ResourceMemory] = memory
	allocatable[v1.ResourcePods] = *resource.NewQuantity(pods, resource.DecimalSI)
	return &v1.Node{Status: v1.NodeStatus{Capacity: capacity, Allocatable: allocatable}}
}

// less subtracts; there is no less than nothing.
func less(from, amount resource.Quantity) resource.Quantity {
	left := from.DeepCopy()
	left.Sub(amount)
	if left.Sign() < 0 {
		left.Set(0)
	}
	return left
}
