//go:build since_1_33

package main

import kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"

func mergesDefaultEviction(kubelet *kubeletconfig.KubeletConfiguration) bool {
	return kubelet.MergeDefaultEvictionSettings
}
