//! Durations as kubectl and Go write them.

use std::time::Duration;

/// Parses a duration like kubectl's `--request-timeout`: whole seconds, or a Go duration such as `1m30s`, `1.5h` or
/// `250ms`. `None` is zero, which means no limit.
pub(crate) fn parse(text: &str) -> Result<Option<Duration>, String> {
    let wrong = || format!("{text:?} is not a duration such as 90s, 10m or 2h");
    let duration = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => go_duration(text).ok_or_else(wrong)?,
    };
    Ok(Some(duration).filter(|duration| !duration.is_zero()))
}

/// Parses an age: a duration that may begin with days, as kubectl prints it.
pub(crate) fn parse_age(text: &str) -> Result<Duration, String> {
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) => (days.parse::<u32>().map(u64::from).ok(), if rest.is_empty() { "0" } else { rest }),
        None => (Some(0), text),
    };
    let age = days.map(|days| Duration::from_secs(days * 24 * 60 * 60)).zip(parse(rest).ok());
    age.and_then(|(days, rest)| days.checked_add(rest.unwrap_or_default()))
        .ok_or_else(|| format!("{text:?} is not an age such as 30m, 2h, 1d or 1d12h"))
}

/// Parses like Go's `time.ParseDuration`, without negative durations.
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
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at(end);
        let length = unit.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(unit.len());
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
    fn durations_are_parsed_like_those_of_kubectl() {
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

    #[test]
    fn ages_may_have_days() {
        let hours = |hours: u64| Ok(Duration::from_secs(hours * 3600));
        for (text, expected) in [("1d", hours(24)), ("1d12h", hours(36)), ("0", hours(0)), ("2h", hours(2))] {
            assert_eq!(parse_age(text), expected, "{text}");
        }
        for text in ["", "d", "-1d", "1.5d", "1d1d", "1w", "12h1d"] {
            assert!(parse_age(text).is_err(), "{text}");
        }
    }
}
