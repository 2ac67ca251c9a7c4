package namespaces

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// NodeIP is the address, besides 127.0.0.1, that the node's loopback device has: for the kubelet's --node-ip, which
// refuses a loopback address.
const NodeIP = "10.88.0.1"

// Enter makes the namespaces this process was born in usable: no mount spreads to the host, and loopback works.
func Enter() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private (is the user namespace restricted, as by AppArmor?): %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("change to /: %w", err)
	}
	return Loopback()
}

// Loopback brings lo up and gives an alias of it the node's address.
func Loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a socket for the loopback device: %w", err)
	}
	defer unix.Close(fd)
	device, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	device.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, device); err != nil {
		return fmt.Errorf("bring the loopback device up: %w", err)
	}
	alias, err := unix.NewIfreq("lo:1")
	if err != nil {
		return err
	}
	if err := alias.SetInet4Addr([]byte{10, 88, 0, 1}); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, alias); err != nil {
		return fmt.Errorf("give the loopback device the address %s: %w", NodeIP, err)
	}
	return nil
}
