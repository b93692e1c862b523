//! What a simulation was asked for: written down once, so that it can go on without being asked again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::period::Every;

/// Who decides whether to retrain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The pipeline, by the drift that it finds.
    Drift,
    /// Nobody: every period retrains.
    Always,
    /// Nobody: no period does.
    Never,
}

impl Policy {
    /// The value of the parameter `policy`.
    pub fn as_str(self) -> &'static str {
        match self {
            Policy::Drift => "drift",
            Policy::Always => "always",
            Policy::Never => "never",
        }
    }
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// The pipeline's file, for people.
    pub file: String,
    /// The pipeline's text.
    pub text: String,
    /// Values of its parameters, without `policy`.
    pub params: Map<String, Value>,
    /// The stream file, as given.
    pub stream: String,
    /// How the stream is cut.
    pub every: Every,
    /// Ratings before this day (`YYYY-MM-DD`) are left out.
    pub from: Option<String>,
    /// Ratings after this day are left out.
    pub to: Option<String>,
    /// The policies, in the order in which they are played.
    pub policies: Vec<Policy>,
}

/// `simulation.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// Version of this format.
    pub format: u32,
    /// When it began: RFC 3339.
    pub created_at: String,
    /// The recflow that began it.
    pub binary_version: String,
    /// What was asked for.
    pub ask: Ask,
    /// What it began with.
    pub start: StartState,
    /// Hash of what was asked for and what it began with: a command with the same goes on with an unfinished simulation.
    pub fingerprint: String,
}

/// What a simulation begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartState {
    /// Fingerprint of the processed training set.
    pub train: String,
    /// Fingerprint of the processed test set.
    pub test: String,
    /// The model that served.
    pub model: String,
    /// Size of the stream file in bytes, and its hash.
    pub stream_bytes: u64,
    /// When the stream file was last changed, in nanoseconds since 1970.
    pub stream_modified: String,
}

impl Setup {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;

    /// A setup of now.
    pub(super) fn new(ask: Ask, start: StartState, created_at: String) -> Self {
        let fingerprint = fingerprint(&ask, &start);
        Self { format: Self::FORMAT, created_at, binary_version: env!("CARGO_PKG_VERSION").to_owned(), ask, start, fingerprint }
    }
}

/// Equal if and only if both are.
fn fingerprint(ask: &Ask, start: &StartState) -> String {
    // Structs of text and numbers always become JSON; a list keeps the two apart.
    let text = serde_json::json!([ask, start]).to_string();
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}
