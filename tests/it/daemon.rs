//! The daemon as users and supervisors see it: what is due starts, what people ask for happens, nothing is lost.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::sandbox::{Running, Sandbox};

/// Starts a daemon without HTTP and waits until it is at work.
fn daemon(sandbox: &Sandbox) -> Running {
    daemon_with(sandbox, &["--listen", "none"])
}

fn daemon_with(sandbox: &Sandbox, more: &[&str]) -> Running {
    let daemon = sandbox.spawn(&[&["daemon", "--log-file", "daemon.log", "--grace", "200ms"], more].concat());
    sandbox.wait_until("the daemon has started", || sandbox.read("daemon.log").matches("daemon started").count() >= starts(sandbox));
    daemon
}

/// How many daemons the log has to tell of once the newest has started: one more than have stopped or been killed.
fn starts(sandbox: &Sandbox) -> usize {
    sandbox.read("starts").len() + 1
}

fn runs(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.json(&["runs", "--json", "-n", "1000"]).as_array().cloned().expect("a list")
}

fn of<'a>(runs: &'a [Value], pipeline: &str) -> Vec<&'a Value> {
    runs.iter().filter(|run| run["pipeline"] == pipeline).collect()
}

const TICK: &str = "schedule: { every: 1s }\ntasks:\n  a: { stage: shell, with: { script: 'echo x >> ticks' } }\n";

#[test]
fn what_is_due_runs_once_and_an_edit_counts_from_then_on() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/tick.yaml", TICK);
    let daemon = daemon(&sandbox);
    sandbox.wait_until("it has ticked", || sandbox.read("ticks").lines().count() >= 2);
    // An edit that is not valid changes nothing.
    sandbox.write("pipelines/tick.yaml", "tasks: { a: { stage: nop } }\n");
    let before = sandbox.read("ticks").lines().count();
    sandbox.wait_until("the bad edit is noticed", || sandbox.read("daemon.log").contains("not valid"));
    sandbox.wait_until("it ticks on", || sandbox.read("ticks").lines().count() > before + 1);
    sandbox.write("pipelines/tick.yaml", &TICK.replace("echo x", "echo y"));
    sandbox.wait_until("the good edit counts", || sandbox.read("ticks").contains('y'));
    daemon.signal(libc::SIGTERM);
    assert_eq!(daemon.wait().code, Some(0));
    let all = runs(&sandbox);
    let mut slots: Vec<&str> = all.iter().filter_map(|run| run["logical_date"].as_str()).collect();
    let count = slots.len();
    slots.sort_unstable();
    slots.dedup();
    assert_eq!(slots.len(), count, "no slot twice");
    assert!(all.iter().all(|run| run["trigger"] == "schedule"));
}

#[test]
fn a_killed_daemon_s_runs_are_taken_up_by_the_next_without_a_retry_and_without_orphans() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "pipelines/long.yaml",
        "tasks:\n  a: { stage: noop }\n  b: { needs: [a], stage: shell, with: { script: 'echo x >> began; test -e go || sleep 1000' } }\n",
    );
    let first = daemon(&sandbox);
    let id = sandbox.recflow(&["trigger", "long"]).exits(0).out.trim().to_owned();
    sandbox.wait_until("the task is under way", || sandbox.read("began").lines().count() == 1);
    first.signal(libc::SIGKILL);
    drop(first);
    sandbox.write("go", "");
    sandbox.write("starts", "1");
    let next = daemon(&sandbox);
    sandbox.wait_until("the run has ended", || sandbox.json(&["status", &id, "--json"])["status"] == "succeeded");
    assert_eq!(sandbox.read("began").lines().count(), 2, "at least once, and no more");
    next.signal(libc::SIGTERM);
    assert_eq!(next.wait().code, Some(0));
    let left = crate::sandbox::processes_with(&sandbox.path().display().to_string());
    assert!(left.is_empty(), "{left:?} are still there");
}

#[test]
fn a_second_daemon_is_refused_with_the_pid_of_the_first() {
    let sandbox = Sandbox::new();
    let first = daemon(&sandbox);
    let refused = sandbox.recflow(&["daemon", "--listen", "none"]).exits(1);
    assert!(refused.err.contains(&format!("process {}", first.pid())), "{}", refused.all());
}

#[test]
fn a_run_that_is_asked_for_while_no_daemon_is_there_waits_for_one() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/hello.yaml", "params: { who: { type: string, default: you } }\ntasks: { a: { stage: shell, with: { script: 'echo $RECFLOW_PARAM_WHO > said' } } }\n");
    let asked = sandbox.recflow(&["trigger", "hello", "-p", "who=world"]).exits(0);
    assert!(asked.err.contains("no daemon is at work"), "{}", asked.all());
    assert_eq!(sandbox.status()["status"], "queued");
    let _daemon = daemon(&sandbox);
    sandbox.wait_until("it has run", || sandbox.read("said") == "world\n");
    let waited = sandbox.recflow(&["trigger", "hello", "--wait"]).exits(0);
    assert!(waited.out.contains("succeeded"), "{}", waited.all());
    assert!(waited.err.is_empty(), "{}", waited.all());
}

#[test]
fn paused_pipelines_skip_their_slots_and_say_so() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/tick.yaml", TICK);
    sandbox.recflow(&["pause", "tick"]).exits(0);
    assert!(sandbox.recflow(&["pause", "tock"]).exits(2).err.contains("did you mean `tick`"));
    let _daemon = daemon(&sandbox);
    sandbox.wait_until("a slot was skipped", || sandbox.read("daemon.log").contains("reason=\"paused\""));
    assert_eq!(sandbox.read("ticks"), "");
    sandbox.recflow(&["unpause", "tick"]).exits(0);
    sandbox.wait_until("it ticks", || !sandbox.read("ticks").is_empty());
}

#[test]
fn a_pipeline_that_is_paused_from_the_beginning_waits_for_a_person() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/tick.yaml", &format!("paused: true\n{TICK}"));
    let _daemon = daemon(&sandbox);
    sandbox.wait_until("a slot was skipped", || sandbox.read("daemon.log").contains("reason=\"paused\""));
    sandbox.recflow(&["unpause", "tick"]).exits(0);
    sandbox.wait_until("it ticks", || !sandbox.read("ticks").is_empty());
}

#[test]
fn a_run_can_be_cancelled_from_another_process_and_before_it_began() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "pipelines/long.yaml",
        "max_active_runs: 1\ntasks: { a: { stage: shell, with: { script: 'echo x >> began; sleep 1000' } } }\n",
    );
    let _daemon = daemon(&sandbox);
    let first = sandbox.recflow(&["trigger", "long"]).exits(0).out.trim().to_owned();
    sandbox.wait_until("it is under way", || !sandbox.read("began").is_empty());
    let second = sandbox.recflow(&["trigger", "long"]).exits(0).out.trim().to_owned();
    let early = sandbox.recflow(&["cancel", &second, "--reason", "one is enough"]).exits(0);
    assert!(early.out.contains("had not begun"), "{}", early.all());
    sandbox.recflow(&["cancel", &first]).exits(0);
    sandbox.wait_until("it is cancelled", || sandbox.json(&["status", &first, "--json"])["status"] == "cancelled");
    let over = sandbox.recflow(&["cancel", &first]).exits(1);
    assert!(over.err.contains("has been cancelled already"), "{}", over.all());
    let told = sandbox.recflow(&["status", &second]).exits(0);
    assert!(told.out.contains("one is enough"), "{}", told.all());
    assert_eq!(sandbox.read("began").lines().count(), 1);
}

#[test]
fn the_end_of_a_run_starts_another_pipeline_with_what_it_returned() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/watch.yaml", "params: { drift: { type: boolean, default: false } }\ntasks: { look: { stage: shell, with: { script: 'echo \"{\\\"drift\\\": $RECFLOW_PARAM_DRIFT}\" > $RECFLOW_OUTPUT' } } }\n");
    sandbox.write(
        "pipelines/retrain.yaml",
        "on: { pipeline: watch, when: run.outputs.look.drift, params: { because: \"{{ run.id }}\" } }\nparams: { because: { type: string, default: nobody } }\n\
         tasks: { say: { stage: shell, with: { script: 'echo $RECFLOW_PARAM_BECAUSE >> retrained' } } }\n",
    );
    let first = daemon(&sandbox);
    sandbox.recflow(&["trigger", "watch", "--wait"]).exits(0);
    let because = sandbox.recflow(&["trigger", "watch", "-p", "drift=true", "--wait"]).exits(0).out;
    let because = because.split_whitespace().nth(1).expect("run ID succeeded").to_owned();
    sandbox.wait_until("it has retrained", || !sandbox.read("retrained").is_empty());
    assert_eq!(sandbox.read("retrained").trim(), because);
    // What happens while no daemon is there is not lost: the next one finds it.
    first.signal(libc::SIGTERM);
    first.wait();
    sandbox.recflow(&["run", "watch", "-p", "drift=true", "-q"]).exits(0);
    sandbox.write("starts", "1");
    let _next = daemon(&sandbox);
    sandbox.wait_until("it has retrained again", || sandbox.read("retrained").lines().count() == 2);
}

#[test]
fn a_new_file_starts_a_run_once_it_is_complete() {
    let sandbox = Sandbox::new();
    sandbox.write("inbox/old.csv", "before");
    sandbox.write(
        "pipelines/take.yaml",
        "on: { file: \"inbox/*.csv\", debounce: 300ms, params: { file: \"{{ event.path }}\" } }\nparams: { file: { type: path, default: none } }\n\
         tasks: { take: { stage: shell, with: { script: 'cat $RECFLOW_PARAM_FILE >> taken' } } }\n",
    );
    let _daemon = daemon(&sandbox);
    sandbox.wait_until("the pipeline is known", || sandbox.read("daemon.log").contains("pipeline read"));
    // The trigger has been seen once the store knows it.
    sandbox.wait_until("the trigger is known", || {
        let reader = recflow_state::Store::open_read_only(sandbox.file(".recflow/state.db")).expect("a store");
        reader.read(|view| view.trigger_state("take", "file inbox/*.csv")).expect("readable").is_some()
    });
    sandbox.write("inbox/new.csv", "all of it\n");
    sandbox.wait_until("it was taken", || !sandbox.read("taken").is_empty());
    assert_eq!(sandbox.read("taken"), "all of it\n");
}

#[test]
fn dates_of_the_past_are_filled_one_after_another() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/daily.yaml", "schedule: { cron: '0 3 * * *' }\ntasks: { a: { stage: shell, env: { DAY: '{{ run.logical_date }}' }, with: { script: 'echo $DAY >> days' } } }\n");
    let span = ["backfill", "daily", "--from", "2026-01-01", "--to", "2026-01-03"];
    let dry = sandbox.recflow(&[&span[..], &["--dry-run"]].concat()).exits(0);
    assert!(!sandbox.file(".recflow").exists(), "looking at the dates writes nothing");
    assert!(dry.out.ends_with("3 of 3 dates would run\n"), "{}", dry.all());
    sandbox.recflow(&span).exits(0);
    let _daemon = daemon(&sandbox);
    sandbox.wait_until("all days are done", || sandbox.read("days").lines().count() == 3);
    assert_eq!(sandbox.read("days"), "2026-01-01T03:00:00Z\n2026-01-02T03:00:00Z\n2026-01-03T03:00:00Z\n");
    let again = sandbox.recflow(&[&span[..], &["--dry-run"]].concat()).exits(0);
    assert!(again.out.ends_with("0 of 3 dates would run\n"), "{}", again.all());
}

#[test]
fn a_task_can_be_marked_and_a_run_repeated_from_a_task_on() {
    let sandbox = Sandbox::with(
        "tasks:\n  a: { stage: shell, with: { script: 'echo a >> did; echo \"{\\\"n\\\": 7}\" > $RECFLOW_OUTPUT' } }\n  b: { needs: [a], stage: shell, with: { script: 'test -e fine' } }\n  \
         c: { needs: [b], stage: shell, env: { N: '{{ tasks.a.output.n }}' }, with: { script: 'echo c$N >> did' } }\n",
    );
    sandbox.recflow(&["run", "p.yaml", "-q"]).exits(1);
    let first = sandbox.status()["run"].as_str().expect("an id").to_owned();
    sandbox.recflow(&["mark", "latest", "b", "succeeded", "--reason", "done by hand", "-q"]).exits(0);
    assert_eq!(sandbox.read("did"), "a\nc7\n");
    sandbox.write("fine", "");
    sandbox.recflow(&["replay", &first, "--from", "b", "-q"]).exits(0);
    assert_eq!(sandbox.read("did"), "a\nc7\nc7\n", "what lies above is not run again");
    assert_ne!(sandbox.status()["run"].as_str(), Some(first.as_str()));
    assert!(sandbox.recflow(&["replay", &first, "--from", "x"]).exits(1).err.contains("has no task `x`"));
}

/// One request, as plain as it gets.
fn get(address: SocketAddr, path: &str, header: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n").expect("it reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    let status = text.split_whitespace().nth(1).and_then(|code| code.parse().ok()).expect("a status");
    (status, text)
}

#[test]
fn health_is_open_and_figures_want_the_token() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/tick.yaml", TICK);
    sandbox.write("token", "0123456789abcdef0123456789abcdef\n");
    let daemon = daemon_with(&sandbox, &["--listen", "127.0.0.1:0", "--metrics-token-file", "token"]);
    let log = sandbox.read("daemon.log");
    let address = log.split("address=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the log tells the address");
    let address: SocketAddr = address.parse().expect("an address");
    assert_eq!(get(address, "/healthz", "").0, 200);
    sandbox.wait_until("it is ready", || get(address, "/readyz", "").0 == 200);
    for (path, header, expected) in [
        ("/metrics", "", 401),
        ("/metrics", "Authorization: Bearer wrong\r\n", 401),
        ("/metrics", "Authorization: Bearer \r\n", 401),
        ("/", "", 401),
        ("/api/v1/runs", "", 401),
        ("/healthz/", "", 401),
        ("/healthz;x", "", 401),
        ("//metrics", "", 401),
        ("/metrics%2f", "", 401),
    ] {
        assert_eq!(get(address, path, header).0, expected, "{path} {header}");
    }
    sandbox.wait_until("a run was counted", || {
        let (status, text) = get(address, "/metrics", "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n");
        assert_eq!(status, 200, "{text}");
        text.contains("recflow_runs_total{status=\"succeeded\"} ")
    });
    daemon.signal(libc::SIGTERM);
    assert_eq!(daemon.wait().code, Some(0));
}

#[test]
fn it_does_not_listen_where_others_can_reach_it_without_a_token() {
    let sandbox = Sandbox::new();
    let refused = sandbox.recflow(&["daemon", "--listen", "0.0.0.0:0"]).exits(2);
    assert!(refused.err.contains("can be reached from elsewhere"), "{}", refused.all());
    sandbox.write("token", "short");
    let refused = sandbox.recflow(&["daemon", "--listen", "127.0.0.1:0", "--metrics-token-file", "token"]).exits(2);
    assert!(refused.err.contains("shorter than 16"), "{}", refused.all());
}

#[test]
fn hangup_reads_the_settings_again_and_a_bad_file_changes_nothing() {
    let sandbox = Sandbox::new();
    let daemon = daemon(&sandbox);
    sandbox.write("recflow.yaml", "pools: { gpu: 1 }\n");
    daemon.signal(libc::SIGHUP);
    sandbox.wait_until("it was read", || sandbox.read("daemon.log").contains("settings read again"));
    sandbox.write("recflow.yaml", "pools: [gpu]\n");
    daemon.signal(libc::SIGHUP);
    sandbox.wait_until("it was refused", || sandbox.read("daemon.log").contains("recflow.yaml is not valid"));
    daemon.signal(libc::SIGTERM);
    assert_eq!(daemon.wait().code, Some(0));
}

#[test]
fn a_drained_daemon_leaves_its_runs_to_the_next() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/long.yaml", "tasks: { a: { stage: shell, with: { script: 'echo x >> began; test -e go || sleep 1000' } } }\n");
    let first = daemon(&sandbox);
    let id = sandbox.recflow(&["trigger", "long"]).exits(0).out.trim().to_owned();
    sandbox.wait_until("it is under way", || !sandbox.read("began").is_empty());
    first.signal(libc::SIGTERM);
    assert_eq!(first.wait().code, Some(0));
    assert_eq!(sandbox.json(&["status", &id, "--json"])["status"], "interrupted");
    sandbox.write("go", "");
    sandbox.write("starts", "1");
    let _next = daemon(&sandbox);
    sandbox.wait_until("it has ended well", || sandbox.json(&["status", &id, "--json"])["status"] == "succeeded");
}

/// The shipped pair does what drift-retrain does in one: the watch finds drift, which starts the other.
#[test]
fn the_watch_that_ships_starts_the_retraining_that_ships() {
    let sandbox = Sandbox::new();
    sandbox.recflow(&["run", "quickstart", "-p", "ratings=3000", "-p", "rank=4", "-p", "max_iter=2", "-q"]).exits(0);
    let stream = "data/quickstart/streaming";
    std::fs::copy(sandbox.file(&format!("{stream}/drift.csv")), sandbox.file(&format!("{stream}/current.csv"))).expect("copies");
    for (name, text) in
        [("drift-watch", include_str!("../../pipelines/drift-watch.yaml")), ("retrain", include_str!("../../pipelines/retrain.yaml"))]
    {
        sandbox.write(&format!("pipelines/{name}.yaml"), &text.replace("default: 15", "default: 2").replace("default: 64", "default: 4"));
    }
    let _daemon = daemon(&sandbox);
    sandbox.recflow(&["unpause", "drift-watch", "retrain"]).exits(0);
    let folders = ["-p", "stream_dir=data/quickstart/streaming", "-p", "processed_dir=data/quickstart/parquet"];
    sandbox.recflow(&[&["trigger", "drift-watch", "--wait"], &folders[..]].concat()).exits(0);
    sandbox.wait_until("it has retrained", || of(&runs(&sandbox), "retrain").iter().any(|run| run["status"] == "succeeded"));
    // Nothing new has come: the watch is skipped, and nothing is retrained.
    sandbox.recflow(&[&["trigger", "drift-watch", "--wait"], &folders[..]].concat()).exits(0);
    assert_eq!(of(&runs(&sandbox), "retrain").len(), 1);
}

/// Slots that come due on a full disk are decided once there is room; nothing is lost and nothing runs twice.
#[test]
fn a_full_disk_stops_nothing_for_good() {
    let Some(disk) = crate::faults::SmallDisk::mount("6m") else { return };
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/tick.yaml", &TICK.replace("1s }", "1s, catchup: all }"));
    let home = disk.path().join("home").display().to_string();
    let daemon = daemon_with(&sandbox, &["--listen", "none", "--home", &home]);
    let ticks = || sandbox.read("ticks").lines().count();
    sandbox.wait_until("it ticks", || ticks() > 0);
    let fill = disk.path().join("fill");
    // Fails once the disk is full, which is the point.
    let _ = std::fs::write(&fill, vec![0; 8 << 20]);
    sandbox.wait_until("the trouble is logged", || sandbox.read("daemon.log").contains("no space left"));
    std::fs::remove_file(&fill).expect("ours");
    let before = ticks();
    sandbox.wait_until("it ticks on", || ticks() > before + 1);
    daemon.signal(libc::SIGTERM);
    assert_eq!(daemon.wait().code, Some(0));
    let store = recflow_state::Store::open_read_only(disk.path().join("home/state.db")).expect("sound");
    let slots = store.read(|view| view.slots("tick", 1_000)).expect("readable");
    let at: Vec<i64> = slots.iter().rev().map(|slot| slot.at.0).collect();
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] == 1_000), "each second once: {at:?}");
    assert!(slots.iter().all(|slot| slot.run.is_some()), "{slots:?}");
}

/// A command that waits for room is told from another process that it need not.
#[test]
fn a_command_that_waits_for_room_can_be_cancelled() {
    let sandbox = Sandbox::with("max_active_runs: 1\ntasks: { a: { stage: shell, with: { script: 'echo x >> began; sleep 1000' } } }\n");
    let first = sandbox.spawn(&["run", "p.yaml"]);
    sandbox.wait_until("the first is under way", || !sandbox.read("began").is_empty());
    let second = sandbox.spawn(&["run", "p.yaml"]);
    sandbox.wait_until("the second waits", || sandbox.status()["status"] == "queued");
    sandbox.recflow(&["cancel", "latest"]).exits(0);
    assert_eq!(second.wait().code, Some(1));
    assert_eq!(sandbox.status()["status"], "cancelled");
    first.signal(libc::SIGINT);
    assert_eq!(first.wait().code, Some(130));
    assert_eq!(sandbox.read("began").lines().count(), 1);
}

/// A daemon whose store is taken away must not go on as if nothing had happened, beside the next one.
#[test]
fn a_daemon_whose_store_is_removed_stops_with_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/tick.yaml", TICK);
    let daemon = daemon(&sandbox);
    std::fs::remove_dir_all(sandbox.file(".recflow")).or_else(|_| std::fs::remove_dir_all(sandbox.file(".recflow"))).expect("ours");
    let stopped = daemon.wait().exits(1);
    assert!(stopped.err.contains("was removed or replaced under the daemon"), "{}", stopped.all());
}

/// Clients that never ask hold places for a few seconds, and nothing that runs need: here 300 descriptors, of which 256 are theirs.
#[test]
fn idle_clients_take_nothing_from_runs_and_are_sent_away() {
    use std::os::unix::process::CommandExt as _;
    let sandbox = Sandbox::new();
    let arguments = ["daemon", "--log-file", "daemon.log", "--listen", "127.0.0.1:0"];
    let daemon = sandbox.spawn_with(&arguments, |command| {
        let limit = libc::rlimit { rlim_cur: 300, rlim_max: 300 };
        // SAFETY: one system call, which neither allocates nor locks, with a valid place to read from.
        unsafe {
            command.pre_exec(move || {
                if libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
            })
        };
    });
    sandbox.wait_until("the daemon has started", || sandbox.read("daemon.log").contains("daemon started"));
    let log = sandbox.read("daemon.log");
    let address = log.split("address=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the log tells the address");
    let address: SocketAddr = address.parse().expect("an address");
    let idle: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(address).expect("it listens")).collect();
    let held = std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).expect("ours").count();
    assert!(held < 150, "{held} descriptors");
    assert_eq!(get(address, "/healthz", "").0, 200, "once the first are sent away");
    drop(idle);
}

/// In the order of their dates, whatever ends while the queue is looked through; and nobody else waits for them.
#[test]
fn a_backfill_keeps_its_order_and_holds_nobody_back() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "pipelines/daily.yaml",
        "schedule: { cron: '0 3 * * *' }\nparams: { hold: { type: boolean, default: false } }\n\
         tasks: { a: { stage: shell, env: { DAY: '{{ run.logical_date }}' }, with: { script: 'echo $DAY >> days; while $RECFLOW_PARAM_HOLD && ! test -e go; do sleep 0.01; done' } } }\n",
    );
    sandbox.recflow(&["backfill", "daily", "--from", "2026-01-01", "--to", "2026-03-31", "-p", "hold=true"]).exits(0);
    let _daemon = daemon(&sandbox);
    sandbox.wait_until("the first date is under way", || !sandbox.read("days").is_empty());
    sandbox.recflow(&["trigger", "daily", "--wait"]).exits(0);
    assert_eq!(sandbox.read("days").lines().count(), 2, "what a person wants passes the dates that wait");
    sandbox.write("go", "");
    sandbox.wait_until("all dates are done", || sandbox.read("days").lines().count() == 91);
    let days = sandbox.read("days");
    let dates: Vec<&str> = days.lines().filter(|day| day.ends_with("T03:00:00Z")).collect();
    assert!(dates.len() == 90 && dates.is_sorted(), "{dates:?}");
}

#[test]
fn a_backfill_can_be_called_off_as_a_whole() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "pipelines/daily.yaml",
        "schedule: { cron: '0 3 * * *' }\ntasks: { a: { stage: shell, with: { script: 'echo x >> began; sleep 1000' } } }\n",
    );
    sandbox.recflow(&["backfill", "daily", "--from", "2026-01-01", "--to", "2026-01-31"]).exits(0);
    let _daemon = daemon(&sandbox);
    sandbox.wait_until("the first date is under way", || !sandbox.read("began").is_empty());
    let told = sandbox.recflow(&["backfill", "--cancel", "1"]).exits(0);
    assert!(told.out.contains("30 runs had not begun and are cancelled, 1 under way"), "{}", told.all());
    sandbox.wait_until("all are over", || runs(&sandbox).iter().all(|run| run["status"] == "cancelled"));
    assert_eq!(sandbox.read("began").lines().count(), 1);
    assert!(sandbox.recflow(&["backfill", "--cancel", "7"]).exits(2).err.contains("no backfill 7"));
    assert!(sandbox.recflow(&["backfill", "daily"]).exits(2).err.contains("--from"));
}
