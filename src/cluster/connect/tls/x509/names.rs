//! Go's constraints on alternative names (`crypto/x509/constraints.go`), and the forms of both that `parser.go` accepts.

use std::mem::discriminant;
use std::net::IpAddr;

use ipnet::IpNet;
use x509_cert::ext::pkix::NameConstraints;
use x509_cert::ext::pkix::name::GeneralName;

/// Whether Go reads this kind of name.
pub(super) fn is_understood(name: &GeneralName) -> bool {
    use GeneralName::{DnsName, IpAddress, Rfc822Name, UniformResourceIdentifier};
    matches!(name, DnsName(_) | IpAddress(_) | Rfc822Name(_) | UniformResourceIdentifier(_))
}

/// Whether Go's `parseSANExtension` accepts this name.
pub(super) fn is_well_formed(name: &GeneralName) -> bool {
    match name {
        GeneralName::UniformResourceIdentifier(uri) => {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(&byte);
            let scheme = uri.as_str().split_once(':').map_or("", |(scheme, _)| scheme);
            scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && uri.as_str().bytes().all(is_plain)
        }
        GeneralName::IpAddress(bytes) => address(bytes.as_bytes()).is_some(),
        _ => true,
    }
}

/// Whether Go's `parseNameConstraintsExtension` accepts these constraints.
pub(super) fn are_well_formed(constraints: &NameConstraints) -> bool {
    subtrees(constraints).next().is_some()
        && subtrees(constraints).all(|tree| match tree {
            GeneralName::DnsName(name) | GeneralName::UniformResourceIdentifier(name) => is_domain(name.as_str(), true),
            GeneralName::IpAddress(bytes) => network(bytes.as_bytes()).is_some(),
            _ => true,
        })
}

/// Iterates the names that constraints permit or exclude.
pub(super) fn subtrees(constraints: &NameConstraints) -> impl Iterator<Item = &GeneralName> {
    let NameConstraints { permitted_subtrees, excluded_subtrees } = constraints;
    permitted_subtrees.iter().chain(excluded_subtrees).flatten().map(|tree| &tree.base)
}

/// Returns a name as openssl prints it.
pub(super) fn display(name: &GeneralName) -> String {
    match name {
        GeneralName::DnsName(name) => format!("DNS:{}", name.as_str().escape_debug()),
        GeneralName::IpAddress(bytes) => {
            address(bytes.as_bytes()).map(|address| format!("IP:{address}")).unwrap_or_default()
        }
        other => format!("{other:?}"),
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Parses an address and its mask.
fn network(bytes: &[u8]) -> Option<IpNet> {
    let (start, mask) = bytes.split_at(bytes.len() / 2);
    IpNet::with_netmask(address(start)?, address(mask)?).ok()
}

/// Go's `domainNameValid`.
fn is_domain(name: &str, is_constraint: bool) -> bool {
    let labels = if is_constraint { name.strip_prefix('.').unwrap_or(name) } else { name };
    name.is_empty()
        || labels
            .split('.')
            .all(|label| (1..=63).contains(&label.len()) && label.bytes().all(|byte| (33..=126).contains(&byte)))
}

/// Whether an authority's constraints allow a certificate below it to have this name. Any constraint on URIs or
/// mailboxes forbids them: no API server has such a name.
pub(super) fn is_allowed(constraints: &NameConstraints, name: &GeneralName) -> bool {
    let is_of_kind = |tree: &&GeneralName| discriminant(*tree) == discriminant(name);
    let NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded } = constraints;
    let mut permitted = permitted.iter().flatten().map(|tree| &tree.base).filter(is_of_kind).peekable();
    let mut excluded = excluded.iter().flatten().map(|tree| &tree.base).filter(is_of_kind);
    let is_within = |tree: &GeneralName| match (tree, name) {
        (GeneralName::DnsName(tree), GeneralName::DnsName(name)) => is_below(tree.as_str(), name.as_str()),
        (GeneralName::IpAddress(tree), GeneralName::IpAddress(bytes)) => network(tree.as_bytes())
            .zip(address(bytes.as_bytes()))
            .is_some_and(|(network, address)| network.contains(&address)),
        _ => false,
    };
    match name {
        GeneralName::DnsName(dns) if !is_domain(dns.as_str(), false) => false,
        GeneralName::DnsName(_) | GeneralName::IpAddress(_) => {
            let is_permitted = permitted.peek().is_none() || permitted.any(is_within);
            is_permitted && !excluded.any(|tree| is_within(tree) || may_be_below(tree, name))
        }
        _ => permitted.peek().is_none() && excluded.next().is_none(),
    }
}

/// Whether a name is in a subtree. `example.com` is in the subtree `example.com`, and not in `.example.com`.
fn is_below(tree: &str, name: &str) -> bool {
    let (tree, name) = (tree.to_ascii_lowercase(), name.to_ascii_lowercase());
    let Some(start) = name.strip_suffix(tree.as_str()) else { return false };
    tree.is_empty() || start.is_empty() || tree.starts_with('.') || start.ends_with('.')
}

/// Whether a wildcard matches the top of a subtree, as `*.example.com` matches `a.example.com`.
fn may_be_below(tree: &GeneralName, name: &GeneralName) -> bool {
    let (GeneralName::DnsName(tree), GeneralName::DnsName(name)) = (tree, name) else { return false };
    let top = tree.as_str().split_once('.').zip(name.as_str().strip_prefix("*."));
    top.is_some_and(|((_, tree), name)| tree.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(text: &str) -> GeneralName {
        GeneralName::DnsName(text.to_owned().try_into().unwrap())
    }

    #[test]
    fn subtrees_are_those_of_go() {
        let cases = [
            ("example.com", "example.com", true),
            ("example.com", "a.Example.com", true),
            ("example.com", "badexample.com", false),
            (".example.com", "a.example.com", true),
            (".example.com", "example.com", false),
            ("", "anything", true),
            ("a.example.com", "example.com", false),
        ];
        for (tree, name, expected) in cases {
            assert_eq!(is_below(tree, name), expected, "{tree} {name}");
        }
        assert!(may_be_below(&dns("a.example.com"), &dns("*.example.com")));
        assert!(!may_be_below(&dns("a.example.com"), &dns("b.example.com")));
        assert!(network(&[10, 0, 0, 0, 255, 0, 0, 0]).is_some() && network(&[10, 0, 0, 0, 255, 0, 255, 0]).is_none());
    }

    #[test]
    fn names_are_those_that_constraints_permit_and_do_not_exclude() {
        use x509_cert::der::asn1::OctetString;
        use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
        let ip = |bytes: &[u8]| GeneralName::IpAddress(OctetString::new(bytes).unwrap());
        let uri = |text: &str| GeneralName::UniformResourceIdentifier(text.to_owned().try_into().unwrap());
        let mail = |text: &str| GeneralName::Rfc822Name(text.to_owned().try_into().unwrap());
        let tree = |base| GeneralSubtree { base, minimum: 0, maximum: None };
        let permitted = [dns("example.com"), ip(&[10, 0, 0, 0, 255, 0, 0, 0]), uri("example.com")];
        let constraints = NameConstraints {
            permitted_subtrees: Some(permitted.map(tree).to_vec()),
            excluded_subtrees: Some(vec![tree(dns("a.example.com"))]),
        };
        assert!(are_well_formed(&constraints));
        for (name, expected) in [
            (dns("b.example.com"), true),
            (dns("A.example.com"), false),
            (dns("*.example.com"), false),
            (dns("example.org"), false),
            (ip(&[10, 1, 2, 3]), true),
            (ip(&[11, 1, 2, 3]), false),
            (uri("spiffe://example.com/a"), false),
            (mail("a@example.org"), true),
        ] {
            assert_eq!(is_allowed(&constraints, &name), expected, "{name:?}");
        }
    }
}
