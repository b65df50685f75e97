//! Go's `checkSignature` (`crypto/x509/x509.go`) and `verifyHandshakeSignature` (`crypto/tls/auth.go`).
//!
//! Uses rustls' algorithms, and `rsa` for RSA keys of 1024 to 2047 bits, which Go accepts.

use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, PublicKey as ShortKey};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::alg_id;
use rustls::{DigitallySignedStruct, SignatureScheme};
use x509_cert::der::asn1::Uint;
use x509_cert::der::{Decode as _, Encode};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::CertificateFault;

const UNUSABLE_KEY: &str = "has a key of an unsupported type";

fn algorithms() -> WebPkiSupportedAlgorithms {
    aws_lc_rs::default_provider().signature_verification_algorithms
}

/// Whether a certificate's signature is valid for this key.
///
/// # Errors Says why the authority can't have signed so.
pub(super) fn verify(
    algorithm: &AlgorithmIdentifierOwned,
    key: &SubjectPublicKeyInfoOwned,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, &'static str> {
    match algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.4" => Err("signed it with MD5, which is broken"),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" => Err("signed it with SHA-1, which is broken"),
        _ => verify_as(&encode(algorithm), key, message, signature),
    }
}

/// Checks that the server has the key of its certificate. TLS 1.3 ties a curve to its hash, and has no PKCS #1.
pub(in super::super) fn verify_handshake(
    key: &SubjectPublicKeyInfoOwned,
    signed: &DigitallySignedStruct,
    is_tls13: bool,
    message: &[u8],
) -> Result<(), CertificateFault> {
    use SignatureScheme::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512};
    let is_old = matches!(signed.scheme, RSA_PKCS1_SHA256 | RSA_PKCS1_SHA384 | RSA_PKCS1_SHA512);
    let fault = || CertificateFault::new("does not have the key with which the server signed");
    let known = algorithms().mapping.iter().find(|(scheme, _)| *scheme == signed.scheme && !(is_tls13 && is_old));
    let first = known.and_then(|(_, all)| all.first()).ok_or_else(fault)?;
    if is_tls13 && *first.public_key_alg_id() != *encode(&key.algorithm) {
        return Err(fault());
    }
    let is_right =
        verify_as(&first.signature_alg_id(), key, message, signed.signature()).map_err(CertificateFault::new)?;
    is_right.then_some(()).ok_or_else(fault)
}

/// Verifies a signature with this algorithm.
fn verify_as(
    id: &[u8],
    key: &SubjectPublicKeyInfoOwned,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, &'static str> {
    let (all, key_id) = (algorithms().all, encode(&key.algorithm));
    if !all.iter().any(|one| *one.signature_alg_id() == *id) {
        return Err("signed it with an unknown algorithm");
    }
    if !all.iter().any(|one| *one.public_key_alg_id() == *key_id) {
        return Err(UNUSABLE_KEY);
    }
    let bits = key.subject_public_key.raw_bytes();
    if *key_id == *alg_id::RSA_ENCRYPTION {
        let numbers = Vec::<Uint>::from_der(bits).map_err(|_| UNUSABLE_KEY)?;
        let [modulus, exponent] = numbers.as_slice() else { return Err(UNUSABLE_KEY) };
        let number = |number: &Uint| BoxedUint::from_be_slice_vartime(number.as_bytes());
        let (modulus, exponent) = (number(modulus), number(exponent));
        if modulus.bit_width() < 2048 {
            let key = ShortKey::new(modulus, exponent).map_err(|_| UNUSABLE_KEY)?;
            return Ok(verify_short(id, &key, message, signature).is_ok());
        }
    }
    let mut fit = all.iter().filter(|one| *one.signature_alg_id() == *id && *one.public_key_alg_id() == *key_id);
    Ok(fit.any(|one| one.verify_signature(bits, message, signature).is_ok()))
}

/// The same for an RSA key of less than 2048 bits.
fn verify_short(id: &[u8], key: &ShortKey, message: &[u8], signature: &[u8]) -> rsa::Result<()> {
    let (sha256, sha384, sha512) = (Sha256::digest(message), Sha384::digest(message), Sha512::digest(message));
    match id {
        _ if *id == *alg_id::RSA_PKCS1_SHA256 => key.verify(Pkcs1v15Sign::new::<Sha256>(), &sha256, signature),
        _ if *id == *alg_id::RSA_PKCS1_SHA384 => key.verify(Pkcs1v15Sign::new::<Sha384>(), &sha384, signature),
        _ if *id == *alg_id::RSA_PKCS1_SHA512 => key.verify(Pkcs1v15Sign::new::<Sha512>(), &sha512, signature),
        _ if *id == *alg_id::RSA_PSS_SHA256 => key.verify(Pss::<Sha256>::new(), &sha256, signature),
        _ if *id == *alg_id::RSA_PSS_SHA384 => key.verify(Pss::<Sha384>::new(), &sha384, signature),
        _ if *id == *alg_id::RSA_PSS_SHA512 => key.verify(Pss::<Sha512>::new(), &sha512, signature),
        _ => Err(rsa::Error::Verification),
    }
}

/// Returns the identifier as rustls has it: without the head of its sequence.
fn encode(algorithm: &AlgorithmIdentifierOwned) -> Vec<u8> {
    let parameters = algorithm.parameters.as_ref().map(Encode::to_der);
    let parts = [Some(algorithm.oid.to_der()), parameters];
    parts.into_iter().flatten().flat_map(Result::unwrap_or_default).collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    // From openssl: a key of 1024 bits, and its signatures of one message.
    const MODULUS: &str = "oqH4MXXk8WQfYZawUVHDKZ3KygEGfmzkrCGAeRQ1tywA6uTOPD6g3IS6qpePwhYN7qBSk3oZsdkfTsBXXyFsWlog1o3w/elPvrH0\
     FWeAI1vDnhmKkz1GVx6keNhbd9y8Z43a29ppz9NIkrA3ELZ12iQp2vjCYQ2Jf7dwXdTlSvE=";
    const PKCS1_SHA256: &str = "YdHi0pPsD1fymnmWHiH2Sl2GckSc+o05In74+HVXIDL7bDhyNBe7sV07rxLUwwLkcGHz2XOBlzp+IFYbiTyEKTL10gzUtCgs+0FE\
     HgWyOIfjs2+S+2QHmpqpJ+VhW9sWDMrqw/1UWpaQG/IAyKrRHTBRTPfnjpF7jiKHqgqlYYY=";
    const PSS_SHA256: &str = "d35CaY+qZmJAOcIpSpk8VQwMH5wc5Lwr6a2KPhg9UgWFFlbI532s4cjy7T2v3wSkdi7MztVieWKjnvMTzYTS5tiShy0CL0eSPchp\
     vv22sWHp1CmKEBSaF9ba/09wYEMIU7qurMEvpK8KzwizaXtdCCBsmgwC3dR903RSp9c15e0=";
    const PSS_SHORT_SALT: &str = "nTWkV2QnXLAr0TKby8lXWRgIuYsjF8JDwFQXKxVtfAbHfs0vCrXAajcoobbeMyPVdF4G2lpvWEUYju3xJjg8t4ZTaZnmBMJPY1zZ\
     w2efA+CSF7B2NNPrW1KV04iQP5nTWotwwPdLv+KmAcLCGwnJMu9tHb+KS2z/V5M6emCT+pg=";

    #[test]
    fn only_valid_signatures_of_short_keys_are_accepted() {
        let decode = |text| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        let modulus = BoxedUint::from_be_slice_vartime(&decode(MODULUS));
        let key = ShortKey::new(modulus, BoxedUint::from(65537_u64)).unwrap();
        let (pkcs1, pss) = (alg_id::RSA_PKCS1_SHA256, alg_id::RSA_PSS_SHA256);
        let cases = [
            (pkcs1, PKCS1_SHA256, true),
            (pss, PSS_SHA256, true),
            (pss, PSS_SHORT_SALT, false),
            (pss, PKCS1_SHA256, false),
            (alg_id::RSA_PKCS1_SHA384, PKCS1_SHA256, false),
        ];
        for (algorithm, signature, expected) in cases {
            let verify = |message: &[u8]| verify_short(&algorithm, &key, message, &decode(signature)).is_ok();
            assert_eq!(verify(b"what was signed"), expected, "{algorithm:?}");
            assert!(!verify(b"something else"));
        }
    }
}
