package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// buildKubernetes builds the servers of a version unless they are up to date.
func (l layout) buildKubernetes(v version) error {
	variable := "-X k8s.io/component-base/version."
	flags := strings.Join([]string{
		"-s", "-w",
		// Without these, the servers report the version v0.0.0.
		variable + "gitVersion=v" + v.patch,
		variable + "gitMajor=" + strings.Split(v.minor, ".")[0],
		variable + "gitMinor=" + strings.Split(v.minor, ".")[1],
		variable + "gitTreeState=clean",
	}, " ")
	return l.build(goBuild{
		what:   "Building Kubernetes " + v.patch + " (several minutes the first time)",
		folder: filepath.Join("kubernetes", v.minor),
		target: l.bin(v.binary()),
		flags:  []string{"-ldflags", flags},
	})
}

// linkKubectl links bin/kubectl to the newest kubectl that was built.
func (l layout) linkKubectl() error {
	for _, v := range versions {
		if !exists(l.bin(v.binary())) {
			continue
		}
		if target, err := os.Readlink(l.bin("kubectl")); err == nil && target == v.binary() {
			return nil
		}
		os.Remove(l.bin("kubectl"))
		return os.Symlink(v.binary(), l.bin("kubectl"))
	}
	return nil
}

// goBuild is one call of go build.
type goBuild struct {
	what   string // For people.
	folder string // Of the module or package, below tests/cluster.
	target string
	flags  []string
	// packages is what to build; the folder's own by default.
	packages string
}

// build builds a program unless its sources are unchanged. Go's own check takes
// seconds for a program as large as Kubernetes.
func (l layout) build(b goBuild) error {
	if b.packages == "" {
		b.packages = "."
	}
	folder := filepath.Join(l.source, b.folder)
	stamp, err := sourceStamp(folder, append(b.flags, b.packages))
	if err != nil {
		return err
	}
	if last, err := os.ReadFile(b.target + ".stamp"); err == nil && string(last) == stamp && exists(b.target) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(b.target), 0o755); err != nil {
		return err
	}
	// The files of an interrupted build must not pass for a complete one.
	os.Remove(b.target + ".stamp")
	if err := sayWhile(b.what, func() error {
		// No mark of the commit: the same sources give the same program.
		arguments := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", b.target}, b.flags...)
		cmd := exec.Command("go", append(arguments, b.packages)...)
		cmd.Dir = folder
		// The user's settings for other projects must not leak in.
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOWORK=off")
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, &output
		if err := cmd.Run(); err != nil {
			return fail("see that Go's module proxy can be reached and that there is space left on the disk, then run `up` again.",
				"go build in %s: %w; it printed last:\n%s", folder, err, lastLines(output.String(), 12))
		}
		return nil
	}); err != nil {
		return err
	}
	return writeFile(b.target+".stamp", []byte(stamp), 0o644)
}

// sourceStamp returns a digest of the flags and of the files of a module.
func sourceStamp(folder string, flags []string) (string, error) {
	var files []string
	for _, pattern := range []string{"*.go", "go.mod", "go.sum"} {
		matches, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return "", err
		}
		files = append(files, matches...)
	}
	if len(files) == 0 {
		return "", fmt.Errorf("%s holds no Go sources", folder)
	}
	sort.Strings(files)
	hash := sha256.New()
	fmt.Fprintf(hash, "%q\n", flags)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s\n", filepath.Base(file), len(content), content)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
