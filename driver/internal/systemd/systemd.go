// Package systemd asks the service manager of a node, through its own command.
package systemd

import (
	"bytes"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// Ctl runs systemctl and returns what it says.
func Ctl(arguments ...string) (string, error) {
	said, err := exec.Command("systemctl", arguments...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("systemctl %s: %w: %s", strings.Join(arguments, " "), err, bytes.TrimSpace(said))
	}
	return string(said), nil
}

// Numbers are those properties of a unit that are numbers, by name.
func Numbers(unit string, names ...string) (map[string]int, error) {
	said, err := Ctl("show", unit, "--property="+strings.Join(names, ","))
	if err != nil {
		return nil, err
	}
	values := map[string]int{}
	for line := range strings.SplitSeq(said, "\n") {
		name, value, _ := strings.Cut(line, "=")
		if number, err := strconv.Atoi(value); err == nil {
			values[name] = number
		}
	}
	return values, nil
}
