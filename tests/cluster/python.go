package main

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The image python has the Python of a Debian package, or that of the machine,
// with its modules and shared libraries. There is no package of a static Python.

// minimalPython matches the name of the package with one version of Python, on
// which python3-minimal depends.
var minimalPython = regexp.MustCompile(`\bpython3\.[0-9]+-minimal\b`)

// pythonPackages returns Debian's packages of Python. Their names have its
// version, which is read from the package lists.
func pythonPackages() ([]string, error) {
	output, err := exec.Command("apt-cache", "depends", "python3-minimal").Output()
	if err != nil {
		return nil, fmt.Errorf("asking apt-cache for the version of Python: %w", err)
	}
	name := minimalPython.FindString(string(output))
	if name == "" {
		return nil, fmt.Errorf("apt-cache knows no package python3.N-minimal")
	}
	return []string{"python3-minimal", name, "lib" + name, "libexpat1", "zlib1g"}, nil
}

// leftOut are folders of Python's library that no example needs.
var leftOut = []string{"__pycache__", "test", "tests", "idlelib", "tkinter", "ensurepip", "lib2to3", "site-packages", "dist-packages"}

// pythonEntries are Python's files in its image.
func (l layout) pythonEntries() ([]entry, error) {
	program, err := filepath.EvalSymlinks(l.tool("python3"))
	if err != nil {
		return nil, err
	}
	name := filepath.Base(program)
	entries := []entry{
		{name: "usr/bin/" + name, file: program},
		{name: "usr/bin/python3", link: name},
		{name: "usr/local/bin/python", link: "/usr/bin/python3"},
	}
	library := filepath.Join(filepath.Dir(filepath.Dir(program)), "lib", name)
	err = filepath.WalkDir(library, func(path string, file fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case file.IsDir() && slices.Contains(leftOut, file.Name()):
			return fs.SkipDir
		// A compiled module needs no other library, or else can't be imported.
		case strings.HasSuffix(path, ".py"), strings.Contains(path, "/lib-dynload/"):
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				inside, _ := filepath.Rel(library, path)
				entries = append(entries, entry{name: filepath.Join("usr/lib", name, inside), file: path})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	libraries, err := l.librariesOf(program)
	return append(entries, libraries...), err
}

// librariesOf are the shared libraries that a program needs, and what loads
// them, where the loader looks for them.
func (l layout) librariesOf(program string) ([]entry, error) {
	folders := l.libraryFolders()
	for _, pattern := range []string{"/lib/*-linux-gnu*", "/usr/lib/*-linux-gnu*", "/usr/local/lib", "/lib64", "/usr/lib64", "/usr/lib"} {
		matches, _ := filepath.Glob(pattern)
		folders = append(folders, matches...)
	}
	loader, err := loaderOf(program)
	if err != nil {
		return nil, err
	}
	entries := []entry{{name: strings.TrimPrefix(loader, "/"), file: loader}}
	seen := map[string]bool{filepath.Base(loader): true}
	for queue := []string{program}; len(queue) > 0; queue = queue[1:] {
		file, err := elf.Open(queue[0])
		if err != nil {
			return nil, err
		}
		names, err := file.ImportedLibraries()
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("reading which libraries %s needs: %w", queue[0], err)
		}
		for _, name := range names {
			if seen[name] {
				continue
			}
			seen[name] = true
			at := slices.IndexFunc(folders, func(folder string) bool { return exists(filepath.Join(folder, name)) })
			if at < 0 {
				return nil, fmt.Errorf("%s needs the library %s, which isn't there", queue[0], name)
			}
			path := filepath.Join(folders[at], name)
			entries = append(entries, entry{name: "lib/" + name, file: path})
			queue = append(queue, path)
		}
	}
	return entries, nil
}

// loaderOf is the program that loads a program's libraries.
func loaderOf(program string) (string, error) {
	file, err := elf.Open(program)
	if err != nil {
		return "", err
	}
	defer file.Close()
	section := file.Section(".interp")
	if section == nil {
		return "", fmt.Errorf("%s names no loader", program)
	}
	content, err := section.Data()
	return strings.TrimRight(string(content), "\x00"), err
}
