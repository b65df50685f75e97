//! A namespace of a real cluster for one test, and the commands that run against it.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A template whose worker can test whether a ConfigMap exists, so that it fails until then.
pub(crate) const GATE: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: gate}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: worker
        image: docker.io/library/busybox
        volumeMounts: [{name: gate, mountPath: /gate}]
      volumes:
      - name: gate
        configMap: {name: gate, optional: true}
";

/// The exit code and output of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Outcome {
    pub(crate) fn new(output: &Output) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code().unwrap_or(-1),
        }
    }

    /// Asserts exit code 0.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// Returns the sorted lines of stdout with only the index in their prefix, without the item.
    pub(crate) fn lines_by_index(&self) -> Vec<String> {
        let without_item = |line: String| match line.split_once("] ") {
            Some((start, rest)) => format!("{}] {rest}", start.split(' ').next().unwrap_or_default()),
            None => line,
        };
        let mut lines: Vec<_> = self.stdout.lines().map(str::to_owned).map(without_item).collect();
        lines.sort();
        lines
    }

    /// Returns the sorted lines of stdout, for output of indexes that run at the same time.
    pub(crate) fn sorted_lines(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

/// A fresh namespace, deleted when dropped.
pub(crate) struct Cluster {
    namespace: String,
    /// The home folder, with only a kubeconfig, whose context names the namespace.
    folder: TempDir,
    path: std::ffi::OsString,
    kubectl: PathBuf,
}

impl Cluster {
    /// Creates a namespace in the cluster that `tests/cluster/up` started.
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let given = root.join("target/cluster/kubeconfig");
        assert!(given.exists(), "these tests need a cluster: run tests/cluster/up first (or tests/run, which does)");
        let kubectl = root.join("target/cluster/bin/kubectl");
        let program = Path::new(env!("CARGO_BIN_EXE_kubectl-indexed"));
        // The last folder has the wrapper for completion by kubectl.
        let folders = [program.parent().unwrap(), kubectl.parent().unwrap(), &root.join("completions")];
        let inherited = std::env::var_os("PATH").unwrap();
        let path = folders.iter().map(PathBuf::from).chain(std::env::split_paths(&inherited));
        let path = std::env::join_paths(path).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(&given, folder.path().join("kubeconfig")).unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("t-{name}-{}-{number}", std::process::id());
        let cluster = Self { namespace, folder, path, kubectl };
        cluster.kubectl(&["create", "namespace", &cluster.namespace]).ok();
        cluster.kubectl(&["config", "set-context", "--current", "--namespace", &cluster.namespace]).ok();
        // A namespace without this account refuses Pods, and the Job controller then waits for seconds.
        cluster.eventually("the default service account", || {
            cluster.kubectl(&["get", "serviceaccount", "default"]).code == 0
        });
        cluster
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns a command that sees only the environment of the test.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.folder.path())
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null());
        command
    }

    fn outcome(mut command: Command) -> Outcome {
        Outcome::new(&command.output().unwrap())
    }

    /// Runs the program without kubectl, for at most five minutes: after that, the exit code is 124.
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        let mut command = self.command("timeout");
        command.args(["--foreground", "300", env!("CARGO_BIN_EXE_kubectl-indexed")]).args(args);
        Self::outcome(command)
    }

    /// Starts the program in the background.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command("env");
        // The tests may run in the background of a shell, which ignores Ctrl-C, or under nohup, which ignores a hangup.
        command.args(["--default-signal=HUP,INT", env!("CARGO_BIN_EXE_kubectl-indexed")]).args(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running { child: command.spawn().unwrap() }
    }

    /// Starts a bash script that ends at its first error, also in a pipe.
    pub(crate) fn start_shell(&self, script: &str) -> Running {
        let mut command = self.command("bash");
        command.args(["-e", "-o", "pipefail", "-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running { child: command.spawn().unwrap() }
    }

    /// Starts `kubectl proxy` on a free port: the API over plain HTTP, for the proxies of tests.
    pub(crate) fn start_api_proxy(&self) -> (Running, u16) {
        let mut command = self.command(&self.kubectl);
        command.args(["proxy", "--port=0", "--address=127.0.0.1"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Running { child: command.spawn().unwrap() };
        let mut line = String::new();
        BufReader::new(running.child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        (running, port.unwrap_or_else(|| panic!("no port in {line:?}")))
    }

    /// Runs the real kubectl.
    pub(crate) fn kubectl(&self, args: &[&str]) -> Outcome {
        let mut command = self.command(&self.kubectl);
        command.args(args);
        Self::outcome(command)
    }

    /// Applies a manifest with kubectl.
    pub(crate) fn apply(&self, manifest: &str) -> Outcome {
        self.feed("apply", manifest)
    }

    /// Creates the objects of a manifest with kubectl.
    pub(crate) fn create(&self, manifest: &str) -> Outcome {
        self.feed("create", manifest)
    }

    fn feed(&self, verb: &str, manifest: &str) -> Outcome {
        let mut command = self.command(&self.kubectl);
        // An old server drops the fields of a new manifest that it does not know.
        command
            .args([verb, "--validate=ignore", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
        Outcome::new(&child.wait_with_output().unwrap())
    }

    /// Runs the program, and returns the bytes of its stdout.
    pub(crate) fn raw(&self, args: &[&str]) -> Vec<u8> {
        let output = self.command(env!("CARGO_BIN_EXE_kubectl-indexed")).args(args).output().unwrap();
        assert!(output.status.success(), "{:?}", Outcome::new(&output));
        output.stdout
    }

    /// Returns the home folder of commands.
    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the home, and returns its absolute path.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Waits until a Job has completed, without a timeout.
    #[track_caller]
    pub(crate) fn wait_for(&self, job: &str) {
        self.run(&["wait", job, "-q"]).ok();
    }

    /// Runs a bash script that ends at its first error.
    pub(crate) fn shell(&self, script: &str) -> Outcome {
        let mut command = self.command("bash");
        command.args(["-e", "-o", "pipefail", "-c", script]);
        Self::outcome(command)
    }

    /// Returns the value of a JSON path of an object; empty if the object does not exist.
    pub(crate) fn field(&self, object: &str, path: &str) -> String {
        let outcome = self.kubectl(&["get", object, "-o", &format!("jsonpath={path}")]);
        if outcome.stderr.contains("(NotFound)") {
            return String::new();
        }
        outcome.ok().stdout
    }

    /// Returns whether the server has the newest tested version, which the documents show.
    pub(crate) fn is_newest(&self) -> bool {
        self.kubectl(&["version"]).ok().stdout.contains("Server Version: v1.36.")
    }

    /// Waits at most two minutes until a condition is true.
    #[track_caller]
    pub(crate) fn eventually(&self, what: &str, is_so: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(120);
        while !is_so() {
            let pods = || self.kubectl(&["get", "jobs,pods"]).stdout;
            assert!(Instant::now() < end, "waited two minutes for {what}\n{}", pods());
            sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]);
    }
}

/// A running program; killed when dropped.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Sends the signal of Ctrl-C.
    pub(crate) fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends a signal, given by its name without SIG.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Returns whether the program catches SIGTERM, which means that it has started to follow.
    pub(crate) fn catches_sigterm(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() >> 14 & 1 == 1
    }

    /// Sends SIGKILL. Returns whether the program was still running.
    pub(crate) fn kill(mut self) -> bool {
        let cut_off = self.child.try_wait().unwrap().is_none();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        cut_off
    }

    /// Waits at most two minutes for the end of the program.
    pub(crate) fn end(mut self) -> Outcome {
        // A program can't end while its pipe is full.
        let stdout = drain(self.child.stdout.take().unwrap());
        let stderr = drain(self.child.stderr.take().unwrap());
        let end = Instant::now() + Duration::from_secs(120);
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                let _ = self.child.kill();
                panic!("it did not end within two minutes: {:?} {:?}", stdout.join(), stderr.join());
            }
            sleep(Duration::from_millis(20));
        }
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Outcome { stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap(), code }
    }
}

/// Reads a pipe to its end.
fn drain(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the text of a file of the checkout.
pub(crate) fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
