//! Durations as people write them: `500ms`, `30s`, `5m`, `1h30m`, `2d`.

use std::time::Duration;

/// Units with their milliseconds, longest first: the order in which they may follow each other.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
/// Longest duration: a hundred years of days. Beyond it, sums of instants could overflow.
const MAX_MS: u64 = 36_525 * 86_400_000;

/// The forms of a duration, for messages.
pub const FORMS: &str = "500ms, 30s, 5m, 1h30m, 2d";

/// Reads a duration: whole numbers, each with a unit, units from large to small, none twice.
///
/// # Errors
/// What is wrong, as a fragment: `a duration needs a unit`.
pub fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    let (mut total, mut next_unit) = (0_u64, 0);
    if rest.is_empty() {
        return Err("a duration is empty".to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (count, after) = rest.split_at(digits);
        if count.is_empty() {
            return Err(format!("`{text}` is not a duration"));
        }
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        if unit.is_empty() {
            return Err(format!("the duration `{text}` needs a unit"));
        }
        let place = UNITS.iter().position(|(name, _)| *name == unit).ok_or_else(|| format!("`{unit}` is not a unit of time"))?;
        if place < next_unit {
            return Err(format!("in the duration `{text}`, units must go from large to small"));
        }
        let length = count.parse::<u64>().ok().and_then(|count| count.checked_mul(UNITS[place].1));
        total = length.and_then(|length| total.checked_add(length)).filter(|total| *total <= MAX_MS).ok_or("a duration over 100 years")?;
        next_unit = place + 1;
        rest = after;
    }
    Ok(Duration::from_millis(total))
}

/// Writes a duration in the form that [`parse`] reads; what is below a millisecond is dropped.
pub fn format(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, length) in UNITS {
        if rest >= length {
            text.push_str(&format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_form_has_its_length_and_nothing_else_is_a_duration() {
        for (text, ms) in [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("0s", 0)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "30", "1.5h", "-1s", "30m1h", "1s1s", "5 m", "m", "5min", "1h30", "99999999999999999999s", "40000d", "1s\u{661}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(ms in 0..MAX_MS) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        #[test]
        fn any_text_is_a_duration_or_an_error(text in "\\PC{0,12}") {
            let _ = parse(&text);
        }
    }
}
