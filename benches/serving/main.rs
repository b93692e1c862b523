//! How fast a daemon recommends: a scan alone, and whole requests over HTTP, beside a scorer in NumPy behind FastAPI and implicit's `recommend`.
//!
//! `cargo bench --bench serving [-- --seconds N] [--python PATH]` prints Markdown tables: 17,770 items at rank 64. The peers run with the Python at `PATH`,
//! which needs what `benches/compare/requirements.txt` lists. The load comes from this machine, so it takes processors from whoever answers.

#![expect(clippy::print_stdout, reason = "the tables are the output")]

mod load;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use recflow_stages::names::Id;
use recflow_stages::serving::{Request, ServedModel, Whom, current};
use recflow_stages::{Catalog, Context, PublishKey};
use serde_json::{Value, json};

use load::{Report, Target, closed_loop, open_loop};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The rate that the goal speaks of.
const RATE: f64 = 1_000.0;
/// Connections that stay open.
const CONNECTIONS: usize = 32;

fn main() -> Result {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
    let seconds: f64 = option("--seconds").map_or(Ok(10.0), |text| text.parse())?;
    let workspace = tempfile::tempdir()?;
    let users = prepare(workspace.path())?;
    println!(
        "\n| server, load | requests/s | p50 ms | p99 ms | p99.9 ms | most ms | not 200 | CPU ms a request |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    );
    recflow(workspace.path(), &users, seconds)?;
    if let Some(python) = option("--python") {
        numpy(Path::new(python), workspace.path(), &users, seconds)?;
        implicit(Path::new(python), workspace.path(), seconds)?;
    }
    Ok(())
}

/// Trains a model of 17,770 items at rank 64, and tells what a scan of it costs; the users that it knows.
fn prepare(workspace: &Path) -> Result<Vec<Id>> {
    let stage = |name: &str, inputs: Value| -> Result<Value> {
        let stage = Catalog::builtin().get(name).ok_or("a stage")?;
        let inputs = inputs.as_object().ok_or("an object")?.clone();
        Ok(stage.run(inputs, &Context::plain(workspace, PublishKey::new("bench", name, 0)))?)
    };
    stage("generate", json!({ "output": "text", "ratings": 2_000_000, "users": 100_000, "items": 17_770 }))?;
    stage("etl", json!({ "train_file": "text/train.txt", "train_output": "train" }))?;
    let trained = stage("train_als", json!({ "ratings": "train", "models": "models/artifacts", "rank": 64, "max_iter": 2 }))?;
    let context = Context::plain(workspace, PublishKey::new("bench", "serve", 0));
    let model = ServedModel::open(current(&workspace.join("models/artifacts"), &context)?.ok_or("a version")?)?;
    let item = Id::from(1);
    // Ids are as scattered as those of the Netflix Prize.
    let users: Vec<Id> = (0..3_000_000).map(Id::from).filter(|user| model.predict(user, &item).knows_user).collect();
    println!("{} items, {} users, rank {}; {CONNECTIONS} connections\n", trained["items"], users.len(), trained["rank"]);
    scans(&model, &users);
    Ok(users)
}

/// What a scan costs by itself, by how many share it.
fn scans(model: &ServedModel, known: &[Id]) {
    println!("| users in a scan | µs | µs a user |\n|---:|---:|---:|");
    for count in [1, 2, 4, 8, 16, 64] {
        let mut times: Vec<f64> = (0..400)
            .map(|round| {
                let chosen = known.iter().cycle().skip(round * count).take(count);
                let ask = |user: &Id| Request { whom: Whom::User { user: user.clone(), exclude_seen: false }, k: 10 };
                let requests: Vec<Request> = chosen.map(ask).collect();
                let started = Instant::now();
                let lists = model.answer(&requests);
                let took = started.elapsed().as_secs_f64();
                assert!(lists.iter().all(|list| list.as_ref().is_ok_and(|list| list.items.len() == 10 && list.fallback.is_none())));
                took * 1e6
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("| {count} | {:.0} | {:.0} |", times[200], times[200] / count as f64);
    }
}

fn recflow(workspace: &Path, users: &[Id], seconds: f64) -> Result {
    let binary = env!("CARGO_BIN_EXE_recflow");
    let run = |arguments: &[&str]| -> Result<String> {
        let output = Command::new(binary).args(arguments).current_dir(workspace).stderr(Stdio::inherit()).output()?;
        Ok(String::from_utf8(output.stdout)?)
    };
    run(&["user", "add", "bench"])?;
    let token = run(&["token", "create", "load", "--user", "bench"])?.trim().to_owned();
    let mut daemon = Command::new(binary);
    daemon.args(["daemon", "--listen", "127.0.0.1:0", "--log-file", "daemon.log"]).current_dir(workspace);
    let daemon = Server(daemon.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let address = wait_for(|| {
        let log = std::fs::read_to_string(workspace.join("daemon.log")).unwrap_or_default();
        log.split("address=\"").nth(1).and_then(|rest| rest.split('"').next()).and_then(|address| address.parse().ok())
    })?;
    let request = |number: usize| {
        let path = format!("/api/v1/models/current/recommendations/{}?k=10", users[number * 7919 % users.len()]);
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
    };
    measure("recflow", &daemon, &Target { address, request: &request }, seconds, &[RATE, 4.0 * RATE])
}

fn numpy(python: &Path, workspace: &Path, users: &[Id], seconds: f64) -> Result {
    let mut server = peer(python, "serve_numpy.py", workspace)?.stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(server.stdout.take().ok_or("an output")?).read_line(&mut line)?;
    let server = Server(server);
    let address: SocketAddr = line.trim().parse()?;
    let connected = wait_for(|| std::net::TcpStream::connect(address).ok())?;
    drop(connected);
    let request = |number: usize| {
        let body = json!({ "user_id": users[number * 7919 % users.len()], "k": 10 }).to_string();
        let head = "POST /recommend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
        format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    measure("NumPy behind FastAPI", &server, &Target { address, request: &request }, seconds, &[RATE / 4.0, RATE])
}

fn implicit(python: &Path, workspace: &Path, seconds: f64) -> Result {
    let output = peer(python, "recommend_one_implicit.py", workspace)?.arg(seconds.to_string()).output()?;
    let told: Value = serde_json::from_slice(&output.stdout)?;
    let figure = |name: &str| told[name].as_f64().unwrap_or(f64::NAN);
    println!(
        "| implicit's `recommend` in its own process, no server | {:.0} | {:.2} | {:.2} | | | | {:.2} |",
        figure("rate"),
        figure("p50"),
        figure("p99"),
        figure("cpu")
    );
    Ok(())
}

/// A peer's program, told where the model is.
fn peer(python: &Path, name: &str, workspace: &Path) -> Result<Command> {
    let models = workspace.join("models/artifacts");
    let version = std::fs::read_dir(&models)?.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.join("recflow.json").is_file());
    let script: PathBuf = [env!("CARGO_MANIFEST_DIR"), "benches/compare/peers", name].iter().collect();
    let mut command = Command::new(python);
    // One thread each: several would fight for the processors with the load, and with one another.
    command.env("OPENBLAS_NUM_THREADS", "1").arg(script).arg(version.ok_or("a version")?).stderr(Stdio::null());
    Ok(command)
}

/// Prints a row for each rate, and one for as fast as it goes.
fn measure(name: &str, server: &Server, target: &Target<'_>, seconds: f64, rates: &[f64]) -> Result {
    // The first request loads the model.
    closed_loop(target, 1.0, 1)?;
    let row = |load: &str, report: &Report, cpu: f64| {
        let [p50, p99, p999, most] = [0.5, 0.99, 0.999, 1.0].map(|share| report.quantile_ms(share));
        println!(
            "| {name}, {load} | {:.0} | {p50:.2} | {p99:.2} | {p999:.2} | {most:.2} | {} | {:.2} |",
            report.rate,
            report.failed,
            cpu / report.rate / seconds * 1e3
        );
    };
    for &rate in rates {
        let before = server.cpu()?;
        let report = open_loop(target, rate, seconds, CONNECTIONS)?;
        row(&format!("{rate:.0} a second"), &report, server.cpu()? - before);
    }
    for connections in [1, CONNECTIONS] {
        let before = server.cpu()?;
        let report = closed_loop(target, seconds, connections)?;
        row(&format!("as fast as it goes, {connections} at once"), &report, server.cpu()? - before);
    }
    Ok(())
}

/// A server, killed when dropped.
struct Server(Child);

impl Server {
    /// Processor time so far, in seconds.
    fn cpu(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let fields: Vec<&str> = stat.rsplit_once(')').ok_or("a stat line")?.1.split_whitespace().collect();
        Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for<T>(mut found: impl FnMut() -> Option<T>) -> Result<T> {
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(30) {
        if let Some(found) = found() {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("waited in vain for a server".into())
}
