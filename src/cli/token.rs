//! `recflow token`: what programs show the daemon. The secret is printed once, on standard output, and nowhere kept.

use std::io::{self, Write};

use recflow_state::{Store, TokenRow, UnixMs};

use super::exit::{Exit, Failure};
use super::peer::open_for_writing;
use super::status::now;
use super::user::audit;
use crate::engine::timestamp;
use crate::server::auth::Scope;
use crate::server::auth::secret::{DAY_MS, api_token};
use crate::workspace::Workspace;

/// Arguments of `recflow token`.
#[derive(Debug, clap::Args)]
#[command(after_help = "A token never may more than its user. `metrics` opens /metrics and nothing else.

Examples:
  recflow token create ci --user ann --role operator --days 30 > token.txt
  recflow token revoke 3f9a0c1d2e
  curl -H \"Authorization: Bearer $(cat token.txt)\" http://127.0.0.1:8080/api/v1/runs")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a token and print its secret, which cannot be had again.
    Create {
        /// What it is for, such as `ci`.
        name: String,
        /// For whom it acts; not needed if there is one user.
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        /// What it may at most.
        #[arg(long, value_name = "ROLE", default_value = "viewer", value_enum)]
        role: Scope,
        /// After how many days it ends; 0 for never.
        #[arg(long, value_name = "DAYS", default_value = "90", value_parser = clap::value_parser!(u32).range(0..=3650))]
        days: u32,
    },
    /// List tokens, without their secrets.
    List {
        /// Only of this user.
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token.
    Revoke {
        /// Its id, as `recflow token list` shows it.
        id: String,
    },
}

pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let store = open_for_writing(workspace)?;
    match args.verb {
        Verb::Create { name, user, role, days } => create(&store, name, user, role, days, out)?,
        Verb::List { user, json } => list(&store, user.as_deref(), json, out)?,
        Verb::Revoke { id } => {
            let is_there = store.write(|tx| -> recflow_state::Result<bool> {
                let is_there = tx.remove_token(&id, None)?;
                if is_there {
                    audit(tx, "revokeToken", &id, "")?;
                }
                Ok(is_there)
            })?;
            if !is_there {
                return Err(Failure::usage(format!("there is no token `{id}`")).with_hint("`recflow token list` shows them"));
            }
            writeln!(out, "token {id} is revoked")?;
        }
    }
    Ok(Exit::Success)
}

fn create(store: &Store, name: String, user: Option<String>, scope: Scope, days: u32, out: &mut dyn Write) -> Result<(), Failure> {
    let user = whose(store, user)?;
    let at = now();
    let expires_at = (days > 0).then(|| UnixMs(at.0 + i64::from(days) * DAY_MS));
    let (secret, row) = api_token(user, name, scope, expires_at, at)?;
    store.write(|tx| {
        tx.add_token(&row)?;
        audit(tx, "createToken", &row.id, &format!("{} of {}, role {}", row.name, row.user, row.scope))
    })?;
    let until = row.expires_at.map_or("never ends".to_owned(), |at| format!("ends {:.10}", timestamp(at).to_string()));
    writeln!(io::stderr(), "token {} of {}, {}, {until}", row.id, row.user, row.scope)?;
    writeln!(out, "{}", secret.reveal())?;
    Ok(())
}

fn whose(store: &Store, user: Option<String>) -> Result<String, Failure> {
    let names: Vec<String> = store.read(|view| view.users())?.into_iter().map(|row| row.name).collect();
    match (user, names.as_slice()) {
        (Some(user), _) if names.contains(&user) => Ok(user),
        (None, [only]) => Ok(only.clone()),
        (_, []) => Err(Failure::usage("there is no user yet").with_hint("`recflow user add NAME --role operator` adds one")),
        (Some(user), _) => Err(Failure::usage(format!("there is no user `{user}`")).with_hint(format!("there are {}", names.join(", ")))),
        (None, _) => Err(Failure::usage("a token acts for somebody").with_hint(format!("give --user: {}", names.join(", ")))),
    }
}

fn list(store: &Store, user: Option<&str>, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let rows = store.read(|view| view.tokens(user))?;
    let time = |at: UnixMs| timestamp(at).to_string();
    if json {
        let fact = |row: &TokenRow| {
            serde_json::json!({
                "id": row.id, "name": row.name, "user": row.user, "role": row.scope, "created_at": time(row.created_at),
                "expires_at": row.expires_at.map(time), "last_used_at": row.last_used_at.map(time),
            })
        };
        serde_json::to_writer_pretty(&mut *out, &rows.iter().map(fact).collect::<Vec<_>>())?;
        return Ok(writeln!(out)?);
    }
    for row in rows {
        let ends = match row.expires_at {
            None => "never ends".to_owned(),
            Some(at) if at <= now() => format!("ended {:.10}", time(at)),
            Some(at) => format!("ends {:.10}", time(at)),
        };
        let used = row.last_used_at.map_or("not used".to_owned(), |at| format!("used {:.16}", time(at)));
        writeln!(out, "{:<12} {:<16} {:<16} {:<8} {ends:<16} {used}", row.id, row.name, row.user, row.scope)?;
    }
    Ok(())
}
