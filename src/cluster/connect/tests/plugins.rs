//! Credentials that expire: exec plugins, token files, OIDC.
#![cfg(unix)]

use super::fake::{Ca, Fake, FakeAnswer, Machine, base64, status, version};
use crate::cluster::Cluster;
use crate::cluster::connect::ConnectOptions;
use crate::error::{Error, Kind};

/// A server that accepts only `Bearer good…` or any client certificate.
async fn strict() -> (Ca, Fake) {
    let ca = Ca::new(&[]);
    let answer = |seen: &super::fake::SeenRequest, _| -> FakeAnswer {
        let good = seen.header("authorization").is_some_and(|value| value.starts_with("Bearer good"));
        if good || seen.peer.is_some() { version() } else { status(401, "Unauthorized", "Unauthorized") }
    };
    let server = Fake::start_tls(ca.issue(&["127.0.0.1"]).server_asking(&ca), answer).await;
    (ca, server)
}

/// A machine whose kubeconfig logs in with `exec`, YAML in braces without the apiVersion.
fn logging_in(server: &Fake, ca: &Ca, exec: &str) -> Machine {
    let machine = Machine::new();
    machine.config(
        &format!(
            "{{server: {}, certificate-authority-data: {}, extensions: [{{name: client.authentication.k8s.io/exec, \
             extension: {{audience: a}}}}]}}",
            server.url(),
            base64(&ca.pair.certificate)
        ),
        &format!("{{exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, {exec}}}}}"),
    );
    machine
}

/// The lines of a shell script that print a credential.
fn credential(status: &str) -> String {
    format!(r#"echo '{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{status}}}'"#)
}

/// A script line that records a run, and the number of recorded runs.
fn note(machine: &Machine) -> String {
    format!("echo >> {}", machine.path("runs").display())
}

fn runs(machine: &Machine) -> usize {
    std::fs::read_to_string(machine.path("runs")).unwrap_or_default().len()
}

async fn ask(connection: &Cluster) -> Result<(), Error> {
    connection.run_request("ask", connection.client.apiserver_version()).await.map(drop)
}

fn connect(machine: &Machine) -> Cluster {
    machine.connect(&ConnectOptions::default()).unwrap()
}

#[tokio::test]
async fn a_plugin_runs_once_and_gets_its_input() {
    let (ca, server) = strict().await;
    let machine = logging_in(
        &server,
        &ca,
        "command: bin/login, args: [a, 'b c'], env: [{name: WHO, value: ann}], provideClusterInfo: true",
    );
    // Relative to the kubeconfig's folder.
    let told = machine.path("told");
    machine.script(
        "home/.kube/bin/login",
        &format!(
            "{}\necho \"$WHO|$1|$2|$KUBERNETES_EXEC_INFO\" > {}\n{}",
            note(&machine),
            told.display(),
            credential(r#"{"token":"good"}"#)
        ),
    );
    let connection = connect(&machine);
    assert_eq!(runs(&machine), 0, "not before it is needed");
    let (one, two, three) = tokio::join!(ask(&connection), ask(&connection), ask(&connection));
    one.and(two).and(three).unwrap();
    assert_eq!((runs(&machine), server.requests().len()), (1, 3));
    let told = std::fs::read_to_string(told).unwrap();
    let info = told.strip_prefix("ann|a|b c|").unwrap();
    let info: serde_json::Value = serde_json::from_str(info).unwrap();
    let expected = serde_json::json!({
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1",
        "spec": {
            "interactive": false,
            "cluster": {
                "server": server.url(),
                "certificate-authority-data": base64(&ca.pair.certificate),
                "config": {"audience": "a"},
            },
        },
    });
    assert_eq!(info, expected);
}

#[tokio::test]
async fn a_plugin_runs_again_when_its_token_expires() {
    let (ca, server) = strict().await;
    let machine = logging_in(&server, &ca, "command: /SCRIPT");
    let path = machine.script(
        "login",
        &format!(
            "{}\n{}",
            note(&machine),
            credential(r#"{"token":"good","expirationTimestamp":"2020-01-01T00:00:00Z"}"#)
        ),
    );
    let text = std::fs::read_to_string(machine.path("home/.kube/config")).unwrap();
    machine.write("home/.kube/config", &text.replace("/SCRIPT", &path.display().to_string()));
    let connection = connect(&machine);
    ask(&connection).await.unwrap();
    ask(&connection).await.unwrap();
    assert_eq!(runs(&machine), 2);
    // Credentials with a future expiry are reused.
    machine.script(
        "login",
        &format!(
            "{}\n{}",
            note(&machine),
            credential(r#"{"token":"good","expirationTimestamp":"2099-01-01T00:00:00Z"}"#)
        ),
    );
    ask(&connection).await.unwrap();
    ask(&connection).await.unwrap();
    assert_eq!(runs(&machine), 3);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let (ca, server) = strict().await;
    let mut machine = logging_in(&server, &ca, "command: sign-in");
    machine.script(
        "bin/sign-in",
        &format!(
            "{}\nif [ $(wc -l < {}) -gt 1 ]; then {}; else {}; fi",
            note(&machine),
            machine.path("runs").display(),
            credential(r#"{"token":"good"}"#),
            credential(r#"{"token":"stale"}"#)
        ),
    );
    // Found in $PATH, in which the current folder doesn't count.
    machine.set("PATH", format!(".:{}:/usr/bin:/bin", machine.path("bin").display()));
    let connection = connect(&machine);
    ask(&connection).await.unwrap();
    ask(&connection).await.unwrap();
    let sent: Vec<_> = server.requests().iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(sent, ["Bearer stale", "Bearer good", "Bearer good"]);
    assert_eq!(runs(&machine), 2);
    // A second refusal is an error.
    machine.script("bin/sign-in", &format!("{}\n{}", note(&machine), credential(r#"{"token":"bad"}"#)));
    let error = ask(&connect(&machine)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unauthorized);
    assert!(error.to_string().contains("you must be logged in"), "{error}");
    assert_eq!(runs(&machine), 4);
}

#[tokio::test]
async fn a_plugin_may_give_certificates() {
    let (ca, server) = strict().await;
    let (one, two) = (ca.issue(&["one"]), ca.issue(&["two"]));
    let mut machine = logging_in(&server, &ca, "command: sign-in");
    machine.set("PATH", format!("{}:/usr/bin:/bin", machine.path("bin").display()));
    let answer = |pair: &super::fake::Pair, expires: &str| {
        let status = serde_json::json!({
            "clientCertificateData": pair.certificate, "clientKeyData": pair.key, "expirationTimestamp": expires,
        });
        machine.write(
            "answer",
            &format!(r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{status}}}"#),
        );
    };
    machine.script("bin/sign-in", &format!("{}\ncat {}", note(&machine), machine.path("answer").display()));
    answer(&one, "2020-01-01T00:00:00Z");
    let connection = connect(&machine);
    ask(&connection).await.unwrap();
    // A new certificate needs a new connection: the old one keeps the old certificate.
    answer(&two, "2099-01-01T00:00:00Z");
    ask(&connection).await.unwrap();
    ask(&connection).await.unwrap();
    let peers: Vec<_> = server.requests().into_iter().map(|seen| (seen.connection, seen.peer.unwrap())).collect();
    assert!(peers == [(0, one.der()), (1, two.der()), (1, two.der())]);
    assert_eq!(runs(&machine), 2);
}

#[tokio::test]
async fn yaml_and_the_older_version_are_understood() {
    let (ca, server) = strict().await;
    let mut machine = logging_in(&server, &ca, "command: sign-in");
    let config = std::fs::read_to_string(machine.path("home/.kube/config")).unwrap();
    let config = config.replace("k8s.io/v1,", "k8s.io/v1beta1,").replace("interactiveMode: Never, ", "");
    machine.write("home/.kube/config", &config);
    machine.script(
        "bin/sign-in",
        "printf 'kind: ExecCredential\\napiVersion: client.authentication.k8s.io/v1beta1\\nstatus:\\n  token: good\\n'",
    );
    machine.set("PATH", format!("{}:/usr/bin:/bin", machine.path("bin").display()));
    ask(&connect(&machine)).await.unwrap();
}

#[tokio::test]
async fn a_plugin_that_fails_is_named_in_the_error() {
    let (ca, server) = strict().await;
    let mut machine =
        logging_in(&server, &ca, "command: sign-in, installHint: \"get it:\\n\\e[31mbrew install login\"");
    machine.set("PATH", format!("{}:/usr/bin:/bin", machine.path("bin").display()));
    let error = ask(&connect(&machine)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (Kind::Failed, "can't ask: the login failed: the exec plugin sign-in is not installed")
    );
    assert_eq!(error.hints(), ["get it:\n\u{fffd}[31mbrew install login"]);
    for (script, expected) in [
        ("exit 3".to_owned(), "failed with exit code 3"),
        ("kill -9 $$".to_owned(), "was ended by a signal"),
        ("echo s3cret".to_owned(), "did not print an ExecCredential"),
        (credential("{}"), "neither a token nor a certificate"),
        (credential(r#"{"clientKeyData":"s3cret"}"#), "only one of certificate and key"),
        (credential(r#"{"clientKeyData":"s3cret","clientCertificateData":"x"}"#), "certificate that can't be used"),
        (credential(r#"{"token":"s3cret\u0001x"}"#), "invalid characters"),
        (
            credential(r#"{"token":"s3cret"}"#).replace("io/v1", "io/v1beta1"),
            "instead of an ExecCredential of client.authentication.k8s.io/v1",
        ),
        (r#"echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"}'"#.to_owned(), "no status"),
    ] {
        machine.script("bin/sign-in", &script);
        let error = ask(&connect(&machine)).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(expected) && !text.contains("s3cret"), "{text}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_plugin_that_prompts_needs_a_terminal() {
    use std::io::IsTerminal as _;
    let (ca, server) = strict().await;
    let machine = logging_in(&server, &ca, "command: /bin/true");
    let config = std::fs::read_to_string(machine.path("home/.kube/config")).unwrap();
    machine.write("home/.kube/config", &config.replace("Never", "Always"));
    let error = ask(&connect(&machine)).await.unwrap_err();
    if !std::io::stdin().is_terminal() {
        assert!(error.to_string().contains("standard input is not a terminal"), "{error}");
    }
}

#[tokio::test]
async fn with_a_certificate_the_plugin_does_not_run() {
    let (ca, server) = strict().await;
    let client = ca.issue(&["someone"]);
    let machine = logging_in(&server, &ca, "command: /gone");
    let options = ConnectOptions {
        client_certificate: Some(machine.write("me.crt", &client.certificate)),
        client_key: Some(machine.write("me.key", &client.key)),
        ..ConnectOptions::default()
    };
    ask(&machine.connect(&options).unwrap()).await.unwrap();
    assert_eq!(server.only_request().header("authorization"), None);
}

#[tokio::test]
async fn a_token_file_is_read_again_when_its_token_is_refused() {
    let (ca, server) = strict().await;
    let machine = Machine::new();
    let file = machine.write("token", "stale\n");
    machine.config(
        &format!("{{server: {}, certificate-authority-data: {}}}", server.url(), base64(&ca.pair.certificate)),
        &format!("{{tokenFile: {}}}", file.display()),
    );
    let connection = connect(&machine);
    assert_eq!(ask(&connection).await.unwrap_err().kind(), Kind::Unauthorized);
    assert_eq!(server.requests().len(), 1, "the same token is not sent twice");
    machine.write("token", "good\n");
    ask(&connection).await.unwrap();
    // The file may be removed once it was read.
    std::fs::remove_file(file).unwrap();
    ask(&connection).await.unwrap();
    let error = ask(&connect(&machine)).await.unwrap_err();
    assert!(error.to_string().contains("can't read the token file"), "{error}");
}

#[tokio::test]
async fn a_plugin_runs_only_if_kubectls_preferences_allow_it() {
    let (ca, server) = strict().await;
    let mut machine = logging_in(&server, &ca, "command: sign-in");
    let program = machine.script("bin/sign-in", &credential(r#"{"token":"good"}"#));
    machine.set("PATH", format!("{}:/usr/bin:/bin", machine.path("bin").display()));
    let refusal = |machine: &Machine, text: &str| {
        let text = format!("apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n{text}\n");
        machine.write("home/.kube/kuberc", &text);
        machine.connect(&ConnectOptions::default()).err().map(|error| error.to_string())
    };
    let list = |entry: &str| format!("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{{{entry}}}]");
    for allowed in [
        "aliases: []".to_owned(),
        "credentialPluginPolicy: AllowAll".to_owned(),
        list("command: sign-in"),
        list("name: sign-in"),
        list(&format!("command: {}", program.display())),
    ] {
        assert_eq!(refusal(&machine, &allowed), None, "{allowed}");
    }
    for (refused, expected) in [
        ("credentialPluginPolicy: DenyAll".to_owned(), "may not run: credentialPluginPolicy is DenyAll"),
        (list("command: other"), "may not run: it is not in credentialPluginAllowlist"),
        (list("command: /other/sign-in"), "may not run"),
        (list(""), "empty"),
        ("credentialPluginPolicy: Allowlist".to_owned(), "no credentialPluginAllowlist"),
        ("credentialPluginAllowlist: []".to_owned(), "not Allowlist"),
        ("credentialPluginPolicy: Some".to_owned(), "must be AllowAll"),
        ("kind: x".to_owned(), "kuberc"),
    ] {
        let text = refusal(&machine, &refused).unwrap();
        assert!(text.contains(expected), "{text}");
    }
    // Another file, or none.
    machine.set("KUBERC", "off");
    ask(&connect(&machine)).await.unwrap();
    machine.set("KUBERC", machine.path("gone"));
    let error = machine.connect(&ConnectOptions::default()).err().unwrap();
    assert!(error.to_string().contains("can't read"), "{error}");
    machine.set("KUBECTL_KUBERC", "false");
    ask(&connect(&machine)).await.unwrap();
}

/// Returns an ID token that the server accepts and that expires at this second.
fn jwt(name: &str, expires: u64) -> String {
    use base64::Engine as _;
    let part = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!("good{name}.{}.s3cret", part(format!("{{\"exp\":{expires}}}")))
}

/// A machine that logs in by OIDC; `config` is YAML in braces.
fn by_oidc(server: &Fake, ca: &Ca, config: &str) -> Machine {
    let machine = Machine::new();
    machine.config(
        &format!("{{server: {}, certificate-authority-data: {}}}", server.url(), base64(&ca.pair.certificate)),
        &format!("{{auth-provider: {{name: oidc, config: {config}}}}}"),
    );
    machine
}

#[tokio::test]
async fn oidc_sends_its_id_token() {
    let (ca, server) = strict().await;
    let config = |token: &str| format!("{{client-id: c, idp-issuer-url: 'https://127.0.0.1:1', id-token: {token}}}");
    let machine = by_oidc(&server, &ca, &config(&jwt("", 4_000_000_000)));
    ask(&connect(&machine)).await.unwrap();
    assert!(server.only_request().header("authorization").unwrap().starts_with("Bearer good"));
    for (token, expected) in [(jwt("", 1), "there is no refresh-token"), ("s3cret".to_owned(), "not a JWT")] {
        let error = ask(&connect(&by_oidc(&server, &ca, &config(&token)))).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(expected) && !text.contains("s3cret"), "{text}");
        assert!(error.hints()[0].contains("log in again"));
    }
    let machine = by_oidc(&server, &ca, "{client-id: c}");
    let error = machine.connect(&ConnectOptions::default()).err().unwrap();
    assert!(error.to_string().contains("no idp-issuer-url"), "{error}");
}

#[tokio::test]
async fn oidc_refreshes_its_token_and_keeps_the_new_ones() {
    let (ca, server) = strict().await;
    let own = Ca::new(&[]);
    let fresh = jwt("fresh", 4_000_000_000);
    let answer = {
        let fresh = fresh.clone();
        move |seen: &super::fake::SeenRequest, _: usize| match (seen.target.as_str(), seen.header("authorization")) {
            ("/realm/.well-known/openid-configuration", None) => {
                let host = seen.header("host").unwrap();
                super::fake::reply(200, &format!(r#"{{"token_endpoint":"https://{host}/token"}}"#))
            }
            // This provider wants the client's name in the form.
            ("/token", None) => {
                super::fake::reply(200, &format!(r#"{{"id_token":"{fresh}","refresh_token":"s3cond"}}"#))
            }
            _ => super::fake::reply(401, r#"{"error":"invalid_client"}"#),
        }
    };
    let provider = Fake::start_tls(own.issue(&["127.0.0.1"]).server(), answer).await;
    let old = jwt("old", 1);
    let config = format!(
        "{{client-id: 'c d', client-secret: cs, idp-issuer-url: '{}/realm', idp-certificate-authority-data: {}, \
         id-token: {old}, refresh-token: 'f/r+st'}}",
        provider.url(),
        base64(&own.pair.certificate)
    );
    let machine = by_oidc(&server, &ca, &config);
    let path = machine.path("home/.kube/config");
    let before = format!("# Kept.\n{}", std::fs::read_to_string(&path).unwrap());
    std::fs::write(&path, &before).unwrap();
    let connection = connect(&machine);
    let (one, two) = tokio::join!(ask(&connection), ask(&connection));
    one.and(two).unwrap();
    let sent = server.requests();
    assert!(
        sent.iter().all(|seen| seen.header("authorization") == Some(format!("Bearer {fresh}").as_str())),
        "{sent:?}"
    );
    let asked = provider.requests();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert_eq!(asked[1].header("authorization"), Some(format!("Basic {}", base64("c%20d:cs")).as_str()));
    assert_eq!(asked[1].body, "grant_type=refresh_token&refresh_token=f%2Fr%2Bst");
    assert_eq!(asked[2].body, "grant_type=refresh_token&refresh_token=f%2Fr%2Bst&client_id=c%20d&client_secret=cs");
    // The kubeconfig has the new tokens, for kubectl and for the next run.
    let after = std::fs::read_to_string(&path).unwrap();
    assert_eq!(after, before.replace(&old, &fresh).replace("f/r+st", "s3cond"));
    assert!(!machine.path("home/.kube/config.lock").exists());
    ask(&connect(&machine)).await.unwrap();
    assert_eq!(provider.requests().len(), 3);
}
