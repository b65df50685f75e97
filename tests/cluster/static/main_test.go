package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestMain lets the test binary act as the program itself.
func TestMain(m *testing.M) {
	if os.Getenv("BE_STATIC") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestCommands(t *testing.T) {
	for _, test := range []struct {
		arguments string
		stdout    string
		code      int
	}{
		{"args a then b", "a\nthen\nb\n", 0},
		{"args", "", 0},
		{"env ITEM", "a  b\n", 0},
		{"env NONE", "", 1},
		{"cat /no/such/file", "", 1},
		{"lines 3", "line 1\nline 2\nline 3\n", 0},
		{"exit 7", "", 7},
		{"sleep 0.01 then lines 1 then exit 3 then lines 2", "line 1\n", 3},
		{"", "", 2},
		{"then", "", 2},
		{"lines 1 then", "", 2},
		{"lines many", "", 2},
		{"lines", "", 2},
		{"bogus x", "", 2},
	} {
		cmd := exec.Command(os.Args[0], strings.Fields(test.arguments)...)
		cmd.Env = []string{"BE_STATIC=1", "ITEM=a  b\n"}
		stdout, err := cmd.Output()
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		if string(stdout) != test.stdout || code != test.code {
			t.Errorf("%q printed %q and ended with %d; want %q and %d", test.arguments, stdout, code, test.stdout, test.code)
		}
	}
}
