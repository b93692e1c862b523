//! Exit codes, and failures as people read them.

use std::fmt::Write as _;
use std::io::{self, Write};

use recflow_stages::StageError;

/// Shown below `--help`.
pub(super) const HELP: &str = "Exit codes:
  0    it succeeded
  1    the run failed, or something went wrong on the way
  2    wrong usage, or an invalid pipeline
  130  it was interrupted (Ctrl-C)";

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It succeeded.
    Success,
    /// The run failed, or something went wrong on the way.
    Failed,
    /// Wrong usage, or an invalid pipeline.
    Usage,
    /// It was interrupted.
    Interrupted,
}

impl Exit {
    /// The code that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Interrupted => 130,
        }
    }

    /// The exit of a verb that returns its code.
    pub(super) fn from_code(code: u8) -> Self {
        match code {
            0 => Exit::Success,
            2 => Exit::Usage,
            130 => Exit::Interrupted,
            _ => Exit::Failed,
        }
    }
}

/// Why a verb could not do what it was asked to.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    /// Wrong usage.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, error: anyhow::Error::msg(message.into()), hint: None }
    }

    /// Something went wrong.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, error: anyhow::Error::msg(message.into()), hint: None }
    }

    /// What a stage could not do, asked outside a run.
    pub(super) fn stage(error: StageError) -> Self {
        let hint = error.hint.clone();
        Self { exit: Exit::Failed, error: anyhow::Error::msg(error.to_string()), hint }
    }

    /// What a person asked for and cannot be done.
    pub(super) fn misuse(error: StageError) -> Self {
        Self { exit: Exit::Usage, ..Self::stage(error) }
    }

    /// With a remedy.
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether nobody reads any more what was to be printed.
    pub(super) fn is_broken_pipe(&self) -> bool {
        self.error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe))
    }

    /// Prints the failure, its causes as an indented chain, and the remedy.
    pub(super) fn print(&self, err: &mut dyn Write, color: bool) -> io::Result<()> {
        // A pipe that nobody reads any more (`recflow logs | head`) is no news.
        if self.is_broken_pipe() {
            return Ok(());
        }
        let mut text = String::new();
        let (bold, reset) = if color { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(text, "{bold}error{reset}: {}", self.error);
        for cause in self.error.chain().skip(1) {
            let _ = writeln!(text, "  caused by: {cause}");
        }
        let remedy = self.hint.clone().or_else(|| state_error(&self.error).and_then(recflow_state::Error::hint).map(str::to_owned));
        let stage = || self.error.chain().find_map(|cause| cause.downcast_ref::<StageError>()).and_then(|error| error.hint.clone());
        let remedy = remedy.or_else(stage);
        let denied = |cause: &(dyn std::error::Error + 'static)| {
            let kinds = [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem];
            cause.downcast_ref::<io::Error>().is_some_and(|io| kinds.contains(&io.kind()))
        };
        let remedy = remedy.or_else(|| {
            let hint = "allow writing there, or name another folder with --workspace, or with --home for recflow's own files";
            self.error.chain().any(denied).then(|| hint.to_owned())
        });
        if let Some(hint) = remedy {
            let _ = writeln!(text, "\nhint: {hint}");
        }
        err.write_all(text.as_bytes())
    }
}

fn state_error(error: &anyhow::Error) -> Option<&recflow_state::Error> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        use recflow_state::Error;
        let exit = match state_error(&error) {
            Some(Error::NotFound { .. } | Error::Ambiguous { .. } | Error::NoStore { .. }) => Exit::Usage,
            _ => Exit::Failed,
        };
        Self { exit, error, hint: None }
    }
}
