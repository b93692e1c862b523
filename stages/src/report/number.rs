//! Numbers as people read them. What is no number, or not known, is a dash.

/// What stands for a number that is not known.
pub const UNKNOWN: &str = "–";

/// A figure with so many decimals.
pub fn figure(value: Option<f64>, decimals: usize) -> String {
    match value {
        Some(value) if value.is_finite() => {
            let text = format!("{value:.decimals$}");
            // What rounds to nothing has no sign.
            let is_zero = text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.');
            (if is_zero { text.trim_start_matches('-').to_owned() } else { text }).replace('-', "\u{2212}")
        }
        _ => UNKNOWN.to_owned(),
    }
}

/// A difference, its sign always shown.
pub fn signed(value: Option<f64>, decimals: usize) -> String {
    let text = figure(value, decimals);
    let is_positive = value.is_some_and(|value| value > 0.0) && text.chars().any(|c| ('1'..='9').contains(&c));
    if is_positive { format!("+{text}") } else { text }
}

/// A share, 0 to 1, in percent.
pub fn percent(share: Option<f64>) -> String {
    match share {
        Some(share) if share.is_finite() => format!("{} %", figure(Some(share * 100.0), 1)),
        _ => UNKNOWN.to_owned(),
    }
}

/// A count with narrow blanks between thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len());
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1 rating`, `2 ratings`.
pub fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A duration: `0.04 s`, `12.3 s`, `2 min 05 s`, `1 h 02 min`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        seconds if !seconds.is_finite() || seconds < 0.0 => UNKNOWN.to_owned(),
        seconds if seconds < 9.995 => format!("{seconds:.2} s"),
        seconds if seconds < 59.95 => format!("{seconds:.1} s"),
        seconds => match seconds.round() as u64 {
            whole @ 0..3_600 => format!("{} min {:02} s", whole / 60, whole % 60),
            whole => format!("{} h {:02} min", whole / 3_600, whole % 3_600 / 60),
        },
    }
}

/// The number on an axis, whose neighbours lie `step` away: as many decimals as tell them apart.
pub(super) fn tick(value: f64, step: f64) -> String {
    let size = value.abs();
    if size >= 1e12 || (size > 0.0 && step < 1e-6) {
        return format!("{value:.1e}").replace('-', "\u{2212}");
    }
    for (unit, name) in [(1e9, "G"), (1e6, "M"), (1e4, "k")] {
        // From 10 000 on in thousands: 10k, 12.5k.
        let unit = if name == "k" { 1e3 } else { unit };
        if size >= unit && (name != "k" || step >= 1e3) {
            return format!("{}{name}", figure(Some(value / unit), decimals(step / unit)));
        }
    }
    figure(Some(value), decimals(step))
}

/// Decimals that a multiple of `step` has.
fn decimals(step: f64) -> usize {
    (0..9).find(|&decimals| (step * 10_f64.powi(decimals as i32)).fract() < 1e-6).unwrap_or(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([figure(Some(0.12345), 3), figure(Some(-0.5), 2), figure(Some(-0.0001), 2)], ["0.123", "−0.50", "0.00"]);
        assert_eq!([figure(None, 2), figure(Some(f64::NAN), 2), figure(Some(f64::INFINITY), 2)], ["–"; 3]);
        assert_eq!(
            [signed(Some(0.25), 2), signed(Some(-0.25), 2), signed(Some(0.001), 2), signed(None, 1)],
            ["+0.25", "−0.25", "0.00", "–"]
        );
        assert_eq!([percent(Some(0.1234)), percent(None)], ["12.3 %", "–"]);
        assert_eq!([count(7), count(1_234_567)], ["7", "1\u{202f}234\u{202f}567"]);
        assert_eq!([counted(1, "user"), counted(0, "user")], ["1 user", "0 users"]);
        let durations = [0.041, 12.34, 59.96, 125.4, 3_599.7, 7_322.0, -1.0].map(duration);
        assert_eq!(durations, ["0.04 s", "12.3 s", "1 min 00 s", "2 min 05 s", "1 h 00 min", "2 h 02 min", "–"]);
    }

    #[test]
    fn ticks_have_the_decimals_of_their_step() {
        assert_eq!([tick(0.30000000000000004, 0.1), tick(2.0, 1.0), tick(0.0, 0.25), tick(-1.5, 0.5)], ["0.3", "2", "0.00", "−1.5"]);
        assert_eq!([tick(20_000.0, 10_000.0), tick(2_500.0, 500.0), tick(1.5e6, 5e5), tick(3e9, 1e9)], ["20k", "2500", "1.5M", "3G"]);
        assert_eq!([tick(1e13, 1e12), tick(3e-7, 1e-7)], ["1.0e13", "3.0e−7"]);
    }
}
