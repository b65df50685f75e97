package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Programs that are not built here come from Debian packages. They are unpacked
// into the state folder and never installed: an installation would start system
// services, write files all over the machine, and remove conflicting packages.
var debianPackages = []string{
	"containerd", "runc", "libseccomp2", "containernetworking-plugins", "busybox-static", "bash-static",
}

// toolFolders lists the folders of programs, in the unpacked packages or on the
// machine itself.
var toolFolders = []string{
	"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
	"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni",
}

// neededTools lists the needed programs, with a text that identifies them among
// programs of the same name.
var neededTools = []struct {
	names  []string // Any of them.
	static bool     // It goes alone into an image, so it must need no library.
}{
	{names: []string{"containerd"}},
	{names: []string{"containerd-shim-runc-v2"}},
	{names: []string{"runc"}},
	{names: []string{"bridge"}},
	{names: []string{"host-local"}},
	{names: []string{"loopback"}},
	{names: []string{"busybox-static", "busybox"}, static: true},
	{names: []string{"bash-static", "bash"}, static: true},
	{names: []string{"python3"}},
}

// installTools makes all programs available.
func (l layout) installTools() error {
	if len(l.missingTools()) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err == nil {
		if err := sayWhile("Unpacking Debian packages: "+strings.Join(debianPackages, ", "), l.unpackPackages); err != nil {
			return err
		}
	}
	if missing := l.missingTools(); len(missing) > 0 {
		return fail("install them, or run the tests on any other cluster by --context NAME.",
			"these programs are missing: %s", strings.Join(missing, ", "))
	}
	return nil
}

// unpackPackages downloads the packages and unpacks them beside each other.
func (l layout) unpackPackages() error {
	partial := l.in("debian.partial")
	if err := emptyFolder(partial); err != nil {
		return err
	}
	defer os.RemoveAll(partial)

	download := func() error {
		python, err := pythonPackages()
		if err != nil {
			return err
		}
		// As root, because the user of apt can't write to this folder.
		arguments := append([]string{"-o", "APT::Sandbox::User=root", "-qq", "download"}, append(python, debianPackages...)...)
		return quietly(partial, "apt-get", arguments...)
	}
	if download() != nil {
		// The package lists are missing or old.
		if err := quietly(partial, "apt-get", "-qq", "update"); err != nil {
			return fail("make Debian's package server reachable, or run the tests on any other cluster by --context NAME.",
				"updating the lists of Debian packages: %w", err)
		}
		if err := download(); err != nil {
			return fail("see that these packages are in the lists of apt: "+strings.Join(debianPackages, " "),
				"downloading Debian packages: %w", err)
		}
	}
	packages, err := filepath.Glob(filepath.Join(partial, "*.deb"))
	if err != nil {
		return err
	}
	for _, file := range packages {
		if err := quietly(partial, "dpkg-deb", "-x", file, "."); err != nil {
			return fmt.Errorf("unpacking %s: %w", filepath.Base(file), err)
		}
		os.Remove(file)
	}
	if err := os.RemoveAll(l.in("debian")); err != nil {
		return err
	}
	return os.Rename(partial, l.in("debian"))
}

// missingTools returns the names of the missing programs.
func (l layout) missingTools() []string {
	var missing []string
	for _, needed := range neededTools {
		if l.tool(needed.names[0]) == "" {
			name := needed.names[len(needed.names)-1]
			if needed.static {
				name += " (statically linked)"
			}
			missing = append(missing, name)
		}
	}
	return missing
}

// tool returns the path of a needed program, or "".
func (l layout) tool(name string) string {
	for _, needed := range neededTools {
		if needed.names[0] != name {
			continue
		}
		for _, folder := range l.toolFolders() {
			for _, name := range needed.names {
				path := filepath.Join(folder, name)
				info, err := os.Stat(path)
				if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 &&
					(!needed.static || isStatic(path)) {
					return path
				}
			}
		}
	}
	return ""
}

// toolFolders returns the folders to search, the unpacked packages first.
func (l layout) toolFolders() []string {
	var folders []string
	for _, folder := range toolFolders {
		folders = append(folders, l.in("debian")+folder)
	}
	return append(folders, toolFolders...)
}

// toolPath returns the folders of the programs that containerd runs by name.
func (l layout) toolPath() []string {
	return []string{filepath.Dir(l.tool("containerd-shim-runc-v2")), filepath.Dir(l.tool("runc"))}
}

// libraryFolders returns the folders of shared libraries in the unpacked
// packages.
func (l layout) libraryFolders() []string {
	folders, _ := filepath.Glob(l.in("debian", "usr", "lib", "*-linux-gnu*"))
	return folders
}

// isStatic returns whether a program needs no shared library.
func isStatic(path string) bool {
	file, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return false
		}
	}
	return true
}

// quietly runs a command, and returns its last output only if it fails.
func quietly(folder, name string, arguments ...string) error {
	cmd := exec.Command(name, arguments...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w; it printed last:\n%s", name, err, lastLines(string(output), 12))
	}
	return nil
}
