package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// stateVariable overrides the path of the state folder.
const stateVariable = "KUBECTL_INDEXED_CLUSTER"

// Exit codes, the same as those of kubectl-indexed.
const (
	exitFailed = 1
	exitUsage  = 2
)

// errUsage is the error of a wrong command line.
var errUsage = errors.New("wrong usage")

func main() {
	closeInherited()
	err := run(os.Args[1:])
	switch {
	case err == nil:
	case errors.Is(err, errUsage):
		printError(os.Stderr, err)
		os.Exit(exitUsage)
	default:
		printError(os.Stderr, err)
		os.Exit(exitFailed)
	}
}

// run runs a command. The shell entries pass the folder of the sources, the
// state folder, and their own arguments.
func run(arguments []string) error {
	if len(arguments) < 3 {
		return fmt.Errorf("%w: start this program with tests/cluster/up or tests/cluster/down", errUsage)
	}
	state, err := resolveState(arguments[1])
	if err != nil {
		return err
	}
	l := layout{source: arguments[0], state: state}
	command, rest := arguments[2], arguments[3:]
	switch {
	case command == "up":
		wanted, err := parseUp(rest)
		if err != nil {
			return err
		}
		return l.locked(func() error { return l.up(wanted) })
	case command == "down":
		if len(rest) > 0 {
			return fail("tests/cluster/down --help", "%w: down takes no arguments, but got %q", errUsage, rest)
		}
		return l.locked(l.down)
	case command == "registry" && len(rest) == 0:
		return l.serveRegistry()
	case command == "node" && len(rest) > 2:
		v, err := findVersion(rest[0])
		if err != nil {
			return err
		}
		join, err := strconv.Atoi(rest[1])
		if err != nil {
			return err
		}
		return l.runInNode(v, join, rest[2:])
	}
	return fmt.Errorf("%w: no command %q", errUsage, command)
}

// resolveState makes the state folder and returns its real path, so two ways to
// write it mean the same cluster.
func resolveState(path string) (string, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// request has the flags of up.
type request struct {
	version   version
	fakeNodes int // Or same.
	kueue     int // 1 to have it, 0 to remove it, or same.
}

// same means the current number of the cluster.
const same = -1

// mostFakeNodes is more than any test needs, and protects the machine from a
// typing error.
const mostFakeNodes = 1000

func parseUp(arguments []string) (request, error) {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	minor := flags.String("kubernetes", newest.minor, "")
	fakeNodes := flags.Int("fake-nodes", 0, "")
	kueue := flags.Bool("kueue", false, "")
	const hint = "tests/cluster/up --help"
	if err := flags.Parse(arguments); err != nil {
		return request{}, fail(hint, "%w: %w", errUsage, err)
	}
	if flags.NArg() > 0 {
		return request{}, fail(hint, "%w: up takes only flags, but got %q", errUsage, flags.Args())
	}
	v, err := findVersion(*minor)
	if err != nil {
		return request{}, fail(hint, "%w: --kubernetes: %w", errUsage, err)
	}
	if *fakeNodes < 0 || *fakeNodes > mostFakeNodes {
		return request{}, fail(hint, "%w: --fake-nodes: from 0 to %d", errUsage, mostFakeNodes)
	}
	wanted := request{v, same, same}
	flags.Visit(func(given *flag.Flag) {
		switch given.Name {
		case "fake-nodes":
			wanted.fakeNodes = *fakeNodes
		case "kueue":
			wanted.kueue = 0
			if *kueue {
				wanted.kueue = 1
			}
		}
	})
	return wanted, nil
}

// findVersion finds a version by its minor or its full number.
func findVersion(name string) (version, error) {
	known := ""
	for _, v := range versions {
		if name == v.minor || name == v.patch {
			return v, nil
		}
		known += " " + v.minor
	}
	return version{}, fmt.Errorf("no version %q; there are:%s", name, known)
}

// locked calls do while no other up or down works on the same cluster.
func (l layout) locked(do func() error) error {
	lock, err := os.OpenFile(l.in("lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		say("Waiting for another up or down of this cluster …")
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
			return err
		}
	}
	return do()
}

// closeInherited closes inherited files, such as the pipes of a build tool:
// otherwise the servers that this program starts would hold them open.
func closeInherited() {
	descriptors, _ := os.ReadDir("/proc/self/fd")
	for _, descriptor := range descriptors {
		if number, err := strconv.Atoi(descriptor.Name()); err == nil && number > 2 {
			syscall.CloseOnExec(number)
		}
	}
}
