package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startLimit is the time that a part may take until it is healthy.
const startLimit = 90 * time.Second

// part is one server of the cluster.
type part struct {
	name string
	// command is the program and its arguments.
	command []string
	// path has folders of programs, and libraries folders of shared libraries,
	// that are searched before those of the machine.
	path, libraries []string
	// root is the root folder of its process, which contains the program; that
	// of the machine if it is empty.
	root string
	// node is the version in whose mount namespace it runs; that of the machine
	// if it is empty.
	node version
	// ports are the ones that it listens on.
	ports []int
	// prepare writes its configuration, before each start.
	prepare func() error
	// healthy returns an error until it is ready.
	healthy func() error
}

// start starts a part unless it runs already, and returns whether it did.
func (l layout) start(p part) (bool, error) {
	if l.running(p.name) != 0 {
		return false, nil
	}
	for _, port := range p.ports {
		if err := l.checkPort(port); err != nil {
			return false, err
		}
	}
	if p.prepare != nil {
		if err := p.prepare(); err != nil {
			return false, fmt.Errorf("preparing %s: %w", p.name, err)
		}
	}
	command := p.command
	if p.node != (version{}) {
		command = append(l.self("node", p.node.minor, strconv.Itoa(l.nodeProcess())), command...)
	}
	if err := l.detach(p, command); err != nil {
		return false, fmt.Errorf("starting %s: %w", p.name, err)
	}
	return true, nil
}

// end stops a part.
func (l layout) end(p part) error {
	if !killAll(func() []int {
		if pid := l.running(p.name); pid != 0 {
			return []int{pid}
		}
		return nil
	}) {
		return fmt.Errorf("%s doesn't end", p.name)
	}
	return os.RemoveAll(l.pid(p.name))
}

// detach starts a command that outlives this program: in its own session, with a
// new environment and no open file but its log.
func (l layout) detach(p part, command []string) error {
	if err := os.MkdirAll(filepath.Dir(l.log(p.name)), 0o755); err != nil {
		return err
	}
	log, err := os.OpenFile(l.log(p.name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	fmt.Fprintf(log, "%s%s at %s ---\n", startMark, p.name, time.Now().UTC().Format(time.RFC3339))

	path := append(slices.Clone(p.path), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	cmd := exec.Command(command[0], command[1:]...)
	if p.root != "" {
		cmd.Path = "/" + filepath.Base(command[0])
	}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Chroot: p.root}
	cmd.Env = []string{
		memberVariable + "=" + p.name + "@" + l.state,
		"PATH=" + strings.Join(path, ":"),
		// Some parts use a home, and must not touch that of the user.
		"HOME=" + l.in("run"),
	}
	if len(p.libraries) > 0 {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+strings.Join(p.libraries, ":"))
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := writeFile(l.pid(p.name), []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o644); err != nil {
		return err
	}
	// Reap it if it dies while this program still runs.
	go cmd.Wait()
	return nil
}

// awaitHealthy returns once a part is healthy.
func (l layout) awaitHealthy(p part) error {
	var problem error
	gone := false
	ok := until(startLimit, func() bool {
		problem = p.healthy()
		if problem == nil {
			return true
		}
		// Checks its pid, too: while it executes another program it has no
		// environment, so it isn't found as a member.
		gone = !alive(l.lastPid(p.name)) && l.running(p.name) == 0
		return gone
	})
	switch {
	case gone:
		return fail("read "+l.log(p.name)+", then run `up` again; `down` and `up` start afresh.",
			"%s ended; the last lines of its log:\n%s", p.name, tailOf(l.log(p.name), 12))
	case !ok:
		return fail("read "+l.log(p.name)+"; `down` and `up` start afresh.",
			"%s isn't healthy after %.0f s: %w; the last lines of its log:\n%s",
			p.name, startLimit.Seconds(), problem, tailOf(l.log(p.name), 12))
	}
	return nil
}

// lastPid reads a part's pid file.
func (l layout) lastPid(name string) int {
	content, _ := os.ReadFile(l.pid(name))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return pid
}

// self returns the command line of one of this program's inner commands.
func (l layout) self(arguments ...string) []string {
	return append([]string{l.bin("cluster"), l.source, l.state}, arguments...)
}
