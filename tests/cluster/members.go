package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// memberVariable marks every process of a cluster: its value is PART@STATE.
// Children inherit it, so the shims of a killed containerd are found, too, and
// pid files are not needed.
const memberVariable = "KUBECTL_INDEXED_TEST_CLUSTER_MEMBER"

// helperPart is the part name of processes that a part has started, mainly the
// shims of containerd. A shim is the parent of the containers of one Pod, and
// outlives containerd on purpose.
const helperPart = "helper"

// mainPrograms lists the kernel's names of the programs of parts. The first is
// this program, before it executes another one.
var mainPrograms = map[string]bool{
	"cluster":       true,
	"containerd":    true,
	"kwok":          true,
	"kueue":         true,
	newest.binary(): true,
	oldest.binary(): true,
}

// member is one living process of a cluster.
type member struct {
	pid   int
	part  string
	state string
}

// members lists the living processes of every cluster on the machine.
func members() []member {
	var found []member
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		environment, err := os.ReadFile(filepath.Join(folder, "environ"))
		if err != nil {
			continue
		}
		part, state, ok := parseMember(environment)
		if !ok || !alive(pid) {
			continue
		}
		comm, _ := os.ReadFile(filepath.Join(folder, "comm"))
		if !mainPrograms[strings.TrimSpace(string(comm))] {
			part = helperPart
		}
		found = append(found, member{pid, part, state})
	}
	return found
}

// parseMember finds the mark in a process's environment.
func parseMember(environment []byte) (part, state string, ok bool) {
	for _, variable := range bytes.Split(environment, []byte{0}) {
		value, found := strings.CutPrefix(string(variable), memberVariable+"=")
		if !found {
			continue
		}
		return strings.Cut(value, "@")
	}
	return "", "", false
}

// members lists the living processes of this cluster.
func (l layout) members() []member {
	var ours []member
	for _, m := range members() {
		if m.state == l.state {
			ours = append(ours, m)
		}
	}
	return ours
}

// running returns the process of a part, or 0.
func (l layout) running(part string) int {
	for _, m := range l.members() {
		if m.part == part {
			return m.pid
		}
	}
	return 0
}

// alive returns whether a process runs. A zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	// The name of the command may contain brackets, so search for the last one.
	end := bytes.LastIndexByte(stat, ')')
	return end > 0 && len(stat) > end+2 && stat[end+2] != 'Z' && stat[end+2] != 'X'
}

// killAll sends SIGKILL until the list of processes is empty. No data is lost:
// the kernel already has all that they wrote.
func killAll(list func() []int) bool {
	return until(20*time.Second, func() bool {
		pids := list()
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		return len(pids) == 0
	})
}

// until waits until a condition holds, and returns false at the time limit.
func until(limit time.Duration, holds func() bool) bool {
	for end := time.Now().Add(limit); ; time.Sleep(30 * time.Millisecond) {
		if holds() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}
