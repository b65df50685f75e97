package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// up builds missing programs, starts the parts that do not run, and returns when
// Pods can be created.
func (l layout) up(wanted request) error {
	v := wanted.version
	if err := l.buildAll(wanted); err != nil {
		return err
	}
	if err := l.makeWay(v); err != nil {
		return err
	}
	if err := l.makeCertificates(); err != nil {
		return fmt.Errorf("making certificates: %w", err)
	}
	if err := l.writeKubeconfig(); err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	if l.nodeProcess() == 0 {
		// No kubelet is left that manages them.
		if err := l.killContainers(); err != nil {
			return err
		}
	}
	if err := l.startAll(v); err != nil {
		return err
	}
	if err := l.bringFakeNodes(v, wanted.fakeNodes); err != nil {
		return err
	}
	if err := l.bringKueue(v, wanted.kueue); err != nil {
		return err
	}
	l.printUsage(v)
	return nil
}

// buildAll prepares everything that needs no running cluster.
func (l layout) buildAll(wanted request) error {
	if err := l.installTools(); err != nil {
		return err
	}
	if err := l.makeImages(); err != nil {
		return fmt.Errorf("making the images: %w", err)
	}
	if err := l.buildKubernetes(wanted.version); err != nil {
		return err
	}
	if wanted.fakeNodes > 0 || wanted.fakeNodes == same && l.fakeNodes(wanted.version) > 0 {
		if err := l.buildKwok(); err != nil {
			return err
		}
	}
	if wanted.kueue > 0 || wanted.kueue == same && l.noted(wanted.version, "kueue") > 0 {
		if err := l.buildKueue(); err != nil {
			return err
		}
	}
	return l.linkKubectl()
}

// makeWay stops a cluster of another version, and stores the new version.
func (l layout) makeWay(v version) error {
	last, _ := os.ReadFile(l.config("version"))
	other := strings.TrimSpace(string(last))
	running := len(l.members()) > 0
	if running && other != v.minor {
		if other == "" {
			// The folder of the running cluster was deleted.
			say("Ending a cluster whose files are gone …")
		} else {
			say("Ending the cluster of Kubernetes %s, whose data stays …", other)
		}
		if err := l.stop(); err != nil {
			return err
		}
		running = false
	}
	if !running && !exists(l.data(v)) {
		// A new cluster begins with empty logs.
		if err := emptyFolder(l.in("log")); err != nil {
			return err
		}
	}
	for _, folder := range []string{l.data(v, "etcd"), l.data(v, "volume-plugins")} {
		// etcd requires that no other user can read its folder.
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	return writeFile(l.config("version"), []byte(v.minor+"\n"), 0o644)
}

// startAll starts the parts that do not run, independent ones at the same time.
func (l layout) startAll(v version) error {
	var started []string
	for _, group := range [][]part{
		{l.etcd(v), l.registry(), l.containerd(v)},
		{l.apiServer(v)},
		{l.controllerManager(v), l.scheduler(v), l.kubelet(v)},
	} {
		names, err := l.bringGroup(group)
		started = append(started, names...)
		if err != nil {
			return err
		}
	}
	if err := l.ensureNarrowUser(); err != nil {
		return fmt.Errorf("setting up the user %s: %w", narrowUser, err)
	}
	return l.awaitReady(started)
}

// bringGroup starts parts at the same time, and returns those that did not run.
func (l layout) bringGroup(group []part) ([]string, error) {
	var started []string
	for _, p := range group {
		did, err := l.start(p)
		if err != nil {
			return started, err
		}
		if did {
			started = append(started, p.name)
		}
	}
	if len(started) > 0 {
		say("Starting %s …", strings.Join(started, ", "))
	}
	problems := make(chan error)
	for _, p := range group {
		go func() { problems <- l.awaitHealthy(p) }()
	}
	var first error
	for range group {
		if err := <-problems; err != nil && first == nil {
			first = err
		}
	}
	return started, first
}

// awaitReady waits until Pods can be created and, depending on the started
// parts, until the node accepts Pods and knows those that it has.
func (l layout) awaitReady(started []string) error {
	var since time.Time
	if slices.Contains(started, "kubelet") {
		since = l.partStarted("kubelet")
	}
	restarted := slices.Contains(started, "kubelet") || slices.Contains(started, "containerd")
	var problem error
	announced := false
	if until(startLimit, func() bool {
		if problem = l.checkDefaultNamespace(); problem == nil {
			problem = l.checkNode(since)
		}
		if problem == nil && restarted {
			problem = l.checkNodeKnowsPods()
		}
		if problem != nil && !announced {
			say("Waiting for the node to be ready …")
			announced = true
		}
		return problem == nil
	}) {
		return nil
	}
	return fail("read "+l.log("kubelet")+"; `down` and `up` start afresh.",
		"the cluster isn't ready after %.0f s: %w; the last lines of the kubelet's log:\n%s",
		startLimit.Seconds(), problem, tailOf(l.log("kubelet"), 12))
}

// printUsage prints on stdout how to use the cluster.
func (l layout) printUsage(v version) {
	fakes := ""
	if n := l.fakeNodes(v); n > 0 {
		fakes = fmt.Sprintf(" and %d fake nodes", n)
	}
	fmt.Printf(`Kubernetes %s is up: one node%s.
  export KUBECONFIG=%s
  export PATH=%s:$PATH
contexts  admin (the current one: everything), %s (get, list and watch Jobs and Pods)
images    busybox, bash, python, and static, which has no shell (tests/cluster/static/main.go)
logs      %s
pids      %s
end it    %s
`, v.patch, fakes, shellQuote(l.kubeconfig()), shellQuote(filepath.Dir(l.bin("kubectl"))), narrowUser,
		l.log("PART"), l.pid("PART"), l.downCommand())
}
