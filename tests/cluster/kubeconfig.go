package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// apiServerURL is the URL of the API server.
var apiServerURL = fmt.Sprintf("https://127.0.0.1:%d", apiServerPort)

// writeKubeconfig writes the kubeconfig for people and tests. It contains all
// keys, so it may be copied.
func (l layout) writeKubeconfig() error {
	authority, err := l.encoded("ca.crt")
	if err != nil {
		return err
	}
	certificate, err := l.encoded("admin.crt")
	if err != nil {
		return err
	}
	key, err := l.encoded("admin.key")
	if err != nil {
		return err
	}
	tokens, err := os.ReadFile(l.pki("tokens.csv"))
	if err != nil {
		return err
	}
	token, _, _ := strings.Cut(string(tokens), ",")
	return writeConfig(l.kubeconfig(),
		map[string]any{"server": apiServerURL, "certificate-authority-data": authority},
		[]namedUser{
			{"admin", map[string]any{"client-certificate-data": certificate, "client-key-data": key}},
			{narrowUser, map[string]any{"token": token}},
		})
}

// encoded returns a file of the keys, encoded for a kubeconfig.
func (l layout) encoded(name string) (string, error) {
	content, err := os.ReadFile(l.pki(name))
	return base64.StdEncoding.EncodeToString(content), err
}

// partKubeconfig writes the kubeconfig of a part, and returns its path.
func (l layout) partKubeconfig(part string) (string, error) {
	path := l.partKubeconfigPath(part)
	return path, writeConfig(path,
		map[string]any{"server": apiServerURL, "certificate-authority": l.pki("ca.crt")},
		[]namedUser{{part, map[string]any{
			"client-certificate": l.pki(part + ".crt"),
			"client-key":         l.pki(part + ".key"),
		}}})
}

func (l layout) partKubeconfigPath(part string) string {
	return l.config(part + ".kubeconfig")
}

type namedUser struct {
	name        string
	credentials map[string]any
}

// writeConfig writes a kubeconfig with a context for each user, named like
// the user; the first is the current one. JSON is YAML as well.
func writeConfig(path string, cluster map[string]any, users []namedUser) error {
	const clusterName = "kubectl-indexed-test"
	var named, contexts []any
	for _, user := range users {
		named = append(named, map[string]any{"name": user.name, "user": user.credentials})
		contexts = append(contexts, map[string]any{
			"name":    user.name,
			"context": map[string]any{"cluster": clusterName, "user": user.name},
		})
	}
	content, err := json.MarshalIndent(map[string]any{
		"apiVersion":      "v1",
		"kind":            "Config",
		"clusters":        []any{map[string]any{"name": clusterName, "cluster": cluster}},
		"users":           named,
		"contexts":        contexts,
		"current-context": users[0].name,
	}, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(content, '\n'), 0o600)
}
