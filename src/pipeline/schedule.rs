//! When a pipeline starts by itself. Checked here; acted upon by the scheduler.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cron::Cron;

/// One schedule of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Cron or interval.
    pub when: When,
    /// The IANA time zone that cron's fields are read in.
    pub timezone: TimeZone,
    /// The first instant at which it may fire.
    pub start: Option<Timestamp>,
    /// The last instant at which it may fire.
    pub end: Option<Timestamp>,
    /// What happens to firings that were missed.
    pub catchup: Catchup,
    /// Missed firings older than this are not caught up.
    pub catchup_window: Option<Duration>,
    /// What happens to a firing while `max_active_runs` runs are active.
    pub overlap: Overlap,
    /// What daylight saving does to it.
    pub dst: Dst,
}

/// At which instants.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// By the calendar.
    Cron(Cron),
    /// Each time this has passed; at least a second.
    Every(Duration),
}

/// Defines an enum of words, so that the word of each variant stands in one place.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// The words for it in a pipeline, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word of the value.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word),+
                }
            }

            /// The value of a word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some($name::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

pub(super) use words;

words! {
    /// What happens to firings that were missed while nothing ran.
    Catchup {
        /// They are skipped.
        None = "none",
        /// The latest is made up for.
        #[default]
        Latest = "latest",
        /// Each is made up for.
        All = "all",
    }
}

words! {
    /// What happens to a firing while `max_active_runs` runs are active.
    Overlap {
        /// It waits.
        #[default]
        Queue = "queue",
        /// It is skipped.
        Skip = "skip",
        /// The active run is cancelled.
        CancelRunning = "cancel_running",
    }
}

words! {
    /// What daylight saving does to a firing at a fixed time that does not exist, or exists twice.
    Dst {
        /// Vixie cron's rule: once, right after a gap; once in an overlap.
        #[default]
        Vixie = "vixie",
        /// Not in a gap; once in an overlap.
        Skip = "skip",
        /// Not in a gap; twice in an overlap.
        Both = "both",
    }
}
