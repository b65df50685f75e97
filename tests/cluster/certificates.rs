//! Certificates of many kinds, made and served by openssl: kubectl and this program accept and refuse the same ones.

mod kinds;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use self::kinds::{Kind, Verdict};
use crate::support::Outcome;

const VERSION: &str = r#"{"major":"1","minor":"36","gitVersion":"v1.36.9","gitCommit":"","gitTreeState":"","buildDate":"",
"goVersion":"","compiler":"","platform":""}"#;

/// The number of kinds that are tested at the same time.
const WORKERS: usize = 3;

/// `openssl s_server`; killed when dropped.
struct Server(Child);

impl Server {
    /// Gives the same response to each request, on a free port.
    fn start(folder: &Path, options: &str) -> (Self, u16) {
        let mut command = Command::new("openssl");
        command
            .args(["s_server", "-accept", "127.0.0.1:0", "-cert", "server.crt", "-key", "server.key"])
            .args(["-cipher", "DEFAULT:@SECLEVEL=0", "-cert_chain", "chain.crt"])
            .args(options.split_whitespace())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = Self(command.spawn().unwrap());
        // It prints requests of clients, and sends its stdin as the response.
        let (stdout, mut stdin) = (server.0.stdout.take().unwrap(), server.0.stdin.take().unwrap());
        let (sender, port) = mpsc::channel();
        thread::spawn(move || {
            let mut asked = false;
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                if let Some(port) = line.strip_prefix("ACCEPT ").and_then(|rest| rest.rsplit(':').next()?.parse().ok())
                {
                    let _ = sender.send(port);
                }
                asked |= line.starts_with("GET ");
                if asked && line == "\r" {
                    asked = false;
                    let _ = stdin.write_all(answer().as_bytes());
                }
            }
        });
        let port = port.recv_timeout(Duration::from_secs(30)).expect("openssl does not listen");
        (server, port)
    }
}

fn answer() -> String {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    format!("{head}\r\nContent-Length: {}\r\n\r\n{VERSION}", VERSION.len())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program in a home with only a kubeconfig.
fn run(program: &Path, args: &[&str], folder: &Path) -> Outcome {
    let mut command = Command::new("timeout");
    command.arg("60").arg(program).args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env("HOME", folder).env("KUBECONFIG", folder.join("kubeconfig")).current_dir(folder).stdin(Stdio::null());
    Outcome::new(&command.output().unwrap())
}

/// Makes the certificates of a kind.
fn make(kind: &Kind, folder: &Path, keys: &Path) {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/certificates/make.sh");
    let script = format!(". {}\n{}\n", library.display(), kind.recipe);
    let mut command = Command::new("bash");
    command.args(["-e", "-u", "-c", &script]).env("KEYS", keys).current_dir(folder);
    let outcome = Outcome::new(&command.output().unwrap());
    assert_eq!(outcome.code, 0, "{}: {outcome:?}", kind.name);
    for (name, instead) in [("trusted.crt", "authority.crt"), ("chain.crt", "server.crt")] {
        if !folder.join(name).exists() {
            std::fs::copy(folder.join(instead), folder.join(name)).unwrap();
        }
    }
}

fn write_kubeconfig(kind: &Kind, folder: &Path, port: u16) {
    let client = if folder.join("client.crt").exists() {
        "client-certificate: client.crt, client-key: client.key"
    } else if kind.user.is_empty() {
        // kubectl would ask for a name and a password.
        "token: t"
    } else {
        kind.user
    };
    let trust = if kind.cluster.contains("insecure") { "" } else { "certificate-authority: trusted.crt, " };
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{{trust}server: 'https://127.0.0.1:{port}'{}}}}}]\n\
         users: [{{name: u, user: {{{client}}}}}]\n",
        kind.cluster
    );
    std::fs::write(folder.join("kubeconfig"), text).unwrap();
}

/// Returns whether kubectl and this program accept a kind, and their output.
fn judge(kind: &Kind, keys: &Path, kubectl: &Path) -> [(bool, String); 2] {
    let folder = tempfile::tempdir().unwrap();
    make(kind, folder.path(), keys);
    let (_server, port) = Server::start(folder.path(), kind.server);
    write_kubeconfig(kind, folder.path(), port);
    let ours = Path::new(env!("CARGO_BIN_EXE_kubectl-indexed"));
    let asked: [(&Path, &[&str]); 2] = [(kubectl, &["get", "--raw", "/version"]), (ours, &["version"])];
    asked.map(|(program, args)| {
        let outcome = run(program, args, folder.path());
        let connected = outcome.code == 0 && outcome.stdout.contains("v1.36.9");
        let said = outcome.stderr.replace(&format!("127.0.0.1:{port}"), "HOST");
        (connected, said.replace(folder.path().to_str().unwrap(), "."))
    })
}

#[test]
#[expect(clippy::print_stdout, reason = "people read the table")]
fn certificates_are_checked_as_by_kubectl() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kubectl: PathBuf = root.join("target/cluster/bin/kubectl");
    let keys = tempfile::tempdir().unwrap();
    make_keys(keys.path());
    let next = AtomicUsize::new(0);
    let mut judged: Vec<_> = thread::scope(|scope| {
        let work = || {
            let mut own = Vec::new();
            while let Some(kind) = kinds::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                own.push((kind, judge(kind, keys.path(), &kubectl)));
            }
            own
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    judged.sort_by_key(|(kind, _)| kinds::ALL.iter().position(|one| one.name == kind.name));
    let (mut table, mut wrong) = (String::new(), Vec::new());
    for (kind, [kubectl, ours]) in &judged {
        let word = |connected| if connected { "connects" } else { "refuses" };
        let line = ours.1.lines().next().unwrap_or_default();
        let _ = writeln!(table, "| {} | {} | {} | {line} |", kind.name, word(kubectl.0), word(ours.0));
        let is_right = match kind.verdict {
            Verdict::Connects => kubectl.0 && ours.0,
            Verdict::Refuses(why) => !kubectl.0 && !ours.0 && ours.1.contains(why) && ours.1.contains("hint: "),
            Verdict::OnlyKubectl(why) => kubectl.0 && !ours.0 && ours.1.contains(why),
        };
        if !is_right {
            wrong.push(format!("{}\nkubectl: {}\nours: {}", kind.name, kubectl.1, ours.1));
        }
    }
    println!("| kind | kubectl | ours | our words |\n| --- | --- | --- | --- |\n{table}");
    assert!(wrong.is_empty(), "{} of {} kinds are wrong:\n{}", wrong.len(), judged.len(), wrong.join("\n"));
}

/// Makes all keys before the tests: two threads must not make the same key.
fn make_keys(folder: &Path) {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/certificates/make.sh");
    let script = format!(
        ". {}\nfor role in authority middle other leaf; do key $role rsa2048; done\n\
         for kind in rsa1024 rsa768 rsa-pss prime256v1 secp384r1 secp521r1 ed25519; do key authority $kind; key leaf $kind; done\n",
        library.display()
    );
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new("bash");
    command.args(["-e", "-u", "-c", &script]).env("KEYS", folder).current_dir(scratch.path());
    let outcome = Outcome::new(&command.output().unwrap());
    assert_eq!(outcome.code, 0, "{outcome:?}");
}
