package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Every port is on 127.0.0.1. Ports are fixed, so a kubeconfig stays valid over
// restarts, and far from the default ports of Kubernetes.
const (
	apiServerPort         = 16443
	etcdPort              = 16379
	etcdPeerPort          = 16380
	controllerManagerPort = 16257
	schedulerPort         = 16259
	kubeletPort           = 16250
	kubeletHealthPort     = 16248
	kwokPort              = 16247
	kueueWebhookPort      = 16246
	kueueHealthPort       = 16245
	registryPort          = 16500
)

// nodeName is the node's name and, because the API server fetches logs from
// there, a host name of the loopback address.
const nodeName = "localhost"

// layout has the paths of one cluster. All written files are below state.
type layout struct {
	source string // The folder tests/cluster of the checkout.
	state  string // Normally the folder target/cluster of the checkout.
}

func (l layout) in(elements ...string) string {
	return filepath.Join(append([]string{l.state}, elements...)...)
}

func (l layout) bin(name string) string    { return l.in("bin", name) }
func (l layout) log(part string) string    { return l.in("log", part+".log") }
func (l layout) pid(part string) string    { return l.in("run", part+".pid") }
func (l layout) pki(name string) string    { return l.in("pki", name) }
func (l layout) config(name string) string { return l.in("run", name) }
func (l layout) kubeconfig() string        { return l.in("kubeconfig") }

// data returns the data folder of a version of Kubernetes. Each version has its
// own, because an old control plane can't read the data of a newer one.
func (l layout) data(v version, elements ...string) string {
	return l.in(append([]string{v.minor}, elements...)...)
}

// noted returns the number of something that up was last called with; 0 by
// default.
func (l layout) noted(v version, what string) int {
	content, _ := os.ReadFile(l.data(v, what))
	count, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return count
}

// note stores a number that up was called with.
func (l layout) note(v version, what string, count int) error {
	return writeFile(l.data(v, what), []byte(strconv.Itoa(count)+"\n"), 0o644)
}

// id identifies the cluster of a checkout in names that the whole machine
// shares: control groups and network links.
func (l layout) id() string {
	sum := sha256.Sum256([]byte(l.state))
	return hex.EncodeToString(sum[:4])
}

// cgroup returns the control group of all containers, below the root of each
// hierarchy.
func (l layout) cgroup() string { return "kubectl-indexed-" + l.id() }

// bridge returns the name of the network link that joins the Pods. It may have
// at most 15 characters.
func (l layout) bridge() string { return "kidx" + l.id() }

// downCommand returns the command that stops this cluster.
func (l layout) downCommand() string {
	repo := filepath.Dir(filepath.Dir(l.state))
	down := filepath.Join(repo, "tests", "cluster", "down")
	if l.state == filepath.Join(repo, "target", "cluster") && exists(down) {
		return shellQuote(down)
	}
	return fmt.Sprintf("%s=%s %s", stateVariable, shellQuote(l.state), shellQuote(filepath.Join(l.source, "down")))
}

// shellQuote quotes a path for a shell, if necessary.
func shellQuote(path string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+=:@,%", r)
	}
	if path != "" && strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// A version of Kubernetes that this folder can build.
type version struct {
	minor string // As in 1.36: the name of its module's folder and its data.
	patch string // As in 1.36.3.
}

// The newest release and the oldest one that the product supports.
var (
	newest   = version{"1.36", "1.36.3"}
	oldest   = version{"1.30", "1.30.14"}
	versions = []version{newest, oldest}
)

func (v version) binary() string { return "kubernetes-" + v.minor }
