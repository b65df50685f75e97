package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// down stops the cluster, in any state, and deletes its data. Built programs,
// downloads and logs stay.
func (l layout) down() error {
	if err := l.stop(); err != nil {
		return fail("run `down` again; if that doesn't help, restart the machine.", "ending the cluster: %w", err)
	}
	for _, v := range versions {
		if err := os.RemoveAll(l.data(v)); err != nil {
			return err
		}
	}
	for _, name := range []string{"run", "pki", "pki.partial", "debian.partial", "kubeconfig"} {
		if err := os.RemoveAll(l.in(name)); err != nil {
			return err
		}
	}
	return nil
}

// stop ends every process of the cluster and removes its mounts, links and
// control groups. It needs no record, so it also works after any part was killed
// or any file was deleted.
func (l layout) stop() error {
	count := len(l.members())
	if count > 0 {
		say("Ending %d processes and the containers …", count)
	}
	if !killAll(l.memberPids) {
		return fmt.Errorf("processes don't end: %v", l.memberPids())
	}
	if err := l.killContainers(); err != nil {
		return err
	}
	// A program that containerd ran may have started another one.
	if !killAll(l.memberPids) {
		return fmt.Errorf("processes don't end: %v", l.memberPids())
	}
	if err := l.removeCgroups(); err != nil {
		return err
	}
	// The kernel removes the network namespaces a moment after the last
	// process in them has ended.
	if !until(10*time.Second, func() bool { return len(l.podLinks()) == 0 }) {
		return fmt.Errorf("network links of Pods stay: %v", l.podLinks())
	}
	if err := l.removeBridge(); err != nil {
		return err
	}
	return unmountBelow(l.state)
}

// memberPids lists the processes of the cluster without this one.
func (l layout) memberPids() []int {
	var pids []int
	for _, m := range l.members() {
		if m.pid != syscall.Getpid() {
			pids = append(pids, m.pid)
		}
	}
	return pids
}
