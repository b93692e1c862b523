//! The table of the API: one [`Operation`] a call. The router, the OpenAPI document, the check of roles and the tests that try every call
//! without credentials all read it, so none of them can forget one.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Api;
use crate::server::auth::Role;

/// Writes the schema of a type into a document.
pub(crate) type SchemaFn = fn(&mut SchemaGenerator) -> Schema;

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody: signing in.
    Open,
    /// Whoever has at least this role.
    Role(Role),
}

/// What an answer's body is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content {
    /// JSON of a type.
    Json(SchemaFn),
    /// Something else, by its media type: `text/html`, `text/event-stream`.
    Media(&'static str),
    /// No body.
    Nothing,
}

/// What of an operation does not depend on who serves it.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) method: Method,
    /// As the router writes it: `/api/v1/runs/{run}`. Names in braces are in the glossary of [`super::openapi`](mod@super::openapi).
    pub(crate) path: &'static str,
    /// `operationId`: verb and noun, such as `getRun`. What the audit log calls it.
    pub(crate) id: &'static str,
    /// The heading that it stands under.
    pub(crate) tag: &'static str,
    /// What it does, in a sentence without a final stop.
    pub(crate) summary: &'static str,
    pub(crate) access: Access,
    pub(crate) query: Option<SchemaFn>,
    pub(crate) body: Option<SchemaFn>,
    pub(crate) answers: Vec<(StatusCode, Content)>,
    /// Whether it changes nothing although it is a `POST`, its question being too long for a path. Such calls are not audited.
    pub(crate) is_question: bool,
    /// Statuses of the problems that it may answer with, beside those that follow from the rest (such as 404 for a name in the path).
    pub(crate) fails: Vec<StatusCode>,
}

/// One call of the API.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) facts: Facts,
    pub(crate) handler: MethodRouter<Arc<Api>>,
}

impl Operation {
    fn new(method: Method, path: &'static str, id: &'static str, access: Access) -> Self {
        let facts = Facts {
            method,
            path,
            id,
            tag: "",
            summary: "",
            access,
            query: None,
            body: None,
            answers: Vec::new(),
            is_question: false,
            fails: Vec::new(),
        };
        Self { facts, handler: MethodRouter::new() }
    }

    /// A read, for viewers.
    pub(crate) fn get(path: &'static str, id: &'static str) -> Self {
        Self::new(Method::GET, path, id, Access::Role(Role::Viewer))
    }

    /// A change, for operators.
    pub(crate) fn post(path: &'static str, id: &'static str) -> Self {
        Self::new(Method::POST, path, id, Access::Role(Role::Operator))
    }

    /// A change of some members, for administrators.
    pub(crate) fn patch(path: &'static str, id: &'static str) -> Self {
        Self::new(Method::PATCH, path, id, Access::Role(Role::Admin))
    }

    /// A removal, for operators.
    pub(crate) fn delete(path: &'static str, id: &'static str) -> Self {
        Self::new(Method::DELETE, path, id, Access::Role(Role::Operator))
    }

    /// Under which heading it stands, and what it does.
    #[must_use]
    pub(crate) fn about(mut self, tag: &'static str, summary: &'static str) -> Self {
        (self.facts.tag, self.facts.summary) = (tag, summary);
        self
    }

    /// For this role and those above it.
    #[must_use]
    pub(crate) fn role(mut self, role: Role) -> Self {
        self.facts.access = Access::Role(role);
        self
    }

    /// For anybody. The path must be in the guard's list of open routes, too.
    #[must_use]
    pub(crate) fn open(mut self) -> Self {
        self.facts.access = Access::Open;
        self
    }

    /// With a query, each member of the type being a parameter.
    #[must_use]
    pub(crate) fn query<T: JsonSchema>(mut self) -> Self {
        self.facts.query = Some(T::json_schema);
        self
    }

    /// With a JSON body.
    #[must_use]
    pub(crate) fn body<T: JsonSchema>(mut self) -> Self {
        self.facts.body = Some(T::json_schema);
        self
    }

    /// Answers with JSON.
    #[must_use]
    pub(crate) fn answers<T: JsonSchema>(self, status: StatusCode) -> Self {
        self.answers_with(status, Content::Json(|generator| generator.subschema_for::<T>()))
    }

    /// Answers with something else, or nothing.
    #[must_use]
    pub(crate) fn answers_with(mut self, status: StatusCode, content: Content) -> Self {
        self.facts.answers.push((status, content));
        self
    }

    /// May fail with these, beside what follows from the rest.
    #[must_use]
    pub(crate) fn fails(mut self, statuses: &[StatusCode]) -> Self {
        self.facts.fails.extend_from_slice(statuses);
        self
    }

    /// For viewers: it changes nothing, its question is only too long for a path.
    #[must_use]
    pub(crate) fn question(mut self) -> Self {
        (self.facts.is_question, self.facts.access) = (true, Access::Role(Role::Viewer));
        self
    }

    /// Served by `handler`.
    #[must_use]
    pub(crate) fn by<H: Handler<T, Arc<Api>>, T: 'static>(mut self, handler: H) -> Self {
        let filter = match self.facts.method {
            Method::POST => MethodFilter::POST,
            Method::PATCH => MethodFilter::PATCH,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        self.handler = on(filter, handler);
        self
    }
}

impl Facts {
    /// The names in braces of the path, in order.
    pub(crate) fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Whether it changes something.
    pub(crate) fn is_change(&self) -> bool {
        self.method != Method::GET && !self.is_question
    }
}
