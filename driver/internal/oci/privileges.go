package oci

import (
	"encoding/json"
	"strconv"
	"strings"
)

// capabilityNames are the kernel's, by number: include/uapi/linux/capability.h.
var capabilityNames = strings.Fields(`
	CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST
	NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
	SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
	BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)

var capabilityNumbers = numbers()

func numbers() map[string]uint {
	found := map[string]uint{}
	for number, name := range capabilityNames {
		found["CAP_"+name] = uint(number)
	}
	return found
}

// clipPrivileges takes out of a process what nobody on this host can give it: capabilities, and a score of the OOM killer below
// the one that there is. A runtime would refuse the whole container.
func clipPrivileges(process object, h host) {
	sets := process.at("capabilities")
	for name := range sets {
		wanted, _ := sets[name].([]any)
		kept := []any{}
		for _, capability := range wanted {
			text, _ := capability.(string)
			if number, known := capabilityNumbers[text]; !known || h.capabilities&(1<<number) != 0 {
				kept = append(kept, capability)
			}
		}
		sets[name] = kept
	}
	if score, given := process["oomScoreAdj"].(json.Number); given && !h.mayRaise() {
		if wanted, err := score.Int64(); err == nil && wanted < int64(h.oomScore) {
			process["oomScoreAdj"] = json.Number(strconv.Itoa(h.oomScore))
		}
	}
}
