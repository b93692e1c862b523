//! What `recflow recommend` and `recflow predict` share: the choice of a model, and a context outside any run.

use std::io::Write;
use std::sync::Arc;

use recflow_stages::recommend::ask::ModelChoice;
use recflow_stages::{Context, Level, PublishKey, Report, Reporter, WorkspacePath};

use crate::workspace::Workspace;

/// Which model is asked, and how the answer is printed.
#[derive(Debug, clap::Args)]
pub(super) struct ModelArgs {
    /// The model: `current`, `latest`, a version, or a path with a `/` in it.
    #[arg(long, value_name = "MODEL", default_value = "current")]
    model: String,
    /// Folder of model versions.
    #[arg(long, value_name = "DIR", default_value = "models/artifacts")]
    models: String,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl ModelArgs {
    /// The choice; relative paths refer to the workspace.
    pub(super) fn choice(&self) -> ModelChoice {
        ModelChoice { model: self.model.clone(), models: WorkspacePath::from(self.models.as_str()) }
    }
}

/// A context that prints warnings on standard error. Nothing is published under its key.
pub(super) fn context(workspace: &Workspace) -> Context {
    let mut context = Context::plain(workspace.root(), PublishKey::new("cli", "ask", 0));
    context.home = workspace.home().to_owned();
    context.reporter = Arc::new(Warnings);
    context
}

struct Warnings;

impl Reporter for Warnings {
    fn report(&self, report: Report) {
        if let Report::Log { level: Level::Warn | Level::Error, message } = report {
            // If nobody reads standard error there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "warning: {message}");
        }
    }
}
