package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestRegistryServesItsImagesAndNothingElse(t *testing.T) {
	folder := t.TempDir()
	layer, err := makeLayer([]entry{{name: "etc/group", text: "root:x:0:\n"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := writeImages(folder, []image{{
		registry: "docker.io", name: "library/box", tags: []string{"latest", "1"}, layer: layer,
	}}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(registryHandler(folder))
	defer server.Close()
	get := func(path string) (int, []byte) {
		response, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		content, _ := io.ReadAll(response.Body)
		return response.StatusCode, content
	}

	status, content := get("/v2/library/box/manifests/latest?ns=docker.io")
	if status != http.StatusOK {
		t.Fatalf("the manifest: %d", status)
	}
	var manifest struct{ Layers []struct{ Digest string } }
	if err := json.Unmarshal(content, &manifest); err != nil {
		t.Fatal(err)
	}
	if status, content := get("/v2/library/box/blobs/" + manifest.Layers[0].Digest); status != http.StatusOK || !bytes.Equal(content, layer) {
		t.Errorf("the layer: %d, %d bytes of %d", status, len(content), len(layer))
	}
	if status, again := get("/v2/library/box/manifests/" + digest(content)); status != http.StatusOK || !bytes.Equal(again, content) {
		t.Errorf("the manifest by its digest: %d", status)
	}
	for _, path := range []string{
		"/v2/library/box/manifests/2?ns=docker.io",
		"/v2/library/other/manifests/latest?ns=docker.io",
		"/v2/library/box/manifests/latest?ns=registry.example.com",
		"/v2/library/box/manifests/latest",
		"/v2/library/box/blobs/..%2Findex.json",
		"/v2/library/box/blobs/" + digest([]byte("no such blob")),
		"/",
	} {
		if status, _ := get(path); status != http.StatusNotFound {
			t.Errorf("%s: %d, not 404", path, status)
		}
	}
}

func TestMakeLayerHasEachFolderOnceAndFirst(t *testing.T) {
	entries := []entry{
		{name: "tmp/", mode: 0o1777},
		{name: "a/b/c", text: "text"},
		{name: "a/b/d", link: "c"},
	}
	layer, err := makeLayer(entries)
	if err != nil {
		t.Fatal(err)
	}
	var names string
	for archive := tar.NewReader(bytes.NewReader(layer)); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names += header.Name + " "
	}
	if want := "tmp/ a/ a/b/ a/b/c a/b/d "; names != want {
		t.Errorf("got %q, want %q", names, want)
	}
	if again, _ := makeLayer(entries); !bytes.Equal(again, layer) {
		t.Error("the same entries give other bytes")
	}
}
