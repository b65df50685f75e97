// Command static is the only file of the image docker.io/library/static, an
// image without a shell.
//
//	/static args [ARG…]  prints each argument on a line
//	/static env NAME     prints the bytes of a variable, no newline added;
//	                     exits with 1 if there is none
//	/static cat FILE     prints a file
//	/static lines N      prints N numbered lines, "line 1" first
//	/static sleep SECS   waits; fractions are allowed
//	/static exit N       exits with a code
//	/static pause        waits for SIGTERM
//
// The word then joins commands, until one fails; args takes all that follows
// it:
//
//	/static env ITEM then sleep 0.5 then exit 3
//
// Errors are printed on stderr and exit with 1, wrong usage with 2.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func main() {
	words := os.Args[1:]
	if len(words) == 0 {
		quit(2, "usage: /static args|env|cat|lines|sleep|exit|pause …")
	}
	for len(words) > 0 {
		command := words
		if end := slices.Index(words, "then"); end >= 0 && words[0] != "args" {
			command, words = words[:end], words[end+1:]
			if len(command) == 0 || len(words) == 0 {
				quit(2, "a command is missing beside then")
			}
		} else {
			words = nil
		}
		run(command[0], command[1:])
	}
}

func run(name string, arguments []string) {
	if name == "args" {
		for _, argument := range arguments {
			fmt.Println(argument)
		}
		return
	}
	if name == "pause" {
		pause()
	}
	if len(arguments) != 1 {
		quit(2, "%s takes one argument", name)
	}
	argument := arguments[0]
	switch name {
	case "env":
		value, found := os.LookupEnv(argument)
		if !found {
			quit(1, "there is no variable %s", argument)
		}
		fmt.Print(value)
	case "cat":
		file, err := os.Open(argument)
		if err == nil {
			_, err = io.Copy(os.Stdout, file)
		}
		if err != nil {
			quit(1, "%v", err)
		}
	case "lines":
		out := bufio.NewWriter(os.Stdout)
		for i := 1; i <= number(argument); i++ {
			fmt.Fprintln(out, "line", i)
		}
		out.Flush()
	case "sleep":
		seconds, err := strconv.ParseFloat(argument, 64)
		if err != nil {
			quit(2, "%q isn't a number of seconds", argument)
		}
		time.Sleep(time.Duration(seconds * float64(time.Second)))
	case "exit":
		os.Exit(number(argument))
	default:
		quit(2, "there is no command %q", name)
	}
}

// pause is the command of the first container of each Pod.
func pause() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	// If the containers of a Pod share their processes, this is the first one
	// and inherits orphaned processes.
	orphans := make(chan os.Signal, 1)
	signal.Notify(orphans, syscall.SIGCHLD)
	for {
		select {
		case <-stop:
			os.Exit(0)
		case <-orphans:
			for {
				if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
					break
				}
			}
		}
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		quit(2, "%q isn't a whole number", text)
	}
	return value
}

func quit(code int, format string, values ...any) {
	fmt.Fprintf(os.Stderr, "static: "+format+"\n", values...)
	os.Exit(code)
}
