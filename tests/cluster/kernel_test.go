package main

import (
	"os"
	"slices"
	"testing"
)

// Parsers of files in /proc.

func TestParseMember(t *testing.T) {
	environment := []byte("PATH=/bin\x00" + memberVariable + "=kubelet@/a b/target/cluster\x00X=1\x00")
	part, state, ok := parseMember(environment)
	if !ok || part != "kubelet" || state != "/a b/target/cluster" {
		t.Errorf("got %q, %q, %v", part, state, ok)
	}
	if _, _, ok := parseMember([]byte("PATH=/bin\x00")); ok {
		t.Error("a process without a mark is a member")
	}
}

func TestAlive(t *testing.T) {
	if !alive(os.Getpid()) {
		t.Error("this process isn't alive")
	}
	if alive(0) {
		t.Error("process 0 is alive")
	}
}

func TestMountPointsBelow(t *testing.T) {
	const table = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:5 / /repo/target/cluster/a rw - tmpfs tmpfs rw
31 22 0:5 / /repo/target/cluster2 rw - tmpfs tmpfs rw
32 30 0:6 / /repo/target/cluster/a/with\040blank rw - tmpfs tmpfs rw
`
	want := []string{"/repo/target/cluster/a", "/repo/target/cluster/a/with blank"}
	if got := mountPointsBelow(table, "/repo/target/cluster"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCgroupMounts(t *testing.T) {
	const table = `tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
proc /proc proc rw 0 0
`
	want := []string{"/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"}
	if got := cgroupMounts(table); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestListeningInodes(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:403B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1
   1: 0100007F:403B 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 222 1
   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1
`
	// The second is a connection and the third another port.
	if got := listeningInodes(table, apiServerPort); !slices.Equal(got, []string{"111"}) {
		t.Errorf("got %q", got)
	}
}
