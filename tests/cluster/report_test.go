package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPrintError(t *testing.T) {
	var out bytes.Buffer
	printError(&out, fmt.Errorf("starting: %w", fail("try this.", "port %d is taken", 1)))
	if got, want := out.String(), "error: starting: port 1 is taken\nhint: try this.\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTailOfBeginsAtTheLatestStart(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	content := startMark + "etcd ---\nold\n" + startMark + "etcd ---\n1\n2\n3\n"
	if err := os.WriteFile(log, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, want := tailOf(log, 2), "    2\n    3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := tailOf(log, 9); strings.Contains(got, "old") {
		t.Errorf("%q is from an earlier start", got)
	}
	if got := tailOf(log+"2", 2); !strings.Contains(got, "no log") {
		t.Errorf("got %q for a log that isn't there", got)
	}
}

func TestLastLinesCutsLongOnes(t *testing.T) {
	if got := lastLines(strings.Repeat("x", 1000), 1); len(got) > 500 {
		t.Errorf("a line of %d bytes", len(got))
	}
}
