//! A user with an empty home, no kubeconfig, no terminal, and no variable but `PATH`.

use std::ffi::OsStr;
use std::fmt;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-indexed");

/// The exit code and output of a command. Displayed as one text, so that a snapshot holds all of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Outcome {
    fn new(output: &Output, sandbox: &Sandbox) -> Self {
        let text = |bytes: &[u8]| sandbox.without_paths(std::str::from_utf8(bytes).unwrap());
        Self { stdout: text(&output.stdout), stderr: text(&output.stderr), code: output.status.code().unwrap_or(-1) }
    }

    /// Replaces text that differs from run to run.
    pub(crate) fn replace(mut self, from: &str, to: &str) -> Self {
        self.stdout = self.stdout.replace(from, to);
        self.stderr = self.stderr.replace(from, to);
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            writeln!(f, "── {name}")?;
            f.write_str(text)?;
            if !text.is_empty() && !text.ends_with('\n') {
                writeln!(f, "[no newline]")?;
            }
        }
        write!(f, "── exit code {}", self.code)
    }
}

/// An environment for the program without any setting of the user who runs the tests.
pub(crate) struct Sandbox {
    home: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    /// Returns a command that sees only the sandbox and runs in its home.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let folders = [Path::new(PROGRAM).parent().unwrap().to_owned()];
        let inherited = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&inherited))).unwrap();
        let mut command = Command::new(program);
        command.env_clear().env("PATH", path).env("HOME", self.home.path());
        command.current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        self.outcome(self.command(PROGRAM).args(args))
    }

    /// Runs a script with bash, with the program on `PATH`.
    pub(crate) fn shell(&self, script: &str) -> Outcome {
        self.outcome(self.command("bash").args(["-e", "-c", script]))
    }

    /// Runs a command from [`Self::command`].
    pub(crate) fn outcome(&self, command: &mut Command) -> Outcome {
        Outcome::new(&command.output().unwrap(), self)
    }

    /// Writes a file into the home, and returns its absolute path.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text.as_ref()).unwrap();
        path
    }

    /// Replaces the random path of the home by `HOME`.
    fn without_paths(&self, text: &str) -> String {
        text.replace(self.home.path().to_str().unwrap(), "HOME")
    }
}

/// Returns a URL at which no server listens, and its port.
pub(crate) fn nobody_listens() -> (String, String) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    (format!("http://127.0.0.1:{port}"), port.to_string())
}

/// Returns the folder of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the text of a file of the checkout.
pub(crate) fn file(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the sorted paths of the files with this ending below a folder of the checkout.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&path, ending));
        } else if Path::new(&path).extension() == Some(OsStr::new(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}
