//! Durations as kubectl and Go write them.

use std::time::Duration;

/// Reads a duration as kubectl's `--request-timeout` is read: whole seconds, or Go's durations such as `1m30s`, `1.5h` and `250ms`; none if
/// it comes to zero, which is no limit.
///
/// # Errors
/// Says what would be right.
pub(crate) fn parse(text: &str) -> Result<Option<Duration>, String> {
    let wrong = || format!("{text:?} is not a duration: give seconds, or a number with a unit such as 1s, 2m, 3h");
    let duration = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => go_duration(text).ok_or_else(wrong)?,
    };
    Ok(Some(duration).filter(|duration| !duration.is_zero()))
}

/// Go's `time.ParseDuration`, without negative ones.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|one: char| !one.is_ascii_digit() && one != '.')?;
        let (number, unit) = rest.split_at(end);
        let length = unit.find(|one: char| one.is_ascii_digit() || one == '.').unwrap_or(unit.len());
        let (unit, after) = unit.split_at(length);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        let number: f64 = number.parse().ok()?;
        total = total.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = after;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_kubectl_reads_them() {
        let seconds = |seconds: f64| Ok(Some(Duration::from_secs_f64(seconds)));
        for (text, expected) in [
            ("0", Ok(None)),
            ("0s", Ok(None)),
            ("5", seconds(5.0)),
            ("1s", seconds(1.0)),
            ("1m30s", seconds(90.0)),
            ("1.5h", seconds(5400.0)),
            ("250ms", seconds(0.25)),
            (".5s", seconds(0.5)),
            ("2µs", seconds(2e-6)),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        for text in ["", "-1", "-1s", "1x", "s", "1d", "1 s", "1.2.3s", "1s2", "99999999999999999999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
