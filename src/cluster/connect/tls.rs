//! TLS as Go does it where rustls differs: a server may show the very certificate that the user trusts, even if that
//! is a CA's; certificates in files are read again for each new connection, since they may be replaced meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::settings::{Pem, Settings};
use crate::error::{Error, Kind};

/// TLS towards the cluster, and towards a proxy that speaks TLS.
pub(super) fn config(settings: &Settings, identity: Option<Arc<Identity>>) -> Result<ClientConfig, Error> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions");
    let https = |uri: &Uri| uri.scheme_str() == Some("https");
    if !https(&settings.server) && !settings.proxy.as_ref().is_some_and(|proxy| https(&proxy.uri)) {
        // Never asked, since all is `http`.
        return Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    }
    let verifier: Arc<dyn ServerCertVerifier> = if settings.insecure {
        Arc::new(Verifier { provider, trusted: None })
    } else if let Some(ca) = &settings.ca {
        Arc::new(Verifier::trusting(ca, provider)?)
    } else {
        Arc::new(rustls_platform_verifier::Verifier::new(provider).map_err(|error| {
            Error::new(Kind::Failed, "can't read the certificates that this system trusts")
                .caused_by(error)
                .hint("give the cluster's own CA with --certificate-authority")
        })?)
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

/// The cipher suites: ring's, whatever else is linked in.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl Pem {
    /// The bytes, read from the file if there is one.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Inline(text) => Ok(text.reveal().as_bytes().to_vec()),
            Self::File(path) => std::fs::read(path)
                .map_err(|error| Error::usage(format!("can't read {}", path.display())).caused_by(error)),
        }
    }

    fn called(&self) -> String {
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

/// Trusts the given authorities, and a server that shows one of them itself; without any every certificate
/// (`insecure-skip-tls-verify`).
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    trusted: Option<(Pem, Mutex<Arc<Roots>>)>,
}

#[derive(Debug)]
struct Roots {
    pem: Vec<u8>,
    trusted: Vec<CertificateDer<'static>>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl Roots {
    fn new(pem: Vec<u8>, provider: &Arc<CryptoProvider>) -> Result<Self, String> {
        let trusted = certificates(&pem).ok_or("there is no certificate in it")?;
        let mut store = RootCertStore::empty();
        let mut refused = None;
        for one in &trusted {
            refused = store.add(one.clone()).err().or(refused);
        }
        // A bundle may have odd ones among the good ones.
        if let (true, Some(error)) = (store.is_empty(), refused) {
            return Err(error.to_string());
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
        let verifier = verifier.build().map_err(|error| error.to_string())?;
        Ok(Self { pem, trusted, verifier })
    }
}

impl Verifier {
    fn trusting(ca: &Pem, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let roots = Roots::new(ca.bytes()?, &provider)
            .map_err(|why| Error::usage(format!("can't use the certificate authority {}: {why}", ca.called())))?;
        Ok(Self { provider, trusted: Some((ca.clone(), Mutex::new(Arc::new(roots)))) })
    }

    /// The roots as the file has them now; those known last if it can't be used.
    fn roots(&self) -> Option<Arc<Roots>> {
        let (ca, current) = self.trusted.as_ref()?;
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Pem::File(_) = ca
            && let Ok(pem) = ca.bytes()
            && pem != current.pem
            && let Ok(roots) = Roots::new(pem, &self.provider)
        {
            *current = Arc::new(roots);
        }
        Some(Arc::clone(&current))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(roots) = self.roots() else { return Ok(ServerCertVerified::assertion()) };
        let verified = roots.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The certificate was found to be valid at this time before it was refused for being a CA's
            // (`check_issuer_independent_properties` in webpki), and it is byte for byte one that the user trusts
            // to vouch for any name; what is left to check is the name.
            Err(error) if is_ca_refusal(&error) && roots.trusted.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// webpki's error is not in rustls' interface; its name is.
fn is_ca_refusal(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(CertificateError::Other(other))
        if format!("{other:?}").contains("CaUsedAsEndEntity"))
}

/// A certificate and its key, ready to be shown; errors do not show them.
pub(super) fn certified_key(certificate: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, String> {
    let chain = certificates(certificate).ok_or("there is no certificate in it")?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "there is no private key in PEM")?;
    let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| error.to_string())?;
    Ok(Arc::new(key))
}

/// The client's certificate: the user's own, or that which an exec plugin gave last, if it gave one.
#[derive(Debug, Default)]
pub(super) struct Identity {
    files: Option<(Pem, Pem)>,
    last: Mutex<Option<Arc<CertifiedKey>>>,
}

impl Identity {
    pub(super) fn new(certificate: Pem, key: Pem) -> Result<Self, Error> {
        let loaded = certified_key(&certificate.bytes()?, &key.bytes()?)
            .map_err(|why| Error::usage(format!("can't use the client certificate {}: {why}", certificate.called())))?;
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
