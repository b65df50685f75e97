//! Connections: TLS, proxies, compression, speed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::fake::{Ca, Fake, FakeAnswer, Machine, Pair, SeenRequest, base64, version};
use crate::cluster::Cluster;
use crate::cluster::connect::ConnectOptions;
use crate::error::{Error, Kind};

fn none() -> ConnectOptions {
    ConnectOptions::default()
}

async fn ask(connection: &Cluster) -> Result<(), Error> {
    connection.run_request("ask", connection.client.apiserver_version()).await.map(drop)
}

/// Returns a server with this certificate, and a machine that trusts `ca`.
async fn served(pair: &Pair, ca: &str) -> (Fake, Machine) {
    let server = Fake::start_tls(pair.server(), |_, _| version()).await;
    let machine = Machine::new();
    machine.config(&format!("{{server: {}, certificate-authority-data: {}}}", server.url(), base64(ca)), "{}");
    (server, machine)
}

#[tokio::test]
async fn a_certificate_and_a_token_log_in() {
    let ca = Ca::new(&[]);
    let client = ca.issue(&["someone"]);
    let server = Fake::start_tls(ca.issue(&["127.0.0.1"]).server_asking(&ca), |_, _| version()).await;
    let machine = Machine::new();
    machine.config(
        &format!("{{server: {}, certificate-authority-data: {}}}", server.url(), base64(&ca.pair.certificate)),
        &format!(
            "{{token: t0ken, client-certificate-data: {}, client-key-data: {}}}",
            base64(&client.certificate),
            base64(&client.key)
        ),
    );
    let connection = machine.connect(&none()).unwrap();
    assert_eq!((connection.namespace.as_str(), connection.server.clone()), ("default", server.url()));
    ask(&connection).await.unwrap();
    let seen = server.only_request();
    assert_eq!(seen.header("authorization"), Some("Bearer t0ken"));
    assert_eq!(seen.peer, Some(client.der()));
    let agent = seen.header("user-agent").unwrap();
    assert!(agent.starts_with(&format!("kubectl-indexed/{} (", env!("CARGO_PKG_VERSION"))), "{agent}");
}

#[tokio::test]
async fn a_certificate_by_flag_replaces_the_kubeconfigs() {
    let ca = Ca::new(&[]);
    let (old, new) = (ca.issue(&["old"]), ca.issue(&["new"]));
    let server = Fake::start_tls(ca.issue(&["127.0.0.1"]).server_asking(&ca), |_, _| version()).await;
    let machine = Machine::new();
    // The CA in the kubeconfig is a wrong one, and not even checked there.
    machine.config(
        &format!(
            "{{server: {}, certificate-authority-data: {}, insecure-skip-tls-verify: true}}",
            server.url(),
            base64(&Ca::new(&[]).pair.certificate)
        ),
        &format!("{{client-certificate-data: {}, client-key-data: {}}}", base64(&old.certificate), base64(&old.key)),
    );
    let options = ConnectOptions {
        certificate_authority: Some(machine.write("ca.crt", &ca.pair.certificate)),
        client_certificate: Some(machine.write("new.crt", &new.certificate)),
        client_key: Some(machine.write("new.key", &new.key)),
        ..none()
    };
    ask(&machine.connect(&options).unwrap()).await.unwrap();
    assert_eq!(server.only_request().peer, Some(new.der()));
}

#[tokio::test]
async fn a_trusted_ca_may_be_the_servers_own_certificate() {
    let ca = Ca::new(&["127.0.0.1"]);
    let (_server, machine) = served(&ca.pair, &ca.pair.certificate).await;
    ask(&machine.connect(&none()).unwrap()).await.unwrap();
    // But not for another name,
    let other = Ca::new(&["other.example.com"]);
    let (_server, machine) = served(&other.pair, &other.pair.certificate).await;
    let error = ask(&machine.connect(&none()).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("other.example.com"), "{error}");
    ask(&machine.connect(&ConnectOptions { tls_server_name: Some("other.example.com".into()), ..none() }).unwrap())
        .await
        .unwrap();
    // nor another CA of the same name.
    let (_server, machine) = served(&Ca::new(&["127.0.0.1"]).pair, &ca.pair.certificate).await;
    let error = ask(&machine.connect(&none()).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
}

#[tokio::test]
async fn an_untrusted_server_gets_no_request() {
    let ca = Ca::new(&[]);
    let (server, machine) = served(&ca.issue(&["127.0.0.1"]), &Ca::new(&[]).pair.certificate).await;
    let error = ask(&machine.connect(&none()).unwrap()).await.unwrap_err();
    let expected = format!(
        "can't ask: the certificate of the server {} is signed by an unknown authority: a trusted one has the same \
         name, \"rcgen self signed cert\", and another key",
        server.address
    );
    assert_eq!((error.kind(), error.to_string()), (Kind::Unreachable, expected));
    assert!(error.hints()[0].contains("--certificate-authority"));
    ask(&machine.connect(&ConnectOptions { insecure_skip_tls_verify: true, ..none() }).unwrap()).await.unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn without_a_ca_the_system_decides() {
    let server = Fake::start_tls(Ca::new(&[]).issue(&["127.0.0.1"]).server(), |_, _| version()).await;
    let machine = Machine::new();
    machine.config(&format!("{{server: {}}}", server.url()), "{token: s3cret}");
    // Without system certificates the error comes at once.
    let error = match machine.connect(&none()) {
        Ok(connection) => ask(&connection).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(error.hints()[0].contains("--certificate-authority"), "{error}");
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn ipv6_addresses_are_servers_like_others() {
    let ca = Ca::new(&[]);
    let Some(server) = Fake::start_tls_v6(ca.issue(&["::1"]).server(), |_, _| version()).await else {
        return;
    };
    let machine = Machine::new();
    let data = base64(&ca.pair.certificate);
    machine.config(&format!("{{server: '{}', certificate-authority-data: {data}}}", server.url()), "{}");
    ask(&machine.connect(&none()).unwrap()).await.unwrap();
    assert_eq!(server.only_request().header("host"), Some(server.address.to_string().as_str()));
}

#[tokio::test]
async fn the_tls_server_name_is_that_of_its_server() {
    let ca = Ca::new(&[]);
    let server = Fake::start_tls(ca.issue(&["api.example.com"]).server(), |_, _| version()).await;
    let machine = Machine::new();
    machine.config(
        &format!(
            "{{server: {}, tls-server-name: api.example.com, certificate-authority-data: {}}}",
            server.url(),
            base64(&ca.pair.certificate)
        ),
        "{}",
    );
    ask(&machine.connect(&none()).unwrap()).await.unwrap();
    // The kubeconfig's name does not apply to a server by flag.
    let options = ConnectOptions { server: Some(server.url()), ..none() };
    let error = ask(&machine.connect(&options).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("is not for this host, but for"), "{error}");
    let options = ConnectOptions { tls_server_name: Some("api.example.com".to_owned()), ..options };
    ask(&machine.connect(&options).unwrap()).await.unwrap();
}

#[tokio::test]
async fn replaced_files_apply_to_the_next_connection() {
    let (ca, later) = (Ca::new(&[]), Ca::new(&[]));
    let (client, renewed) = (later.issue(&["one"]), later.issue(&["two"]));
    // Each answer ends its connection.
    let answer = |_: &SeenRequest, _| match version() {
        FakeAnswer::Reply(status, _, body) => FakeAnswer::Reply(status, vec![("connection", "close".to_owned())], body),
        other => other,
    };
    let server = Fake::start_tls(later.issue(&["127.0.0.1"]).server_asking(&later), answer).await;
    let machine = Machine::new();
    let authority = machine.write("ca.crt", &ca.pair.certificate);
    let files = [machine.write("me.crt", &client.certificate), machine.write("me.key", &client.key)];
    machine.config(
        &format!("{{server: {}, certificate-authority: {}}}", server.url(), authority.display()),
        &format!("{{client-certificate: {}, client-key: {}}}", files[0].display(), files[1].display()),
    );
    let connection = machine.connect(&none()).unwrap();
    ask(&connection).await.unwrap_err();
    machine.write("ca.crt", &later.pair.certificate);
    ask(&connection).await.unwrap();
    machine.write("me.crt", &renewed.certificate);
    machine.write("me.key", &renewed.key);
    ask(&connection).await.unwrap();
    // A half-written file changes nothing.
    machine.write("ca.crt", "-----BEGIN");
    machine.write("me.crt", "-----BEGIN");
    ask(&connection).await.unwrap();
    let peers: Vec<_> = server.requests().into_iter().map(|seen| seen.peer.unwrap()).collect();
    assert!(peers == [client.der(), renewed.der(), renewed.der()]);
}

#[tokio::test]
async fn small_packets_are_not_held_back() {
    let ca = Ca::new(&[]);
    let (_server, machine) = served(&ca.issue(&["127.0.0.1"]), &ca.pair.certificate).await;
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let connection = machine.connect(&none()).unwrap();
        let start = Instant::now();
        ask(&connection).await.unwrap();
        fastest = fastest.min(start.elapsed());
    }
    // With Nagle's algorithm the first request waits 40 ms for an acknowledgement.
    assert!(fastest < Duration::from_millis(30), "{fastest:?}");
}

#[tokio::test]
async fn connections_are_kept_and_shared() {
    let server = Fake::start(|_, _| version()).await;
    let machine = Machine::new();
    machine.config(&format!("{{server: {}/prefix/}}", server.url()), "{}");
    let connection = machine.connect(&none()).unwrap();
    for _ in 0..3 {
        ask(&connection).await.unwrap();
    }
    for seen in server.requests() {
        assert_eq!((seen.connection, seen.method.as_str(), seen.target.as_str()), (0, "GET", "/prefix/version"));
        assert_eq!(seen.header("host"), Some(server.address.to_string().as_str()));
    }
}

#[tokio::test]
async fn answers_are_compressed_unless_disabled() {
    // A version with `"gitVersion":"gz"`, by gzip.
    const PACKED: &[u8] = &[
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 77, 204, 202, 47, 82, 178, 82, 50, 84, 210, 81, 202, 205, 204,
        3, 179, 141, 205, 128, 156, 244, 204, 146, 176, 212, 162, 226, 204, 252, 60, 160, 72, 122, 21, 68, 196, 57, 63,
        55, 55, 179, 4, 40, 0, 225, 134, 20, 165, 166, 6, 151, 36, 150, 164, 66, 68, 146, 74, 51, 115, 82, 92, 224,
        220, 244, 124, 132, 1, 64, 110, 114, 126, 110, 65, 102, 78, 106, 17, 132, 87, 144, 147, 88, 146, 150, 95, 148,
        11, 226, 213, 2, 0, 42, 237, 168, 253, 135, 0, 0, 0,
    ];
    let server = Fake::start(|seen, _| match seen.header("accept-encoding") {
        Some("gzip") => FakeAnswer::Reply(200, vec![("content-encoding", "gzip".to_owned())], PACKED.to_vec()),
        _ => version(),
    })
    .await;
    let machine = Machine::new();
    machine.config(&format!("{{server: {}}}", server.url()), "{}");
    let connection = machine.connect(&none()).unwrap();
    assert_eq!(connection.client.apiserver_version().await.unwrap().git_version, "gz");
    let log = Request::get("/api/v1/namespaces/n/pods/p/log?follow=true").body(Vec::new()).unwrap();
    connection.client.request_text(log).await.unwrap();
    let options = ConnectOptions { disable_compression: true, ..none() };
    ask(&machine.connect(&options).unwrap()).await.unwrap();
    machine.config(&format!("{{server: {}, disable-compression: true}}", server.url()), "{}");
    ask(&machine.connect(&none()).unwrap()).await.unwrap();
    let asked: Vec<_> =
        server.requests().iter().map(|seen| seen.header("accept-encoding").map(str::to_owned)).collect();
    assert_eq!(asked, [Some("gzip".to_owned()), Some("identity".to_owned()), None, None]);
}

/// A cluster that only `proxy` can reach.
async fn behind(scheme: &str, proxy: &str) -> (Fake, Machine) {
    let ca = Ca::new(&[]);
    let pair = ca.issue(&["cluster.test", "127.0.0.1"]);
    let server = match scheme {
        "https" => Fake::start_tls(pair.server(), |_, _| version()).await,
        _ => Fake::start(|_, _| version()).await,
    };
    let machine = Machine::new();
    let data = base64(&ca.pair.certificate);
    let proxy = if proxy.is_empty() { String::new() } else { format!("proxy-url: '{proxy}', ") };
    machine.config(
        &format!("{{{proxy}server: '{scheme}://cluster.test:6443', certificate-authority-data: {data}}}"),
        "{}",
    );
    (server, machine)
}

async fn tunnel(to: SocketAddr) -> Fake {
    Fake::start(move |_, _| FakeAnswer::Tunnel(to)).await
}

#[tokio::test]
async fn a_clusters_own_proxy_is_used() {
    let (server, machine) = behind("https", "").await;
    let proxy = tunnel(server.address).await;
    let own = format!("http://ann:p%40ss@{}", proxy.address);
    machine.write(
        "home/.kube/config",
        &std::fs::read_to_string(machine.path("home/.kube/config"))
            .unwrap()
            .replace("{server", &format!("{{proxy-url: '{own}', server")),
    );
    ask(&machine.connect(&none()).unwrap()).await.unwrap();
    let seen = proxy.only_request();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("CONNECT", "cluster.test:6443"));
    assert_eq!(seen.header("proxy-authorization"), Some(format!("Basic {}", base64("ann:p@ss")).as_str()));
    assert_eq!(server.only_request().header("host"), Some("cluster.test:6443"));
    assert_eq!(server.only_request().header("proxy-authorization"), None);
}

#[tokio::test]
async fn the_environments_proxy_is_used_by_gos_rules() {
    let (server, mut machine) = behind("https", "").await;
    let proxy = tunnel(server.address).await;
    // Without a scheme, in lower case.
    machine.set("https_proxy", proxy.address.to_string());
    ask(&machine.connect(&none()).unwrap()).await.unwrap();
    assert_eq!(proxy.only_request().target, "cluster.test:6443");
    // With an exception the host is resolved directly, which fails: a name this long is sent to no DNS server.
    machine.set("NO_PROXY", "10.0.0.0/8,.test");
    machine.set("http_proxy", proxy.address.to_string());
    let host = format!("{}.test:6443", "x".repeat(64));
    let options = ConnectOptions { server: Some(format!("http://{host}")), ..none() };
    let error = ask(&machine.connect(&options).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains(&format!("the host of the server {host} is unknown")), "{error}");
    // The loopback never uses a proxy; NO_PROXY applies to the cluster, not to the proxy.
    machine.env.remove("NO_PROXY");
    let options = ConnectOptions { server: Some(server.url()), ..none() };
    ask(&machine.connect(&options).unwrap()).await.unwrap();
    machine.set("NO_PROXY", "127.0.0.1");
    ask(&machine.connect(&none()).unwrap()).await.unwrap();
    assert_eq!(proxy.requests().len(), 2);
}

#[tokio::test]
async fn without_tls_the_proxy_gets_the_whole_url() {
    let (_, mut machine) = behind("http", "").await;
    let proxy = Fake::start(|_, _| version()).await;
    machine.set("HTTP_PROXY", format!("http://ann:pw@{}", proxy.address));
    ask(&machine.connect(&none()).unwrap()).await.unwrap();
    let seen = proxy.only_request();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "http://cluster.test:6443/version"));
    assert_eq!(seen.header("host"), Some("cluster.test:6443"));
    assert_eq!(seen.header("proxy-authorization"), Some(format!("Basic {}", base64("ann:pw")).as_str()));
}

#[tokio::test]
async fn a_proxy_may_speak_tls() {
    let ca = Ca::new(&[]);
    let pair = ca.issue(&["cluster.test", "127.0.0.1"]);
    let server = Fake::start_tls(pair.server(), |_, _| version()).await;
    let to = server.address;
    let proxy = Fake::start_tls(pair.server(), move |_, _| FakeAnswer::Tunnel(to)).await;
    let machine = Machine::new();
    machine.config(
        &format!(
            "{{server: 'https://cluster.test', proxy-url: '{}', certificate-authority-data: {}}}",
            proxy.url(),
            base64(&ca.pair.certificate)
        ),
        "{}",
    );
    ask(&machine.connect(&none()).unwrap()).await.unwrap();
    assert_eq!((proxy.only_request().target.as_str(), server.requests().len()), ("cluster.test:443", 1));
}

/// Starts a SOCKS 5 proxy that selects this login `method`, sends this `reply` and leads to `to`. Returns its address
/// and the requested host.
async fn socks(to: SocketAddr, method: u8, reply: u8) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut two = [0; 2];
        stream.read_exact(&mut two).await.unwrap();
        let mut offered = vec![0; two[1].into()];
        stream.read_exact(&mut offered).await.unwrap();
        // Only an offered method may be selected.
        if !offered.contains(&method) {
            stream.write_all(&[5, 0xff]).await.unwrap();
            return String::new();
        }
        stream.write_all(&[5, method]).await.unwrap();
        if method == 2 {
            let mut login = vec![0; 1 + 1 + 3 + 1 + 2];
            stream.read_exact(&mut login).await.unwrap();
            let is_right = login == b"\x01\x03ann\x02pw";
            stream.write_all(&[1, u8::from(!is_right)]).await.unwrap();
            if !is_right {
                return String::new();
            }
        }
        let mut head = [0; 5];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(head[..4], [5, 1, 0, 3], "a name, not an address");
        let mut rest = vec![0; usize::from(head[4]) + 2];
        stream.read_exact(&mut rest).await.unwrap();
        stream.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let mut server = TcpStream::connect(to).await.unwrap();
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut stream, &mut server).await });
        String::from_utf8(rest[..rest.len() - 2].to_vec()).unwrap()
    });
    (address, task)
}

#[tokio::test]
async fn a_proxy_may_speak_socks() {
    let (server, mut machine) = behind("https", "").await;
    // The proxy may skip a login that was given.
    for (login, method) in [("ann:pw@", 2), ("ann:pw@", 0), ("", 0)] {
        let (address, asked) = socks(server.address, method, 0).await;
        machine.set("HTTPS_PROXY", format!("socks5://{login}{address}"));
        ask(&machine.connect(&none()).unwrap()).await.unwrap();
        assert_eq!(asked.await.unwrap(), "cluster.test");
    }
    let cases = [
        ("ann:no@", 2, 0, "Password auth failure, code: 1"),
        ("", 2, 0, "No acceptable auth methods"),
        ("ann:pw@", 1, 0, "No acceptable auth methods"),
        ("ann:pw@", 2, 5, "Connection refused"),
    ];
    for (login, method, reply, expected) in cases {
        let (address, _asked) = socks(server.address, method, reply).await;
        machine.set("HTTPS_PROXY", format!("socks5://{login}{address}"));
        let error = ask(&machine.connect(&none()).unwrap()).await.unwrap_err();
        assert!(error.to_string().ends_with(&format!("failed: {expected}")), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_in_the_error() {
    let (_, mut machine) = behind("https", "").await;
    let proxy = Fake::start(|_, _| super::fake::reply(403, "no")).await;
    machine.set("HTTPS_PROXY", format!("http://ann:s3cret@{}", proxy.address));
    let error = ask(&machine.connect(&none()).unwrap()).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("the proxy for cluster.test:6443 failed"), "{text}");
    assert!(error.hints()[0].contains("HTTPS_PROXY") && !text.contains("s3cret"), "{error:?}");
    machine.set("HTTPS_PROXY", "ftp://somewhere");
    assert!(machine.connect(&none()).err().unwrap().to_string().contains("http, https or socks5"));
}

#[tokio::test]
async fn a_refused_connection_and_a_wrong_scheme_have_hints() {
    let machine = Machine::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    machine.config(&format!("{{server: 'https://{address}', insecure-skip-tls-verify: true}}"), "{}");
    let error = ask(&machine.connect(&none()).unwrap()).await.unwrap_err();
    let expected = format!("can't ask: the connection to the server {address} was refused");
    assert_eq!((error.kind(), error.to_string()), (Kind::Unreachable, expected));
    assert!(error.hints()[1].contains("--context"));
    // TLS to a server without TLS, and the reverse.
    let plain = Fake::start(|_, _| super::fake::reply(400, "Client sent an HTTP request to an HTTPS server.")).await;
    machine.config(&format!("{{server: 'https://{}', insecure-skip-tls-verify: true}}", plain.address), "{}");
    let error = ask(&machine.connect(&none()).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    let options = ConnectOptions { server: Some(plain.address.to_string()), ..none() };
    let error = ask(&machine.connect(&options).unwrap()).await.unwrap_err();
    assert!(error.hints()[0].contains("https://"), "{error}");
}

#[tokio::test]
async fn an_answer_of_no_api_server_is_an_error() {
    let page = |status| {
        FakeAnswer::Reply(status, vec![("content-type", "text/html; charset=utf-8".to_owned())], b"<html>".to_vec())
    };
    let redirect = || FakeAnswer::Reply(302, vec![("location", "https://login.test/".to_owned())], Vec::new());
    let check = async |server: Fake, expected: &str| {
        let machine = Machine::new();
        machine.config(&format!("{{server: {}}}", server.url()), "{}");
        let error = ask(&machine.connect(&none()).unwrap()).await.unwrap_err();
        // It must not be a missing object.
        assert_eq!(error.kind(), Kind::Failed, "{error}");
        assert!(error.to_string().contains(expected) && error.hints()[0].contains("login page"), "{error:?}");
    };
    check(Fake::start(move |_, _| redirect()).await, "redirects to \"https://login.test/\"").await;
    check(Fake::start(move |_, _| page(200)).await, "a web page (status 200)").await;
    check(Fake::start(move |_, _| page(404)).await, "a web page (status 404)").await;
    check(Fake::start(move |_, _| super::fake::reply(200, "nonsense")).await, "is invalid").await;
    // The error page of a proxy counts by its status.
    let server = Fake::start(move |_, _| page(403)).await;
    let machine = Machine::new();
    machine.config(&format!("{{server: {}}}", server.url()), "{}");
    assert_eq!(ask(&machine.connect(&none()).unwrap()).await.unwrap_err().kind(), Kind::Forbidden);
}

#[tokio::test]
async fn a_request_may_have_a_limit() {
    let server = Fake::start(|_, _| FakeAnswer::Hang).await;
    let machine = Machine::new();
    machine.config(&format!("{{server: {}}}", server.url()), "{}");
    let options = ConnectOptions { request_timeout: Some(Duration::from_millis(50)), ..none() };
    let error = ask(&machine.connect(&options).unwrap()).await.unwrap_err();
    let expected = format!("can't ask: the server {} did not answer within 50ms", server.address);
    assert_eq!((error.kind(), error.to_string()), (Kind::Unreachable, expected));
    assert!(error.hints()[0].contains("--request-timeout"));
}
