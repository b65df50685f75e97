//! The values of a `resourceFieldRef` to a container's resources.
//!
//! The server stores quantities in canonical form (`1Mi` for `1024Ki`), so they are printed unchanged.

use k8s_openapi::api::core::v1::{Container, ResourceFieldSelector};

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

pub(super) fn is_positive(quantity: &str) -> bool {
    parts(quantity, 1).is_some_and(|parts| parts > 0)
}

/// Returns the container's limit or request, divided and rounded up; `None` for other resources.
pub(super) fn container_quantity(field: &ResourceFieldSelector, container: &Container) -> Option<String> {
    let resources = container.resources.as_ref();
    let (kind, name) = field.resource.split_once('.')?;
    let amounts = match kind {
        "limits" => resources.and_then(|resources| resources.limits.as_ref()),
        "requests" => resources.and_then(|resources| resources.requests.as_ref()),
        _ => return None,
    };
    let unit = match name {
        "cpu" => 1000,
        "memory" | "ephemeral-storage" => 1,
        _ if name.starts_with("hugepages-") => 1,
        _ => return None,
    };
    let amount = amounts.and_then(|amounts| amounts.get(name)).and_then(|amount| parts(&amount.0, unit));
    // The default divisor is 1.
    let divisor = field.divisor.as_ref().and_then(|divisor| parts(&divisor.0, unit)).filter(|&divisor| divisor != 0);
    Some(divide(amount.unwrap_or_default(), divisor.unwrap_or(unit)).to_string())
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the same arithmetic as kubectl's")]
fn divide(amount: i128, divisor: i128) -> i64 {
    (amount as f64 / divisor as f64).ceil() as i64
}

/// Returns the quantity times `unit`, rounded away from zero; `None` if it is no quantity or too large.
fn parts(quantity: &str, unit: i128) -> Option<i128> {
    let (number, suffix) = quantity.split_at(quantity.find(char::is_alphabetic).unwrap_or(quantity.len()));
    let number: i128 = number.trim_end_matches('.').parse().ok()?;
    let number = number.checked_mul(unit)?;
    if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return number.checked_mul(1 << power);
    }
    let power = match DECIMAL.iter().find(|(name, _)| *name == suffix) {
        Some((_, power)) => *power,
        None => suffix.strip_prefix(['e', 'E'])?.parse().ok()?,
    };
    let factor = 10_i128.checked_pow(power.unsigned_abs())?;
    if power >= 0 { number.checked_mul(factor) } else { Some(number / factor + (number % factor).signum()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_of_a_server_are_read() {
        for (text, whole, thousandths) in [
            ("0", 0, 0),
            ("007", 7, 7000),
            ("+5", 5, 5000),
            ("1.", 1, 1000),
            ("1500m", 2, 1500),
            ("1n", 1, 1),
            ("8Ki", 8192, 8_192_000),
            ("12e6", 12_000_000, 12_000_000_000),
            ("12500e-3", 13, 12_500),
            ("2E", 2_000_000_000_000_000_000, 2_000_000_000_000_000_000_000),
            ("-2Gi", -2_147_483_648, -2_147_483_648_000),
        ] {
            assert_eq!((parts(text, 1), parts(text, 1000)), (Some(whole), Some(thousandths)), "{text}");
        }
        assert_eq!((parts("10e99", 1), parts("much", 1), parts("", 1)), (None, None, None));
    }
}
