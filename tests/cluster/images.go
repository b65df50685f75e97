package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// image is a container image of the loopback registry.
type image struct {
	registry string // Whose it seems to be, as in docker.io.
	name     string // As in library/busybox.
	tags     []string
	config   object // The "config" of the OCI image configuration.
	layer    []byte // A tar archive.
}

// imagesStamp must change when the same programs give other images.
const imagesStamp = "2"

// makeImages makes the images of the registry, unless their sources are
// unchanged.
func (l layout) makeImages() error {
	if err := l.build(goBuild{
		what:   "Building the program of the static image",
		folder: "static",
		target: l.bin("static"),
		flags:  []string{"-ldflags", "-s -w"},
	}); err != nil {
		return err
	}
	inputs := []string{l.bin("static"), l.tool("busybox-static"), l.tool("bash-static")}
	python, err := l.pythonEntries()
	if err != nil {
		return fmt.Errorf("gathering the files of Python: %w", err)
	}
	stamp := imagesStamp
	files := inputs
	for _, entry := range python {
		if entry.file != "" {
			files = append(files, entry.file)
		}
	}
	content := sha256.New()
	for _, input := range files {
		bytes, err := os.ReadFile(input)
		if err != nil {
			return err
		}
		fmt.Fprintln(content, input, digest(bytes))
	}
	stamp += " " + hex.EncodeToString(content.Sum(nil))
	if last, err := os.ReadFile(l.in("registry", "stamp")); err == nil && string(last) == stamp {
		return nil
	}
	say("Making the images busybox, bash, python, static and pause …")
	images, err := makeImages(inputs[0], inputs[1], inputs[2], python)
	if err != nil {
		return err
	}
	if err := writeImages(l.in("registry"), images); err != nil {
		return err
	}
	return writeFile(l.in("registry", "stamp"), []byte(stamp), 0o644)
}

func makeImages(static, busybox, bash string, python []entry) ([]image, error) {
	applets, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("asking busybox for its programs: %w", err)
	}
	system := []entry{
		{name: "root/", mode: 0o700},
		{name: "tmp/", mode: 0o1777},
		{name: "etc/passwd", text: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"},
		{name: "etc/group", text: "root:x:0:\nnobody:x:65534:\n"},
		{name: "bin/busybox", file: busybox},
		{name: "usr/bin/env", link: "/bin/busybox"},
	}
	for _, applet := range strings.Fields(string(applets)) {
		if applet != "busybox" {
			system = append(system, entry{name: "bin/" + applet, link: "busybox"})
		}
	}
	withBash := append(append([]entry{}, system...),
		entry{name: "usr/local/bin/bash", file: bash},
		entry{name: "bin/bash", link: "/usr/local/bin/bash"})
	withPython := append(append([]entry{}, system...), python...)
	environment := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

	images := []image{
		{
			registry: "docker.io", name: "library/busybox", tags: []string{"latest", "stable", "1.28"},
			config: object{"Env": environment, "Cmd": []string{"sh"}},
		},
		{
			registry: "docker.io", name: "library/bash", tags: []string{"latest", "5", "5.2"},
			config: object{"Env": environment, "Cmd": []string{"bash"}},
		},
		{
			registry: "docker.io", name: "library/python", tags: []string{"latest", "3", "3-slim"},
			config: object{"Env": environment, "Cmd": []string{"python3"}},
		},
		{
			registry: "docker.io", name: "library/static", tags: []string{"latest"},
			config: object{"Entrypoint": []string{"/static"}},
		},
		{
			registry: "registry.k8s.io", name: "pause", tags: []string{"3.6"},
			config: object{"Entrypoint": []string{"/static", "pause"}},
		},
	}
	program := []entry{{name: "static", file: static}}
	for i, content := range [][]entry{system, withBash, withPython, program, program} {
		if images[i].layer, err = makeLayer(content); err != nil {
			return nil, err
		}
	}
	return images, nil
}

// entry is a file of an image: a folder if its name ends in a slash, otherwise a
// link, a text, or a copy of a file of the machine.
type entry struct {
	name, link, text, file string
	mode                   int64
}

// makeLayer makes an archive of entries. The same entries give the same bytes,
// so an image keeps its digest.
func makeLayer(entries []entry) ([]byte, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	made := map[string]bool{".": true}
	write := func(header tar.Header, content []byte) error {
		header.ModTime = time.Unix(0, 0)
		header.Size = int64(len(content))
		if err := archive.WriteHeader(&header); err != nil {
			return err
		}
		_, err := archive.Write(content)
		return err
	}
	var folder func(name string, mode int64) error
	folder = func(name string, mode int64) error {
		if made[name] {
			return nil
		}
		made[name] = true
		if err := folder(path.Dir(name), 0o755); err != nil {
			return err
		}
		return write(tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode}, nil)
	}
	for _, e := range entries {
		name, isFolder := strings.CutSuffix(e.name, "/")
		var err error
		if isFolder {
			err = folder(name, e.mode)
		} else if err = folder(path.Dir(name), 0o755); err == nil {
			content := []byte(e.text)
			switch {
			case e.link != "":
				err = write(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: e.link, Mode: 0o777}, nil)
			case e.file != "":
				if content, err = os.ReadFile(e.file); err == nil {
					err = write(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755}, content)
				}
			default:
				err = write(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, content)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	err := archive.Close()
	return buffer.Bytes(), err
}

// writeImages writes images as the registry serves them: a file for each
// blob, named by its digest, and an index of all names.
func writeImages(folder string, images []image) error {
	if err := emptyFolder(folder); err != nil {
		return err
	}
	index := registryIndex{}
	blob := func(mediaType string, content []byte) (object, error) {
		sum := digest(content)
		err := writeFile(filepath.Join(folder, "blobs", sum), content, 0o644)
		return object{"mediaType": mediaType, "digest": sum, "size": len(content)}, err
	}
	for _, image := range images {
		layer, err := blob("application/vnd.oci.image.layer.v1.tar", image.layer)
		if err != nil {
			return err
		}
		configuration, err := json.Marshal(object{
			"architecture": runtime.GOARCH,
			"os":           "linux",
			"config":       image.config,
			"rootfs":       object{"type": "layers", "diff_ids": []any{layer["digest"]}},
		})
		if err != nil {
			return err
		}
		config, err := blob("application/vnd.oci.image.config.v1+json", configuration)
		if err != nil {
			return err
		}
		content, err := json.Marshal(object{
			"schemaVersion": 2,
			"mediaType":     manifestType,
			"config":        config,
			"layers":        []any{layer},
		})
		if err != nil {
			return err
		}
		manifest, err := blob(manifestType, content)
		if err != nil {
			return err
		}
		for _, tag := range image.tags {
			index[image.registry+"/"+image.name+":"+tag] = manifest["digest"].(string)
		}
	}
	content, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, "index.json"), content, 0o644)
}

// digest returns the name of content in a registry.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}
