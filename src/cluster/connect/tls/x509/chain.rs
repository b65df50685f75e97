//! Go's `Certificate.Verify` (`crypto/x509/verify.go`): the chain from a server's certificate to one that the user
//! trusts.

use std::collections::HashSet;

use itertools::Itertools as _;
use jiff::Timestamp;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use x509_cert::Version;
use x509_cert::der::oid::db::rfc5280::{ANY_EXTENDED_KEY_USAGE, ID_KP_SERVER_AUTH};
use x509_cert::ext::pkix::{
    BasicConstraints, CertificatePolicies, ExtendedKeyUsage, KeyUsage, NameConstraints, PolicyConstraints,
    PolicyMappings,
};
use x509_cert::name::Name;
use x509_cert::time::Time;

use super::{Certificate, is_understood, names, signature};

/// The maximum number of signatures to check, as in Go, so that a server can't keep this machine busy.
const MAX_CHECKS: u32 = 100;

pub(in crate::cluster::connect) const TRUST: &str =
    "give the cluster's CA with --certificate-authority, or as certificate-authority in the kubeconfig";
const CLOCK: &str = "check this machine's clock";
const OTHER_NAME: &str = "--tls-server-name NAME sets the name to expect in the certificate";
const REMAKE: &str = "kubectl refuses this certificate too: ask the cluster's administrator for another one";

/// Why a server's certificate is refused. The text continues "the certificate of the server".
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub(in crate::cluster::connect) struct CertificateFault {
    text: String,
    pub(in crate::cluster::connect) hint: &'static str,
}

impl CertificateFault {
    pub(in super::super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: REMAKE }
    }
}

/// Checks a server's certificate at this time, in seconds since 1970. `authorities` are the trusted ones, with `true`,
/// and those that the server sent.
pub(in super::super) fn verify_server(
    certificate: &Certificate,
    authorities: &[(Certificate, bool)],
    server: &ServerName<'_>,
    now: i64,
) -> Result<(), CertificateFault> {
    check_alone(certificate, now)?;
    check_name(certificate, server)?;
    if authorities.iter().any(|(root, is_trusted)| *is_trusted && root.der == certificate.der) {
        return check_chain(&[certificate]);
    }
    let mut search = Search { authorities, now, checks: 0, fault: None };
    if search.reaches_trusted(&[certificate]) {
        return Ok(());
    }
    let text = || format!("is signed by an unknown authority, {:?}", common_name(certificate.fields().issuer()));
    Err(search.fault.unwrap_or_else(|| CertificateFault { text: text(), hint: TRUST }))
}

/// Returns the common name, or else the whole name.
fn common_name(name: &Name) -> String {
    let own = name.common_name().ok().flatten();
    own.map_or_else(|| name.to_string(), |own| own.value().into_owned())
}

/// Checks a certificate by itself.
fn check_alone(certificate: &Certificate, now: i64) -> Result<(), CertificateFault> {
    let validity = certificate.fields().validity();
    let seconds = |time: Time| time.to_unix_duration().as_secs().cast_signed();
    let show = |time| Timestamp::from_second(seconds(time)).unwrap_or(Timestamp::MAX);
    if certificate.extensions().iter().any(|one| one.critical && !is_understood(one)) {
        return Err(CertificateFault::new("has an unknown critical extension"));
    }
    if now < seconds(validity.not_before) {
        return Err(CertificateFault {
            text: format!("is not valid before {}", show(validity.not_before)),
            hint: CLOCK,
        });
    }
    if now > seconds(validity.not_after) {
        return Err(CertificateFault { text: format!("expired at {}", show(validity.not_after)), hint: CLOCK });
    }
    Ok(())
}

fn check_name(certificate: &Certificate, server: &ServerName<'_>) -> Result<(), CertificateFault> {
    if certificate.names().is_empty() {
        let own = common_name(certificate.fields().subject());
        return Err(CertificateFault::new(format!(
            "has no subject alternative name; its common name {own:?} does not count"
        )));
    }
    let der = CertificateDer::from(certificate.der.as_slice());
    let parsed =
        ParsedCertificate::try_from(&der).map_err(|error| CertificateFault::new(format!("can't be read: {error}")))?;
    let all = || certificate.names().iter().map(names::display).join(", ");
    let fault = |_| CertificateFault { text: format!("is not for this host, but for {}", all()), hint: OTHER_NAME };
    verify_server_name(&parsed, server).map_err(fault)
}

struct Search<'a> {
    authorities: &'a [(Certificate, bool)],
    now: i64,
    checks: u32,
    /// Why the first authority with the issuer's name was refused.
    fault: Option<CertificateFault>,
}

impl<'a> Search<'a> {
    /// Whether a chain leads from its last certificate to a trusted one.
    fn reaches_trusted(&mut self, chain: &[&'a Certificate]) -> bool {
        let Some(child) = chain.last() else { return false };
        let named = self.authorities.iter().filter(|(parent, _)| parent.fields().subject() == child.fields().issuer());
        for (parent, is_trusted) in named {
            self.checks += 1;
            if self.checks > MAX_CHECKS {
                return false;
            }
            if chain.iter().any(|known| is_same_authority(parent, known)) {
                continue;
            }
            let longer = [chain, &[parent]].concat();
            let checked = self.check_authority(parent, child, *is_trusted, chain.len() - 1);
            match checked.and_then(|()| if *is_trusted { check_chain(&longer) } else { Ok(()) }) {
                Ok(()) if *is_trusted || self.reaches_trusted(&longer) => return true,
                Ok(()) => {}
                Err(fault) => drop(self.fault.get_or_insert(fault)),
            }
        }
        false
    }

    /// Go's `CheckSignatureFrom` and `isValid`; `between` is the number of other authorities below this one.
    fn check_authority(
        &self,
        parent: &Certificate,
        child: &Certificate,
        is_trusted: bool,
        between: usize,
    ) -> Result<(), CertificateFault> {
        let name = common_name(parent.fields().subject());
        let bad = |why: &str| CertificateFault::new(format!("is signed by the authority {name:?}, which {why}"));
        let basic = parent.extension::<BasicConstraints>();
        let usage = parent.extension::<KeyUsage>();
        // Older versions have no such field, and count as a CA if the user trusts them.
        if !basic.as_ref().map_or(is_trusted && parent.fields().version() != Version::V3, |basic| basic.ca) {
            return Err(bad("is not a CA: its basic constraints do not say CA:TRUE"));
        }
        if usage.is_some_and(|usage| usage.0.bits() != 0 && !usage.key_cert_sign()) {
            return Err(bad("must not sign certificates: its key usage excludes it"));
        }
        let signature = child.parts.signature().raw_bytes();
        match signature::verify(child.parts.signature_algorithm(), parent.key(), &child.signed, signature) {
            Ok(true) => {}
            Ok(false) => {
                let text = "is signed by an unknown authority: a trusted one has the same name";
                return Err(CertificateFault { text: format!("{text}, {name:?}, and another key"), hint: TRUST });
            }
            Err(why) => return Err(bad(why)),
        }
        check_alone(parent, self.now).map_err(|fault| CertificateFault { hint: fault.hint, ..bad(&fault.text) })?;
        let most_between = basic.and_then(|basic| basic.path_len_constraint);
        if most_between.is_some_and(|most| between > usize::from(most)) {
            return Err(bad("may not have so many authorities below it"));
        }
        Ok(())
    }
}

/// Go's `alreadyInChain`: whether both are the same authority, perhaps with different certificates.
fn is_same_authority(one: &Certificate, other: &Certificate) -> bool {
    one.fields().subject() == other.fields().subject() && one.key() == other.key() && one.names() == other.names()
}

/// Checks the policies, usages and names of a whole chain.
fn check_chain(chain: &[&Certificate]) -> Result<(), CertificateFault> {
    if !have_policies(&chain[..chain.len() - 1]) {
        return Err(CertificateFault::new("does not name the policies that its authority requires"));
    }
    for (place, authority) in chain.iter().enumerate() {
        let usage = authority.extension::<ExtendedKeyUsage>().map(|usage| usage.0).unwrap_or_default();
        if !usage.is_empty() && !usage.contains(&ANY_EXTENDED_KEY_USAGE) && !usage.contains(&ID_KP_SERVER_AUTH) {
            let usage = "its extended key usage, or its authority's, excludes them";
            return Err(CertificateFault::new(format!("is not for servers: {usage}")));
        }
        let Some(constraints) = authority.extension::<NameConstraints>() else { continue };
        let mut below = chain[..place].iter().flat_map(|one| one.names());
        if let Some(name) = below.find(|name| !names::is_allowed(&constraints, name)) {
            let name = names::display(&name);
            return Err(CertificateFault::new(format!("is for {name}, which the constraints of its authority forbid")));
        }
    }
    Ok(())
}

/// Whether the certificates below a root share a policy, if any of them requires one. Go accepts more, by a graph of
/// policies.
fn have_policies(chain: &[&Certificate]) -> bool {
    let is_required = chain.iter().any(|one| {
        one.extension::<PolicyConstraints>().is_some_and(|constraints| constraints.require_explicit_policy.is_some())
    });
    let is_mapped = chain.iter().any(|one| one.extension::<PolicyMappings>().is_some());
    let policies = |one: &&Certificate| -> HashSet<_> {
        one.extension::<CertificatePolicies>()
            .into_iter()
            .flat_map(|all| all.0)
            .map(|one| one.policy_identifier)
            .collect()
    };
    let shared = chain.iter().map(policies).reduce(|one, other| &one & &other);
    !is_required || (!is_mapped && shared.is_none_or(|shared| !shared.is_empty()))
}
