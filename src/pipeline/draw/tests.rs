//! Drawings, and the law that every edge of a random graph can be followed on paper.

use proptest::prelude::*;
use recflow_stages::Catalog;

use super::*;
use crate::pipeline::load;

fn drawn(tasks: &str) -> String {
    let text = format!("tasks:\n{tasks}");
    let loaded = load(&text, "drawn.yaml", Catalog::builtin());
    draw(&loaded.pipeline.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics)))
}

#[test]
fn a_fork_and_a_chain() {
    let text = drawn(
        "  etl: { stage: noop }
  create_futures: { stage: noop, needs: etl }
  train: { stage: noop, needs: etl }
  find_model: { stage: noop, needs: train }
  test: { stage: noop, needs: find_model }
",
    );
    insta::assert_snapshot!(text, @r"
    ○   etl              noop
    ├─╮
    ○ │ create_futures   noop
      ○ train            noop
      ○ find_model       noop
      ○ test             noop
    ");
}

#[test]
fn a_branch_a_join_and_a_loner() {
    let text = drawn(
        "  detect: { stage: noop }
  check:
    needs: detect
    branch: [{ when: \"run.trigger == 'manual'\", to: [merge, report] }, { to: skip }]
  merge: { stage: noop, needs: check }
  report: { stage: noop, needs: check, when: \"run.trigger == 'manual'\" }
  skip: { stage: noop, needs: check }
  alone: { stage: noop }
  train: { stage: noop, needs: merge }
  end: { stage: noop, needs: [detect, skip, train], trigger_rule: none_failed_min_one_success }
",
    );
    insta::assert_snapshot!(text, @r"
    ○       detect   noop
    ├─╮
    ◆ │     check    if run.trigger == 'manual' → merge, report; else → skip
    ├─│─┬─╮
    ○ │ │ │ merge    noop
    ○ │ │ │ train    noop
    ╰─┤ │ │
      │ ○ │ report   noop  when run.trigger == 'manual'
      │   ○ skip     noop
      ├───╯
      ○     end      noop  on none_failed_min_one_success
    ○       alone    noop
    ");
}

#[test]
fn many_edges_cross_without_merging() {
    let text = drawn(
        "  a: { stage: noop }
  b: { stage: noop }
  c: { stage: noop, needs: [a, b] }
  d: { stage: noop, needs: [a, b] }
  e: { stage: noop, needs: [a, d] }
  f: { stage: noop, needs: [b, c, e] }
",
    );
    insta::assert_snapshot!(text, @r"
    ○       a   noop
    ├─┬─╮
    │ │ │ ○ b   noop
    ├─┼─│─┤
    ○ │ │ │ c   noop
    ╰─│─│─┤
      ○ │ │ d   noop
      ╰─┤ │
        ○ │ e   noop
        ╰─┤
          ○ f   noop
    ");
}

/// Follows the lines from each task down to the tasks that they lead to.
fn edges_on_paper(lines: &[Line]) -> Vec<(usize, usize)> {
    let grid: Vec<Vec<char>> = lines.iter().map(|line| line.lanes.chars().collect()).collect();
    let cell = |row: usize, column: usize| grid.get(row).and_then(|line| line.get(column)).copied().unwrap_or(' ');
    let mut edges = Vec::new();
    for (row, line) in lines.iter().enumerate() {
        let Some(task) = line.task else { continue };
        let column = grid[row].iter().position(|cell| matches!(cell, '○' | '◆')).expect("a glyph");
        // The columns in which something leads down from the task: its own, or those that its connecting line reaches.
        let next = cell(row + 1, column);
        let mut down = Vec::new();
        if matches!(next, '○' | '◆' | '│' | '├' | '┤' | '┼') {
            down.push(column);
        }
        let connects = lines.get(row + 1).is_some_and(|line| line.task.is_none());
        if connects {
            for step in [-2_isize, 2] {
                let mut at = column as isize;
                while at >= 0 && cell(row + 1, (at + step / 2) as usize) == '─' {
                    at += step;
                    if matches!(cell(row + 1, at as usize), '┼' | '┤' | '├' | '┬' | '╮' | '╭') {
                        down.push(at as usize);
                    }
                }
            }
        }
        for column in down {
            let end = (row + 1..lines.len()).find(|row| matches!(cell(*row, column), '○' | '◆')).expect("it ends at a task");
            edges.push((task, lines[end].task.expect("a task")));
        }
    }
    edges.sort_unstable();
    edges
}

proptest! {
    #[test]
    fn every_edge_can_be_followed_and_no_other(raw in prop::collection::vec(prop::collection::vec(0_usize..14, 0..4), 1..14)) {
        // A task may need only those before it, so there is no cycle.
        let needs: Vec<Vec<usize>> = raw.iter().enumerate().map(|(task, needs)| needs.iter().copied().filter(|need| *need < task).collect()).collect();
        let graph = TaskGraph::new(needs.iter().map(Vec::as_slice));
        let mut canvas = Canvas::default();
        for task in depth_first(&graph) {
            canvas.task(task, graph.below(task), false);
        }
        let mut expected: Vec<(usize, usize)> = (0..graph.len()).flat_map(|task| graph.below(task).iter().map(move |below| (task, *below))).collect();
        expected.sort_unstable();
        let drawing: Vec<&str> = canvas.lines.iter().map(|line| line.lanes.as_str()).collect();
        prop_assert_eq!(edges_on_paper(&canvas.lines), expected, "\n{}", drawing.join("\n"));
    }
}
