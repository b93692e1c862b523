//! Instants, spans and sizes as JSON has them.

use recflow_state::UnixMs;

use crate::engine::timestamp;

/// An instant as JSON has it: RFC 3339, in UTC.
pub fn time(at: UnixMs) -> String {
    timestamp(at).to_string()
}

/// The seconds from one instant to another; a clock that was set back makes no negative ones.
pub fn seconds(start: UnixMs, end: UnixMs) -> f64 {
    (end.0 - start.0).max(0) as f64 / 1e3
}

/// Bytes in MiB, to a tenth.
pub fn mebibytes(bytes: u64) -> f64 {
    (bytes as f64 / 1_048_576.0 * 10.0).round() / 10.0
}
