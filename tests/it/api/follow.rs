//! Streams of events: complete, in order, from where somebody stood.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::Asker;

/// An event of a stream.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: u64,
    name: String,
    data: String,
}

/// A stream that is read.
struct Stream(BufReader<TcpStream>);

impl Stream {
    /// Follows a path, behind the event with that id.
    fn open(asker: &Asker, path: &str, last: Option<u64>) -> Self {
        let mut stream = TcpStream::connect(asker.site.address).expect("it listens");
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        write!(stream, "GET /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n{last}\r\n", asker.token)
            .expect("it reads");
        let mut lines = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(lines.read_line(&mut head).expect("an answer"), 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200") && head.to_lowercase().contains("content-type: text/event-stream"), "{head}");
        Self(lines)
    }

    fn next(&mut self) -> Option<Event> {
        let mut event = Event { id: 0, name: String::new(), data: String::new() };
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).ok()? == 0 {
                return None;
            }
            // Between the lines of the events stand the sizes of the chunks.
            match line.trim_end().split_once(": ") {
                Some(("id", id)) => event.id = id.parse().expect("a number"),
                Some(("event", name)) => event.name = name.to_owned(),
                Some(("data", text)) => event.data.push_str(&format!("{text}\n")),
                _ if !event.data.is_empty() && line.trim_end().is_empty() => return Some(event),
                _ => {}
            }
        }
    }

    /// All events up to the one for which `is_last` holds.
    fn until(&mut self, is_last: impl Fn(&Event, &Value) -> bool) -> Vec<(Event, Value)> {
        let mut events = Vec::new();
        while let Some(event) = self.next() {
            let data = serde_json::from_str(&event.data).unwrap_or(Value::Null);
            let last = is_last(&event, &data);
            events.push((event, data));
            if last {
                return events;
            }
        }
        panic!("the stream ended before that: {events:?}");
    }
}

const ONE: &str = "tasks: { a: { stage: noop } }\n";

fn asker() -> Asker {
    Asker::new(|sandbox| {
        sandbox.write("pipelines/one.yaml", ONE);
        sandbox.write("pipelines/two.yaml", ONE);
        sandbox.write(
            "pipelines/talk.yaml",
            "tasks: { a: { stage: shell, with: { script: 'echo one; touch up; while [ ! -e go ]; do sleep 0.02; done; echo two' } } }\n",
        );
    })
}

fn run_is(status: &'static str) -> impl Fn(&Event, &Value) -> bool {
    move |event, data| event.name == "run" && data["status"] == status
}

#[test]
fn changes_are_told_as_they_happen_and_who_comes_back_misses_and_repeats_nothing() {
    let asker = asker();
    let mut stream = Stream::open(&asker, "events", None);
    assert_eq!(stream.next().expect("a first word").name, "hello");
    let run = asker.run("one", &json!({}));
    let told = stream.until(run_is("succeeded"));
    let of_run: Vec<Value> = told
        .iter()
        .filter(|(_, data)| data["run"] == json!(run))
        .map(|(event, data)| json!([event.name, data["task"], data["status"], data["state"]]))
        .collect();
    assert_eq!(of_run[0], json!(["run", null, "queued", null]));
    assert!(of_run.contains(&json!(["task", "a", null, "succeeded"])), "{of_run:?}");
    assert!(told.windows(2).all(|pair| pair[0].0.id < pair[1].0.id), "{told:?}");

    // Cut off in the middle, and back behind what was seen: the rest, and no more.
    let middle = told[1].0.id;
    drop(stream);
    asker.run("one", &json!({}));
    let mut back = Stream::open(&asker, "events", Some(middle));
    assert_eq!(back.next().map(|event| event.id), Some(middle));
    let rest = back.until(run_is("succeeded"));
    assert_eq!(rest, told[2..], "what it had not seen of the first run");
    let second = back.until(run_is("succeeded"));
    assert_eq!(second[0].0.id, told[told.len() - 1].0.id + 1);
    let mut lost = Stream::open(&asker, "events", Some(u64::from(u32::MAX)));
    assert_eq!(lost.next().expect("a word").name, "refresh", "of another store, or too old");
}

#[test]
fn a_stream_tells_of_one_pipeline_or_one_run_if_that_is_wanted() {
    let asker = asker();
    let mut of_two = Stream::open(&asker, "events?pipeline=two", None);
    asker.run("one", &json!({}));
    let run = asker.run("two", &json!({}));
    let told = of_two.until(run_is("succeeded"));
    assert!(told.iter().filter(|(event, _)| event.name != "hello").all(|(_, data)| data["pipeline"] == "two"), "{told:?}");
    let mut of_run = Stream::open(&asker, &format!("events?run={run}"), Some(0));
    let told = of_run.until(run_is("succeeded"));
    assert!(told.iter().filter(|(event, _)| event.name != "hello").all(|(_, data)| data["run"] == json!(run)), "{told:?}");
    let mut all = Stream::open(&asker, "events", None);
    asker.post("pipelines/one/pause", &json!({})).is(200);
    let told = all.until(|event, data| event.name == "pipeline" && data["pipeline"] == "one");
    assert!(!told.is_empty());
}

#[test]
fn two_hundred_viewers_are_told_everything_while_runs_go_on() {
    let asker = asker();
    let mut viewers: Vec<Stream> = (0..200).map(|_| Stream::open(&asker, "events", None)).collect();
    let runs: Vec<String> =
        (0..20).map(|_| asker.post("pipelines/one/runs", &json!({})).is(201).json()["run"].as_str().expect("an id").to_owned()).collect();
    for run in &runs {
        assert_eq!(asker.ended(run), "succeeded");
    }
    let last = asker.run("two", &json!({}));
    let mut first: Option<Vec<(Event, Value)>> = None;
    for viewer in &mut viewers {
        let told = viewer.until(|event, data| event.name == "run" && data["run"] == json!(last) && data["status"] == "succeeded");
        let of_runs: Vec<(Event, Value)> = told.into_iter().filter(|(event, _)| ["run", "task"].contains(&event.name.as_str())).collect();
        let ended = of_runs.iter().filter(|(event, data)| event.name == "run" && data["status"] == "succeeded").count();
        assert_eq!(ended, 21);
        match &first {
            None => first = Some(of_runs),
            Some(first) => assert!(*first == of_runs, "two viewers were told different things"),
        }
    }
}

#[test]
fn a_log_is_followed_line_by_line_from_where_somebody_stood_to_its_end() {
    let asker = asker();
    let run = asker.post("pipelines/talk/runs", &json!({})).is(201).json()["run"].as_str().expect("an id").to_owned();
    asker.sandbox().wait_until("it has begun", || asker.sandbox().file("up").exists());
    let path = format!("runs/{run}/tasks/a/attempts/1/log/stream");
    let mut stream = Stream::open(&asker, &path, None);
    let one = stream.next().expect("a line");
    assert!(one.data.contains("\"line\":\"one\"") && one.name.is_empty(), "{one:?}");
    asker.sandbox().write("go", "");
    let two = stream.next().expect("another line");
    assert!(two.data.contains("\"line\":\"two\"") && two.id > one.id, "{two:?}");
    assert_eq!(stream.next().map(|event| (event.name, event.id)), Some(("end".to_owned(), two.id)));
    assert_eq!(stream.next(), None, "nothing follows");
    let mut back = Stream::open(&asker, &path, Some(one.id));
    assert_eq!(back.next(), Some(two));
    Asker::refused(asker.get(&format!("runs/{run}/tasks/a/attempts/2/log/stream")), 404, "unknown-attempt");
}
