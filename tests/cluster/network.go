package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
	"unsafe"
)

// Pods get an address on a bridge without a gateway or masquerade. The addresses
// are loopback ones, so they can't collide with a network of the machine.

// writeNetwork writes the network configuration of containerd's Pods.
func (l layout) writeNetwork() error {
	configuration := map[string]any{
		"cniVersion": "0.4.0",
		"name":       l.bridge(),
		"plugins": []any{map[string]any{
			"type":   "bridge",
			"bridge": l.bridge(),
			"ipam": map[string]any{
				"type":   "host-local",
				"ranges": []any{[]any{map[string]any{"subnet": "127.64.0.0/16"}}},
			},
		}},
	}
	content, err := json.MarshalIndent(configuration, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(l.config("cni"), "pods.conflist"), append(content, '\n'), 0o644)
}

// removeBridge removes the bridge. The kernel has removed the links of Pods with
// their network namespaces.
func (l layout) removeBridge() error {
	present := func() bool { return exists("/sys/class/net/" + l.bridge()) }
	if !present() {
		return nil
	}
	var problem error
	if until(10*time.Second, func() bool {
		problem = deleteBridge(l.bridge())
		return !present()
	}) {
		return nil
	}
	return fmt.Errorf("removing the network link %s: %w", l.bridge(), problem)
}

// podLinks lists the links that are attached to the bridge.
func (l layout) podLinks() []string {
	links, _ := filepath.Glob("/sys/class/net/" + l.bridge() + "/brif/*")
	return links
}

// deleteBridge takes a bridge down and deletes it with the kernel's old ioctl
// interface, which needs no installed program.
func deleteBridge(name string) error {
	const deleteBridgeRequest = 0x89a1 // SIOCBRDELBR of linux/sockios.h.
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)

	// The kernel's struct ifreq: a name, then a union of 24 bytes.
	var request struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:syscall.IFNAMSIZ-1], name)
	// Flags of zero: the link is not up.
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket),
		syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return os.NewSyscallError("SIOCSIFFLAGS", errno)
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket),
		deleteBridgeRequest, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return os.NewSyscallError("SIOCBRDELBR", errno)
	}
	return nil
}
