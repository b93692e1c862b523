//! Who there is: for administrators.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use recflow_state::{Tx, UserRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::extract::{Body, Json, Path};
use super::operation::{Content, Operation};
use super::page::Page;
use crate::server::auth::audit::Note;
use crate::server::auth::sign_in::checked;
use crate::server::auth::{Role, is_name, password};
use crate::server::problem::Problem;

pub(super) fn operations() -> Vec<Operation> {
    let tag = "Users";
    vec![
        Operation::get("/api/v1/users", "listUsers")
            .about(tag, "Everybody who may sign in")
            .role(Role::Admin)
            .answers::<Page<User>>(StatusCode::OK)
            .by(list),
        Operation::post("/api/v1/users", "addUser")
            .about(tag, "Add somebody")
            .role(Role::Admin)
            .body::<NewUser>()
            .answers::<User>(StatusCode::CREATED)
            .fails(&[StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS])
            .by(add),
        Operation::patch("/api/v1/users/{user}", "changeUser")
            .about(tag, "Give somebody another role or another password; ends their sessions")
            .body::<UserChange>()
            .answers::<User>(StatusCode::OK)
            .fails(&[StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS])
            .by(change),
        Operation::delete("/api/v1/users/{user}", "removeUser")
            .about(tag, "Remove somebody with their sessions and tokens")
            .role(Role::Admin)
            .answers_with(StatusCode::NO_CONTENT, Content::Nothing)
            .fails(&[StatusCode::CONFLICT])
            .by(remove),
    ]
}

/// Somebody.
#[derive(Debug, Serialize, JsonSchema)]
struct User {
    /// Their name.
    user: String,
    /// What they may do: `viewer`, `operator` or `admin`.
    role: String,
    /// Whether they have a password; else only a link signs them in.
    has_password: bool,
    /// When they were added, RFC 3339.
    created_at: String,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        let created_at = crate::engine::timestamp(row.created_at).to_string();
        Self { user: row.name, role: row.role, has_password: row.password.is_some(), created_at }
    }
}

/// Somebody new.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    /// Their name: 1 to 64 of `a-z`, `0-9`, `.`, `_`, `@` and `-`, the first a letter or a digit.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9._@-]{0,63}$"))]
    user: String,
    /// What they may do.
    role: Role,
    /// Their password: at least 10 characters. Without one, `recflow user link` prints a link that signs them in.
    #[schemars(length(min = 10, max = 1024))]
    password: Option<String>,
}

/// What is to become of somebody; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UserChange {
    /// What they may do.
    role: Option<Role>,
    /// Their password: at least 10 characters.
    #[schemars(length(min = 10, max = 1024))]
    password: Option<String>,
}

async fn list(State(api): State<Arc<Api>>) -> Result<Json<Page<User>>, Problem> {
    let rows = api.read(|view| view.users()).await?;
    Ok(Json(Page::whole(rows.into_iter().map(User::from).collect())))
}

async fn add(State(api): State<Arc<Api>>, Body(body): Body<NewUser>) -> Result<Response, Problem> {
    let NewUser { user: name, role, password } = body;
    if !is_name(&name) {
        let problem = Problem::invalid("bad-name", format!("`{name}` cannot be a name"));
        return Err(problem.with_hint("1 to 64 of a-z, 0-9, `.`, `_`, `@` and `-`, the first a letter or a digit"));
    }
    let row = UserRow { password: hashed(&api, &name, password).await?, name, role: role.to_string(), created_at: api.now() };
    let user = api
        .write(move |tx| match tx.add_user(&row)? {
            true => Ok(User::from(row)),
            false => Err(Problem::conflict("name-taken", format!("there is a user `{}` already", row.name))),
        })
        .await?;
    let note = Note { user: None, object: Some(user.user.clone()), detail: format!("role {role}") };
    let mut response = (StatusCode::CREATED, Json(user)).into_response();
    response.extensions_mut().insert(note);
    Ok(response)
}

async fn change(State(api): State<Arc<Api>>, Path(name): Path<String>, Body(body): Body<UserChange>) -> Result<Response, Problem> {
    let UserChange { role, password } = body;
    let detail = [role.map(|role| format!("role {role}")), password.is_some().then(|| "password".to_owned())];
    let stored = hashed(&api, &name, password).await?;
    let row = api
        .write(move |tx| {
            let row = tx.user(&name)?.ok_or_else(|| Problem::unknown("user", &name))?;
            if let Some(role) = role {
                keep_an_admin(tx, &row, Some(role))?;
                tx.set_user_role(&name, role.as_str())?;
            }
            if let Some(stored) = stored {
                tx.set_user_password(&name, Some(&stored))?;
            }
            tx.remove_sessions(&name, None)?;
            tx.user(&name)?.ok_or_else(|| Problem::unknown("user", &name))
        })
        .await?;
    api.auth.forget();
    let mut response = Json(User::from(row)).into_response();
    response.extensions_mut().insert(Note { detail: detail.into_iter().flatten().collect::<Vec<_>>().join(", "), ..Note::default() });
    Ok(response)
}

async fn remove(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    api.write(move |tx| {
        let row = tx.user(&name)?.ok_or_else(|| Problem::unknown("user", &name))?;
        keep_an_admin(tx, &row, None)?;
        tx.remove_user(&name)?;
        Ok(())
    })
    .await?;
    api.auth.forget();
    Ok(StatusCode::NO_CONTENT)
}

async fn hashed(api: &Arc<Api>, name: &str, given: Option<String>) -> Result<Option<String>, Problem> {
    let Some(given) = given else { return Ok(None) };
    if let Some(objection) = password::objection(name, &given) {
        return Err(Problem::invalid("weak-password", objection));
    }
    checked(&api.auth, move || password::hash(&given)).await.map(Some)
}

/// Fails if nobody could give access any more once this user has another role, or is gone.
fn keep_an_admin(tx: &Tx<'_>, user: &UserRow, becomes: Option<Role>) -> Result<(), Problem> {
    let is_admin = |row: &UserRow| row.role == Role::Admin.as_str();
    if becomes == Some(Role::Admin) || !is_admin(user) || tx.users()?.iter().any(|row| is_admin(row) && row.name != user.name) {
        return Ok(());
    }
    let problem = Problem::conflict("last-admin", format!("`{}` is the only administrator", user.name));
    Err(problem.with_hint("make somebody else one first"))
}
