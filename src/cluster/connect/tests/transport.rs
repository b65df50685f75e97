use super::fake::{Ca, Fake, Machine, base64, version};
use crate::cluster::connect::ConnectOptions;

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
    let connection = machine.connect(&ConnectOptions::default()).unwrap();
    assert_eq!((connection.namespace.as_str(), connection.server.clone()), ("default", server.url()));
    connection.timed("ask", connection.client.apiserver_version()).await.unwrap();
    let seen = server.one();
    assert_eq!(seen.header("authorization"), Some("Bearer t0ken"));
    assert_eq!(seen.peer, Some(client.der()));
    assert!(seen.header("user-agent").unwrap().starts_with("kubectl-indexed/"), "{seen:?}");
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
}
