//! A scripted HTTP/1.1 server on the loopback that records its requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tempfile::TempDir;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::cluster::Cluster;
use crate::cluster::connect::{ConnectOptions, connect_in, tls};
use crate::error::Error;

/// A recorded request.
#[derive(Clone, Debug)]
pub(super) struct SeenRequest {
    pub(super) method: String,
    pub(super) target: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
    /// The client's certificate.
    pub(super) peer: Option<Vec<u8>>,
    /// The connection's number, from 0.
    pub(super) connection: usize,
}

impl SeenRequest {
    pub(super) fn headers(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|one| one.0 == name).map(|one| one.1.as_str()).collect()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).first().copied()
    }
}

pub(super) enum FakeAnswer {
    Reply(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Accepts a CONNECT: the connection leads to this address from now on.
    Tunnel(SocketAddr),
    /// Closes the connection after the answer, without announcing it.
    Last(Vec<u8>),
    /// Closes the connection.
    Close,
    /// Never answers.
    Hang,
}

pub(super) fn reply(status: u16, body: &str) -> FakeAnswer {
    FakeAnswer::Reply(status, Vec::new(), body.as_bytes().to_vec())
}

pub(super) fn status(code: u16, reason: &str, message: &str) -> FakeAnswer {
    let body = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": code,
    });
    reply(code, &body.to_string())
}

/// Returns an answer for `apiserver_version`.
pub(super) fn version() -> FakeAnswer {
    reply(
        200,
        r#"{"major":"1","minor":"36","gitVersion":"v1.36.0","gitCommit":"","gitTreeState":"","buildDate":"",
           "goVersion":"","compiler":"","platform":""}"#,
    )
}

pub(super) struct Fake {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<SeenRequest>>>,
    scheme: &'static str,
}

type Script = dyn Fn(&SeenRequest, usize) -> FakeAnswer + Send + Sync;

impl Fake {
    /// `script` is called with each request and its number, from 0.
    pub(super) async fn start(script: impl Fn(&SeenRequest, usize) -> FakeAnswer + Send + Sync + 'static) -> Self {
        Self::serve("127.0.0.1:0", None, Arc::new(script)).await.unwrap()
    }

    pub(super) async fn start_tls(
        config: ServerConfig,
        script: impl Fn(&SeenRequest, usize) -> FakeAnswer + Send + Sync + 'static,
    ) -> Self {
        Self::serve("127.0.0.1:0", Some(config), Arc::new(script)).await.unwrap()
    }

    /// Starts it at `::1`; `None` without IPv6.
    pub(super) async fn start_tls_v6(
        config: ServerConfig,
        script: impl Fn(&SeenRequest, usize) -> FakeAnswer + Send + Sync + 'static,
    ) -> Option<Self> {
        Self::serve("[::1]:0", Some(config), Arc::new(script)).await
    }

    async fn serve(at: &str, config: Option<ServerConfig>, script: Arc<Script>) -> Option<Self> {
        let listener = TcpListener::bind(at).await.ok()?;
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let scheme = if config.is_some() { "https" } else { "http" };
        let acceptor = config.map(|config| TlsAcceptor::from(Arc::new(config)));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            let count = AtomicUsize::new(0);
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let connection = count.fetch_add(1, Ordering::Relaxed);
                let (script, log, acceptor) = (Arc::clone(&script), Arc::clone(&log), acceptor.clone());
                tokio::spawn(async move {
                    let Some(acceptor) = acceptor else {
                        return talk(stream, None, connection, &*script, &log).await;
                    };
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let peer = stream.get_ref().1.peer_certificates().map(|chain| chain[0].to_vec());
                        talk(stream, peer, connection, &*script, &log).await;
                    }
                });
            }
        });
        Some(Self { address, seen, scheme })
    }

    pub(super) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub(super) fn requests(&self) -> Vec<SeenRequest> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns the only request.
    pub(super) fn only_request(&self) -> SeenRequest {
        let seen = self.requests();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: Option<Vec<u8>>,
    connection: usize,
    script: &Script,
    log: &Mutex<Vec<SeenRequest>>,
) {
    let mut stream = BufReader::new(stream);
    while let Some(mut seen) = read(&mut stream).await {
        (seen.peer, seen.connection) = (peer.clone(), connection);
        let number = {
            let mut log = log.lock().unwrap();
            log.push(seen.clone());
            log.len() - 1
        };
        let answer = script(&seen, number);
        let last = matches!(answer, FakeAnswer::Last(_));
        match answer {
            FakeAnswer::Close => return,
            FakeAnswer::Tunnel(to) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                stream.flush().await.unwrap();
                let mut server = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
                return;
            }
            FakeAnswer::Hang => std::future::pending().await,
            FakeAnswer::Last(body) => {
                let head = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all(&[head.into_bytes(), body].concat()).await.unwrap();
                stream.flush().await.unwrap();
            }
            FakeAnswer::Reply(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    let _ = write!(head, "{name}: {value}\r\n");
                }
                head.push_str("\r\n");
                let sent = stream.write_all(&[head.into_bytes(), body].concat()).await;
                if sent.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
        }
        if last {
            return;
        }
    }
}

async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<SeenRequest> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines[0].split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|one| one.0 == "content-length").map_or(0, |one| one.1.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(SeenRequest { method, target, headers, body: String::from_utf8(body).unwrap(), peer: None, connection: 0 })
}

/// A certificate and its key, both PEM.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Pair {
    pub(super) fn der(&self) -> Vec<u8> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap().to_vec()
    }

    pub(super) fn server(&self) -> ServerConfig {
        self.builder(None)
    }

    /// Requires a client certificate of `ca`, or none.
    pub(super) fn server_asking(&self, ca: &Ca) -> ServerConfig {
        self.builder(Some(ca))
    }

    fn builder(&self, ca: Option<&Ca>) -> ServerConfig {
        let builder =
            ServerConfig::builder_with_provider(tls::provider()).with_safe_default_protocol_versions().unwrap();
        let builder = match ca {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add(CertificateDer::from_pem_slice(ca.pair.certificate.as_bytes()).unwrap()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), tls::provider());
                builder.with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
            }
        };
        let chain = vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()];
        builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()).unwrap()
    }
}

/// An authority for certificates.
pub(super) struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pair: Pair,
}

impl Ca {
    /// Its own certificate is also for `names`.
    pub(super) fn new(names: &[&str]) -> Self {
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let pair = Pair { certificate: certificate.pem(), key: key.serialize_pem() };
        Self { issuer: Issuer::new(params, key), pair }
    }

    pub(super) fn issue(&self, names: &[&str]) -> Pair {
        let params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A home folder, an environment and a folder for a Pod's credentials.
pub(super) struct Machine {
    pub(super) folder: TempDir,
    pub(super) env: BTreeMap<String, String>,
}

impl Machine {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir_all(home.join(".kube")).unwrap();
        let mut env = BTreeMap::new();
        env.insert("HOME".to_owned(), home.display().to_string());
        env.insert("PATH".to_owned(), "/usr/bin:/bin".to_owned());
        Self { folder, env }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Creates a program in the folder.
    #[cfg(unix)]
    pub(super) fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.write(name, &format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Writes `~/.kube/config` with one context; `cluster` and `user` are YAML in braces.
    pub(super) fn config(&self, cluster: &str, user: &str) -> PathBuf {
        self.write("home/.kube/config", &kubeconfig(cluster, user, "{cluster: c, user: u}"))
    }

    pub(super) fn set(&mut self, name: &str, value: impl AsRef<Path>) {
        self.env.insert(name.to_owned(), value.as_ref().display().to_string());
    }

    pub(super) fn connect(&self, options: &ConnectOptions) -> Result<Cluster, Error> {
        connect_in(options, &|name| self.env.get(name).cloned(), &self.path("pod"))
    }
}

pub(super) fn kubeconfig(cluster: &str, user: &str, context: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\n\
         clusters: [{{name: c, cluster: {cluster}}}]\n\
         users: [{{name: u, user: {user}}}]\n\
         contexts: [{{name: x, context: {context}}}]\n"
    )
}

pub(super) fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
