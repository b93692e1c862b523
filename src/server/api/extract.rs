//! What handlers take: the query, the body and the names in the path, typed. What does not fit is answered with a [`Problem`] that names it.

use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer, Serialize};

use crate::server::problem::Problem;

/// The largest body: a pipeline's text is at most 1 MiB, and JSON may double it.
pub(crate) const BODY_BYTES_MAX: usize = 2 << 20;
/// How long a client may take to send it.
const BODY_WITHIN: Duration = Duration::from_secs(15);

/// The query, each parameter a member of `T`.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(error) => {
                let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                Err(Problem::bad_request(format!("the query is not what this call takes: {cause}")))
            }
        }
    }
}

/// The names in the path. One that cannot be such a name is the name of nothing.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(error) => Err(Problem::new(StatusCode::NOT_FOUND, "unknown-name", error.body_text())),
        }
    }
}

/// A JSON body. An empty one counts as `{}`.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = read(request).await?;
        if !is_json && !bytes.is_empty() {
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "the body is not JSON");
            return Err(problem.with_hint("send JSON with `Content-Type: application/json`"));
        }
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        // Members are told by their names: a list of values in their order is not one of them, though serde would take it.
        if text.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::bad_request("the body is not what this call takes: it is no JSON object"));
        }
        match serde_json::from_slice(text) {
            Ok(body) => Ok(Self(body)),
            Err(error) => Err(Problem::bad_request(format!("the body is not what this call takes: {error}"))),
        }
    }
}

fn is_json(request: &Request) -> bool {
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    given.is_some_and(|given| given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json"))
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_WITHIN, to_bytes(request.into_body(), BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let detail = format!("the body is larger than {BODY_BYTES_MAX} bytes, or was cut off");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail))
        }
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "the body took too long to arrive")),
    }
}

/// A whole number, however JSON writes it: `30` and `30.0` are the same number to JSON Schema, and so to clients. For members of a body:
/// `#[serde(default, deserialize_with = "whole")]`.
pub(crate) fn whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else { return Ok(None) };
    let from_float = |value: f64| (value.fract() == 0.0 && (0.0..=9e15).contains(&value)).then_some(value as u64);
    let value = number.as_u64().or_else(|| number.as_f64().and_then(from_float));
    let whole = value.and_then(|value| T::try_from(value).ok());
    whole.map(Some).ok_or_else(|| D::Error::custom(format!("expected a whole number that is not negative and not too large, not {number}")))
}

/// JSON as an answer.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
            Err(error) => Problem::internal(format!("the answer cannot be written as JSON: {error}")).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Days {
        #[serde(default, deserialize_with = "super::whole")]
        days: Option<u32>,
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let read = |text: &str| serde_json::from_str::<Days>(text).map(|read| read.days);
        for (text, days) in [
            (r#"{"days":30}"#, Some(30)),
            (r#"{"days":30.0}"#, Some(30)),
            (r#"{"days":3e1}"#, Some(30)),
            (r#"{"days":null}"#, None),
            ("{}", None),
        ] {
            assert_eq!(read(text).unwrap(), days, "{text}");
        }
        for text in [r#"{"days":30.5}"#, r#"{"days":-1}"#, r#"{"days":1e300}"#, r#"{"days":4294967296}"#, r#"{"days":"30"}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
