package main

import (
	"sort"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/component-base/featuregate"
	k8smetrics "k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/kubernetes/pkg/kubelet/metrics"
)

// plainCounters and labelledCounters are completed by the counters_*.go files of the releases that have more.
var (
	plainCounters = []*k8smetrics.Counter{
		metrics.CPUManagerPinningRequestsTotal,
		metrics.CPUManagerPinningErrorsTotal,
		metrics.TopologyManagerAdmissionRequestsTotal,
		metrics.TopologyManagerAdmissionErrorsTotal,
	}
	labelledCounters []labelledCounter
)

// labelledCounter is a counter that the kubelet has where a feature gate is on; no gate: always.
type labelledCounter struct {
	*k8smetrics.CounterVec
	gate featuregate.Feature
}

// series is the name of a counter with its labels as the exposition has them → its value.
type series map[string]int64

// registerCounters: metrics that are not registered do not count. Those of a gate are left out by a kubelet without it.
func registerCounters() {
	metrics.Register()
	for _, counter := range labelledCounters {
		if !counter.IsCreated() {
			legacyregistry.MustRegister(counter.CounterVec)
		}
	}
}

func readCounters(gates featureGates) series {
	read := series{}
	for _, counter := range plainCounters {
		value, _ := sample(counter.CounterMetric.(prometheus.Metric))
		read[counter.FQName()] = value
	}
	collected := make(chan prometheus.Metric, 1024)
	for _, counter := range labelledCounters {
		if counter.gate != "" && !gates.Enabled(counter.gate) {
			continue
		}
		counter.CounterVec.CounterVec.Collect(collected)
		for len(collected) > 0 {
			value, labels := sample(<-collected)
			read[counter.FQName()+labels] = value
		}
	}
	return read
}

func sample(metric prometheus.Metric) (value int64, labels string) {
	var written dto.Metric
	if err := metric.Write(&written); err != nil {
		panic(err) // a counter can always be written
	}
	pairs := make([]string, 0, len(written.Label))
	for _, label := range written.Label {
		pairs = append(pairs, label.GetName()+`="`+label.GetValue()+`"`)
	}
	if len(pairs) > 0 {
		sort.Strings(pairs)
		labels = "{" + strings.Join(pairs, ",") + "}"
	}
	return int64(written.Counter.GetValue()), labels
}

// since leaves out labelled series that did not move, as the exposition does with those that were never touched.
func (s series) since(start series) series {
	moved := make(series, len(s))
	for name, value := range s {
		if value != start[name] || !strings.HasSuffix(name, "}") {
			moved[name] = value - start[name]
		}
	}
	return moved
}
