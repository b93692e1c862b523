//! The graph of tasks, as numbers: order, cycles, ancestors. Knows nothing of pipelines.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

/// Tasks `0..len` and, for each, the tasks that it needs.
#[derive(Debug, Clone)]
pub struct TaskGraph {
    needs: Vec<Vec<usize>>,
    /// The reverse of `needs`, each list ascending.
    below: Vec<Vec<usize>>,
}

impl TaskGraph {
    /// The graph in which task `n` needs the tasks of the `n`-th slice. Numbers beyond the last task, and
    /// repeated ones, are ignored.
    pub fn new<'a>(needs: impl IntoIterator<Item = &'a [usize]>) -> Self {
        let mut needs: Vec<Vec<usize>> = needs.into_iter().map(<[usize]>::to_vec).collect();
        let len = needs.len();
        let mut below = vec![Vec::new(); len];
        for (task, upstream) in needs.iter_mut().enumerate() {
            upstream.retain(|need| {
                let is_new = *need < len && below[*need].last() != Some(&task);
                if is_new {
                    below[*need].push(task);
                }
                is_new
            });
        }
        Self { needs, below }
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.needs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.needs.is_empty()
    }

    /// The tasks that `task` needs.
    pub fn needs(&self, task: usize) -> &[usize] {
        &self.needs[task]
    }

    /// The tasks that need `task`, ascending.
    pub fn below(&self, task: usize) -> &[usize] {
        &self.below[task]
    }

    /// All tasks so that each comes after those that it needs; of those that could come next, the first of the
    /// document does. `None` if there is a cycle.
    pub fn order(&self) -> Option<Vec<usize>> {
        let mut missing: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        let mut ready: BinaryHeap<Reverse<usize>> = (0..self.len()).filter(|task| missing[*task] == 0).map(Reverse).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(Reverse(task)) = ready.pop() {
            order.push(task);
            for &next in &self.below[task] {
                missing[next] -= 1;
                if missing[next] == 0 {
                    ready.push(Reverse(next));
                }
            }
        }
        (order.len() == self.len()).then_some(order)
    }

    /// One shortest cycle of each group of tasks that wait for each other: `[a, b]` says that `b` needs `a` and `a`
    /// needs `b`. Each begins with its first task of the document, and they are sorted by it.
    pub fn cycles(&self) -> Vec<Vec<usize>> {
        let edges = self.needs.iter().enumerate().flat_map(|(task, needs)| needs.iter().map(move |need| (*need as u32, task as u32)));
        let mut graph: DiGraph<(), ()> = DiGraph::from_edges(edges);
        // A task without edges is not in the list of edges.
        while graph.node_count() < self.len() {
            graph.add_node(());
        }
        let mut cycles = Vec::new();
        // Not `tarjan_scc`: it recurses, and a long chain of tasks would overflow the stack.
        for group in kosaraju_scc(&graph) {
            let mut group: Vec<usize> = group.into_iter().map(NodeIndex::index).collect();
            group.sort_unstable();
            let first = group[0];
            if group.len() > 1 || self.needs[first].contains(&first) {
                cycles.push(self.shortest_cycle(first, &group));
            }
        }
        cycles.sort_unstable();
        cycles
    }

    /// A shortest way from `first` down to itself through tasks of `group`, which is sorted.
    fn shortest_cycle(&self, first: usize, group: &[usize]) -> Vec<usize> {
        let mut came_from: Vec<Option<usize>> = vec![None; self.len()];
        let mut queue = VecDeque::from([first]);
        while let Some(task) = queue.pop_front() {
            for &next in &self.below[task] {
                if next == first {
                    let mut cycle = vec![task];
                    while let Some(above) = came_from[cycle[cycle.len() - 1]] {
                        cycle.push(above);
                    }
                    cycle.reverse();
                    return cycle;
                }
                if came_from[next].is_none() && group.binary_search(&next).is_ok() {
                    came_from[next] = Some(task);
                    queue.push_back(next);
                }
            }
        }
        vec![first]
    }

    /// Whether `above` is somewhere upstream of `task`. A task is not upstream of itself unless it is in a cycle.
    pub fn is_upstream(&self, above: usize, task: usize) -> bool {
        if self.needs[task].contains(&above) {
            return true;
        }
        let mut seen = vec![false; self.len()];
        let mut open = vec![task];
        while let Some(task) = open.pop() {
            for &need in &self.needs[task] {
                if need == above {
                    return true;
                }
                if !std::mem::replace(&mut seen[need], true) {
                    open.push(need);
                }
            }
        }
        false
    }

    /// Every task below `task`, at any distance, ascending; without itself.
    pub fn descendants(&self, task: usize) -> Vec<usize> {
        let mut seen = vec![false; self.len()];
        let mut open = vec![task];
        while let Some(task) = open.pop() {
            for &next in &self.below[task] {
                if !std::mem::replace(&mut seen[next], true) {
                    open.push(next);
                }
            }
        }
        seen[task] = false;
        (0..self.len()).filter(|task| seen[*task]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(needs: &[&[usize]]) -> TaskGraph {
        TaskGraph::new(needs.iter().copied())
    }

    #[test]
    fn the_order_follows_the_document_where_the_edges_leave_a_choice() {
        let diamond = graph(&[&[3], &[], &[1], &[1]]);
        assert_eq!(diamond.order(), Some(vec![1, 2, 3, 0]));
        assert_eq!(diamond.below(1), [2, 3]);
        assert_eq!(diamond.descendants(1), [0, 2, 3]);
    }

    #[test]
    fn each_cycle_is_found_whole() {
        let two = graph(&[&[2], &[0], &[1], &[], &[4], &[2]]);
        assert_eq!(two.order(), None);
        assert_eq!(two.cycles(), [vec![0, 1, 2], vec![4]]);
        assert!(graph(&[&[], &[0]]).cycles().is_empty());
    }

    proptest! {
        #[test]
        fn a_graph_has_an_order_or_a_cycle(needs in prop::collection::vec(prop::collection::vec(0_usize..12, 0..4), 0..12)) {
            let graph = TaskGraph::new(needs.iter().map(Vec::as_slice));
            match graph.order() {
                Some(order) => {
                    let place = |task: usize| order.iter().position(|other| *other == task);
                    for task in 0..graph.len() {
                        for &need in graph.needs(task) {
                            prop_assert!(place(need) < place(task));
                            prop_assert!(graph.is_upstream(need, task));
                        }
                    }
                    prop_assert!(graph.cycles().is_empty());
                }
                None => {
                    prop_assert!(!graph.cycles().is_empty());
                    for cycle in graph.cycles() {
                        for (place, &task) in cycle.iter().enumerate() {
                            let next = cycle[(place + 1) % cycle.len()];
                            prop_assert!(graph.needs(next).contains(&task));
                        }
                    }
                }
            }
        }
    }
}
