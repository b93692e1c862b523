//! Each transition by hand.

use super::*;

#[test]
fn a_chain_runs_in_order_and_succeeds() {
    let mut run = Driven::new(vec![task("a", &[]), task("b", &[0])]);
    assert_eq!(run.tokens(), "queued waiting");
    run.succeed(0);
    assert_eq!(run.tokens(), "succeeded queued");
    let step = run.succeed(1);
    assert_eq!(step.effects, [Effect::RunEnded(RunStatus::Succeeded)]);
}

#[test]
fn a_failure_stops_what_is_below_and_fails_the_run() {
    let mut run = Driven::new(vec![task("a", &[]), task("b", &[0]), task("c", &[1])]);
    let step = run.fail(0);
    assert_eq!(run.tokens(), "failed upstream_failed upstream_failed");
    assert_eq!(step.effects, [Effect::RunEnded(RunStatus::Failed)]);
    assert_eq!(run.state.tasks[2].reason.as_deref(), Some("`b` is upstream_failed and the trigger rule is all_success"));
}

#[test]
fn a_cleanup_that_succeeds_does_not_hide_a_failure_in_the_middle() {
    let mut cleanup = task("cleanup", &[0]);
    cleanup.rule = TriggerRule::AllDone;
    let mut run = Driven::new(vec![task("work", &[]), cleanup]);
    run.fail(0);
    assert_eq!(run.tokens(), "failed queued");
    run.succeed(1);
    assert_eq!(run.state.status, RunStatus::Failed);
}

#[test]
fn an_allowed_failure_counts_as_failed_below_but_does_not_fail_the_run() {
    let mut optional = task("optional", &[]);
    optional.allow_failure = true;
    let mut run = Driven::new(vec![optional, task("below", &[0])]);
    run.fail(0);
    assert_eq!(run.tokens(), "failed upstream_failed");
    assert_eq!(run.state.status, RunStatus::Succeeded);
}

#[test]
fn a_task_that_finds_nothing_to_do_is_skipped_without_a_retry_and_the_run_succeeds() {
    let mut patient = task("look", &[]);
    patient.retry.retries = 3;
    let mut always = task("tell", &[0]);
    always.rule = TriggerRule::AllDone;
    let mut run = Driven::new(vec![patient, task("work", &[0]), always]);
    run.run(0, Outcome::Skipped { reason: "there is no file".to_owned() });
    assert_eq!(run.tokens(), "skipped skipped queued");
    assert_eq!(run.state.tasks[0].reason.as_deref(), Some("there is no file"));
    run.succeed(2);
    assert_eq!(run.state.status, RunStatus::Succeeded);
}

#[test]
fn a_branch_skips_the_sides_it_does_not_take() {
    let mut join = task("join", &[1, 2]);
    join.rule = TriggerRule::NoneFailedMinOneSuccess;
    let mut run = Driven::new(vec![task("check", &[]), task("retrain", &[0]), task("skip", &[0]), join, task("strict", &[1, 2])]);
    run.run(0, Outcome::Succeeded { taken: Some(vec![1]) });
    assert_eq!(run.tokens(), "succeeded queued skipped waiting skipped");
    assert_eq!(run.state.tasks[2].reason.as_deref(), Some("branch `check` took retrain"));
    run.succeed(1);
    assert_eq!(run.tokens(), "succeeded succeeded skipped queued skipped");
}

#[test]
fn a_task_below_the_branch_and_below_the_side_taken_is_not_skipped() {
    let mut run = Driven::new(vec![task("check", &[]), task("side", &[0]), task("join", &[0, 1])]);
    run.run(0, Outcome::Succeeded { taken: Some(vec![1]) });
    assert_eq!(run.tokens(), "succeeded queued waiting");
    run.succeed(1);
    assert_eq!(run.tokens(), "succeeded succeeded queued");
}

#[test]
fn a_branch_that_takes_no_side_skips_all() {
    let mut run = Driven::new(vec![task("check", &[]), task("a", &[0]), task("b", &[0])]);
    run.run(0, Outcome::Succeeded { taken: Some(vec![]) });
    assert_eq!(run.tokens(), "succeeded skipped skipped");
    assert_eq!(run.state.status, RunStatus::Succeeded);
    assert_eq!(run.state.tasks[1].reason.as_deref(), Some("branch `check` took no side"));
}

#[test]
fn retries_back_off_from_the_end_of_the_attempt_and_then_fail() {
    let mut flaky = task("flaky", &[]);
    flaky.retry = RetryPolicy { retries: 2, delay: Duration::from_secs(10), factor: 3.0, cap: Some(Duration::from_secs(25)), jitter: 0.0 };
    let mut run = Driven::new(vec![flaky]);
    let attempt = run.start(0);
    run.now_ms = 5_000;
    let step = run.apply(Event::AttemptEnded { task: 0, attempt, outcome: Outcome::Failed { retryable: true, reason: "disk".to_owned() } });
    assert_eq!(step.effects, [Effect::Wake { task: 0, timer: Timer::Retry { after: 1 }, at_ms: 15_000 }]);
    assert_eq!(run.tokens(), "retrying");
    run.now_ms = 15_000;
    run.apply(Event::TimerFired { task: 0, timer: Timer::Retry { after: 1 } });
    let step = run.fail(0);
    assert_eq!(step.effects, [Effect::Wake { task: 0, timer: Timer::Retry { after: 2 }, at_ms: 40_000 }], "30 s, capped at 25 s");
    run.apply(Event::TimerFired { task: 0, timer: Timer::Retry { after: 2 } });
    run.fail(0);
    assert_eq!(run.state.status, RunStatus::Failed);
    assert_eq!(run.state.tasks[0].attempts, 3);
}

#[test]
fn bad_input_is_not_retried() {
    let mut strict = task("strict", &[]);
    strict.retry.retries = 5;
    let mut run = Driven::new(vec![strict]);
    run.run(0, Outcome::Failed { retryable: false, reason: "bad rating".to_owned() });
    assert_eq!((run.state.status, run.state.tasks[0].attempts), (RunStatus::Failed, 1));
}

#[test]
fn a_timeout_stops_the_attempt_and_uses_a_retry() {
    let mut slow = task("slow", &[]);
    slow.timeout_ms = Some(2_000);
    slow.retry.retries = 1;
    let mut run = Driven::new(vec![slow]);
    let step = run.apply(Event::AttemptStarted { task: 0, attempt: 1 });
    assert_eq!(
        step.effects,
        [Effect::Wake { task: 0, timer: Timer::Timeout { attempt: 1 }, at_ms: 3_000 }, Effect::Start { task: 0, attempt: 1 }]
    );
    let step = run.apply(Event::TimerFired { task: 0, timer: Timer::Timeout { attempt: 1 } });
    assert_eq!(step.effects, [Effect::Stop { task: 0, attempt: 1, reason: StopReason::TimedOut }]);
    run.apply(Event::AttemptEnded { task: 0, attempt: 1, outcome: Outcome::Stopped });
    assert_eq!(run.tokens(), "retrying");
    assert_eq!(run.state.tasks[0].reason.as_deref(), Some("timed out after 2s"));
}

#[test]
fn an_attempt_that_finishes_before_the_signal_reaches_it_has_succeeded() {
    let mut slow = task("slow", &[]);
    slow.timeout_ms = Some(2_000);
    let mut run = Driven::new(vec![slow]);
    run.start(0);
    run.apply(Event::TimerFired { task: 0, timer: Timer::Timeout { attempt: 1 } });
    run.apply(Event::AttemptEnded { task: 0, attempt: 1, outcome: Outcome::Succeeded { taken: None } });
    assert_eq!(run.state.status, RunStatus::Succeeded);
}

#[test]
fn stale_messages_change_nothing() {
    let mut flaky = task("flaky", &[]);
    flaky.retry.retries = 3;
    flaky.timeout_ms = Some(1_000);
    let mut run = Driven::new(vec![flaky]);
    run.fail(0);
    run.apply(Event::TimerFired { task: 0, timer: Timer::Retry { after: 1 } });
    run.start(0);
    let before = run.state.clone();
    for late in [
        Event::TimerFired { task: 0, timer: Timer::Timeout { attempt: 1 } },
        Event::TimerFired { task: 0, timer: Timer::Retry { after: 1 } },
        Event::TimerFired { task: 0, timer: Timer::Deferral { after: 1 } },
        Event::AttemptEnded { task: 0, attempt: 1, outcome: Outcome::Succeeded { taken: None } },
    ] {
        assert!(run.apply(late.clone()).is_stale(), "{late:?}");
        assert_eq!(run.state, before);
    }
}

#[test]
fn events_that_cannot_happen_are_errors_naming_event_and_state() {
    let mut run = Driven::new(vec![task("a", &[]), task("b", &[0])]);
    let error = run.state.apply(&run.plan, &Stamped { at_ms: 0, event: Event::AttemptStarted { task: 1, attempt: 1 } }).unwrap_err();
    assert_eq!(error.to_string(), "event AttemptStarted { task: 1, attempt: 1 } cannot happen while task `b` is waiting");
    for event in [
        Event::Created,
        Event::AttemptStarted { task: 0, attempt: 2 },
        Event::Skipped { task: 9, reason: String::new() },
        Event::Cleared { tasks: vec![0] },
    ] {
        assert!(run.state.apply(&run.plan, &Stamped { at_ms: 0, event: event.clone() }).is_err(), "{event:?}");
    }
}

#[test]
fn a_lost_attempt_uses_no_retry_but_three_losses_fail_the_task() {
    let mut run = Driven::new(vec![task("heavy", &[])]);
    let lost = || Outcome::Lost { reason: "its process died".to_owned() };
    run.run(0, lost());
    run.run(0, lost());
    assert_eq!(run.tokens(), "queued");
    run.run(0, lost());
    assert_eq!(run.state.status, RunStatus::Failed);
    assert_eq!(run.state.tasks[0].reason.as_deref(), Some("lost 3 times, the last time because its process died"));
}

#[test]
fn cancel_stops_what_runs_and_starts_nothing_new_not_even_always() {
    let mut always = task("always", &[0]);
    always.rule = TriggerRule::AllDone;
    let mut run = Driven::new(vec![task("a", &[]), always, task("queued", &[])]);
    run.start(0);
    let step = run.apply(Event::CancelRequested { force: false, reason: "Ctrl-C".to_owned() });
    assert_eq!(step.effects, [Effect::Stop { task: 0, attempt: 1, reason: StopReason::Cancelled }]);
    assert_eq!(run.tokens(), "running cancelled cancelled");
    let step = run.apply(Event::CancelRequested { force: true, reason: "Ctrl-C".to_owned() });
    assert_eq!(step.effects, [Effect::Stop { task: 0, attempt: 1, reason: StopReason::Killed }], "a stronger reason replaces a weaker one");
    assert!(run.apply(Event::CancelRequested { force: false, reason: "again".to_owned() }).is_stale());
    let step = run.apply(Event::AttemptEnded { task: 0, attempt: 1, outcome: Outcome::Stopped });
    assert_eq!(step.effects, [Effect::RunEnded(RunStatus::Cancelled)]);
    assert_eq!(run.tokens(), "cancelled cancelled cancelled");
}

#[test]
fn a_deferred_task_waits_without_a_retry_and_is_queued_again() {
    let mut run = Driven::new(vec![task("sensor", &[])]);
    let step = run.run(0, Outcome::Deferred { until_ms: 9_000 });
    assert_eq!(step.effects, [Effect::Wake { task: 0, timer: Timer::Deferral { after: 1 }, at_ms: 9_000 }]);
    assert_eq!(run.tokens(), "deferred");
    run.apply(Event::TimerFired { task: 0, timer: Timer::Deferral { after: 1 } });
    run.succeed(0);
    assert_eq!(run.state.status, RunStatus::Succeeded);
}

#[test]
fn clearing_runs_failed_tasks_and_what_is_below_again_and_keeps_the_rest() {
    let mut cleanup = task("cleanup", &[1]);
    cleanup.rule = TriggerRule::AllDone;
    let mut run = Driven::new(vec![task("etl", &[]), task("train", &[0]), task("test", &[1]), cleanup]);
    run.succeed(0);
    run.fail(1);
    run.succeed(3);
    assert_eq!(run.state.status, RunStatus::Failed);
    run.apply(Event::Cleared { tasks: vec![1] });
    assert_eq!(run.tokens(), "succeeded queued waiting waiting");
    let generations: Vec<u32> = run.state.tasks.iter().map(|record| record.generation).collect();
    assert_eq!(generations, [0, 0, 0, 1], "work that had succeeded is done anew under a new publish key");
    run.succeed(1);
    run.succeed(2);
    run.succeed(3);
    assert_eq!((run.state.status, run.state.tasks[1].attempts), (RunStatus::Succeeded, 2));
}

#[test]
fn clearing_keeps_the_decision_of_a_branch_above() {
    let mut run = Driven::new(vec![task("check", &[]), task("x", &[]), task("taken", &[0]), task("refused", &[0, 1])]);
    run.run(0, Outcome::Succeeded { taken: Some(vec![2]) });
    run.fail(1);
    run.succeed(2);
    assert_eq!(run.tokens(), "succeeded failed succeeded skipped");
    run.apply(Event::Cleared { tasks: vec![1] });
    run.succeed(1);
    assert_eq!(run.tokens(), "succeeded succeeded succeeded skipped");
}

#[test]
fn jitter_is_bounded_and_repeats_for_the_same_seed() {
    let policy = RetryPolicy { retries: 9, delay: Duration::from_secs(1), factor: 2.0, cap: None, jitter: 0.5 };
    let delays: Vec<i64> = (1..=6).map(|failure| retry_delay_ms(&policy, 42, "train", failure)).collect();
    for (failure, delay) in delays.iter().enumerate() {
        let base = 1_000 * (1 << failure);
        assert!((base..=base * 3 / 2).contains(delay), "failure {failure}: {delay}");
    }
    assert_eq!(delays, (1..=6).map(|failure| retry_delay_ms(&policy, 42, "train", failure)).collect::<Vec<_>>());
    assert_ne!(delays[0], retry_delay_ms(&policy, 43, "train", 1));
    let huge = RetryPolicy { retries: 9, delay: Duration::from_secs(3600), factor: 1e9, cap: None, jitter: 0.0 };
    assert!(retry_delay_ms(&huge, 0, "x", 900) > 0, "no overflow");
}

fn mark(task: TaskIx, r#as: Mark) -> Event {
    Event::Marked { task, r#as, taken: None, reason: "ann says so".to_owned() }
}

#[test]
fn a_mark_ends_a_task_that_has_not_begun_and_what_is_below_follows() {
    let mut run = Driven::new(vec![task("a", &[]), task("b", &[0])]);
    run.apply(mark(0, Mark::Succeeded));
    assert_eq!(run.tokens(), "succeeded queued");
    assert_eq!(run.state.tasks[0].reason.as_deref(), Some("ann says so"));
    run.succeed(1);
    assert_eq!(run.state.status, RunStatus::Succeeded);
}

#[test]
fn a_mark_of_a_running_task_kills_its_attempt_whose_end_comes_too_late() {
    let mut run = Driven::new(vec![task("a", &[]), task("b", &[0])]);
    let attempt = run.start(0);
    let step = run.apply(mark(0, Mark::Skipped));
    assert!(step.effects.contains(&Effect::Stop { task: 0, attempt, reason: StopReason::Killed }), "{step:?}");
    assert_eq!(run.tokens(), "skipped skipped");
    let late = run.apply(Event::AttemptEnded { task: 0, attempt, outcome: Outcome::Succeeded { taken: None } });
    assert!(late.is_stale());
}

#[test]
fn a_mark_of_a_failed_task_opens_what_is_below_and_the_run_again() {
    let mut cleanup = task("cleanup", &[0]);
    cleanup.rule = TriggerRule::AllDone;
    let mut run = Driven::new(vec![task("a", &[]), task("b", &[0]), cleanup]);
    run.fail(0);
    run.succeed(2);
    assert_eq!((run.tokens().as_str(), run.state.status), ("failed upstream_failed succeeded", RunStatus::Failed));
    let step = run.apply(mark(0, Mark::Succeeded));
    assert!(step.run_changed);
    assert_eq!(run.tokens(), "succeeded queued queued");
    assert_eq!(run.state.tasks[2].generation, 1, "what had succeeded below really runs again");
    run.succeed(1);
    run.succeed(2);
    assert_eq!(run.state.status, RunStatus::Succeeded);
}

#[test]
fn a_mark_in_a_cancelled_run_opens_all_that_was_cancelled() {
    let mut run = Driven::new(vec![task("a", &[]), task("b", &[0]), task("c", &[])]);
    run.apply(Event::CancelRequested { force: false, reason: "stop".to_owned() });
    assert_eq!(run.tokens(), "cancelled cancelled cancelled");
    run.apply(mark(0, Mark::Succeeded));
    assert_eq!((run.tokens().as_str(), run.state.status), ("succeeded queued queued", RunStatus::Running));
}

#[test]
fn a_mark_above_a_running_task_or_in_a_run_being_cancelled_is_refused() {
    let mut run = Driven::new(vec![task("a", &[]), task("b", &[0])]);
    run.succeed(0);
    run.start(1);
    let apply = |run: &Driven, event| run.state.clone().apply(&run.plan, &Stamped { at_ms: 2_000, event });
    let error = apply(&run, mark(0, Mark::Failed)).unwrap_err();
    assert!(error.to_string().contains("task `b` below it is running"), "{error}");
    run.apply(Event::CancelRequested { force: false, reason: "stop".to_owned() });
    assert!(apply(&run, mark(1, Mark::Failed)).is_err());
}

#[test]
fn a_branch_can_be_marked_with_the_sides_that_run() {
    let mut run = Driven::new(vec![task("check", &[]), task("retrain", &[0]), task("rest", &[0])]);
    let taken = Some(vec![2]);
    run.apply(Event::Marked { task: 0, r#as: Mark::Succeeded, taken, reason: "ann says so".to_owned() });
    assert_eq!(run.tokens(), "succeeded skipped queued");
}

#[test]
fn an_interrupted_attempt_goes_back_to_the_queue_and_counts_as_nothing() {
    let mut run = Driven::new(vec![task("a", &[])]);
    for _ in 0..5 {
        run.run(0, Outcome::Interrupted { reason: "the daemon was stopped".to_owned() });
        assert_eq!(run.tokens(), "queued");
    }
    assert_eq!((run.state.tasks[0].lost, run.state.tasks[0].failures, run.state.tasks[0].attempts), (0, 0, 5));
    run.succeed(0);
    assert_eq!(run.state.status, RunStatus::Succeeded);
}
