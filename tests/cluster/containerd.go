package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// containerdSocket is a path inside the node's mount namespace.
const containerdSocket = "/run/containerd/containerd.sock"

// pauseImage holds each Pod's namespaces open.
const pauseImage = "registry.k8s.io/pause:3.6"

func (l layout) containerd(v version) part {
	return part{
		name:    "containerd",
		command: []string{l.tool("containerd"), "--config", l.config("containerd.toml")},
		path:    l.toolPath(),
		// For runc, which containerd's shims run.
		libraries: l.libraryFolders(),
		node:      v,
		prepare: func() error {
			if err := l.writeNetwork(); err != nil {
				return err
			}
			if err := l.writeRegistryHosts(); err != nil {
				return err
			}
			return writeFile(l.config("containerd.toml"), []byte(l.containerdConfig()), 0o644)
		},
		healthy: func() error { return l.dialInNode(containerdSocket) },
	}
}

// dialInNode connects to a Unix socket inside the node's mount namespace,
// through a process that lives there. That also keeps the path short.
func (l layout) dialInNode(socket string) error {
	node := l.nodeProcess()
	if node == 0 {
		return fmt.Errorf("nothing runs in the node")
	}
	// By a descriptor of its folder, because the name of a socket may have
	// only 107 bytes.
	folder, err := os.Open(fmt.Sprintf("/proc/%d/root%s", node, filepath.Dir(socket)))
	if err != nil {
		return err
	}
	defer folder.Close()
	connection, err := net.Dial("unix", fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(socket)))
	if err != nil {
		return err
	}
	return connection.Close()
}

func (l layout) containerdConfig() string {
	const overlayMagic = 0x794c7630
	snapshotter := "overlayfs"
	var filesystem syscall.Statfs_t
	if syscall.Statfs(l.state, &filesystem) == nil && filesystem.Type == overlayMagic {
		// One overlay can't lie on another, as inside a container.
		snapshotter = "native"
	}
	return fmt.Sprintf(`version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
required_plugins = ["io.containerd.grpc.v1.cri"]
# The first would make a folder below /opt, and the others aren't used.
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = %[1]q

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %[2]q
  # Loading a profile would leave it in the machine's kernel.
  disable_apparmor = true
  # Where it may not lower this number, as inside a container, runc dies.
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = %[3]q
    conf_dir = %[4]q

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = %[5]q
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = %[6]q
`, containerdSocket, pauseImage, filepath.Dir(l.tool("bridge")), l.config("cni"), snapshotter, l.config("registries"))
}
