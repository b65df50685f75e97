//! TLS as in Go where rustls differs: `x509` verifies certificates, and files are read again for each new connection,
//! because they may be replaced.

mod x509;

use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use x509_cert::der::Encode as _;

pub(super) use self::x509::{CertificateFault, TRUST};

use self::x509::Certificate;
use super::settings::{ConnectSettings, Pem};
use crate::error::{Error, Kind};

/// Returns the TLS settings for the cluster and for a proxy that uses TLS.
pub(super) fn config(settings: &ConnectSettings, identity: Option<Arc<Identity>>) -> Result<ClientConfig, Error> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs supports the default versions");
    let https = |uri: &Uri| uri.scheme_str() == Some("https");
    if !https(&settings.server) && !settings.proxy.as_ref().is_some_and(|proxy| https(&proxy.uri)) {
        // Unused: all connections are `http`.
        return Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    }
    let verifier: Arc<dyn ServerCertVerifier> = match &settings.ca {
        _ if settings.insecure => Arc::new(Verifier { ca: None, trusted: None }),
        Some(ca) => Arc::new(Verifier::trusting(ca)?),
        None => system_verifier().map_err(|why| {
            Error::new(Kind::Failed, format!("can't read the certificates that this system trusts: {why}"))
                .hint("give the cluster's own CA with --certificate-authority")
        })?,
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(identity),
        None => builder.with_no_client_auth(),
    };
    // A resumed session would keep the old certificates on both sides; Go doesn't resume either.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Returns the cryptography of aws-lc-rs, whatever else is linked in.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Returns the system's own verifier, which Go uses there.
#[cfg(any(windows, target_vendor = "apple"))]
fn system_verifier() -> Result<Arc<dyn ServerCertVerifier>, String> {
    let verifier = rustls_platform_verifier::Verifier::new(provider()).map_err(|error| error.to_string())?;
    Ok(Arc::new(verifier))
}

/// Returns a verifier that trusts the system's certificates: those in `$SSL_CERT_FILE` and `$SSL_CERT_DIR`, or in the
/// usual files.
#[cfg(not(any(windows, target_vendor = "apple")))]
fn system_verifier() -> Result<Arc<dyn ServerCertVerifier>, String> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string));
    }
    Ok(Arc::new(Verifier { ca: None, trusted: Some(Mutex::new(found.certs)) }))
}

impl Pem {
    /// Returns the bytes, read from the file if there is one.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Inline(text) => Ok(text.reveal().as_bytes().to_vec()),
            Self::File(path) => std::fs::read(path)
                .map_err(|error| Error::usage(format!("can't read {}", path.display())).caused_by(error)),
        }
    }

    fn place(&self) -> String {
        match self {
            Self::Inline(_) => "of the kubeconfig".to_owned(),
            Self::File(path) => format!("in {}", path.display()),
        }
    }
}

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty())
}

/// Parses the certificates of authorities. A bundle may have invalid ones among valid ones.
fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = certificates(pem).ok_or("there is no certificate in it")?;
    let parsed = all.iter().map(|one| Certificate::parse(one).map(drop)).reduce(Result::or);
    parsed.unwrap_or(Ok(())).map(|()| all)
}

/// Verifies servers' certificates as Go does.
#[derive(Debug)]
struct Verifier {
    /// The kubeconfig's certificates.
    ca: Option<Pem>,
    /// The last valid content of the file; `None` trusts any certificate (`insecure-skip-tls-verify`).
    trusted: Option<Mutex<Vec<CertificateDer<'static>>>>,
}

impl Verifier {
    fn trusting(ca: &Pem) -> Result<Self, Error> {
        let trusted = authorities(&ca.bytes()?)
            .map_err(|why| Error::usage(format!("can't use the certificate authority {}: {why}", ca.place())))?;
        Ok(Self { ca: Some(ca.clone()), trusted: Some(Mutex::new(trusted)) })
    }

    /// Returns the roots in the file now, or the last valid ones.
    fn roots(&self) -> Option<Vec<CertificateDer<'static>>> {
        let mut last = self.trusted.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ca @ Pem::File(_)) = &self.ca
            && let Ok(pem) = ca.bytes()
            && let Ok(fresh) = authorities(&pem)
        {
            *last = fresh;
        }
        Some(last.clone())
    }

    fn check_handshake(
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        is_tls13: bool,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let certificate = parse_certificate(certificate)?;
        x509::verify_handshake(certificate.key(), signed, is_tls13, message).map_err(certificate_error)?;
        Ok(HandshakeSignatureValid::assertion())
    }
}

fn parse_certificate(certificate: &CertificateDer<'_>) -> Result<Certificate, rustls::Error> {
    Certificate::parse(certificate)
        .map_err(|why| certificate_error(CertificateFault::new(format!("is malformed: {why}"))))
}

fn certificate_error(fault: CertificateFault) -> rustls::Error {
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(fault))))
}

/// Returns the fault that [`certificate_error`] put into an error.
pub(super) fn certificate_fault(error: &rustls::Error) -> Option<&CertificateFault> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(error))) => error.downcast_ref(),
        _ => None,
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // Go parses all certificates, even if it trusts everything.
        let own = parse_certificate(end_entity)?;
        let roots = self.roots();
        let trusted =
            roots.iter().flatten().filter_map(|root| Certificate::parse(root).ok()).map(|root| Ok((root, true)));
        let sent = intermediates.iter().map(|one| Ok((parse_certificate(one)?, false)));
        let authorities = trusted.chain(sent).collect::<Result<Vec<_>, rustls::Error>>()?;
        if roots.is_some() {
            x509::verify_server(&own, &authorities, server_name, now.as_secs().cast_signed())
                .map_err(certificate_error)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Self::check_handshake(message, certificate, signed, false)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Self::check_handshake(message, certificate, signed, true)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

const UNUSABLE_KEY: &str =
    "its private key must be RSA (2048 to 8192 bits), ECDSA (P-256, P-384, P-521) or Ed25519, not encrypted";

/// Parses a certificate and its key. Errors don't show them.
pub(super) fn certified_key(certificate: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, String> {
    let chain = certificates(certificate).ok_or("there is no certificate in it")?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "there is no private key in PEM")?;
    let key = provider().key_provider.load_private_key(key).map_err(|_| UNUSABLE_KEY)?;
    // rustls can't check this for a certificate of version 1.
    let own = Certificate::parse(&chain[0])?;
    if key.public_key().is_some_and(|public| own.key().to_der().is_ok_and(|own| *own != *public)) {
        return Err("the private key is that of another certificate".to_owned());
    }
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

/// The client's certificate: the user's own, or the last one of an exec plugin.
#[derive(Debug, Default)]
pub(super) struct Identity {
    files: Option<(Pem, Pem)>,
    last: Mutex<Option<Arc<CertifiedKey>>>,
}

impl Identity {
    pub(super) fn new(certificate: Pem, key: Pem) -> Result<Self, Error> {
        let loaded = certified_key(&certificate.bytes()?, &key.bytes()?).map_err(|why| {
            Error::usage(format!("can't use the client certificate {}: {why}", certificate.place()))
                .hint("kubectl config view shows which certificate and key the user has")
        })?;
        let files = matches!(certificate, Pem::File(_)).then_some((certificate, key));
        Ok(Self { files, last: Mutex::new(Some(loaded)) })
    }

    pub(super) fn set(&self, key: Option<Arc<CertifiedKey>>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((certificate, key)) = &self.files
            && let (Ok(certificate), Ok(key)) = (certificate.bytes(), key.bytes())
            && let Ok(fresh) = certified_key(&certificate, &key)
        {
            *last = Some(fresh);
        }
        last.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}
