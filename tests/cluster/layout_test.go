package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNamesSharedByTheMachine(t *testing.T) {
	one, other := layout{state: "/a/target/cluster"}, layout{state: "/b/target/cluster"}
	if one.cgroup() == other.cgroup() || one.bridge() == other.bridge() {
		t.Error("two checkouts share a name")
	}
	const longestLink = 15
	if len(one.bridge()) > longestLink {
		t.Errorf("%s is too long for a network link", one.bridge())
	}
}

func TestDownCommandIsTheCheckoutsOwn(t *testing.T) {
	repo := t.TempDir()
	state := filepath.Join(repo, "target", "cluster")
	down := filepath.Join(repo, "tests", "cluster", "down")
	l := layout{source: "/here", state: state}
	if got, want := l.downCommand(), stateVariable+"="+state+" /here/down"; got != want {
		t.Errorf("the checkout is gone: %q, want %q", got, want)
	}
	if err := writeFile(down, nil, os.ModePerm); err != nil {
		t.Fatal(err)
	}
	if got := l.downCommand(); got != down {
		t.Errorf("the checkout is there: %q, want %q", got, down)
	}
}

func TestShellQuote(t *testing.T) {
	for path, want := range map[string]string{
		"/a/b-c_1.x": "/a/b-c_1.x",
		"/a b":       "'/a b'",
		"/it's":      `'/it'\''s'`,
		"":           "''",
	} {
		if got := shellQuote(path); got != want {
			t.Errorf("shellQuote(%q) = %s, want %s", path, got, want)
		}
	}
}
