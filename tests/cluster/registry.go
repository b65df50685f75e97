package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A registry on the loopback address serves our few images and says "not
// found" to everything else. It stands in for every registry in the world, so
// a manifest from a documentation runs unchanged, a missing image fails at
// once, and nothing is asked of the network.

// manifestType is the media type of an image's manifest.
const manifestType = "application/vnd.oci.image.manifest.v1+json"

func (l layout) registry() part {
	return part{
		name:    "registry",
		command: l.self("registry"),
		ports:   []int{registryPort},
		healthy: func() error { return healthyAt(fmt.Sprintf("http://127.0.0.1:%d/v2/", registryPort)) },
	}
}

// writeRegistryHosts makes containerd use this registry in place of all others.
func (l layout) writeRegistryHosts() error {
	url := fmt.Sprintf("http://127.0.0.1:%d", registryPort)
	// containerd 1.6 ignores the file without a host, and uses the real registry
	// without another server.
	content := fmt.Sprintf("server = %q\n\n[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", url, url)
	return writeFile(filepath.Join(l.config("registries"), "_default", "hosts.toml"), []byte(content), 0o644)
}

// registryIndex maps a full name with its tag to the digest of a manifest.
type registryIndex map[string]string

// serveRegistry runs the registry.
func (l layout) serveRegistry() error {
	return http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", registryPort), registryHandler(l.in("registry")))
}

// registryPath matches requests of containerd for a manifest or a blob.
var registryPath = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs)/([^/]+)$`)

// digestForm matches the name of a blob; requests can read no other file.
var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// registryHandler serves what writeImages wrote to a folder, read-only.
func registryHandler(folder string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			return
		}
		match := registryPath.FindStringSubmatch(r.URL.Path)
		if match == nil {
			notFound(w)
			return
		}
		name, kind, reference := match[1], match[2], match[3]
		if kind == "manifests" {
			w.Header().Set("Content-Type", manifestType)
			if !digestForm.MatchString(reference) {
				reference = lookUp(folder, r.URL.Query().Get("ns"), name, reference)
			}
		}
		content, err := os.ReadFile(filepath.Join(folder, "blobs", reference))
		if !digestForm.MatchString(reference) || err != nil {
			notFound(w)
			return
		}
		w.Header().Set("Docker-Content-Digest", reference)
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		if r.Method != http.MethodHead {
			w.Write(content)
		}
	})
}

// lookUp returns the digest of a tag, or "". containerd passes the name of the
// real registry as ns.
func lookUp(folder, registry, name, tag string) string {
	content, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err != nil {
		return ""
	}
	var index registryIndex
	if json.Unmarshal(content, &index) != nil {
		return ""
	}
	return index[strings.Join([]string{registry, "/", name, ":", tag}, "")]
}

// notFound sends the error of the registry protocol.
func notFound(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprintln(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"the test cluster doesn't have this image"}]}`)
}
