//! Quantities of resources.
//!
//! The server keeps them in their canonical form, but kubectl makes sure once more, and works out what part of them a
//! container sees through `resourceFieldRef`. The rules are those of k8s.io/apimachinery/pkg/api/resource.

use k8s_openapi::api::core::v1::{Container, ResourceFieldSelector};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// How many of the smallest part that Kubernetes knows make one.
const NANOS: i128 = 1_000_000_000;

/// Digits that kubectl's fast path takes; it keeps the spelling of more numbers than the other path.
const FAST_DIGITS: usize = 18;

/// Digits that there is room for, with some to spare for the suffix.
const MOST_DIGITS: usize = 34;

/// Powers of ten beyond this are not reckoned with.
const LARGEST_POWER: i32 = 10_000;

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

const BINARY: [(&str, i32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// How the number was written, which is how it is shown.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    /// A suffix of the decimal system, as in `12M`.
    Decimal,
    /// A power of ten, as in `12e6`.
    Exponent,
    /// A suffix of the binary system, as in `12Mi`.
    Binary,
}

/// A decimal number: `mantissa` times ten to the power of `exponent`.
struct Amount {
    /// Negative ones too, although no resource may be.
    mantissa: i128,
    /// At least -9, and exactly that for a number with a binary suffix.
    exponent: i32,
    format: Format,
    /// Whether the text is in canonical form by kubectl's own quick check, and so is kept.
    keep: bool,
}

impl Amount {
    /// How many units of ten to the power of `unit` it takes, rounded away from zero. `None` if beyond all measure.
    fn units(&self, unit: i32) -> Option<i128> {
        let (units, rest) = shifted(self.mantissa, self.exponent - unit)?;
        Some(units + rest.signum())
    }
}

/// The quantity in canonical form. One that can't be read, or is beyond all measure, stays as it is.
pub(super) fn text(quantity: &Quantity) -> String {
    let written = quantity.0.trim();
    match parse(written) {
        Some(amount) if !amount.keep => canonical(&amount),
        _ => written.to_owned(),
    }
}

/// Whether there is more than nothing of it.
pub(super) fn is_positive(quantity: &Quantity) -> bool {
    parse(quantity.0.trim()).is_some_and(|amount| amount.mantissa > 0)
}

/// What a `resourceFieldRef` gives: the container's limit or request, divided, rounded up. `None` for resources that
/// can't be referred to.
pub(super) fn of_container(field: &ResourceFieldSelector, container: &Container) -> Option<String> {
    let resources = container.resources.as_ref();
    let (kind, name) = field.resource.split_once('.')?;
    let amounts = match kind {
        "limits" => resources.and_then(|resources| resources.limits.as_ref()),
        "requests" => resources.and_then(|resources| resources.requests.as_ref()),
        _ => return None,
    };
    let unit = match name {
        "cpu" => -3,
        "memory" | "ephemeral-storage" => 0,
        _ if name.starts_with("hugepages-") => 0,
        _ => return None,
    };
    let units = |quantity: &Quantity| parse(quantity.0.trim()).and_then(|amount| amount.units(unit));
    let amount = amounts.and_then(|amounts| amounts.get(name)).and_then(units).unwrap_or_default();
    // No divisor is a divisor of one.
    let one = if unit == 0 { 1 } else { 1000 };
    let divisor = field.divisor.as_ref().and_then(units).filter(|&divisor| divisor != 0).unwrap_or(one);
    Some(divided(amount, divisor).to_string())
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the same arithmetic as kubectl's")]
fn divided(amount: i128, divisor: i128) -> i64 {
    (amount as f64 / divisor as f64).ceil() as i64
}

fn parse(text: &str) -> Option<Amount> {
    if text == "0" {
        return Some(Amount { mantissa: 0, exponent: 0, format: Format::Decimal, keep: true });
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let suffix_at = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(suffix_at);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.is_empty() || fraction.contains('.') || number.len() > MOST_DIGITS {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let digits = format!("{whole}{fraction}");
    let value: i128 = digits.parse().ok()?;
    let fraction_digits = i32::try_from(fraction.len()).ok()?;

    let sign = if text.starts_with('-') { -1 } else { 1 };
    if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        // Whatever is less than one nano still counts as one.
        let (nanos, rest) = shifted(value.checked_mul(1 << power)?, 9 - fraction_digits)?;
        let nanos = (nanos + rest.signum()).min(i128::from(i64::MAX) * NANOS);
        let format = if (1..NANOS).contains(&nanos) { Format::Decimal } else { Format::Binary };
        // About how many decimal digits there is room for beside the suffix.
        let room = 14 - power * 3 / 10 - i32::try_from(whole.len()).ok()?;
        let keep = fraction.is_empty() && room >= 0 && value & 7 != 0;
        return Some(Amount { mantissa: sign * nanos, exponent: -9, format, keep });
    }
    let (exponent, format) = match DECIMAL.iter().find(|(name, _)| *name == suffix) {
        Some((_, exponent)) => (*exponent, Format::Decimal),
        None => (suffix.strip_prefix(['e', 'E'])?.parse().ok()?, Format::Exponent),
    };
    if !(-LARGEST_POWER..=LARGEST_POWER).contains(&exponent) {
        return None;
    }
    let exponent = exponent - fraction_digits;
    if exponent < -9 {
        let (nanos, rest) = shifted(value, exponent + 9)?;
        return Some(Amount { mantissa: sign * (nanos + rest.signum()), exponent: -9, format, keep: false });
    }
    let keep = digits.len() <= FAST_DIGITS && exponent % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0');
    Some(Amount { mantissa: sign * value, exponent, format, keep })
}

/// `value` times ten to the power of `power`, and what that leaves over if the power is negative.
fn shifted(value: i128, power: i32) -> Option<(i128, i128)> {
    match 10_i128.checked_pow(power.unsigned_abs()) {
        Some(factor) if power >= 0 => Some((value.checked_mul(factor)?, 0)),
        Some(factor) => Some((value / factor, value % factor)),
        None if power < 0 => Some((0, value)),
        None => None,
    }
}

fn canonical(amount: &Amount) -> String {
    let Amount { mantissa, exponent, format, .. } = *amount;
    if mantissa == 0 {
        return "0".to_owned();
    }
    if format == Format::Binary && mantissa.abs() >= 1024 * NANOS && mantissa % NANOS == 0 {
        let (mantissa, times) = without_factors(mantissa / NANOS, 1024);
        let suffix = BINARY.iter().find(|&&(_, power)| power == times * 10).map_or("", |(name, _)| name);
        return format!("{mantissa}{suffix}");
    }
    let (mut mantissa, times) = without_factors(mantissa, 10);
    let mut exponent = exponent + times;
    // Suffixes come by thousands, so up to two of the zeros taken off are put back.
    while exponent % 3 != 0 {
        mantissa *= 10;
        exponent -= 1;
    }
    match format {
        Format::Exponent if exponent != 0 => format!("{mantissa}e{exponent}"),
        Format::Exponent => mantissa.to_string(),
        // kubectl has no suffix beyond the last, and then shows none.
        Format::Decimal | Format::Binary => {
            let suffix = DECIMAL.iter().find(|&&(_, power)| power == exponent).map_or("", |(name, _)| name);
            format!("{mantissa}{suffix}")
        }
    }
}

/// The number without the factor that it holds `times` times.
fn without_factors(mut number: i128, factor: i128) -> (i128, i32) {
    let mut times = 0;
    while number != 0 && number % factor == 0 {
        number /= factor;
        times += 1;
    }
    (number, times)
}
