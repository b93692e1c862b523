//! `recflow history`: what was due when, what became of it, and why. Never writes.

use std::io::{self, Write};

use recflow_state::{Error, UnixMs, View};

use super::exit::{Exit, Failure};
use super::status::{now, open_store, print_json, warn_of_damage};
use super::{Terminal, view, when};
use crate::facts::history::{Entry, Span, history, names};
use crate::workspace::Workspace;

/// Arguments of `recflow history`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow history drift-retrain
  recflow history --since 7d --csv > history.csv
  recflow history drift-retrain --json | jq '.[] | select(.became == \"skipped\") | .reason'

An entry is a slot of a schedule, with its run or the reason why there is none, or a run that something else started.")]
pub(super) struct Args {
    /// The pipeline [default: all].
    pipeline: Option<String>,
    /// Since then: 2d (ago), 2027-03-27, 2027-03-27T02:00 or 2027-03-27T01:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Until then.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many entries, newest first.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// Print JSON: a list of entries.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV with a header.
    #[arg(long)]
    csv: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let now = now();
    let time = |flag, text: &Option<String>| text.as_deref().map(|text| when::instant(flag, text, now)).transpose();
    let span = Span {
        since: time("--since", &args.since)?.unwrap_or(UnixMs(i64::MIN)),
        until: time("--until", &args.until)?.unwrap_or(UnixMs(i64::MAX)),
        limit: args.limit,
    };
    let look = |view: &View<'_>| {
        let known = names(view)?;
        let wanted = args.pipeline.clone().map_or_else(|| known.clone(), |name| vec![name]);
        Ok((history(&wanted, &span, view, workspace, now)?, known))
    };
    let ((entries, known), damage) = match open_store(workspace) {
        Ok(store) => store.read_around_damage(look)?,
        Err(Error::NoStore { .. }) => ((Vec::new(), Vec::new()), Vec::new()),
        Err(error) => return Err(error.into()),
    };
    if let Some(name) = args.pipeline.as_ref().filter(|name| entries.is_empty() && !known.contains(name)) {
        let hint = if known.is_empty() { "nothing has run yet".to_owned() } else { format!("there are {}", known.join(", ")) };
        return Err(Failure::usage(format!("nothing is known of a pipeline `{name}`")).with_hint(hint));
    }
    match (args.json, args.csv) {
        (true, _) => print_json(&entries, out)?,
        (_, true) => csv(&entries, out)?,
        _ if entries.is_empty() => writeln!(out, "nothing was due and nothing ran in that time")?,
        _ => view::events(&entries, now, terminal.out_color, out)?,
    }
    out.flush()?;
    warn_of_damage(&damage)?;
    Ok(Exit::Success)
}

fn csv(entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "pipeline,due,due_until,slots,became,reason,run,trigger,created_at,started_at,ended_at,waited_seconds,seconds")?;
    let text = |value: &Option<String>| quoted(value.as_deref().unwrap_or_default());
    let number = |value: Option<f64>| value.map(|value| format!("{value:.3}")).unwrap_or_default();
    for entry in entries {
        let fields = [
            quoted(&entry.pipeline),
            text(&entry.due),
            text(&entry.due_until),
            entry.slots.to_string(),
            quoted(&entry.became),
            text(&entry.reason),
            text(&entry.run),
            entry.trigger.unwrap_or_default().to_owned(),
            text(&entry.created_at),
            text(&entry.started_at),
            text(&entry.ended_at),
            number(entry.waited_seconds),
            number(entry.seconds),
        ];
        writeln!(out, "{}", fields.join(","))?;
    }
    Ok(())
}

/// A field as RFC 4180 has it. A reason may begin as a formula does, which a spreadsheet must not execute.
fn quoted(field: &str) -> String {
    let defused = if field.starts_with(['=', '+', '-', '@']) { format!("'{field}") } else { field.to_owned() };
    if defused.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", defused.replace('"', "\"\"")) } else { defused }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_it_must_be_and_is_never_a_formula() {
        assert_eq!([quoted("plain"), quoted("a, \"b\""), quoted("=1+1")], ["plain", "\"a, \"\"b\"\"\"", "'=1+1"]);
    }
}
