//! The cluster, user and namespace that flags, files and environment select.

use std::path::PathBuf;

use super::fake::{Ca, Fake, Machine, base64, kubeconfig, version};
use crate::cluster::connect::ConnectOptions;
use crate::error::{Error, Kind};

fn server(machine: &Machine, options: &ConnectOptions) -> String {
    machine.connect(options).unwrap().server
}

fn namespace(machine: &Machine, options: &ConnectOptions) -> String {
    machine.connect(options).unwrap().namespace
}

fn refused(machine: &Machine, options: &ConnectOptions) -> Error {
    let error = machine.connect(options).err().unwrap();
    assert_eq!(error.kind(), Kind::Usage, "{error}");
    error
}

#[expect(clippy::unnecessary_wraps, reason = "an option that is given")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn none() -> ConnectOptions {
    ConnectOptions::default()
}

#[tokio::test]
async fn files_are_read_in_kubectls_order() {
    let mut machine = Machine::new();
    machine.config("{server: 'https://home'}", "{}");
    assert_eq!(server(&machine, &none()), "https://home");
    let listed = machine.write("listed", &kubeconfig("{server: 'https://listed'}", "{}", "{cluster: c, user: u}"));
    machine.set("KUBECONFIG", &listed);
    assert_eq!(server(&machine, &none()), "https://listed");
    let only = machine.write("only", &kubeconfig("{server: 'https://only'}", "{}", "{cluster: c, user: u}"));
    assert_eq!(server(&machine, &ConnectOptions { kubeconfig: Some(only), ..none() }), "https://only");
    let error = refused(&machine, &ConnectOptions { kubeconfig: Some(machine.path("gone")), ..none() });
    assert!(error.to_string().ends_with("gone does not exist"), "{error}");
    // An empty value counts as not given.
    machine.set("KUBECONFIG", "");
    assert_eq!(server(&machine, &ConnectOptions { kubeconfig: Some(PathBuf::new()), ..none() }), "https://home");
}

#[tokio::test]
async fn of_several_files_the_first_wins_and_missing_ones_are_skipped() {
    let mut machine = Machine::new();
    let first = machine.write("1/config", "clusters: [{name: c, cluster: {server: 'https://first'}}]\nusers: null\n");
    let second = machine.write(
        "2/config",
        &kubeconfig("{server: 'https://second', proxy-url: 'http://p'}", "{}", "{cluster: c, user: u, namespace: two}"),
    );
    let third = machine.write(
        "3/config",
        "current-context: y\ncontexts: [{name: y, context: {cluster: c}}, {name: x, context: {namespace: three}}]\n",
    );
    let empty = machine.write("empty", "");
    let list = std::env::join_paths([&machine.path("gone"), &first, &empty, &second, &second, &third]).unwrap();
    machine.env.insert("KUBECONFIG".to_owned(), list.into_string().unwrap());
    let connection = machine.connect(&none()).unwrap();
    assert_eq!((connection.server.as_str(), connection.namespace.as_str()), ("https://first", "two"));
    assert_eq!(namespace(&machine, &ConnectOptions { context: some("y"), ..none() }), "default");
}

#[tokio::test]
async fn paths_are_relative_to_the_file_that_names_them() {
    let ca = Ca::new(&[]);
    let client = ca.issue(&["someone"]);
    let server = Fake::start_tls(ca.issue(&["127.0.0.1"]).server_asking(&ca), |_, _| version()).await;
    let mut machine = Machine::new();
    machine.write("a/pki/ca.crt", &ca.pair.certificate);
    machine.write("b/me.crt", &client.certificate);
    machine.write("b/me.key", &client.key);
    let a = machine.write(
        "a/config",
        &format!("clusters: [{{name: c, cluster: {{server: {}, certificate-authority: pki/ca.crt}}}}]", server.url()),
    );
    let b = machine.write(
        "b/config",
        "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n\
         users: [{name: u, user: {client-certificate: me.crt, client-key: ./me.key}}]",
    );
    machine.env.insert("KUBECONFIG".to_owned(), std::env::join_paths([a, b]).unwrap().into_string().unwrap());
    machine.connect(&none()).unwrap().client.apiserver_version().await.unwrap();
    assert_eq!(server.only_request().peer, Some(client.der()));
}

#[tokio::test]
async fn an_unknown_entry_is_reported_with_the_known_ones() {
    let machine = Machine::new();
    machine.config("{server: 'https://c'}", "{}");
    let error = refused(&machine, &ConnectOptions { context: some("y"), ..none() });
    assert_eq!(error.to_string(), r#"the context "y" is not in the kubeconfig: it has x"#);
    assert!(error.hints()[0].contains("get-contexts"));
    let error = refused(&machine, &ConnectOptions { cluster: some("d"), ..none() });
    assert_eq!(error.to_string(), r#"the cluster "d" is not in the kubeconfig: it has c"#);
    let error = refused(&machine, &ConnectOptions { user: some("v"), ..none() });
    assert_eq!(error.to_string(), r#"the user "v" is not in the kubeconfig: it has u"#);
    let many: Vec<_> = (0..20).map(|number| format!("- {{name: n{number:02}, context: {{}}}}\n")).collect();
    let many = many.concat();
    machine.write("home/.kube/config", &format!("current-context: gone\ncontexts:\n{many}"));
    let error = refused(&machine, &none());
    assert_eq!(
        error.to_string(),
        r#"the context "gone" is not in the kubeconfig: it has n00, n01, n02, n03, n04, n05, n06, n07, ..."#
    );
    // The context's cluster and user may be unknown, too.
    machine.write("home/.kube/config", "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]");
    assert_eq!(
        refused(&machine, &none()).to_string(),
        r#"the cluster "c" is not in the kubeconfig: it has no clusters"#
    );
    assert_eq!(
        refused(&machine, &ConnectOptions { server: some("https://s"), ..none() }).to_string(),
        r#"the user "u" is not in the kubeconfig: it has no users"#
    );
    // With a token the user is not needed.
    let options =
        ConnectOptions { server: some("https://s"), token: some("t"), insecure_skip_tls_verify: true, ..none() };
    assert_eq!(server(&machine, &options), "https://s");
    machine.config("{}", "{}");
    assert_eq!(refused(&machine, &none()).to_string(), r#"the cluster "c" of the kubeconfig has no server"#);
}

#[tokio::test]
async fn without_configuration_the_error_names_the_searched_files() {
    let mut machine = Machine::new();
    let error = refused(&machine, &none());
    let path = machine.path("home/.kube/config");
    assert_eq!(
        error.to_string(),
        format!("no cluster is configured: {} does not exist, and this is not a Pod", path.display())
    );
    assert!(error.hints()[0].contains("--kubeconfig"));
    machine.write("home/.kube/config", "contexts: [{name: x, context: {cluster: c}}]");
    let error = refused(&machine, &none());
    assert_eq!(
        error.to_string(),
        format!("no cluster is configured: {} has no current context, and this is not a Pod", path.display())
    );
    assert!(error.hints()[0].contains("--context"));
    // kubectl's oldest way, and a bare server.
    machine.set("KUBERNETES_MASTER", "10.0.0.1:8080");
    assert_eq!(server(&machine, &none()), "http://10.0.0.1:8080");
    assert_eq!(server(&machine, &ConnectOptions { server: some("example.com:80"), ..none() }), "http://example.com:80");
}

#[tokio::test]
async fn the_namespace_comes_from_the_flag_the_context_or_default() {
    let mut machine = Machine::new();
    let context = |namespace: &str| {
        kubeconfig("{server: 'https://c'}", "{}", &format!("{{cluster: c, user: u, namespace: {namespace}}}"))
    };
    // Neither counts outside a Pod.
    machine.set("POD_NAMESPACE", "pod");
    machine.write("home/.kube/config", &context("mine"));
    assert_eq!(namespace(&machine, &none()), "mine");
    assert_eq!(namespace(&machine, &ConnectOptions { namespace: some("other"), ..none() }), "other");
    assert_eq!(namespace(&machine, &ConnectOptions { namespace: some(""), ..none() }), "mine");
    machine.write("home/.kube/config", &context("''"));
    assert_eq!(namespace(&machine, &none()), "default");
    assert_eq!(machine.connect(&none()).unwrap().client.default_namespace(), "default");
}

/// Creates a Pod's files; the token ends in a line break, as some do.
fn pod(machine: &mut Machine, server: &Fake, ca: &Ca) {
    machine.set("KUBERNETES_SERVICE_HOST", server.address.ip().to_string());
    machine.set("KUBERNETES_SERVICE_PORT", server.address.port().to_string());
    machine.write("pod/token", "p0d\n");
    machine.write("pod/ca.crt", &ca.pair.certificate);
    machine.write("pod/namespace", "pods-own\n");
}

#[tokio::test]
async fn inside_of_a_pod_its_service_account_is_used() {
    let ca = Ca::new(&[]);
    let server = Fake::start_tls(ca.issue(&["127.0.0.1"]).server(), |_, _| version()).await;
    let mut machine = Machine::new();
    pod(&mut machine, &server, &ca);
    let connection = machine.connect(&none()).unwrap();
    assert_eq!((connection.server.clone(), connection.namespace.as_str()), (server.url(), "pods-own"));
    connection.client.apiserver_version().await.unwrap();
    assert_eq!(server.requests()[0].header("authorization"), Some("Bearer p0d"));
    // Flags win over the Pod's own.
    let options = ConnectOptions { token: some("mine"), as_user: some("ann"), namespace: some("n"), ..none() };
    let connection = machine.connect(&options).unwrap();
    assert_eq!(connection.namespace, "n");
    connection.client.apiserver_version().await.unwrap();
    let seen = &server.requests()[1];
    assert_eq!((seen.header("authorization"), seen.header("impersonate-user")), (Some("Bearer mine"), Some("ann")));
    machine.set("POD_NAMESPACE", "downward");
    assert_eq!(namespace(&machine, &none()), "downward");
    // A kubeconfig wins; if its context has no namespace, the Pod's applies, as in kubectl.
    machine.config("{server: 'https://home', insecure-skip-tls-verify: true}", "{}");
    let connection = machine.connect(&none()).unwrap();
    assert_eq!((connection.server.as_str(), connection.namespace.as_str()), ("https://home", "downward"));
    assert_eq!(
        self::server(
            &machine,
            &ConnectOptions { server: some("https://flag"), insecure_skip_tls_verify: true, ..none() }
        ),
        "https://flag"
    );
}

#[tokio::test]
async fn a_pod_without_a_token_does_not_count() {
    let mut machine = Machine::new();
    machine.set("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    machine.set("KUBERNETES_SERVICE_PORT", "443");
    assert!(refused(&machine, &none()).to_string().contains("not a Pod"));
    machine.write("pod/token", "t");
    machine.set("KUBERNETES_SERVICE_HOST", "fd00::1");
    machine.write("pod/ca.crt", &Ca::new(&[]).pair.certificate);
    assert_eq!(server(&machine, &none()), "https://[fd00::1]:443");
}

/// Returns the Authorization that the server gets.
async fn authorization(user: &str, options: ConnectOptions) -> Option<String> {
    let ca = Ca::new(&[]);
    let server = Fake::start_tls(ca.issue(&["127.0.0.1"]).server(), |_, _| version()).await;
    let machine = Machine::new();
    machine.write("token", "from-file\r\n");
    let user = user.replace("TOKEN_FILE", &machine.path("token").display().to_string());
    machine.config(&format!("{{server: {}, insecure-skip-tls-verify: true}}", server.url()), &user);
    machine.connect(&options).unwrap().client.apiserver_version().await.unwrap();
    server.only_request().header("authorization").map(str::to_owned)
}

#[tokio::test]
async fn every_login_reaches_the_server() {
    let basic = Some(format!("Basic {}", base64("ann:p:w")));
    assert_eq!(authorization("{}", none()).await, None);
    assert_eq!(authorization("{token: a}", none()).await.as_deref(), Some("Bearer a"));
    assert_eq!(authorization("{token: 123}", none()).await.as_deref(), Some("Bearer 123"));
    assert_eq!(authorization("{tokenFile: TOKEN_FILE}", none()).await.as_deref(), Some("Bearer from-file"));
    assert_eq!(authorization("{token: a, tokenFile: TOKEN_FILE}", none()).await.as_deref(), Some("Bearer from-file"));
    assert_eq!(authorization("{token: a, tokenFile: /gone}", none()).await.as_deref(), Some("Bearer a"));
    assert_eq!(authorization("{username: ann, password: 'p:w'}", none()).await, basic);
}

#[tokio::test]
async fn a_token_by_flag_is_the_only_login() {
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: /gone, interactiveMode: Never}";
    for user in [
        "{token: a}",
        "{tokenFile: TOKEN_FILE}",
        "{username: ann, password: pw}",
        "{auth-provider: {name: gcp}}",
        &format!("{{{exec}}}"),
    ] {
        let options = ConnectOptions { token: some("flag"), ..none() };
        assert_eq!(authorization(user, options).await.as_deref(), Some("Bearer flag"), "{user}");
    }
}

#[tokio::test]
async fn without_tls_no_credentials_are_sent() {
    let server = Fake::start(|_, _| version()).await;
    let machine = Machine::new();
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: /gone, interactiveMode: Never}";
    machine.config(&format!("{{server: {}}}", server.url()), &format!("{{as: ann, {exec}}}"));
    let options = ConnectOptions { token: some("s3cret"), ..none() };
    for options in [none(), options] {
        machine.connect(&options).unwrap().client.apiserver_version().await.unwrap();
    }
    for seen in server.requests() {
        assert_eq!((seen.header("authorization"), seen.header("impersonate-user")), (None, Some("ann")));
    }
}

#[tokio::test]
async fn impersonation_is_sent_as_kubectl_sends_it() {
    let server = Fake::start(|_, _| version()).await;
    let machine = Machine::new();
    machine.config(
        &format!("{{server: {}}}", server.url()),
        "{as: ann, as-uid: u1, as-groups: [g1, g2], as-user-extra: {example.com/Scope: [a, b]}}",
    );
    machine.connect(&none()).unwrap().client.apiserver_version().await.unwrap();
    let extras = ["c=d", "e"].map(|value| ("Scope".to_owned(), value.to_owned())).to_vec();
    let options = ConnectOptions {
        as_user: some("bob"),
        as_uid: some("u2"),
        as_groups: vec!["g3".to_owned()],
        as_user_extra: extras,
        ..none()
    };
    machine.connect(&options).unwrap().client.apiserver_version().await.unwrap();
    let seen = server.requests();
    assert_eq!(seen[0].header("impersonate-user"), Some("ann"));
    assert_eq!(seen[0].header("impersonate-uid"), Some("u1"));
    assert_eq!(seen[0].headers("impersonate-group"), ["g1", "g2"]);
    assert_eq!(seen[0].headers("impersonate-extra-example.com%2fscope"), ["a", "b"]);
    assert_eq!(seen[1].header("impersonate-user"), Some("bob"));
    assert_eq!(seen[1].header("impersonate-uid"), Some("u2"));
    assert_eq!(seen[1].headers("impersonate-group"), ["g3"]);
    assert_eq!(seen[1].headers("impersonate-extra-scope"), ["c=d", "e"]);
    // A group needs a user.
    machine.config("{server: 'https://c'}", "{}");
    for options in
        [ConnectOptions { as_groups: vec!["g".to_owned()], ..none() }, ConnectOptions { as_uid: some("u"), ..none() }]
    {
        assert!(refused(&machine, &options).hints()[0].contains("--as USER"));
    }
}

#[tokio::test]
async fn a_name_and_a_password_log_in_over_tls() {
    let machine = Machine::new();
    machine.config("{server: 'https://c'}", "{token: t}");
    let options = ConnectOptions { username: some("ann"), password: some("pw"), ..none() };
    assert!(refused(&machine, &options).to_string().contains("both a token and a user name"));
    let ca = Ca::new(&[]);
    let server = Fake::start_tls(ca.issue(&["127.0.0.1"]).server(), |_, _| version()).await;
    let authority = base64(&ca.pair.certificate);
    machine.config(&format!("{{server: {}, certificate-authority-data: {authority}}}", server.url()), "{}");
    machine.connect(&options).unwrap().client.apiserver_version().await.unwrap();
    assert_eq!(server.only_request().header("authorization"), Some("Basic YW5uOnB3"));
}

#[tokio::test]
async fn contradictions_are_refused() {
    let machine = Machine::new();
    let ca = Ca::new(&[]);
    let data = base64(&ca.pair.certificate);
    let file = machine.write("ca.crt", &ca.pair.certificate);
    let file = file.display();
    let exec = |rest: &str| format!("{{exec: {{command: x, {rest}}}}}");
    let cases = [
        (
            format!("{{server: 'https://c', insecure-skip-tls-verify: true, certificate-authority: {file}}}"),
            "{}".to_owned(),
            "exclude each other",
        ),
        (
            format!("{{server: 'https://c', certificate-authority: {file}, certificate-authority-data: {data}}}"),
            "{}".to_owned(),
            "both certificate-authority",
        ),
        (
            "{server: 'https://c', certificate-authority: /gone}".to_owned(),
            "{}".to_owned(),
            "can't read the certificate authority /gone",
        ),
        ("{server: 'https://c', certificate-authority-data: '%%'}".to_owned(), "{}".to_owned(), "not PEM in base64"),
        ("{server: 'https://c', certificate-authority-data: aGk=}".to_owned(), "{}".to_owned(), "no certificate in it"),
        ("{server: 'ftp://c'}".to_owned(), "{}".to_owned(), "ftp"),
        ("{server: 'https://c', proxy-url: 'ftp://p'}".to_owned(), "{}".to_owned(), "proxy-url"),
        ("{server: 'https://c', tls-server-name: 'a b'}".to_owned(), "{}".to_owned(), "TLS server name"),
        ("{server: 'https://c'}".to_owned(), "{token: a, username: b}".to_owned(), "both a token and a user name"),
        ("{server: 'https://c'}".to_owned(), format!("{{client-certificate: {file}}}"), "has no key"),
        (
            "{server: 'https://c'}".to_owned(),
            format!("{{client-certificate: {file}, client-key: {file}}}"),
            "no private key",
        ),
        (
            "{server: 'https://c'}".to_owned(),
            "{client-certificate: /gone, client-key: /gone}".to_owned(),
            "can't read the client certificate",
        ),
        ("{server: 'https://c'}".to_owned(), "{auth-provider: {name: azure}}".to_owned(), "azure"),
        (
            "{server: 'https://c'}".to_owned(),
            "{auth-provider: {name: gcp, config: {access-token: s3cret}}}".to_owned(),
            "gcp",
        ),
        ("{server: 'https://c'}".to_owned(), "{auth-provider: {name: other}}".to_owned(), "unknown"),
        ("{server: 'https://c'}".to_owned(), exec("apiVersion: client.authentication.k8s.io/v1"), "no interactiveMode"),
        ("{server: 'https://c'}".to_owned(), exec("apiVersion: client.authentication.k8s.io/v1alpha1"), "v1alpha1"),
        ("{server: 'https://c'}".to_owned(), exec("env: []"), "no apiVersion"),
        (
            "{server: 'https://c'}".to_owned(),
            exec("apiVersion: client.authentication.k8s.io/v1, interactiveMode: Perhaps"),
            "Perhaps",
        ),
        (
            "{server: 'https://c'}".to_owned(),
            "{exec: {apiVersion: client.authentication.k8s.io/v1}}".to_owned(),
            "no command",
        ),
        ("{server: 'https://c'}".to_owned(), "{token: \"s3cret\\nx\"}".to_owned(), "invalid characters"),
    ];
    for (cluster, user, expected) in cases {
        machine.config(&cluster, &user);
        let error = refused(&machine, &none());
        let text = format!("{error:?} {error}");
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn an_invalid_kubeconfig_is_refused_without_showing_its_secrets() {
    let machine = Machine::new();
    for (text, expected) in [
        ("kind: Pod\napiVersion: v1\n", "kind Pod"),
        ("users: [{name: u, user: {token: s3cret}}, {name: u, user: {token: s3cret}}]", "twice"),
        ("users: [{name: u, user: {token: s3cret, tokenFile: [s3cret]}}]", "kubeconfig"),
        ("users: [{name: u, user: {token: s3cret}}\n", "kubeconfig"),
        ("{\"users\": [{\"name\": \"u\", \"user\": {\"token\": \"s3cret\"}}", "kubeconfig"),
        ("users: s3cret", "kubeconfig"),
    ] {
        machine.write("home/.kube/config", text);
        let error = refused(&machine, &none());
        let text = format!("{error:?} {error}");
        assert!(text.contains(expected) && text.contains(".kube/config"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn kubeconfigs_come_in_many_forms() {
    let machine = Machine::new();
    let yaml = "# comment\n---\napiVersion: v1\nclusters:\n- name: c\n  cluster: &c\n    server: https://c\n    unknown: 1\ncontexts:\n- name: x\n  context: {cluster: c, user: ''}\ncurrent-context: x\npreferences: {}\nusers:\n";
    let json = "{\n\t\"clusters\": [{\"name\": \"c\", \"cluster\": {\"server\": \"https://c\"}}],\n\t\"contexts\": [{\"name\": \"x\", \"context\": {\"cluster\": \"c\"}}], \"current-context\": \"x\"}";
    let wide = |text: &str| [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat();
    let marked = [b"\xef\xbb\xbf".to_vec(), yaml.as_bytes().to_vec()].concat();
    let two = format!("{yaml}---\nclusters: [{{name: c, cluster: {{server: https://other}}}}]\n");
    for bytes in [yaml.into(), json.into(), wide(yaml), marked, yaml.replace('\n', "\r\n").into(), two.into()] {
        std::fs::write(machine.path("home/.kube/config"), &bytes).unwrap();
        let options = ConnectOptions { insecure_skip_tls_verify: true, ..none() };
        assert_eq!(server(&machine, &options), "https://c", "{}", String::from_utf8_lossy(&bytes));
    }
}
