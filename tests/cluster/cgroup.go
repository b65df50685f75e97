package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// All containers live below one control group with a name of our own. It
// must exist before the kubelet starts, and it tells which processes are
// containers even when everything that knew about them is dead.

// hierarchies are the roots of the machine's control groups: one for version
// 2, one for each controller in version 1, or both kinds together.
func hierarchies() []string {
	table, _ := os.ReadFile("/proc/self/mounts")
	return cgroupMounts(string(table))
}

// cgroupMounts reads the mount points of control groups from the kernel's
// table of mounts.
func cgroupMounts(table string) []string {
	var roots []string
	for _, line := range strings.Split(table, "\n") {
		fields := strings.Fields(line)
		if len(fields) >= 3 && (fields[2] == "cgroup" || fields[2] == "cgroup2") {
			roots = append(roots, fields[1])
		}
	}
	return roots
}

// makeCgroup makes the control group in every hierarchy.
func (l layout) makeCgroup() error {
	roots := hierarchies()
	if len(roots) == 0 {
		return fail("the kubelet needs control groups: mount them, or use another cluster.",
			"no control groups are mounted on this machine")
	}
	for _, root := range roots {
		folder := filepath.Join(root, l.cgroup())
		if err := os.Mkdir(folder, 0o755); err != nil && !os.IsExist(err) {
			return err
		}
		inheritCpuset(root, folder)
		delegate(root)
		delegate(folder)
	}
	return nil
}

// delegate lets the groups below a group use all of its controllers. Version 1
// has no such setting. The kubelet reports missing controllers that it needs.
func delegate(folder string) {
	controllers, err := os.ReadFile(filepath.Join(folder, "cgroup.controllers"))
	if err != nil {
		return
	}
	for _, controller := range strings.Fields(string(controllers)) {
		os.WriteFile(filepath.Join(folder, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
	}
}

// inheritCpuset copies the allowed processors and memory from the parent:
// in version 1 a new group has none, and then no process can join it.
func inheritCpuset(parent, folder string) {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		own, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || strings.TrimSpace(string(own)) != "" {
			continue
		}
		if value, err := os.ReadFile(filepath.Join(parent, name)); err == nil {
			os.WriteFile(filepath.Join(folder, name), value, 0o644)
		}
	}
}

// cgroups lists our control groups, each before the ones inside it.
func (l layout) cgroups() []string {
	var folders []string
	for _, root := range hierarchies() {
		filepath.WalkDir(filepath.Join(root, l.cgroup()), func(path string, entry fs.DirEntry, err error) error {
			// A group may vanish while it is looked at.
			if err == nil && entry.IsDir() {
				folders = append(folders, path)
			}
			return nil
		})
	}
	return folders
}

// containerProcesses lists the processes inside our control groups.
func (l layout) containerProcesses() []int {
	seen := map[int]bool{}
	var pids []int
	for _, folder := range l.cgroups() {
		content, _ := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
		for _, field := range strings.Fields(string(content)) {
			pid, err := strconv.Atoi(field)
			// Those of another pid namespace are written as 0.
			if err == nil && pid > 0 && !seen[pid] && alive(pid) {
				seen[pid] = true
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// killContainers ends every process inside our control groups.
func (l layout) killContainers() error {
	for _, folder := range l.cgroups() {
		// A frozen process does not die.
		os.WriteFile(filepath.Join(folder, "freezer.state"), []byte("THAWED"), 0o644)
		os.WriteFile(filepath.Join(folder, "cgroup.freeze"), []byte("0"), 0o644)
	}
	if !killAll(l.containerProcesses) {
		return fmt.Errorf("processes of containers don't end: %v", l.containerProcesses())
	}
	return nil
}

// removeCgroups removes our control groups, once nothing lives in them.
func (l layout) removeCgroups() error {
	if until(20*time.Second, func() bool {
		folders := l.cgroups()
		for i := len(folders) - 1; i >= 0; i-- {
			syscall.Rmdir(folders[i])
		}
		return len(l.cgroups()) == 0
	}) {
		return nil
	}
	return fmt.Errorf("control groups can't be removed: %s", strings.Join(l.cgroups(), " "))
}
