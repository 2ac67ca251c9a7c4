//go:build !since_1_33

package main

import kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"

func mergesDefaultEviction(*kubeletconfig.KubeletConfiguration) bool { return false }
