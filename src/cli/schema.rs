//! `recflow schema`: the JSON Schema of the pipeline language.

use std::io::Write;

use recflow_stages::Catalog;

use crate::pipeline::schema;

const EXAMPLES: &str = "Examples:
  recflow schema > recflow.schema.json

Editors complete and check a pipeline that begins with
  # yaml-language-server: $schema=recflow.schema.json";

/// Print the JSON Schema of the pipeline language.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {}

/// Prints the schema on `out`.
pub(super) fn run(_: Args, out: &mut dyn Write, _: &mut dyn Write, _: bool) -> anyhow::Result<u8> {
    out.write_all(schema::file_text(Catalog::builtin()).as_bytes())?;
    Ok(0)
}
