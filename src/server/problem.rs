//! What went wrong with a request, as `application/problem+json` (RFC 9457): for programs a `type` and a status, for people a sentence and
//! a remedy, for whoever sent a pipeline the same diagnostics that `recflow validate --json` prints.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use recflow_stages::StageError;
use schemars::JsonSchema;
use serde::Serialize;

use crate::pipeline::DiagnosticReport;

/// Why a request was not done. Small, since it is the other side of almost every result here.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Said>);

/// What is said of a problem.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Said {
    /// What kind of problem it is, such as `urn:recflow:problem:unknown-run`.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened, in one sentence.
    detail: String,
    /// What to do about it.
    hint: Option<String>,
    /// What is wrong with the pipeline or the parameters that were sent, each at its place.
    diagnostics: Vec<DiagnosticReport>,
    /// Seconds after which asking again makes sense.
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem of a kind: one or more lower-case words joined by `-`.
    pub(crate) fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Said {
            kind: format!("urn:recflow:problem:{kind}"),
            title: kind.replace('-', " "),
            status: status.as_u16(),
            detail: detail.into(),
            hint: None,
            diagnostics: Vec::new(),
            retry_after: None,
        }))
    }

    /// A query, header or body that does not say what this call wants.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// Nobody knows who asks.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not-signed-in", detail)
    }

    /// Whoever asks may not.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not-allowed", detail)
    }

    /// There is no such thing: `thing` is `run`, `pipeline`, …
    pub(crate) fn unknown(thing: &str, name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, &format!("unknown-{}", thing.replace(' ', "-")), format!("there is no {thing} `{name}`"))
    }

    /// What is the case does not allow it: the run is over, the name is taken.
    pub(crate) fn conflict(kind: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, kind, detail)
    }

    /// What was sent is well formed, and cannot be done.
    pub(crate) fn invalid(kind: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, kind, detail)
    }

    /// Too many attempts.
    pub(crate) fn too_many(detail: impl Into<String>, retry_after_seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail).retry_after(retry_after_seconds)
    }

    /// It may work later.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(1)
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// Something failed that nobody outside can mend. It is logged, too.
    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        let detail = detail.into();
        tracing::error!(detail, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// With a remedy.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// With what is wrong, each at its place.
    #[must_use]
    pub(crate) fn with_diagnostics(mut self, diagnostics: Vec<DiagnosticReport>) -> Self {
        self.0.diagnostics = diagnostics;
        self
    }

    /// What happened and what to do about it, where there is room for text alone.
    pub(crate) fn in_words(&self) -> String {
        match &self.0.hint {
            Some(hint) => format!("{}; hint: {hint}", self.0.detail),
            None => self.0.detail.clone(),
        }
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        // A problem is made of text and numbers: writing it does not fail.
        let mut response = (status, serde_json::to_string(&self.0).unwrap_or_default()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"recflow\""));
        }
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<recflow_state::Error> for Problem {
    fn from(error: recflow_state::Error) -> Self {
        use recflow_state::Error;
        let text = error.to_string();
        let problem = match &error {
            Error::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "unknown-run", text),
            Error::Ambiguous { .. } => Self::bad_request(text),
            Error::TooLarge { .. } => Self::invalid("too-large", text),
            Error::Busy { .. } | Error::Full { .. } => Self::unavailable(text),
            _ => Self::internal(text),
        };
        match error.hint() {
            Some(hint) => problem.with_hint(hint),
            None => problem,
        }
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<recflow_state::Error>() {
            Ok(error) => error.into(),
            Err(error) => Self::internal(format!("{error:#}")),
        }
    }
}

/// What a stage refuses, asked outside a run, is what was asked for.
impl From<StageError> for Problem {
    fn from(error: StageError) -> Self {
        let problem = Self::invalid("refused", error.to_string());
        match error.hint {
            Some(hint) => problem.with_hint(hint),
            None => problem,
        }
    }
}
