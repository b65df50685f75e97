package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// failure is an error with a hint.
type failure struct {
	cause error
	hint  string
}

func (f *failure) Error() string { return f.cause.Error() }
func (f *failure) Unwrap() error { return f.cause }

// fail makes an error with a hint.
func fail(hint, format string, values ...any) error {
	return &failure{fmt.Errorf(format, values...), hint}
}

// printError prints an error and its hint, in the form of kubectl-indexed.
func printError(w io.Writer, err error) {
	fmt.Fprintln(w, "error:", err)
	var f *failure
	if errors.As(err, &f) && f.hint != "" {
		fmt.Fprintln(w, "hint:", f.hint)
	}
}

// began is when this program started, for the times that say prints.
var began = time.Now()

// say prints a step on stderr, with the seconds since the start.
func say(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "[%4.0fs] %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, values...))
}

// sayWhile prints a step, and prints it again each minute until it is done, so
// that a long build does not look like a hang.
func sayWhile(what string, do func() error) error {
	say("%s …", what)
	// The text in brackets is printed only once.
	what, _, _ = strings.Cut(what, " (")
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		ticks := time.NewTicker(time.Minute)
		defer ticks.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticks.C:
				say("… still %s", lowerFirst(what))
			}
		}
	}()
	return do()
}

func lowerFirst(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToLower(text[:1]) + text[1:]
}

// lastLines returns the end of a text: at most n lines, each cut at a length
// that a person still reads.
func lastLines(text string, n int) string {
	const longest = 400
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	for i, line := range lines {
		if len(line) > longest {
			line = line[:longest] + "…"
		}
		lines[i] = "    " + line
	}
	return strings.Join(lines, "\n")
}

// startMark begins the line in a log with which a new process starts.
const startMark = "--- started "

// tailOf returns the last lines of a log since the latest start, or a text that
// there are none.
func tailOf(path string, n int) string {
	const most = 64 << 10
	file, err := os.Open(path)
	if err != nil {
		return "    (no log)"
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > most {
		file.Seek(-most, io.SeekEnd)
	}
	content, _ := io.ReadAll(file)
	text := string(content)
	if start := strings.LastIndex(text, startMark); start >= 0 {
		_, text, _ = strings.Cut(text[start:], "\n")
	}
	if text == "" {
		return "    (nothing was logged)"
	}
	return lastLines(text, n)
}
