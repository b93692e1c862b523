//! Random pipelines, as text: what the engine and the scheduler read is what a person would have written.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use recflow::pipeline::Loaded;

use crate::dice::Dice;
use crate::world::checked;

/// What a history may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Everything. Checked against laws.
    Wild,
    /// Only what ends the same whatever the order: compared with the same history without crashes. No task is skipped.
    NoSkips,
    /// The same; no task has the rule `all_success`, whose verdict depends on which of its upstream tasks ends first.
    NoAllSuccess,
}

/// What all pipelines of a history share.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) flavour: Flavour,
    /// The unit of everything that takes time, in milliseconds.
    pub(crate) scale: i64,
    /// When it begins.
    pub(crate) start: Timestamp,
    /// After this nothing is due any more.
    pub(crate) end: Timestamp,
}

/// A pipeline's text but for its tasks, which an edit changes.
#[derive(Debug, Clone)]
pub(crate) struct Blueprint {
    name: String,
    header: String,
}

impl Blueprint {
    pub(crate) fn draw(dice: &mut Dice, setting: &Setting, index: u64) -> Self {
        let wild = setting.flavour == Flavour::Wild;
        let mut header = format!("name: p{index}\nparams: {{ x: {{ type: integer, default: 3 }} }}\n");
        if dice.percent(50) {
            let _ = writeln!(header, "max_active_runs: {}", dice.between(1, 3));
        }
        if dice.percent(25) {
            let _ = writeln!(header, "max_active_tasks: {}", dice.between(1, 4));
        }
        if dice.percent(25) {
            let _ = writeln!(header, "priority: {}", dice.between(-1, 2));
        }
        let schedules = if index == 0 || !wild { 1 } else { *dice.pick(&[0, 1, 1, 1, 2]) };
        if schedules > 0 {
            header.push_str("schedule:\n");
        }
        for _ in 0..schedules {
            let _ = writeln!(header, "  - {{ {} }}", schedule(dice, setting));
        }
        if wild && index > 0 && dice.percent(45) {
            header.push_str("on:\n");
            let _ = writeln!(header, "  - {{ {} }}", trigger(dice, setting, index));
        }
        Self { name: format!("p{index}"), header }
    }

    /// Name and definition, with tasks drawn anew.
    pub(crate) fn loaded(&self, dice: &mut Dice, setting: &Setting) -> (String, Arc<Loaded>) {
        let text = format!("{}tasks:\n{}", self.header, tasks(dice, setting));
        (self.name.clone(), Arc::new(checked(&text, &self.name)))
    }
}

fn ms(duration: i64) -> String {
    format!("{}ms", duration.max(1))
}

fn schedule(dice: &mut Dice, setting: &Setting) -> String {
    let by_clock = setting.scale >= 10_000 && dice.percent(40);
    let mut text = if by_clock {
        let cron =
            dice.pick(&["* * * * *", "*/5 * * * *", "0,30 * * * *", "*/15 1-3 * * *", "30 2 * * *", "0 * * * *", "15 */2 * * *", "@daily"]);
        let zone = dice.pick(&["UTC", "Europe/Prague", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]);
        format!("cron: \"{cron}\", timezone: {zone}, dst: {}", dice.pick(&["vixie", "skip", "both"]))
    } else {
        format!("every: {}", ms((setting.scale * dice.between(1, 10)).max(1_000)))
    };
    let _ = write!(text, ", end: \"{}\"", setting.end);
    if setting.flavour != Flavour::Wild {
        let _ = write!(text, ", catchup: all, start: \"{}\"", setting.start);
        return text;
    }
    let _ = write!(text, ", catchup: {}", dice.pick(&["none", "latest", "all"]));
    let _ = write!(text, ", overlap: {}", dice.pick(&["queue", "skip", "cancel_running"]));
    if dice.percent(20) {
        let _ = write!(text, ", catchup_window: {}", ms(setting.scale * dice.between(1, 40)));
    }
    if dice.percent(15) {
        let _ = write!(text, ", start: \"{}\"", setting.start);
    }
    text
}

fn trigger(dice: &mut Dice, setting: &Setting, index: u64) -> String {
    let mut text = match dice.below(6) {
        0 => format!("file: \"in/p{index}/*.csv\""),
        1 => format!("dataset: data/p{index}"),
        // Only of an earlier one, so that nothing goes in circles.
        _ => format!("pipeline: p{}, status: {}", dice.below(index), dice.pick(&["succeeded", "failed", "cancelled", "any", "any"])),
    };
    if dice.percent(30) {
        let _ = write!(text, ", debounce: {}", ms(setting.scale * dice.between(1, 5)));
    }
    if text.starts_with("pipeline") && dice.percent(20) {
        text.push_str(", when: run.trigger == 'schedule'");
    }
    text
}

/// One task while it is drawn.
struct Draft {
    needs: Vec<usize>,
    is_branch: bool,
}

fn tasks(dice: &mut Dice, setting: &Setting) -> String {
    let count = dice.between(1, 6) as usize;
    let mut drafts: Vec<Draft> = Vec::new();
    for task in 0..count {
        let mut needs: Vec<usize> = (0..task).filter(|_| dice.percent(45)).collect();
        needs.truncate(3);
        drafts.push(Draft { needs, is_branch: setting.flavour == Flavour::Wild && dice.percent(15) });
    }
    let mut text = String::new();
    for task in 0..count {
        let below: Vec<usize> = (task + 1..count).filter(|below| drafts[*below].needs.contains(&task)).collect();
        drafts[task].is_branch &= !below.is_empty();
        let kind =
            if drafts[task].is_branch { sides(dice, &drafts, task, &below) } else { "stage: shell, with: { script: \"true\" }".to_owned() };
        let _ = writeln!(text, "  t{task}: {{ {kind}{} }}", settings(dice, setting, &drafts, task));
    }
    text
}

fn condition(dice: &mut Dice, drafts: &[Draft], task: usize) -> String {
    match drafts[task].needs.first() {
        Some(upstream) if !drafts[*upstream].is_branch => {
            format!("tasks.t{upstream}.output.n | default(0) > {}", dice.below(8))
        }
        _ => format!("params.x > {}", dice.between(2, 3)),
    }
}

fn sides(dice: &mut Dice, drafts: &[Draft], task: usize, below: &[usize]) -> String {
    let names = |tasks: &[usize]| tasks.iter().map(|task| format!("t{task}")).collect::<Vec<_>>().join(", ");
    let (first, second) = below.split_at(below.len().div_ceil(2));
    let when = condition(dice, drafts, task);
    match second.is_empty() || dice.percent(30) {
        true => format!("branch: [{{ when: \"{when}\", to: [{}] }}]", names(first)),
        false => format!("branch: [{{ when: \"{when}\", to: [{}] }}, {{ to: [{}] }}]", names(first), names(second)),
    }
}

fn settings(dice: &mut Dice, setting: &Setting, drafts: &[Draft], task: usize) -> String {
    let draft = &drafts[task];
    let mut text = String::new();
    if !draft.needs.is_empty() {
        let names = draft.needs.iter().map(|need| format!("t{need}")).collect::<Vec<_>>().join(", ");
        let _ = write!(text, ", needs: [{names}]");
        if let Some(rule) = rule(dice, setting.flavour) {
            let _ = write!(text, ", trigger_rule: {rule}");
        }
    }
    if setting.flavour != Flavour::NoSkips && dice.percent(10) {
        // A task that does not wait for its upstream tasks reads what is there by then: another time, another end.
        let when =
            if setting.flavour == Flavour::Wild { condition(dice, drafts, task) } else { format!("params.x > {}", dice.between(2, 3)) };
        let _ = write!(text, ", when: \"{when}\"");
    }
    if draft.is_branch {
        return text;
    }
    if dice.percent(50) {
        let _ = write!(text, ", retries: {}, retry_delay: {}", dice.between(1, 3), ms(setting.scale * dice.between(1, 10) / 10));
        if dice.percent(40) {
            let _ = write!(text, ", retry_backoff: {{ factor: 2, cap: {}, jitter: true }}", ms(setting.scale * 2));
        }
    }
    // Where results are compared every attempt needs one: one that hangs has to end.
    if setting.flavour != Flavour::Wild || dice.percent(40) {
        let _ = write!(text, ", timeout: {}", ms(setting.scale * dice.between(30, 60) / 10));
    }
    if dice.percent(15) {
        text.push_str(", allow_failure: true");
    }
    match dice.below(6) {
        0 => text.push_str(", pool: b"),
        1 => {
            let _ = write!(text, ", pool: a, pool_slots: {}", dice.between(1, 2));
        }
        _ => {}
    }
    if dice.percent(20) {
        let _ = write!(text, ", priority: {}", dice.between(-2, 2));
    }
    if dice.percent(15) {
        let _ = write!(text, ", max_active: {}", dice.between(1, 2));
    }
    text
}

fn rule(dice: &mut Dice, flavour: Flavour) -> Option<&'static str> {
    const NO_SKIPS: &[&str] =
        &["all_done", "all_done_min_one_success", "one_success", "none_failed", "none_failed_min_one_success", "always"];
    const NO_ALL_SUCCESS: &[&str] = &[
        "all_failed",
        "all_done",
        "all_done_min_one_success",
        "all_skipped",
        "one_success",
        "one_failed",
        "one_done",
        "none_failed",
        "none_failed_min_one_success",
        "none_skipped",
        "always",
    ];
    match flavour {
        Flavour::Wild => dice.percent(50).then(|| *dice.pick(NO_ALL_SUCCESS)),
        Flavour::NoSkips => dice.percent(50).then(|| *dice.pick(NO_SKIPS)),
        Flavour::NoAllSuccess => Some(*dice.pick(NO_ALL_SUCCESS)),
    }
}
