//! `recflow trigger`, `cancel`, `resume`, `pause` and `unpause` of a server.

use std::io::Write;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::exit::{Exit, Failure};
use super::super::{cancel, pause, resume, trigger};
use super::Remote;
use super::read::text;

/// How often a run that is waited for is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Remote {
    pub(super) fn trigger(&self, args: &trigger::Args, out: &mut dyn Write) -> Result<Exit, Failure> {
        let name = args.pipeline.display().to_string();
        let given = args.params.given()?;
        let schema = if given.is_empty() { Value::Null } else { self.get(&format!("pipelines/{}", segment(&name)), &[])?["params"].take() };
        let params: Map<String, Value> =
            given.into_iter().map(|(name, value)| (name.clone(), typed(value, &schema["properties"][&name]))).collect();
        let started = self.post(&format!("pipelines/{}/runs", segment(&name)), &json!({ "params": params }))?;
        let id = text(&started, "run");
        let status = if args.wait { self.wait(&id)? } else { "queued".to_owned() };
        match args.json {
            true => writeln!(out, "{}", json!({ "run": id, "pipeline": name, "status": status }))?,
            false if args.wait => writeln!(out, "run {id} {status}")?,
            false => writeln!(out, "{id}")?,
        }
        Ok(if matches!(status.as_str(), "failed" | "cancelled") { Exit::Failed } else { Exit::Success })
    }

    fn wait(&self, id: &str) -> Result<String, Failure> {
        loop {
            let status = text(&self.get(&format!("runs/{id}"), &[])?, "status");
            if matches!(status.as_str(), "succeeded" | "failed" | "cancelled") {
                return Ok(status);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    pub(super) fn cancel(&self, args: &cancel::Args, out: &mut dyn Write) -> Result<Exit, Failure> {
        let id = self.find_run(&args.run)?;
        self.post(&format!("runs/{id}/cancel"), &json!({ "force": args.force, "reason": args.reason }))?;
        writeln!(out, "run {id} is being cancelled")?;
        Ok(Exit::Success)
    }

    pub(super) fn resume(&self, args: &resume::Args, out: &mut dyn Write) -> Result<Exit, Failure> {
        let id = self.find_run(&args.run)?;
        self.post(&format!("runs/{id}/resume"), &json!({}))?;
        writeln!(out, "run {id} goes on; `recflow logs {id} -f --server {}` follows it", self.base())?;
        Ok(Exit::Success)
    }

    pub(super) fn pause(&self, args: &pause::Args, paused: bool, out: &mut dyn Write) -> Result<Exit, Failure> {
        for name in &args.pipelines {
            let verb = if paused { "pause" } else { "unpause" };
            self.post(&format!("pipelines/{}/{verb}", segment(name)), &json!({}))?;
            match paused {
                true => writeln!(out, "{name} is paused: it starts by hand only; runs under way go on")?,
                false => writeln!(out, "{name} starts by itself; what was due meanwhile is skipped")?,
            }
        }
        Ok(Exit::Success)
    }
}

/// A value from the command line, as the parameter's type wants it: text that is none of that type is sent as it is, for the server to refuse.
fn typed(value: Value, schema: &Value) -> Value {
    match (&value, schema["type"].as_str()) {
        (Value::String(given), Some(kind)) if kind != "string" => serde_json::from_str(given).unwrap_or(value),
        _ => value,
    }
}

/// A name as one segment of a path.
fn segment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_becomes_what_its_parameter_is() {
        let typed = |given: &str, kind: &str| typed(json!(given), &json!({ "type": kind }));
        assert_eq!((typed("7", "integer"), typed("7", "string"), typed("true", "boolean")), (json!(7), json!("7"), json!(true)));
        assert_eq!(typed("many", "integer"), json!("many"), "the server says what is wrong with it");
    }

    #[test]
    fn a_name_stays_in_its_place_in_the_path() {
        assert_eq!(segment("etl-train_test"), "etl-train_test");
        assert_eq!(segment("../users?x"), "..%2Fusers%3Fx");
    }
}
