package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// The kubelet and containerd write to paths that can't all be configured:
// /run/containerd, /var/lib/cni, /var/log/containers and others. They also
// mount a lot. So both run in their own mount namespace, in which /run,
// /var/lib and /var/log are folders of the state folder. The machine sees none
// of their mounts, the paths are short enough for Unix sockets in any checkout,
// and the kernel removes all mounts with the last process.

// nodeFolders lists the folders that the node replaces by its own.
var nodeFolders = map[string]string{
	"run":     "/run",
	"var-lib": "/var/lib",
	"var-log": "/var/log",
}

// nodeSysctls lists the kernel settings that a kubelet requires. It finds them
// as files of the state folder with the right values, so it never changes those
// of the machine.
var nodeSysctls = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

// nodeProcess returns a process that keeps the node's mount namespace alive,
// or 0 when a new one is needed.
func (l layout) nodeProcess() int {
	for _, m := range l.members() {
		if m.part == "kubelet" || m.part == "containerd" || m.part == helperPart {
			return m.pid
		}
	}
	return 0
}

// runInNode executes another program inside the node's mount namespace: that of
// the process join, or a new one if join is 0.
func (l layout) runInNode(v version, join int, command []string) error {
	// A namespace belongs to a thread, and the program that this thread executes
	// keeps it.
	runtime.LockOSThread()
	if join != 0 {
		if err := joinMounts(join); err != nil {
			return fmt.Errorf("joining the node's mount namespace: %w", err)
		}
	} else if err := l.newMounts(v); err != nil {
		return fmt.Errorf("making the node's mount namespace: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	return syscall.Exec(command[0], command, os.Environ())
}

// joinMounts moves this thread into the mount namespace of a process.
func joinMounts(pid int) error {
	// The number of the system call setns, which the standard library lacks.
	setns, known := map[string]uintptr{"amd64": 308, "arm64": 268, "riscv64": 268}[runtime.GOARCH]
	if !known {
		return fmt.Errorf("not supported on %s", runtime.GOARCH)
	}
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return err
	}
	defer namespace.Close()
	// A thread that shares its working directory with others may not move.
	if err := syscall.Unshare(syscall.CLONE_FS); err != nil {
		return err
	}
	if _, _, errno := syscall.RawSyscall(setns, namespace.Fd(), syscall.CLONE_NEWNS, 0); errno != 0 {
		return errno
	}
	return nil
}

// newMounts moves this thread into a new mount namespace and prepares it.
func (l layout) newMounts(v version) error {
	for folder := range nodeFolders {
		if err := os.MkdirAll(l.data(v, "node", folder), 0o755); err != nil {
			return err
		}
	}
	// The old processes are gone, as after a restart of the machine.
	if err := emptyFolder(l.data(v, "node", "run")); err != nil {
		return err
	}
	if err := syscall.Unshare(syscall.CLONE_FS | syscall.CLONE_NEWNS); err != nil {
		return err
	}
	// Mounts of the machine appear here, but not the other way round. Containers
	// may share mounts with this namespace.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SLAVE, ""); err != nil {
		return err
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return err
	}
	state, err := os.Open(l.state)
	if err != nil {
		return err
	}
	defer state.Close()

	hidden := false
	for folder, target := range nodeFolders {
		target, err := filepath.EvalSymlinks(target)
		if err != nil {
			return err
		}
		// Through the open folder, because an earlier one of these mounts
		// may lie over the path.
		own := fmt.Sprintf("/proc/self/fd/%d/%s/node/%s", state.Fd(), v.minor, folder)
		if err := syscall.Mount(own, target, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
			return fmt.Errorf("mounting over %s: %w", target, err)
		}
		hidden = hidden || strings.HasPrefix(l.state, target+"/")
	}
	if hidden {
		// The checkout is below one of them, so put it back.
		if err := os.MkdirAll(l.state, 0o755); err != nil {
			return err
		}
		own := fmt.Sprintf("/proc/self/fd/%d", state.Fd())
		if err := syscall.Mount(own, l.state, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
			return fmt.Errorf("mounting %s again: %w", l.state, err)
		}
	}
	return l.coverSysctls(v)
}

// coverSysctls mounts files of the state folder over the kernel's settings.
func (l layout) coverSysctls(v version) error {
	for name, value := range nodeSysctls {
		target := filepath.Join("/proc/sys", name)
		if !exists(target) {
			continue
		}
		own := l.data(v, "node", "sysctl", name)
		if err := writeFile(own, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(own, target, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting over %s: %w", target, err)
		}
	}
	return nil
}

// unmountBelow unmounts everything inside a folder, so that deleting the folder
// deletes nothing else. Normally there is nothing: the node's mounts are in its
// own namespace.
func unmountBelow(folder string) error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	points := mountPointsBelow(string(table), folder)
	// The newest first, because it may lie over an older one.
	for i := len(points) - 1; i >= 0; i-- {
		if err := syscall.Unmount(points[i], syscall.MNT_DETACH); err != nil {
			return fmt.Errorf("unmounting %s: %w", points[i], err)
		}
	}
	return nil
}

// mountPointsBelow reads the mount points inside a folder from the kernel's
// table, which writes blanks and backslashes in octal.
func mountPointsBelow(table, folder string) []string {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var points []string
	for _, line := range strings.Split(table, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		if point := unescape.Replace(fields[4]); strings.HasPrefix(point, folder+"/") {
			points = append(points, point)
		}
	}
	return points
}
