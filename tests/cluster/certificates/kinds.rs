//! The kinds of certificates: how each is made, and whether clients accept it.

/// Whether clients accept a server.
#[derive(Clone, Copy)]
pub(super) enum Verdict {
    Connects,
    /// Both refuse it; this program prints these words.
    Refuses(&'static str),
    /// This program refuses it with these words; kubectl accepts it.
    OnlyKubectl(&'static str),
}

pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Commands of make.sh. They make `server.crt`, `server.key`, `chain.crt` if the server sends more certificates, and
    /// `trusted.crt` if the client does not trust `authority.crt`.
    pub(super) recipe: &'static str,
    /// More options of `openssl s_server`.
    pub(super) server: &'static str,
    /// More fields of the kubeconfig's cluster.
    pub(super) cluster: &'static str,
    /// The user of the kubeconfig if there is no `client.crt`.
    pub(super) user: &'static str,
    pub(super) verdict: Verdict,
}

const fn server(name: &'static str, recipe: &'static str, verdict: Verdict) -> Kind {
    Kind { name, recipe, server: "", cluster: "", user: "", verdict }
}

/// A kind whose server requires a certificate of the client.
const fn client(name: &'static str, recipe: &'static str, verdict: Verdict) -> Kind {
    Kind { name, recipe, server: "-Verify 5 -CAfile authority.crt", cluster: "", user: "", verdict }
}

impl Kind {
    const fn with_options(mut self, options: &'static str) -> Self {
        self.server = options;
        self
    }

    const fn with_cluster(mut self, cluster: &'static str) -> Self {
        self.cluster = cluster;
        self
    }

    const fn with_user(mut self, user: &'static str) -> Self {
        self.user = user;
        self
    }
}

use Verdict::{Connects, OnlyKubectl, Refuses};

const EXEC: &str = "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never}";
const PLUGIN: &str = r#"authority; server; client rsa2048 ''
jq_less() { awk '{ printf "%s\\n", $0 }' "$1"; }
cat >plugin <<END
#!/bin/sh
cat <<'JSON'
{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status":
{"clientCertificateData": "$(jq_less client.crt)", "clientKeyData": "$(jq_less client.key)"}}
JSON
END
chmod +x plugin; rm client.crt client.key"#;

pub(super) const ALL: &[Kind] = &[
    // Keys.
    server("RSA, 2048 bits", "authority; server", Connects),
    server("RSA, 1024 bits, TLS 1.3", "authority; server rsa1024", Connects),
    server("RSA, 1024 bits, TLS 1.2", "authority; server rsa1024", Connects).with_options("-tls1_2"),
    server("RSA, 768 bits", "authority; server rsa768", Refuses("has a key of an unsupported type")),
    server("RSA key for RSASSA-PSS only", "authority; server rsa-pss", Refuses("share no version or cipher of TLS")),
    server("ECDSA, P-256", "authority; server prime256v1", Connects),
    server("ECDSA, P-384", "authority; server secp384r1", Connects),
    server("ECDSA, P-521, TLS 1.3", "authority; server secp521r1", Connects),
    server("ECDSA, P-521, TLS 1.2", "authority; server secp521r1", OnlyKubectl("share no version or cipher of TLS"))
        .with_options("-tls1_2"),
    server("Ed25519", "authority ed25519; server ed25519", Connects),
    // Signatures.
    server("signed by RSA, 1024 bits", "authority rsa1024; server", Connects),
    server("signed by RSA, 768 bits", "authority rsa768; server", Refuses("has a key of an unsupported type")),
    server("RSA with SHA-384", "authority; server rsa2048 \"$SERVER\" -sha384", Connects),
    server("RSA with SHA-512", "authority; server rsa2048 \"$SERVER\" -sha512", Connects),
    server("RSA with SHA-1", "authority; server rsa2048 \"$SERVER\" -sha1", Refuses("signed it with SHA-1")),
    server("RSA with MD5", "authority; server rsa2048 \"$SERVER\" -md5", Refuses("signed it with MD5")),
    server(
        "RSASSA-PSS with SHA-256",
        "authority; server rsa2048 \"$SERVER\" -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32",
        Connects,
    ),
    server(
        "RSASSA-PSS with SHA-512",
        "authority; server rsa2048 \"$SERVER\" -sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:64",
        Connects,
    ),
    server(
        "RSASSA-PSS with SHA-256, 1024 bits",
        "authority rsa1024; server rsa2048 \"$SERVER\" -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32",
        Connects,
    ),
    server(
        "RSASSA-PSS with a salt of 20 bytes",
        "authority; server rsa2048 \"$SERVER\" -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20",
        Refuses("signed it with an unknown algorithm"),
    ),
    server("ecdsa-with-SHA512 by P-256", "authority prime256v1; server rsa2048 \"$SERVER\" -sha512", Connects),
    server("ecdsa-with-SHA512 by P-384", "authority secp384r1; server rsa2048 \"$SERVER\" -sha512", Connects),
    server("ecdsa-with-SHA512 by P-521", "authority secp521r1; server rsa2048 \"$SERVER\" -sha512", Connects),
    server("ecdsa-with-SHA256 by P-521", "authority secp521r1; server rsa2048 \"$SERVER\" -sha256", Connects),
    server(
        "ecdsa-with-SHA1",
        "authority prime256v1; server rsa2048 \"$SERVER\" -sha1",
        Refuses("signed it with SHA-1, which is broken"),
    ),
    // Versions and authorities.
    server("version 1", "authority; server rsa2048 ''", Refuses("has no subject alternative name")),
    server("version 1, insecure", "authority; server rsa2048 ''", Connects)
        .with_cluster(", insecure-skip-tls-verify: true"),
    server("expired, insecure", "authority; server; at 20200101000000Z 20210101000000Z server authority", Connects)
        .with_cluster(", insecure-skip-tls-verify: true"),
    server("negative serial number, insecure", "authority; SERIAL=-5 server", Refuses("its serial number is negative"))
        .with_cluster(", insecure-skip-tls-verify: true"),
    server("authority of version 1", "authority rsa2048 ''; server", Connects),
    server(
        "intermediate of version 1",
        "authority; middle rsa2048 ''; certificate server middle rsa2048 \"$SERVER\"; cp middle.crt chain.crt",
        Refuses("is not a CA"),
    ),
    server(
        "authority of version 3 without basic constraints",
        "authority rsa2048 keyUsage=keyCertSign; server",
        Refuses("is not a CA: its basic constraints do not say CA:TRUE"),
    ),
    server("authority with CA:FALSE", "authority rsa2048 basicConstraints=CA:FALSE; server", Refuses("is not a CA")),
    server(
        "authority that must not sign",
        "authority rsa2048 'basicConstraints=CA:TRUE|keyUsage=digitalSignature'; server",
        Refuses("must not sign certificates"),
    ),
    server(
        "server's own certificate is the CA given",
        "certificate server server rsa2048 \"$AUTHORITY|$SERVER\"; cp server.crt trusted.crt",
        Connects,
    ),
    server(
        "server's own certificate is given, no CA",
        "certificate server server rsa2048 \"$SERVER\"; cp server.crt trusted.crt",
        Connects,
    ),
    server(
        "server's own certificate is given, other name",
        "certificate server server rsa2048 subjectAltName=DNS:other.example; cp server.crt trusted.crt",
        Refuses("is not for this host, but for DNS:other.example"),
    ),
    server("CA:TRUE, signed by another CA", "authority; server rsa2048 \"$AUTHORITY|$SERVER\"", Connects),
    server(
        "self-signed, not given",
        "authority; certificate server server rsa2048 \"$SERVER\"",
        Refuses("unknown authority"),
    ),
    server(
        "another authority of the same name",
        "authority; server; mv authority.crt old.crt; certificate authority authority secp384r1 \"$AUTHORITY\"",
        Refuses("a trusted one has the same name"),
    ),
    server(
        "bundle of authorities",
        "certificate other other rsa2048 \"$AUTHORITY\"; authority; server; cat other.crt authority.crt >trusted.crt",
        Connects,
    ),
    // Chains.
    server(
        "through an intermediate",
        "authority; middle; certificate server middle rsa2048 \"$SERVER\"; cp middle.crt chain.crt",
        Connects,
    ),
    server(
        "intermediate missing",
        "authority; middle; certificate server middle rsa2048 \"$SERVER\"",
        Refuses("unknown authority, \"middle\""),
    ),
    server(
        "only the intermediate given",
        "authority; middle; certificate server middle rsa2048 \"$SERVER\"; cp middle.crt trusted.crt",
        Connects,
    ),
    server("authority sent as well", "authority; server; cp authority.crt chain.crt", Connects),
    server(
        "path length 0 above an intermediate",
        "authority rsa2048 'basicConstraints=CA:TRUE,pathlen:0'; middle; certificate server middle rsa2048 \"$SERVER\"; cp middle.crt chain.crt",
        Refuses("may not have so many authorities below it"),
    ),
    // Uses.
    server(
        "anyExtendedKeyUsage",
        "authority; server rsa2048 \"subjectAltName=IP:127.0.0.1|extendedKeyUsage=anyExtendedKeyUsage\"",
        Connects,
    ),
    server(
        "serverAuth and clientAuth",
        "authority; server rsa2048 \"subjectAltName=IP:127.0.0.1|extendedKeyUsage=clientAuth,serverAuth\"",
        Connects,
    ),
    server("no extended key usage", "authority; server rsa2048 subjectAltName=IP:127.0.0.1", Connects),
    server(
        "clientAuth only",
        "authority; server rsa2048 'subjectAltName=IP:127.0.0.1|extendedKeyUsage=clientAuth'",
        Refuses("is not for servers"),
    ),
    server(
        "authority for clientAuth only",
        "authority rsa2048 \"$AUTHORITY|extendedKeyUsage=clientAuth\"; server",
        Refuses("is not for servers"),
    ),
    server(
        "key usage keyEncipherment only",
        "authority; server rsa2048 \"$SERVER|keyUsage=critical,keyEncipherment\"",
        Connects,
    ),
    // Times.
    server(
        "expired",
        "authority; server; at 20200101000000Z 20210101000000Z server authority",
        Refuses("expired at 2021-01-01T00:00:00Z"),
    ),
    server(
        "not valid yet",
        "authority; server; at 20450101000000Z 20460101000000Z server authority",
        Refuses("is not valid before 2045-01-01T00:00:00Z"),
    ),
    server(
        "expired authority",
        "authority; at 20200101000000Z 20210101000000Z authority authority; server",
        Refuses("which expired at"),
    ),
    server(
        "valid until the year 9999",
        "authority; server; at 20200101000000Z 99991231235959Z server authority",
        Connects,
    ),
    // Names.
    server(
        "for another address",
        "authority; server rsa2048 subjectAltName=IP:127.0.0.2,DNS:api.example",
        Refuses("is not for this host, but for IP:127.0.0.2, DNS:api.example"),
    ),
    server(
        "common name only",
        "authority; SUBJECT=/CN=127.0.0.1 server rsa2048 extendedKeyUsage=serverAuth",
        Refuses("its common name \"127.0.0.1\" does not count"),
    ),
    server(
        "address as a DNS name",
        "authority; server rsa2048 subjectAltName=DNS:127.0.0.1",
        Refuses("but for DNS:127.0.0.1"),
    ),
    server("wildcard", "authority; server rsa2048 'subjectAltName=DNS:*.Example.com'", Connects)
        .with_cluster(", tls-server-name: api.example.com"),
    server(
        "wildcard for two labels",
        "authority; server rsa2048 'subjectAltName=DNS:*.example.com'",
        Refuses("is not for this host"),
    )
    .with_cluster(", tls-server-name: a.b.example.com"),
    server("name with an underscore", "authority; server rsa2048 subjectAltName=DNS:kube_api.local", Connects)
        .with_cluster(", tls-server-name: kube_api.local"),
    server(
        "no subject, critical alternative names",
        "authority; SUBJECT=/ server rsa2048 subjectAltName=critical,IP:127.0.0.1",
        Connects,
    ),
    server(
        "alternative name that is a URI",
        "authority; server rsa2048 subjectAltName=IP:127.0.0.1,URI:spiffe://cluster.local/ns/a",
        Connects,
    ),
    server(
        "constraints that permit the address",
        "authority rsa2048 \"$AUTHORITY|nameConstraints=critical,permitted;IP:127.0.0.0/255.0.0.0\"; server",
        Connects,
    ),
    server(
        "constraints that permit others",
        "authority rsa2048 \"$AUTHORITY|nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0\"; server",
        Refuses("which the constraints of its authority forbid"),
    ),
    server(
        "constraints that exclude a name",
        "authority rsa2048 \"$AUTHORITY|nameConstraints=critical,excluded;DNS:example.com\"; server rsa2048 subjectAltName=IP:127.0.0.1,DNS:a.example.com",
        Refuses("is for DNS:a.example.com, which"),
    ),
    server(
        "constraints on directories",
        "authority rsa2048 \"$AUTHORITY|nameConstraints=critical,permitted;dirName:dir|[dir]|CN=x\"; server",
        Refuses("an unknown critical extension"),
    ),
    // Other extensions.
    server(
        "all that easy-rsa and others add",
        "authority; server rsa2048 \"$SERVER|subjectKeyIdentifier=hash|authorityKeyIdentifier=keyid,issuer:always|nsComment=x|nsCertType=server|crlDistributionPoints=URI:http://a/b|authorityInfoAccess=OCSP;URI:http://a/c|keyUsage=critical,digitalSignature\"",
        Connects,
    ),
    server("unknown extension", "authority; server rsa2048 \"$SERVER|1.2.3.4=ASN1:UTF8String:x\"", Connects),
    server(
        "unknown critical extension",
        "authority; server rsa2048 \"$SERVER|1.2.3.4=critical,ASN1:UTF8String:x\"",
        Refuses("has an unknown critical extension"),
    ),
    server(
        "policies required, and named",
        "authority; middle rsa2048 \"$AUTHORITY|certificatePolicies=1.2.3|policyConstraints=critical,requireExplicitPolicy:0\"; certificate server middle rsa2048 \"$SERVER|certificatePolicies=1.2.3\"; cp middle.crt chain.crt",
        Connects,
    ),
    server(
        "policies required, none named",
        "authority; middle rsa2048 \"$AUTHORITY|certificatePolicies=1.2.3|policyConstraints=critical,requireExplicitPolicy:0\"; certificate server middle rsa2048 \"$SERVER\"; cp middle.crt chain.crt",
        Refuses("does not name the policies"),
    ),
    server(
        "negative serial number",
        "authority; SERIAL=-5 server",
        Refuses("is malformed: its serial number is negative"),
    ),
    // Clients.
    client("client, version 1", "authority; server; client rsa2048 ''", Connects),
    client("client, version 1, TLS 1.2", "authority; server; client rsa2048 ''", Connects)
        .with_options("-Verify 5 -CAfile authority.crt -tls1_2"),
    client("client, version 1, by an exec plugin", PLUGIN, Connects).with_user(EXEC),
    client("client, version 3", "authority; server; client", Connects),
    client("client, P-256", "authority; server; client prime256v1", Connects),
    client("client, P-521", "authority; server; client secp521r1", Connects),
    client("client, Ed25519", "authority; server; client ed25519", Connects),
    client(
        "client, expired",
        "authority; server; client; at 20200101000000Z 20210101000000Z client authority",
        Connects,
    ),
    client("client, RSA, 1024 bits", "authority; server; client rsa1024", OnlyKubectl("RSA (2048 to 8192 bits)")),
    client(
        "client, key of another certificate",
        "authority; server; client; cp authority.key client.key",
        Refuses("the private key is that of another certificate"),
    ),
    client("client, none", "authority; server", Refuses("ended the TLS handshake")),
];
