//! What calls outside of any run give to the data plane: where things lie, and a log for what it warns of.

use std::sync::Arc;

use recflow_stages::{Context, Level, PublishKey, Report, Reporter, storage};

use super::Api;

impl Api {
    /// A context for one call, with a publish key of this call alone.
    pub(super) fn context(&self, what: &str) -> Context {
        let call = format!("api-{:012x}", self.entropy.next() & 0xffff_ffff_ffff);
        Context {
            home: self.workspace.home().to_owned(),
            storage: storage::from_environment(),
            clock: self.clock.clone(),
            reporter: Arc::new(Warnings),
            ..Context::plain(self.workspace.root(), PublishKey::new(&call, what, 0))
        }
    }
}

/// Puts warnings into the daemon's log; progress is not shown.
struct Warnings;

impl Reporter for Warnings {
    fn report(&self, report: Report) {
        if let Report::Log { level: Level::Warn | Level::Error, message } = report {
            tracing::warn!(message, "asked over HTTP");
        }
    }
}
