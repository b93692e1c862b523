//! `recflow openapi`: the OpenAPI document of the daemon's API.

use std::io::Write;

/// Print the OpenAPI 3.1 document of the daemon's API.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow openapi > openapi.json
  recflow openapi | jq '.paths | keys'")]
pub(super) struct Args {}

/// Prints the document on `out`.
pub(super) fn run(_: Args, out: &mut dyn Write) -> anyhow::Result<()> {
    out.write_all(crate::server::openapi().as_bytes())?;
    Ok(())
}
