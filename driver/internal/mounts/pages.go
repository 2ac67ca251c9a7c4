package mounts

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Nodes is where the kernel shows its NUMA nodes.
const Nodes = "/sys/devices/system/node"

// OfferOnly hides sizes of huge pages that the kernel offers and that are not named (2048kB). A kernel cannot be told
// which it offers, and a kubelet keeps books of those without a page too.
func OfferOnly(sizes []string) error {
	places, err := filepath.Glob(Nodes + "/node*/hugepages")
	if err != nil {
		return err
	}
	for _, place := range append(places, "/sys/kernel/mm/hugepages") {
		if err := offerOnly(place, sizes); err != nil {
			return err
		}
	}
	return nil
}

func offerOnly(place string, sizes []string) error {
	entries, err := os.ReadDir(place)
	if err != nil {
		return err
	}
	hidden := func(entry os.DirEntry) bool {
		return !slices.Contains(sizes, strings.TrimPrefix(entry.Name(), "hugepages-"))
	}
	if !slices.ContainsFunc(entries, hidden) {
		return nil
	}
	shown, err := os.Open(place) // what is beneath the new mount stays reachable by it
	if err != nil {
		return err
	}
	defer shown.Close()
	if err := cover(place); err != nil {
		return err
	}
	for _, entry := range slices.DeleteFunc(entries, hidden) {
		target := filepath.Join(place, entry.Name())
		if err := os.Mkdir(target, 0o755); err != nil {
			return err
		}
		source := filepath.Join("/proc/self/fd", strconv.Itoa(int(shown.Fd())), entry.Name())
		if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}
