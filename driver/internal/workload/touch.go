package workload

import (
	"flag"
	"fmt"
	"math/bits"
	"os"

	"golang.org/x/sys/unix"
)

// Touched is the name of a process that has touched all that it was told to.
const Touched = "touched"

// A mapping is memory to be touched, in pages of one size.
type mapping struct{ page, size int }

// touch maps memory and writes to each of its pages:
//
//	--memory BYTES                  ordinary pages
//	--pages SIZE:BYTES              huge pages of one size; may be repeated
//
// It stays mapped until the process ends, whose name is then Touched.
func touch(arguments []string) error {
	flags := flag.NewFlagSet("workload", flag.ContinueOnError)
	memory := flags.Int("memory", 0, "bytes of ordinary pages")
	var wanted []mapping
	flags.Func("pages", "SIZE:BYTES of huge pages", func(text string) error {
		var one mapping
		if _, err := fmt.Sscanf(text, "%d:%d", &one.page, &one.size); err != nil || bits.OnesCount(uint(one.page)) != 1 {
			return fmt.Errorf("%q is not SIZE:BYTES with a power of two", text)
		}
		wanted = append(wanted, one)
		return nil
	})
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *memory > 0 {
		wanted = append(wanted, mapping{unix.Getpagesize(), *memory})
	}
	for _, one := range wanted {
		if err := one.touch(); err != nil {
			return fmt.Errorf("touch %d bytes in pages of %d: %w", one.size, one.page, err)
		}
	}
	return os.WriteFile("/proc/self/comm", []byte(Touched), 0)
}

func (m mapping) touch() error {
	const hugeShift = 26 // MAP_HUGE_SHIFT
	how := unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
	if m.page > unix.Getpagesize() {
		how |= unix.MAP_HUGETLB | bits.TrailingZeros(uint(m.page))<<hugeShift
	}
	data, err := unix.Mmap(-1, 0, m.size, unix.PROT_READ|unix.PROT_WRITE, how)
	if err != nil {
		return err
	}
	for at := 0; at < len(data); at += m.page {
		data[at] = 1
	}
	return nil
}
