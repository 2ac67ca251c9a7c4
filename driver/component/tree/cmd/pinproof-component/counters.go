package main

import (
	"sort"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	k8smetrics "k8s.io/component-base/metrics"
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
	labelledCounters []*k8smetrics.CounterVec
)

// series is the name of a counter with its labels as the exposition has them → its value.
type series map[string]int64

// registerCounters: metrics that are not registered do not count.
func registerCounters() {
	metrics.Register()
}

func readCounters() series {
	read := series{}
	for _, counter := range plainCounters {
		value, _ := sample(counter.CounterMetric.(prometheus.Metric))
		read[counter.FQName()] = value
	}
	collected := make(chan prometheus.Metric, 1024)
	for _, vector := range labelledCounters {
		vector.CounterVec.Collect(collected)
		for len(collected) > 0 {
			value, labels := sample(<-collected)
			read[vector.FQName()+labels] = value
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

func (s series) since(start series) series {
	moved := make(series, len(s))
	for name, value := range s {
		moved[name] = value - start[name]
	}
	return moved
}
