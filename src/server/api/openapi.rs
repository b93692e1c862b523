//! The OpenAPI 3.1 document, written from the table of operations. Its dialect of JSON Schema is the one that the types derive, so nothing
//! is translated.

use axum::http::{Method, StatusCode};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::operation::{Access, Content, Facts, Operation, SchemaFn};
use crate::server::problem::Said;

/// The document as text, two spaces deep.
pub(crate) fn text(operations: &[Operation]) -> String {
    let mut text = format!("{:#}", document(operations));
    text.push('\n');
    text
}

/// The document.
pub(crate) fn document(operations: &[Operation]) -> Value {
    let mut writer = Writer::new();
    let mut paths = Map::new();
    let mut tags: Vec<&str> = Vec::new();
    for operation in operations {
        let facts = &operation.facts;
        let item = paths.entry(facts.path).or_insert_with(|| Value::Object(Map::new()));
        item[facts.method.as_str().to_ascii_lowercase()] = writer.operation(facts);
        if !tags.contains(&facts.tag) {
            tags.push(facts.tag);
        }
    }
    let problem = writer.answers.subschema_for::<Said>().to_value();
    let mut schemas = writer.answers.take_definitions(true);
    schemas.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "recflow",
            "version": "1",
            "description": "What a recflow daemon does over HTTP. Conventions and examples: docs/api.md.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "session": [] }],
        "tags": tags.iter().map(|tag| json!({ "name": tag })).collect::<Value>(),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "An API token: `recflow token create`." },
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "recflow_session",
                    "description": "What signing in sets; `__Host-recflow_session` under TLS. Changes want the header `X-CSRF-Token`, too.",
                },
            },
            "responses": {
                "Problem": { "description": "Why it was not done.", "content": { "application/problem+json": { "schema": problem } } },
            },
            "schemas": schemas,
        },
    })
}

/// Collects schemas while it writes operations.
struct Writer {
    /// Of what is answered: each type once, under its name.
    answers: SchemaGenerator,
    /// Of what is sent: written in place, since the same type may promise less when it is read.
    bodies: SchemaGenerator,
}

impl Writer {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let inline = settings.clone().with(|settings| settings.inline_subschemas = true);
        Self { answers: settings.for_serialize().into_generator(), bodies: inline.for_deserialize().into_generator() }
    }

    fn operation(&mut self, facts: &Facts) -> Value {
        let mut operation = json!({ "operationId": facts.id, "tags": [facts.tag], "summary": facts.summary });
        operation["description"] = match facts.access {
            Access::Open => "For anybody.".into(),
            Access::Role(role) => {
                // For programs: the tests try every call with a smaller one.
                operation["x-recflow-role"] = role.as_str().into();
                format!("For the role `{role}` and those above it.").into()
            }
        };
        if facts.access == Access::Open {
            operation["security"] = json!([]);
        }
        let mut parameters: Vec<Value> = facts.path_parameters().map(path_parameter).collect();
        parameters.extend(facts.query.into_iter().flat_map(|query| self.query(query)));
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(body) = facts.body {
            let schema = body(&mut self.bodies).to_value();
            // Where nothing is required, no body at all is as good as `{}`.
            let is_required = ["required", "anyOf", "oneOf"].iter().any(|word| schema.get(word).is_some());
            operation["requestBody"] = json!({ "required": is_required, "content": { "application/json": { "schema": schema } } });
        }
        operation["responses"] = self.responses(facts);
        operation
    }

    fn query(&mut self, query: SchemaFn) -> Vec<Value> {
        let schema = query(&mut self.bodies).to_value();
        let is_required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|other| other == name));
        let members = schema["properties"].as_object().into_iter().flatten();
        members
            .map(|(name, member)| {
                let (mut member, required) = (member.clone(), is_required(name));
                let description = member.as_object_mut().and_then(|member| member.remove("description")).unwrap_or_default();
                without_null(&mut member);
                json!({ "name": name, "in": "query", "required": required, "description": description, "schema": member })
            })
            .collect()
    }

    fn responses(&mut self, facts: &Facts) -> Value {
        let mut responses = Map::new();
        for (status, content) in &facts.answers {
            let description = status.canonical_reason().unwrap_or_default();
            let mut response = json!({ "description": description });
            match content {
                Content::Json(schema) => {
                    let schema = schema(&mut self.answers).to_value();
                    response["content"] = json!({ "application/json": { "schema": schema } });
                }
                Content::Media(media) => response["content"] = json!({ (*media): {} }),
                Content::Nothing => {}
            }
            // One status may be answered in several forms.
            let known = responses.entry(status.as_u16().to_string()).or_insert_with(|| response.clone());
            if let (Some(all), Some(Value::Object(form))) =
                (known.get_mut("content").and_then(Value::as_object_mut), response.get("content"))
            {
                all.extend(form.clone());
            }
        }
        if facts.method == Method::GET && facts.answers.iter().any(|(_, content)| matches!(content, Content::Json(_))) {
            responses.insert("304".to_owned(), json!({ "description": "What the client has (`If-None-Match`) is still so." }));
        }
        for status in failures(facts) {
            responses.insert(status.as_u16().to_string(), json!({ "$ref": "#/components/responses/Problem" }));
        }
        responses.sort_keys();
        Value::Object(responses)
    }
}

/// The statuses of the problems that an operation may answer with.
fn failures(facts: &Facts) -> Vec<StatusCode> {
    let mut statuses = vec![StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    if facts.path.contains('{') {
        statuses.push(StatusCode::NOT_FOUND);
    }
    if facts.body.is_some() || facts.query.is_some() {
        statuses.push(StatusCode::UNPROCESSABLE_ENTITY);
    }
    if facts.body.is_some() {
        statuses.extend([StatusCode::REQUEST_TIMEOUT, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNSUPPORTED_MEDIA_TYPE]);
    }
    statuses.extend([StatusCode::MISDIRECTED_REQUEST, StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE]);
    statuses.extend(&facts.fails);
    statuses
}

/// A query has no null: what may be null may be left out.
fn without_null(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(Value::Array(sides)) = schema.get_mut("anyOf") {
        sides.retain(|side| side["type"] != "null");
        if let [only] = sides.as_mut_slice()
            && let Value::Object(only) = only.take()
        {
            schema.remove("anyOf");
            schema.extend(only);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}

/// What the names in paths stand for.
pub(crate) const GLOSSARY: &[(&str, &str, &str)] = &[
    ("run", "A run's id", "^[0-9a-hjkmnp-tv-z]{12}$"),
    ("task", "A task's id in its pipeline", "^[A-Za-z][A-Za-z0-9_-]*$"),
    ("attempt", "The number of an attempt, from 1", "^[1-9][0-9]{0,8}$"),
    ("pipeline", "A pipeline's name", "^[A-Za-z][A-Za-z0-9_-]*$"),
    ("version", "A version: a number of a pipeline's text, or the name of a model's folder", "^[A-Za-z0-9][A-Za-z0-9._-]*$"),
    ("backfill", "A backfill's number", "^[1-9][0-9]{0,17}$"),
    ("user", "Somebody's name", "^[^/]+$"),
    ("token", "A token's id", "^[0-9a-z]{8,16}$"),
    ("report", "A report's id, as the list has it", "^[A-Za-z0-9._~-]+$"),
    ("stage", "A stage's name", "^[a-z][a-z0-9_]*$"),
];

fn path_parameter(name: &str) -> Value {
    let (description, pattern) =
        GLOSSARY.iter().find(|(word, ..)| *word == name).map_or(("", "^[^/]+$"), |(_, description, pattern)| (*description, *pattern));
    json!({ "name": name, "in": "path", "required": true, "description": description, "schema": { "type": "string", "pattern": pattern } })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::server::api::operations;

    #[test]
    fn every_operation_is_told_apart_described_and_named_in_the_glossary() {
        let operations = operations();
        let mut ids = BTreeSet::new();
        for operation in &operations {
            let facts = &operation.facts;
            assert!(ids.insert(facts.id), "two operations `{}`", facts.id);
            assert!(!facts.tag.is_empty() && !facts.summary.is_empty(), "{} is not described", facts.id);
            assert!(!facts.answers.is_empty(), "{} does not say what it answers", facts.id);
            for name in facts.path_parameters() {
                assert!(GLOSSARY.iter().any(|(word, ..)| *word == name), "`{{{name}}}` of {} is not in the glossary", facts.id);
            }
        }
    }

    /// The file is what clients are generated from; a change of it is a change of the contract, to be seen in a review.
    #[test]
    fn the_committed_document_is_the_one_that_the_code_writes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(committed == text(&operations()), "docs/openapi.json is out of date: cargo run -- openapi > docs/openapi.json");
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        fn visit(node: &Value, document: &Value) {
            if let Some(Value::String(target)) = node.get("$ref") {
                let found = target.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
                assert!(found.is_some(), "{target} leads nowhere");
            }
            match node {
                Value::Object(members) => members.values().for_each(|member| visit(member, document)),
                Value::Array(items) => items.iter().for_each(|item| visit(item, document)),
                _ => {}
            }
        }
        let document = document(&operations());
        visit(&document, &document);
    }

    #[test]
    fn a_parameter_that_may_be_left_out_is_not_null() {
        let mut schema = json!({ "type": ["string", "null"], "default": null });
        without_null(&mut schema);
        assert_eq!(schema, json!({ "type": "string" }));
        let mut schema = json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "null" }] });
        without_null(&mut schema);
        assert_eq!(schema, json!({ "type": "integer", "minimum": 1 }));
    }
}
