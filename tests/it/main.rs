//! What a user can see, tested through the binary. One folder, one program: it links once.

mod broken;
mod cancel;
mod cli;
mod crash;
mod data;
mod docs;
mod drift;
mod drift_retrain;
mod faults;
mod hostile;
mod import;
mod main_job;
mod models;
mod plan;
mod recommend;
mod report;
mod runs;
mod sandbox;
mod secrets;
mod shell;
mod simulate;
mod together;
mod training;
mod tune;
