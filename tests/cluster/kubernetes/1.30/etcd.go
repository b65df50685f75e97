package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
)

// runEtcd serves etcd with its configuration file until the signal to
// stop. Kubernetes asks for this version of etcd in its own go.mod, so the
// control plane gets the store that it was released with.
func runEtcd(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: kubernetes etcd CONFIG")
		return 2
	}
	config, err := embed.ConfigFromFile(args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd: reading the configuration:", err)
		return 1
	}
	server, err := embed.StartEtcd(config)
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd: starting:", err)
		return 1
	}
	defer server.Close()

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-stop:
		return 0
	case err := <-server.Err():
		fmt.Fprintln(os.Stderr, "etcd: serving:", err)
		return 1
	}
}
