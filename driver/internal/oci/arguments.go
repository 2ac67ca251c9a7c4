package oci

import (
	"slices"
	"strings"
)

// withValue are the flags before the command that are followed by a value.
var withValue = []string{"root", "log", "log-format", "log-level", "criu", "rootless", "cgroup-manager"}

// invocation is what a runtime was called with.
type invocation struct {
	arguments []string // without the program's name
	command   string   // create, update, ...; empty if there is none
	at        int      // where in the arguments the command stands
}

// parse finds the command behind the flags that come before it.
func parse(arguments []string) invocation {
	for i := 0; i < len(arguments); i++ {
		argument := arguments[i]
		if !strings.HasPrefix(argument, "-") {
			return invocation{arguments, argument, i}
		}
		if slices.Contains(withValue, strings.TrimLeft(argument, "-")) {
			i++
		}
	}
	return invocation{arguments, "", len(arguments)}
}

// flag is the value of one of the command's flags, by its long or its short name; empty if it is not given.
func (i invocation) flag(long, short string) string {
	value, _, _ := i.find(long, short)
	return value
}

// find also tells where the value stands, and what stands in that argument before it: `--bundle=` or nothing.
func (i invocation) find(long, short string) (value string, at int, before string) {
	for n := i.at + 1; n < len(i.arguments); n++ {
		argument := i.arguments[n]
		name, found, assigned := strings.Cut(argument, "=")
		if name != "--"+long && name != "-"+long && name != "-"+short {
			continue
		}
		if assigned {
			return found, n, name + "="
		}
		if n+1 < len(i.arguments) {
			return i.arguments[n+1], n + 1, ""
		}
	}
	return "", -1, ""
}

// replace puts another value in the place of a flag's.
func (i invocation) replace(long, short, value string) {
	if _, at, before := i.find(long, short); at >= 0 {
		i.arguments[at] = before + value
	}
}

// container is the container's id, which is the last argument of every command that has one.
func (i invocation) container() string {
	if len(i.arguments) == 0 {
		return ""
	}
	return i.arguments[len(i.arguments)-1]
}
