package main

import "encoding/json"

// Campaigns run many scenarios of one machine and configuration, so both are read once.
const (
	machinesKept = 256
	settingsKept = 512
)

var (
	machines     = map[string]*machine{}
	knownOptions = map[string]*settings{}
)

// settled reads a machine and a configuration.
func settled(machineText, kubeletText json.RawMessage) (*machine, *settings, error) {
	on, known := machines[string(machineText)]
	if !known {
		read, err := readMachine(machineText)
		if err != nil {
			return nil, nil, err
		}
		if len(machines) >= machinesKept {
			clear(machines)
		}
		on, machines[string(machineText)] = read, read
	}
	key := string(machineText) + "\n" + string(kubeletText)
	options, known := knownOptions[key]
	if !known {
		if len(knownOptions) >= settingsKept {
			clear(knownOptions)
		}
		options = settle(kubeletText, on)
		if options.refusal == "" && options.overcommit == "" { // of several faults, Go's map order picks one anew each time
			knownOptions[key] = options
		}
	}
	return on, options, nil
}
