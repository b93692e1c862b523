//! Time and peak memory of each stage of the main job, by number of ratings.
//!
//! `cargo bench --bench stages [-- RATINGS...]` (1 and 10 million by default) prints a Markdown table. The stages run one after
//! the other, each in a process of its own as always, so that none shares the machine with another; the figures are those that
//! recflow records of every attempt. Built with the release profile.

#![expect(clippy::print_stdout, reason = "the table is the output")]

use std::process::{Command, Stdio};

use serde_json::Value;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The main job of the shipped pipelines, in a line, with lists for all users at its end.
const PIPELINE: &str = r#"
params: { ratings: { type: integer } }
tasks:
  generate: { stage: generate, with: { output: data, ratings: "{{ params.ratings }}" } }
  etl:
    stage: etl
    needs: [generate]
    with: { train_file: data/train.txt, train_output: parquet/train, test_file: data/test.txt, test_output: parquet/test }
  etl_again:
    stage: etl
    needs: [etl]
    with: { train_file: data/train.txt, train_output: parquet/train, test_file: data/test.txt, test_output: parquet/test }
  create_futures: { stage: create_futures, needs: [etl_again], with: { input: data/future.txt, output: future.csv } }
  train_als: { stage: train_als, needs: [create_futures], with: { ratings: parquet/train, models: models, rank: 64 } }
  evaluate:
    stage: evaluate
    needs: [train_als]
    with: { model: "{{ tasks.train_als.output.path }}", ratings: parquet/test, train: parquet/train }
  recommend:
    stage: recommend
    needs: [evaluate]
    with: { model: "{{ tasks.train_als.output.path }}", output: lists, k: 10, exclude_seen: parquet/train }
"#;

/// The tasks in their order.
const TASKS: [&str; 7] = ["generate", "etl", "etl_again", "create_futures", "train_als", "evaluate", "recommend"];

fn main() -> Result {
    let mut sizes: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![1_000_000, 10_000_000];
    }
    let runs = sizes.iter().map(|&ratings| measure(ratings)).collect::<Result<Vec<Value>>>()?;
    let heads: String = sizes.iter().map(|size| format!(" {} M: s | MiB |", *size as f64 / 1e6)).collect();
    println!("| stage |{heads}\n|---|{}", "---:|---:|".repeat(sizes.len()));
    for task in TASKS {
        let figures: String = runs.iter().map(|run| figures(&run["tasks"][task])).collect();
        println!("| {} |{figures}", task.replace("etl_again", "etl of the same ratings again"));
    }
    Ok(())
}

fn figures(task: &Value) -> String {
    let number = |name: &str| task[name].as_f64().unwrap_or(f64::NAN);
    format!(" {:.2} | {:.0} |", number("seconds"), number("peak_rss_mb"))
}

/// Runs the job in an empty workspace; what `recflow run --json` says of it.
fn measure(ratings: u64) -> Result<Value> {
    let workspace = tempfile::tempdir()?;
    std::fs::write(workspace.path().join("job.yaml"), PIPELINE)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_recflow"));
    let command = command.args(["run", "job.yaml", "--json", "-p", &format!("ratings={ratings}")]);
    let ran = command.current_dir(workspace.path()).stderr(Stdio::inherit()).output()?;
    if !ran.status.success() {
        return Err(format!("the job ended with {}: {}", ran.status, String::from_utf8_lossy(&ran.stdout)).into());
    }
    Ok(serde_json::from_slice(&ran.stdout)?)
}
