package topologymanager

// PinproofWindows makes the managers those of a Windows kubelet.
var PinproofWindows bool

// PinproofOS is asked wherever the managers ask runtime.GOOS, which is `here`.
func PinproofOS(here string) string {
	if PinproofWindows {
		return "windows"
	}
	return here
}
