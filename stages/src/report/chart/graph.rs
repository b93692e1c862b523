//! What depends on what: a layered drawing from top to bottom (Sugiyama, Tagawa, Toda 1981).
//!
//! A node lies one layer below the lowest of those that it needs. An edge over several layers passes through a point in each, which takes
//! part in the ordering like a node; a few sweeps put each node near the middle of its neighbours, which removes most crossings.

use super::Tone;
use super::canvas::{Anchor, TEXT, shortened, svg, text, tooltip};
use crate::report::markup::{Element, Markup, coordinate, element};

/// Size of a node.
const NODE: (f64, f64) = (168.0, 42.0);
/// Room between nodes of a layer, and between layers.
const GAP: (f64, f64) = (22.0, 28.0);
/// Width of the lane that an edge on its way through a layer takes.
const PASSAGE: f64 = 18.0;
/// Sweeps over the layers, down and up.
const SWEEPS: usize = 8;

/// Nodes and what each needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// What it shows, in a few words.
    pub title: String,
    /// What it shows, for those who cannot see it.
    pub description: String,
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// Its name.
    pub label: String,
    /// What stands below the name.
    pub note: String,
    /// Its colour, which the note must say in words too.
    pub tone: Tone,
    /// The numbers of the nodes that it needs. Those beyond the last, and those that would close a circle, are not drawn.
    pub needs: Vec<usize>,
}

/// A place in a layer: a node, or an edge on its way to a lower layer.
#[derive(Debug, Clone, Default)]
struct Slot {
    node: Option<usize>,
    /// Numbers of the slots of the layer above that lead here.
    above: Vec<usize>,
    /// The middle.
    x: f64,
}

impl Slot {
    fn width(&self) -> f64 {
        if self.node.is_some() { NODE.0 + GAP.0 } else { PASSAGE }
    }
}

impl Graph {
    /// Draws it. As wide as its widest layer.
    pub fn draw(&self) -> Markup {
        let layers = self.laid_out();
        let width = layers.iter().flatten().map(|slot| slot.x + slot.width() / 2.0).fold(NODE.0 + GAP.0, f64::max);
        let height = layers.len() as f64 * (NODE.1 + GAP.1) - GAP.1 + 4.0;
        let top = |layer: usize| 2.0 + layer as f64 * (NODE.1 + GAP.1);
        let mut edges = Vec::new();
        for (number, layer) in layers.iter().enumerate().skip(1) {
            for slot in layer {
                let from = slot.above.iter().map(|&above| &layers[number - 1][above]);
                edges.extend(from.map(|above| edge((above.x, top(number - 1) + NODE.1), (slot.x, top(number)), slot)));
            }
        }
        let nodes = layers.iter().enumerate().flat_map(|(number, layer)| {
            layer.iter().filter_map(move |slot| Some(self.node(slot.node?, slot.x - NODE.0 / 2.0, top(number))))
        });
        svg(&self.title, &self.description, width, height.max(NODE.1)).with_all(edges).with_all(nodes).into()
    }

    fn node(&self, number: usize, x: f64, y: f64) -> Element {
        let Node { label, note, tone, .. } = &self.nodes[number];
        let (middle, room) = (x + NODE.0 / 2.0, NODE.0 - 12.0);
        element("g")
            .class(format_args!("node {}", tone.class()))
            .with(tooltip(&format!("{label}: {note}")))
            .with(element("rect").at([("x", x), ("y", y), ("width", NODE.0), ("height", NODE.1)]).attr("rx", 8))
            .with(text(middle, y + 18.0, Anchor::Middle, "node-name", shortened(label, room, TEXT + 1.0)))
            .with(text(middle, y + 34.0, Anchor::Middle, "node-note", shortened(note, room, TEXT - 1.0)))
    }

    /// The layers from top to bottom, their slots from left to right.
    fn laid_out(&self) -> Vec<Vec<Slot>> {
        let mut layers = self.layers();
        for sweep in 0..SWEEPS {
            let is_down = sweep % 2 == 0;
            let order: Vec<usize> = if is_down { (1..layers.len()).collect() } else { (0..layers.len().saturating_sub(1)).rev().collect() };
            for layer in order {
                place(&mut layers);
                let wish = if is_down { wish_of_above(&layers, layer) } else { wish_of_below(&layers, layer) };
                reorder(&mut layers, layer, &wish);
            }
        }
        place(&mut layers);
        layers
    }

    /// Each node in its layer, and each edge that skips layers with a slot in each of them.
    fn layers(&self) -> Vec<Vec<Slot>> {
        let depths = self.depths();
        let mut layers: Vec<Vec<Slot>> = vec![Vec::new(); depths.iter().max().map_or(0, |deepest| deepest + 1)];
        let mut slots = vec![0; self.nodes.len()];
        for (node, &depth) in depths.iter().enumerate() {
            slots[node] = layers[depth].len();
            layers[depth].push(Slot { node: Some(node), ..Slot::default() });
        }
        for (node, &depth) in depths.iter().enumerate() {
            let mut needs = self.nodes[node].needs.clone();
            needs.sort_unstable();
            needs.dedup();
            for need in needs.into_iter().filter(|&need| need < depths.len() && depths[need] < depth) {
                let mut above = slots[need];
                for layer in &mut layers[depths[need] + 1..depth] {
                    layer.push(Slot { node: None, above: vec![above], x: 0.0 });
                    above = layer.len() - 1;
                }
                layers[depth][slots[node]].above.push(above);
            }
        }
        layers
    }

    /// The layer of each node: one below the lowest of those that it needs.
    fn depths(&self) -> Vec<usize> {
        let count = self.nodes.len();
        let mut depths = vec![0; count];
        // Each round settles one layer more. What a circle would push down for ever stays where it is.
        for _ in 0..count {
            let mut changed = false;
            for (node, Node { needs, .. }) in self.nodes.iter().enumerate() {
                let depth = needs.iter().filter(|&&need| need < count && need != node).map(|&need| depths[need] + 1).max().unwrap_or(0);
                if depth > depths[node] && depth < count {
                    depths[node] = depth;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        depths
    }
}

/// Puts the slots of each layer side by side, in their order, each layer in the middle.
fn place(layers: &mut [Vec<Slot>]) {
    let width = |layer: &[Slot]| layer.iter().map(Slot::width).sum::<f64>();
    let widest = layers.iter().map(|layer| width(layer)).fold(0.0, f64::max);
    for layer in layers {
        let mut x = (widest - width(layer)) / 2.0;
        for slot in layer {
            slot.x = x + slot.width() / 2.0;
            x += slot.width();
        }
    }
}

/// Where each slot would like to be: in the middle of those above it; where it is, without any.
fn wish_of_above(layers: &[Vec<Slot>], layer: usize) -> Vec<f64> {
    let above = &layers[layer - 1];
    layers[layer].iter().map(|slot| mean(slot.above.iter().map(|&number| above[number].x)).unwrap_or(slot.x)).collect()
}

/// The same of those below.
fn wish_of_below(layers: &[Vec<Slot>], layer: usize) -> Vec<f64> {
    let below = &layers[layer + 1];
    let of = |number: usize| below.iter().filter(move |slot| slot.above.contains(&number)).map(|slot| slot.x);
    layers[layer].iter().enumerate().map(|(number, slot)| mean(of(number)).unwrap_or(slot.x)).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / count as f64)
}

/// Sorts a layer by what its slots wish; those that wish the same stay as they are.
fn reorder(layers: &mut [Vec<Slot>], layer: usize, wish: &[f64]) {
    let mut order: Vec<usize> = (0..wish.len()).collect();
    order.sort_by(|&a, &b| wish[a].total_cmp(&wish[b]));
    layers[layer] = order.iter().map(|&slot| layers[layer][slot].clone()).collect();
    let mut now_at = vec![0; order.len()];
    order.iter().enumerate().for_each(|(now, &before)| now_at[before] = now);
    if let Some(below) = layers.get_mut(layer + 1) {
        below.iter_mut().flat_map(|slot| &mut slot.above).for_each(|above| *above = now_at[*above]);
    }
}

/// A smooth line between two layers, on through the lower one if the edge goes on.
fn edge(from: (f64, f64), to: (f64, f64), slot: &Slot) -> Element {
    let middle = (from.1 + to.1) / 2.0;
    let [x1, y1, x2, y2, y] = [from.0, from.1, to.0, to.1, middle].map(coordinate);
    let mut path = format!("M{x1} {y1}C{x1} {y} {x2} {y} {x2} {y2}");
    if slot.node.is_none() {
        path.push_str(&format!("V{}", coordinate(to.1 + NODE.1)));
    }
    element("path").class("edge").attr("d", path)
}
