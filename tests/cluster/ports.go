package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// checkPort returns an error that names the program on a port that must be free.
func (l layout) checkPort(port int) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		return listener.Close()
	}
	for _, other := range members() {
		if other.state != l.state {
			owner := layout{source: l.source, state: other.state}
			return fail("stop the other one first: "+owner.downCommand(),
				"port %d is held by the test cluster in %s; only one can run at a time", port, other.state)
		}
	}
	holder := "another program"
	if pid := listeningProcess(port); pid != 0 {
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		holder = fmt.Sprintf("process %d (%s)", pid, strings.TrimSpace(string(comm)))
	}
	return fail("stop that program, then run `up` again.",
		"port %d of 127.0.0.1 is held by %s, and the cluster needs it: %w", port, holder, err)
}

// listeningProcess finds the process that listens on a TCP port, or returns 0.
func listeningProcess(port int) int {
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		content, _ := os.ReadFile(table)
		for _, inode := range listeningInodes(string(content), port) {
			sockets["socket:["+inode+"]"] = true
		}
	}
	if len(sockets) == 0 {
		return 0
	}
	descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, descriptor := range descriptors {
		target, err := os.Readlink(descriptor)
		if err == nil && sockets[target] {
			pid, _ := strconv.Atoi(strings.Split(descriptor, "/")[2])
			return pid
		}
	}
	return 0
}

// listeningInodes returns the sockets that listen on a port, from the kernel's
// table.
func listeningInodes(table string, port int) []string {
	const listening = "0A"
	var inodes []string
	for _, line := range strings.Split(table, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 10 || fields[3] != listening {
			continue
		}
		if strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
			inodes = append(inodes, fields[9])
		}
	}
	return inodes
}
