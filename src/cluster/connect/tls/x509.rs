//! Parses certificates and refuses those that Go's `parseCertificate` refuses (`crypto/x509/parser.go` of Go 1.26).
//!
//! kubectl is the reference. webpki, rustls' default, refuses many certificates of clusters that Go accepts: version 1,
//! a CA's certificate as the server's own, `anyExtendedKeyUsage`. It accepts a CA of version 3 without basic
//! constraints, which Go refuses. If Go's rule is long and its case unknown in clusters, the rule here is shorter and
//! stricter, never laxer.

mod chain;
mod names;
mod signature;

use std::collections::HashSet;

use x509_cert::Version;
use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner};
use x509_cert::der::asn1::Any;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{self, Decode as _, DecodeOwned, Header, Reader as _, SliceReader, Tag, Tagged as _};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, CrlDistributionPoints,
    ExtendedKeyUsage, InhibitAnyPolicy, KeyUsage, NameConstraints, PolicyConstraints, PolicyMappings, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

pub(super) use self::chain::verify_server;
pub(in crate::cluster::connect) use self::chain::{CertificateFault, TRUST};
pub(super) use self::signature::verify_handshake;

/// A certificate of any version.
pub(super) struct Certificate {
    der: Vec<u8>,
    /// The part that is signed.
    signed: Vec<u8>,
    parts: CertificateInner<Raw>,
}

impl Certificate {
    /// # Errors
    /// Says which part is malformed.
    pub(super) fn parse(der: &[u8]) -> Result<Self, String> {
        let (parts, signed) = read(der).map_err(|error| error.to_string())?;
        let certificate = Self { der: der.to_vec(), signed: signed.to_vec(), parts };
        let (fields, all) = (certificate.fields(), certificate.extensions());
        let is_negative = fields.serial_number().as_bytes().first().is_none_or(|first| first & 0x80 != 0);
        let is_text = fields.issuer().iter().chain(fields.subject().iter()).all(|attribute| is_text(&attribute.value));
        let ids: HashSet<_> = all.iter().map(|one| one.extn_id).collect();
        let faults = [
            (is_negative, "its serial number is negative"),
            (fields.signature() != certificate.parts.signature_algorithm(), "it names two signature algorithms"),
            (!is_text, "a name in it has characters that its type does not allow"),
            (fields.version() != Version::V3 && !all.is_empty(), "its version has no extensions"),
            (ids.len() < all.len(), "it has an extension twice"),
            (all.iter().any(|one| is_well_formed(one) == Some(false)), "one of its extensions is malformed"),
        ];
        match faults.into_iter().find(|(is_found, _)| *is_found) {
            Some((_, why)) => Err(why.to_owned()),
            None => Ok(certificate),
        }
    }

    pub(super) fn key(&self) -> &SubjectPublicKeyInfoOwned {
        self.fields().subject_public_key_info()
    }

    fn fields(&self) -> &TbsCertificateInner<Raw> {
        self.parts.tbs_certificate()
    }

    fn extensions(&self) -> &[Extension] {
        self.fields().extensions().map_or(&[], Vec::as_slice)
    }

    /// Returns the value of an extension.
    fn extension<T: AssociatedOid + DecodeOwned>(&self) -> Option<T> {
        self.fields().get_extension().ok().flatten().map(|(_, value)| value)
    }

    /// Returns the alternative names.
    fn names(&self) -> Vec<GeneralName> {
        self.extension::<SubjectAltName>().map(|names| names.0).unwrap_or_default()
    }
}

/// Parses a certificate, and returns the bytes of its signed part, too.
fn read(der: &[u8]) -> der::Result<(CertificateInner<Raw>, &[u8])> {
    let mut reader = SliceReader::new(der)?;
    Header::decode(&mut reader)?;
    Ok((CertificateInner::from_der(der)?, reader.tlv_bytes()?))
}

/// Go's `parseASN1String`.
fn is_text(value: &Any) -> bool {
    let all = |is_allowed: fn(&u8) -> bool| value.value().iter().all(is_allowed);
    match value.tag() {
        Tag::PrintableString => all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(byte)),
        Tag::NumericString => all(|byte| byte.is_ascii_digit() || *byte == b' '),
        Tag::Ia5String => value.value().is_ascii(),
        Tag::Utf8String => str::from_utf8(value.value()).is_ok(),
        Tag::BmpString => value.value().len().is_multiple_of(2),
        tag => tag == Tag::TeletexString,
    }
}

/// Whether an extension is of type `T` and fits; `None` for other types.
fn fits<T: AssociatedOid + DecodeOwned>(extension: &Extension, is_fit: impl Fn(T) -> bool) -> Option<bool> {
    (extension.extn_id == T::OID).then(|| T::from_der(extension.extn_value.as_bytes()).is_ok_and(is_fit))
}

/// Go's `processExtensions`: whether an extension is well formed; `None` for those that Go does not know.
fn is_well_formed(one: &Extension) -> Option<bool> {
    fits::<SubjectAltName>(one, |names| names.0.iter().all(names::is_well_formed))
        .or_else(|| fits::<NameConstraints>(one, |constraints| names::are_well_formed(&constraints)))
        .or_else(|| fits::<SubjectKeyIdentifier>(one, |_| !one.critical))
        .or_else(|| fits::<AuthorityKeyIdentifier>(one, |_| !one.critical))
        .or_else(|| fits::<AuthorityInfoAccessSyntax>(one, |_| !one.critical))
        .or_else(|| fits::<KeyUsage>(one, |_| true))
        .or_else(|| fits::<ExtendedKeyUsage>(one, |_| true))
        .or_else(|| fits::<BasicConstraints>(one, |_| true))
        .or_else(|| fits::<CertificatePolicies>(one, |_| true))
        .or_else(|| fits::<PolicyMappings>(one, |_| true))
        .or_else(|| fits::<PolicyConstraints>(one, |_| true))
        .or_else(|| fits::<InhibitAnyPolicy>(one, |_| true))
        .or_else(|| fits::<CrlDistributionPoints>(one, |_| true))
}

/// Whether Go understands an extension, as it must if the extension is critical.
fn is_understood(one: &Extension) -> bool {
    fits::<SubjectAltName>(one, |names| names.0.iter().any(names::is_understood))
        .or_else(|| fits::<NameConstraints>(one, |all| names::subtrees(&all).all(names::is_understood)))
        .or_else(|| is_well_formed(one))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair};

    use super::Certificate;

    static CERTIFICATE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut params = CertificateParams::new(vec!["api.example.com".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(3));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    });

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_a_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
                                        end in any::<prop::sample::Index>()) {
            let mut bytes = CERTIFICATE.clone();
            prop_assert!(Certificate::parse(&bytes).is_ok());
            prop_assert!(Certificate::parse(&bytes[..end.index(bytes.len())]).is_err());
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let _ = Certificate::parse(&bytes);
        }
    }
}
