package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSourceStampChangesWithSourcesAndFlags(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stamp := func(flags ...string) string {
		value, err := sourceStamp(folder, flags)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	write("main.go", "package main")
	first := stamp("-s")
	if stamp("-s") != first {
		t.Error("it changes by itself")
	}
	if stamp("-w") == first {
		t.Error("it is the same for other flags")
	}
	write("README", "nothing to build")
	if stamp("-s") != first {
		t.Error("it changes with a file that isn't built")
	}
	write("go.sum", "x")
	if stamp("-s") == first {
		t.Error("it is the same for another go.sum")
	}
	if _, err := sourceStamp(t.TempDir(), nil); err == nil {
		t.Error("a folder without sources has a stamp")
	}
}
