package main

import (
	"encoding/json"
	"fmt"
)

// etcd stores everything. It runs from the same binary as the control plane.
func (l layout) etcd(v version) part {
	url := fmt.Sprintf("https://127.0.0.1:%d", etcdPort)
	return part{
		name:    "etcd",
		command: []string{l.bin(v.binary()), "etcd", l.config("etcd.json")},
		ports:   []int{etcdPort, etcdPeerPort},
		prepare: func() error { return l.writeEtcdConfig(v, url) },
		healthy: func() error {
			client, err := l.client(url, "etcd-client")
			if err != nil {
				return err
			}
			_, err = client.do("GET", "/health", nil, nil)
			return err
		},
	}
}

func (l layout) writeEtcdConfig(v version, url string) error {
	security := object{
		"cert-file":        l.pki("server.crt"),
		"key-file":         l.pki("server.key"),
		"client-cert-auth": true,
		"trusted-ca-file":  l.pki("ca.crt"),
	}
	peer := fmt.Sprintf("https://127.0.0.1:%d", etcdPeerPort)
	content, err := json.MarshalIndent(object{
		"name":                        "main",
		"data-dir":                    l.data(v, "etcd"),
		"listen-client-urls":          url,
		"advertise-client-urls":       url,
		"listen-peer-urls":            peer,
		"initial-advertise-peer-urls": peer,
		"initial-cluster":             "main=" + peer,
		"client-transport-security":   security,
		"peer-transport-security":     security,
		// Waiting for the disk only helps when the machine itself goes down.
		"unsafe-no-fsync":     true,
		"quota-backend-bytes": 8 << 30,
		// In nanoseconds. In a file, the default is 0, which would print a
		// warning for every request.
		"warning-unary-request-duration": 2_000_000_000,
		"log-level":                      "warn",
		"logger":                         "zap",
		"log-outputs":                    []string{"stderr"},
	}, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(l.config("etcd.json"), content, 0o644)
}
