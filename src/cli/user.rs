//! `recflow user`: who may ask the daemon. Through the store, so it works while the daemon is down, too; a running one knows within a second.

use std::io::{BufRead as _, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use recflow_state::{LinkRow, Store, Tx, UnixMs, UserRow};

use super::exit::{Exit, Failure};
use super::peer::open_for_writing;
use super::status::now;
use super::terminal_input::ask_unseen;
use crate::engine::timestamp;
use crate::server::auth::secret::{self, Secret};
use crate::server::auth::{Role, is_name, password, sign_in};
use crate::upkeep::presence::Presence;
use crate::workspace::Workspace;

/// Arguments of `recflow user`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Roles: viewer looks; operator starts, stops and mends runs and promotes models; admin gives others access and deletes.

Examples:
  recflow user add ann --role admin
  recflow user passwd ann
  recflow user link ann"
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Add somebody; prints a link that signs them in once, unless a password is given.
    Add {
        /// Their name: letters a to z, digits, `.`, `_`, `@` and `-`.
        name: String,
        /// What they may do.
        #[arg(long, value_name = "ROLE", default_value = "viewer", value_enum)]
        role: Role,
        /// File whose first line is their password; `-` is standard input.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        url: Url,
    },
    /// List everybody.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give somebody another role.
    SetRole {
        /// Their name.
        name: String,
        /// What they may do.
        #[arg(value_name = "ROLE", value_enum)]
        role: Role,
    },
    /// Set somebody's password: asks for it, or reads it from a file. Ends their sessions.
    Passwd {
        /// Their name.
        name: String,
        /// File whose first line is the password; `-` is standard input.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Remove somebody, with their sessions and tokens.
    Remove {
        /// Their name.
        name: String,
    },
    /// Print a link that signs somebody in once, within an hour: for who has no password, or forgot it.
    Link {
        /// Their name.
        name: String,
        #[command(flatten)]
        url: Url,
    },
}

/// What a link begins with.
#[derive(Debug, clap::Args)]
struct Url {
    /// Address of the server as a browser has it [default: the daemon's].
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let store = open_for_writing(workspace)?;
    match args.verb {
        Verb::Add { name, role, password_file, url } => add(&store, workspace, &name, role, password_file.as_deref(), &url, out)?,
        Verb::List { json } => list(&store, json, out)?,
        Verb::SetRole { name, role } => {
            change(&store, "setRole", &name, role.as_str(), |tx| tx.set_user_role(&name, role.as_str()))?;
            writeln!(out, "{name} is {role} now")?;
        }
        Verb::Passwd { name, password_file } => {
            let given = match password_file {
                Some(file) => read_password(&file)?,
                None => ask_password(&name)?,
            };
            let stored = hashed(&name, &given)?;
            change(&store, "setPassword", &name, "", |tx| {
                tx.remove_sessions(&name, None)?;
                tx.set_user_password(&name, Some(&stored))
            })?;
            writeln!(out, "{name} has another password now")?;
        }
        Verb::Remove { name } => {
            change(&store, "removeUser", &name, "", |tx| tx.remove_user(&name))?;
            writeln!(out, "{name} is removed")?;
        }
        Verb::Link { name, url } => {
            let secret = Secret::new(secret::LINK)?;
            change(&store, "linkUser", &name, "", |tx| {
                tx.add_link(&link(&name, &secret, now()))?;
                tx.user(&name).map(|row| row.is_some())
            })?;
            print_link(&secret, &store, workspace, &url, out)?;
        }
    }
    Ok(Exit::Success)
}

fn add(
    store: &Store,
    workspace: &Workspace,
    name: &str,
    role: Role,
    password_file: Option<&Path>,
    url: &Url,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if !is_name(name) {
        let failure = Failure::usage(format!("`{name}` cannot be a name"));
        return Err(failure.with_hint("1 to 64 of a-z, 0-9, `.`, `_`, `@` and `-`, the first a letter or a digit"));
    }
    let stored = password_file.map(|file| hashed(name, &read_password(file)?)).transpose()?;
    let secret = Secret::new(secret::LINK)?;
    let wants_link = stored.is_none();
    let row = UserRow { name: name.to_owned(), role: role.to_string(), password: stored, created_at: now() };
    let is_new = store.write(|tx| -> recflow_state::Result<bool> {
        let is_new = tx.add_user(&row)?;
        if is_new {
            audit(tx, "addUser", name, &format!("role {role}"))?;
            if wants_link {
                tx.add_link(&link(name, &secret, now()))?;
            }
        }
        Ok(is_new)
    })?;
    if !is_new {
        let failure = Failure::usage(format!("there is a user `{name}` already"));
        return Err(failure.with_hint("`recflow user set-role`, `passwd` and `link` change who is there"));
    }
    writeln!(out, "added {name}, {role}")?;
    if wants_link { print_link(&secret, store, workspace, url, out) } else { Ok(()) }
}

fn list(store: &Store, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let rows = store.read(|view| view.users())?;
    let fact = |row: &UserRow| serde_json::json!({ "user": row.name, "role": row.role, "has_password": row.password.is_some(), "created_at": timestamp(row.created_at).to_string() });
    if json {
        serde_json::to_writer_pretty(&mut *out, &rows.iter().map(fact).collect::<Vec<_>>())?;
        return Ok(writeln!(out)?);
    }
    for row in rows {
        let how = if row.password.is_some() { "" } else { "  no password yet" };
        writeln!(out, "{:<20} {:<8} since {:.16}{how}", row.name, row.role, timestamp(row.created_at).to_string())?;
    }
    Ok(())
}

/// Changes somebody who is there, and writes down that it was done.
fn change(
    store: &Store,
    action: &str,
    name: &str,
    detail: &str,
    work: impl FnOnce(&Tx<'_>) -> recflow_state::Result<bool>,
) -> Result<(), Failure> {
    let is_there = store.write(|tx| -> recflow_state::Result<bool> {
        let is_there = tx.user(name)?.is_some() && work(tx)?;
        if is_there {
            audit(tx, action, name, detail)?;
        }
        Ok(is_there)
    })?;
    if is_there {
        return Ok(());
    }
    let names: Vec<String> = store.read(|view| view.users())?.into_iter().map(|row| row.name).collect();
    let failure = Failure::usage(format!("there is no user `{name}`"));
    Err(match names.is_empty() {
        true => failure.with_hint("`recflow user add NAME --role admin` adds the first"),
        false => failure.with_hint(format!("there are {}", names.join(", "))),
    })
}

/// Writes down what the command line did.
pub(super) fn audit(tx: &Tx<'_>, action: &str, object: &str, detail: &str) -> recflow_state::Result<()> {
    let user = std::env::var("USER").unwrap_or_default();
    tx.add_audit(&recflow_state::AuditRow {
        at: now(),
        user: user.chars().take(64).collect(),
        via: "cli".to_owned(),
        action: action.to_owned(),
        object: object.to_owned(),
        detail: detail.to_owned(),
        outcome: "done".to_owned(),
        ..recflow_state::AuditRow::default()
    })
}

fn link(name: &str, secret: &Secret, now: UnixMs) -> LinkRow {
    LinkRow { hash: secret.hash(), user: name.to_owned(), role: None, expires_at: UnixMs(now.0 + sign_in::LINK_MS) }
}

fn print_link(secret: &Secret, store: &Store, workspace: &Workspace, url: &Url, out: &mut dyn Write) -> Result<(), Failure> {
    let daemon = store.read(Presence::find)?.filter(|daemon| daemon.is_alive(workspace)).and_then(|daemon| daemon.address);
    let base = url.url.clone().unwrap_or_else(|| format!("http://{}", daemon.as_deref().unwrap_or("127.0.0.1:8080")));
    writeln!(out, "this link signs them in, once, within an hour:\n  {}/login#{}", base.trim_end_matches('/'), secret.reveal())?;
    Ok(())
}

fn hashed(name: &str, given: &str) -> Result<String, Failure> {
    match password::objection(name, given) {
        Some(objection) => Err(Failure::usage(objection)),
        None => Ok(password::hash(given)?),
    }
}

/// The first line of a file.
fn read_password(file: &Path) -> Result<String, Failure> {
    let mut line = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().read_line(&mut line)
    } else {
        std::fs::File::open(file).and_then(|file| std::io::BufReader::new(file).read_line(&mut line))
    };
    read.with_context(|| format!("cannot read the password in `{}`", file.display()))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks a person for a new password, twice.
fn ask_password(name: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        let failure = Failure::usage("there is nobody to ask for the password: standard input is not a terminal");
        return Err(failure.with_hint("give --password-file FILE, or `-` for standard input"));
    }
    let first = ask_unseen(&format!("New password of {name}: "))?;
    if first != ask_unseen("Again: ")? {
        return Err(Failure::usage("the two differ"));
    }
    Ok(first)
}
