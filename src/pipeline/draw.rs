//! Draws the graph of tasks in a terminal: one task a line, edges in lanes to its left.
//!
//! ```text
//! ○ etl                etl
//! ├─╮
//! │ ○ create_futures   create_futures
//! ○ train              train_als
//! ○ test               evaluate
//! ```
//!
//! As in `git log --graph`, a lane runs from the first line of a task's upstream to the task itself; all edges into
//! one task share its lane. Tasks are listed depth first, so chains stay together and lanes short. Two lines that
//! follow each other in one lane are connected; a blank stands between those that are not.

use super::graph::TaskGraph;
use super::model::{Pipeline, Side, Task, TaskKind, TriggerRule};

/// Labels begin in one column, unless the lanes of a line reach further than this.
const ALIGNED_LANES: usize = 12;

/// The drawing, each line with a line break.
pub fn draw(pipeline: &Pipeline) -> String {
    let graph = pipeline.graph();
    let mut canvas = Canvas::default();
    for task in depth_first(&graph) {
        canvas.task(task, graph.below(task), matches!(pipeline.tasks[task].kind, TaskKind::Branch { .. }));
    }
    let width = |line: &Line| line.lanes.chars().count();
    let lanes = canvas.lines.iter().map(width).max().unwrap_or(0).min(2 * ALIGNED_LANES);
    let ids = pipeline.tasks.iter().map(|task| task.id.as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    for line in &canvas.lines {
        let padded = match line.task {
            Some(task) => format!("{:lanes$} {}", line.lanes, label(pipeline, task, ids)),
            None => line.lanes.clone(),
        };
        text.push_str(padded.trim_end());
        text.push('\n');
    }
    text
}

/// All tasks, each after those that it needs, a task's first child right after it where that is possible.
fn depth_first(graph: &TaskGraph) -> Vec<usize> {
    let mut missing: Vec<usize> = (0..graph.len()).map(|task| graph.needs(task).len()).collect();
    let mut ready: Vec<usize> = (0..graph.len()).rev().filter(|task| missing[*task] == 0).collect();
    let mut order = Vec::with_capacity(graph.len());
    while let Some(task) = ready.pop() {
        order.push(task);
        for &next in graph.below(task).iter().rev() {
            missing[next] -= 1;
            if missing[next] == 0 {
                ready.push(next);
            }
        }
    }
    order
}

fn label(pipeline: &Pipeline, number: usize, id_width: usize) -> String {
    let task = &pipeline.tasks[number];
    let mut label = format!("{:id_width$}   {}", task.id.as_str(), what(pipeline, task));
    if let Some(when) = &task.when {
        label.push_str(&format!("  when {}", short(when.source())));
    }
    if task.trigger_rule != TriggerRule::default() {
        label.push_str(&format!("  on {}", task.trigger_rule));
    }
    label
}

fn what(pipeline: &Pipeline, task: &Task) -> String {
    match &task.kind {
        TaskKind::Stage { stage, .. } => stage.clone(),
        TaskKind::Branch { sides } => {
            let side = |side: &Side| {
                let to: Vec<&str> = side.to.iter().map(|task| pipeline.tasks[*task].id.as_str()).collect();
                let condition = side.when.as_ref().map_or("else".to_owned(), |when| format!("if {}", short(when.source())));
                format!("{condition} → {}", to.join(", "))
            };
            sides.iter().map(side).collect::<Vec<_>>().join("; ")
        }
    }
}

/// An expression on one line of bounded length.
fn short(source: &str) -> String {
    let words = source.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= 60 { words } else { words.chars().take(59).chain(['…']).collect() }
}

/// A line of the drawing, with or without a task.
struct Line {
    lanes: String,
    task: Option<usize>,
}

/// The lanes while they are drawn: each holds the task that it leads to.
#[derive(Default)]
struct Canvas {
    lanes: Vec<Option<usize>>,
    lines: Vec<Line>,
}

impl Canvas {
    /// Draws the line of a task and, if edges leave its lane, the line that connects them.
    fn task(&mut self, task: usize, below: &[usize], is_branch: bool) {
        let lane = self.lane_of(task).unwrap_or_else(|| self.open_root());
        let glyph = if is_branch { '◆' } else { '○' };
        self.lanes[lane] = Some(task);
        let lanes = cells(&self.lanes, |at, used| if at == lane { glyph } else { lane_char(used) });
        self.lines.push(Line { lanes, task: Some(task) });
        self.lanes[lane] = None;

        let before = self.lanes.clone();
        let mut targets = Vec::new();
        for &child in below {
            let target = match self.lane_of(child) {
                Some(existing) => existing,
                None if self.lanes[lane].is_none() => lane,
                None => self.free_lane(lane),
            };
            self.lanes[target] = Some(child);
            targets.push(target);
        }
        if targets.iter().any(|target| *target != lane) {
            self.connect(lane, &targets, &before);
        }
        while self.lanes.last() == Some(&None) {
            self.lanes.pop();
        }
    }

    fn lane_of(&self, task: usize) -> Option<usize> {
        self.lanes.iter().position(|lane| *lane == Some(task))
    }

    /// A lane for a task that needs nothing. A blank line keeps it apart from a task that stood in it just before.
    fn open_root(&mut self) -> usize {
        let lane = match self.lanes.iter().position(Option::is_none) {
            Some(lane) => lane,
            None => {
                self.lanes.push(None);
                self.lanes.len() - 1
            }
        };
        let above = self.lines.last().and_then(|line| line.lanes.chars().nth(2 * lane)).unwrap_or(' ');
        if above != ' ' {
            self.lines.push(Line { lanes: cells(&self.lanes, |_, used| lane_char(used)), task: None });
        }
        lane
    }

    /// The first free lane to the right of `lane`.
    fn free_lane(&mut self, lane: usize) -> usize {
        if let Some(free) = (lane + 1..self.lanes.len()).find(|at| self.lanes[*at].is_none()) {
            return free;
        }
        self.lanes.push(None);
        self.lanes.len() - 1
    }

    /// The line that leads from `lane` to the lanes `targets`; `before` are the lanes above it.
    fn connect(&mut self, lane: usize, targets: &[usize], before: &[Option<usize>]) {
        let first = targets.iter().copied().min().unwrap_or(lane).min(lane);
        let last = targets.iter().copied().max().unwrap_or(lane).max(lane);
        let mut line = String::new();
        for at in 0..self.lanes.len() {
            let is_used = before.get(at).is_some_and(Option::is_some);
            let corner = if at == lane {
                Some(corner(true, targets.contains(&lane), first < lane, last > lane))
            } else if targets.contains(&at) {
                Some(corner(is_used, true, at > first, at < last))
            } else {
                None
            };
            let inside = at >= first && at <= last;
            // A lane that is crossed stays whole; the line passes behind it.
            line.push(corner.unwrap_or(if is_used {
                '│'
            } else if inside {
                '─'
            } else {
                ' '
            }));
            line.push(if at >= first && at < last { '─' } else { ' ' });
        }
        self.lines.push(Line { lanes: line.trim_end().to_owned(), task: None });
    }
}

fn lane_char(used: bool) -> char {
    if used { '│' } else { ' ' }
}

fn cells(lanes: &[Option<usize>], cell: impl Fn(usize, bool) -> char) -> String {
    let line: String = lanes.iter().enumerate().flat_map(|(at, lane)| [cell(at, lane.is_some()), ' ']).collect();
    line.trim_end().to_owned()
}

/// The box-drawing character with these arms.
fn corner(up: bool, down: bool, left: bool, right: bool) -> char {
    match (up, down, left, right) {
        (true, true, true, true) => '┼',
        (true, true, true, false) => '┤',
        (true, true, false, true) => '├',
        (true, false, true, true) => '┴',
        (false, true, true, true) => '┬',
        (true, false, true, false) => '╯',
        (true, false, false, true) => '╰',
        (false, true, true, false) => '╮',
        (false, true, false, true) => '╭',
        (_, _, true, true) => '─',
        _ => '│',
    }
}

#[cfg(test)]
mod tests;
