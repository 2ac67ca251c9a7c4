package cri

import (
	api "k8s.io/cri-api/pkg/apis/runtime/v1"

	"pinproof.dev/driver/internal/recorder"
	"pinproof.dev/driver/internal/store"
)

// Facts says what to note of a request: whom it is about, and the resources it carries.
func Facts(kept *store.Store) func(request any) recorder.Facts {
	return func(request any) recorder.Facts {
		switch r := request.(type) {
		case *api.RunPodSandboxRequest:
			return sandboxFacts(r.GetConfig())
		case *api.CreateContainerRequest:
			facts := sandboxFacts(r.GetSandboxConfig())
			facts["container"] = r.GetConfig().GetMetadata().GetName()
			facts["attempt"] = r.GetConfig().GetMetadata().GetAttempt()
			return withResources(facts, r.GetConfig().GetLinux().GetResources())
		case *api.UpdateContainerResourcesRequest:
			return withResources(knownContainer(kept, r.GetContainerId()), r.GetLinux())
		case interface{ GetContainerId() string }:
			return knownContainer(kept, r.GetContainerId())
		case interface{ GetPodSandboxId() string }:
			return knownSandbox(kept, r.GetPodSandboxId())
		default:
			return recorder.Facts{}
		}
	}
}

func sandboxFacts(config *api.PodSandboxConfig) recorder.Facts {
	pod := config.GetMetadata()
	return recorder.Facts{"uid": pod.GetUid(), "namespace": pod.GetNamespace(), "pod": pod.GetName()}
}

func knownSandbox(kept *store.Store, id string) recorder.Facts {
	box, err := kept.Sandbox(id)
	if err != nil {
		return recorder.Facts{"sandbox_id": id}
	}
	facts := sandboxFacts(box.Config)
	facts["sandbox_id"] = id
	return facts
}

func knownContainer(kept *store.Store, id string) recorder.Facts {
	c, err := kept.Container(id)
	if err != nil {
		return recorder.Facts{"container_id": id}
	}
	facts := sandboxFacts(c.Sandbox.Config)
	facts["container_id"], facts["container"] = id, c.Name()
	facts["attempt"] = c.Config.GetMetadata().GetAttempt()
	return facts
}

func withResources(facts recorder.Facts, resources *api.LinuxContainerResources) recorder.Facts {
	pages := map[string]uint64{}
	for _, limit := range resources.GetHugepageLimits() {
		pages[limit.GetPageSize()] = limit.GetLimit()
	}
	facts["cpuset_mems"], facts["cpuset_cpus"] = resources.GetCpusetMems(), resources.GetCpusetCpus()
	facts["cpu_shares"], facts["cpu_quota"] = resources.GetCpuShares(), resources.GetCpuQuota()
	facts["memory_limit"], facts["hugepage_limits"] = resources.GetMemoryLimitInBytes(), pages
	return facts
}
