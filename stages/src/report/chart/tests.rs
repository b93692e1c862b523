//! What charts are made of, and that no value breaks them.

use proptest::prelude::*;

use super::*;
use crate::report::markup::Markup;
use crate::report::well_formed;

/// The names of the elements of a chart, which is well-formed and has no coordinate that is no number.
fn checked(chart: &Markup) -> Vec<String> {
    let names = well_formed::check(chart.as_str()).unwrap_or_else(|why| panic!("{why}\n{chart}"));
    for attribute in chart.as_str().split('"').skip(1).step_by(2) {
        assert!(!attribute.contains("NaN") && !attribute.contains("inf"), "`{attribute}` in {chart}");
    }
    assert!(chart.as_str().contains(r#"role="img""#) && names[..3] == ["svg", "title", "desc"], "{chart}");
    names
}

fn count(names: &[String], wanted: &str) -> usize {
    names.iter().filter(|name| *name == wanted).count()
}

fn bars(values: &[Option<f64>]) -> BarChart {
    let bar = |value: f64| Bar { value, label: format!("{value}"), note: "n".to_owned() };
    let groups =
        values.iter().enumerate().map(|(number, value)| Group { label: number.to_string(), bars: vec![value.map(bar), Some(bar(1.0))] });
    BarChart { title: "t".to_owned(), series: vec!["a".to_owned(), "b".to_owned()], groups: groups.collect(), ..BarChart::default() }
}

fn lines(values: &[Option<f64>], threshold: f64, mark: usize) -> LineChart {
    LineChart {
        title: "t".to_owned(),
        labels: (0..values.len()).map(|place| place.to_string()).collect(),
        lines: vec![Line { name: "a".to_owned(), values: values.to_vec() }],
        thresholds: vec![Threshold { label: "limit".to_owned(), value: threshold }],
        marks: vec![Mark { place: mark, label: "retrain".to_owned() }],
        ..LineChart::default()
    }
}

fn rows(values: &[Option<f64>], form: Form) -> RowChart {
    let row = |value: &Option<f64>| Row { label: "row".to_owned(), value: *value, interval: value.map(|v| (v, v + 1.0)), ..Row::default() };
    RowChart {
        title: "t".to_owned(),
        form,
        threshold: Some((1.0, "limit".to_owned())),
        rows: values.iter().map(row).collect(),
        ..RowChart::default()
    }
}

fn timeline(values: &[Option<f64>]) -> Timeline {
    let lane = |value: &Option<f64>| Lane {
        spans: value.map(|to| Span { from: 0.0, to, ..Span::default() }).into_iter().collect(),
        ..Lane::default()
    };
    Timeline { title: "t".to_owned(), lanes: values.iter().map(lane).collect(), ..Timeline::default() }
}

#[test]
fn a_histogram_by_hand() {
    let chart = bars(&[Some(2.0), None, Some(0.0)]).draw();
    let names = checked(&chart);
    // Two swatches, two bars of the first class, one of the second, two of the third.
    assert_eq!(count(&names, "rect"), 2 + 2 + 1 + 2);
    assert!(chart.as_str().contains(r#"class="bar s2""#) && chart.as_str().contains(">2</text>"), "{chart}");
}

#[test]
fn a_line_is_interrupted_where_there_is_no_value() {
    let chart = lines(&[Some(1.0), Some(2.0), None, Some(3.0), None, Some(2.0), Some(f64::NAN)], 2.5, 1).draw();
    let names = checked(&chart);
    assert_eq!(count(&names, "polyline"), 1 + 1, "a sample in the legend, and the only two neighbours");
    assert_eq!(count(&names, "circle"), 1 + 4, "a sample, and each value");
    assert_eq!(count(&names, "polygon"), 1 + 1, "a flag in the legend and one in the chart");
    let beyond = lines(&[Some(1.0)], 2.5, 1).draw();
    assert_eq!(count(&checked(&beyond), "polygon"), 1, "a mark beyond the last place stands in the legend alone");
}

#[test]
fn a_bar_that_misses_its_threshold_ends_before_its_line() {
    let chart = RowChart {
        threshold: Some((1.0, "threshold".to_owned())),
        rows: vec![Row { label: "KL".to_owned(), value: Some(0.5), figure: "0.05 of 0.1".to_owned(), tone: Tone::Good, ..Row::default() }],
        ..RowChart::default()
    };
    let chart = chart.draw();
    checked(&chart);
    // Places of an element, in the order in which they are written.
    let places = |class: &str| -> Vec<f64> {
        let tag = chart.as_str().split('<').find(|tag| tag.contains(class)).unwrap_or_else(|| panic!("{class} in {chart}"));
        tag.split('"').filter_map(|part| part.parse().ok()).collect()
    };
    let (bar, line) = (places("class=\"value\""), places("class=\"threshold\""));
    let (left, end, limit) = (bar[0], bar[0] + bar[2], line[0]);
    assert!(left < end && (end - left - (limit - left) / 2.0).abs() < 0.02, "half of the threshold: {bar:?} {line:?}");
}

#[test]
fn layers_follow_what_nodes_need_and_circles_are_survived() {
    let node = |needs: &[usize]| Node { label: "n".to_owned(), needs: needs.to_vec(), ..Node::default() };
    let diamond = Graph { nodes: vec![node(&[]), node(&[0]), node(&[0]), node(&[1, 2, 0])], ..Graph::default() };
    let names = checked(&diamond.draw());
    // Five edges, of which the one from 0 to 3 passes a layer.
    assert_eq!((count(&names, "rect"), count(&names, "path")), (4, 6));
    let circle = Graph { nodes: vec![node(&[1]), node(&[0]), node(&[2, 9])], ..Graph::default() };
    assert_eq!(count(&checked(&circle.draw()), "rect"), 3);
    checked(&Graph::default().draw());
}

#[test]
fn a_graph_of_two_to_the_letter() {
    let node =
        |label: &str, needs: &[usize]| Node { label: label.to_owned(), note: "ok".to_owned(), tone: Tone::Good, needs: needs.to_vec() };
    let graph = Graph { title: "t".to_owned(), description: "d".to_owned(), nodes: vec![node("a", &[]), node("b", &[0])] };
    let expected = [
        r#"<svg width="190" height="116" viewBox="0 0 190 116" role="img" aria-label="t"><title>t</title><desc>d</desc>"#,
        r#"<path class="edge" d="M95 44C95 58 95 58 95 72"/>"#,
        r#"<g class="node good"><title>a: ok</title><rect x="11" y="2" width="168" height="42" rx="8"/>"#,
        r#"<text x="95" y="20" text-anchor="middle" class="node-name">a</text>"#,
        r#"<text x="95" y="36" text-anchor="middle" class="node-note">ok</text></g>"#,
        r#"<g class="node good"><title>b: ok</title><rect x="11" y="72" width="168" height="42" rx="8"/>"#,
        r#"<text x="95" y="90" text-anchor="middle" class="node-name">b</text>"#,
        r#"<text x="95" y="106" text-anchor="middle" class="node-note">ok</text></g></svg>"#,
    ];
    assert_eq!(graph.draw().as_str(), expected.concat());
}

#[test]
fn names_are_escaped_everywhere() {
    let hostile = "<script>alert('x')</script>".to_owned();
    let named = |hostile: &String| {
        let bar = Bar { value: 1.0, label: hostile.clone(), note: hostile.clone() };
        let chart = BarChart {
            title: hostile.clone(),
            description: hostile.clone(),
            x_axis: hostile.clone(),
            y_axis: hostile.clone(),
            series: vec![hostile.clone()],
            groups: vec![Group { label: hostile.clone(), bars: vec![Some(bar)] }],
        };
        chart.draw()
    };
    assert_eq!(count(&checked(&named(&hostile)), "script"), 0);
}

proptest! {
    #[test]
    fn any_values_give_a_chart_without_a_place_that_is_no_number(
        values in prop::collection::vec(prop::option::of(any::<f64>()), 0..80),
        threshold in any::<f64>(),
        mark in any::<usize>(),
    ) {
        checked(&bars(&values).draw());
        checked(&lines(&values, threshold, mark).draw());
        checked(&rows(&values, Form::Bars).draw());
        checked(&rows(&values, Form::Dots).draw());
        checked(&timeline(&values).draw());
    }

    #[test]
    fn any_graph_is_drawn_with_each_node_once(needs in prop::collection::vec(prop::collection::vec(0..14_usize, 0..4), 0..14)) {
        let nodes: Vec<Node> = needs.into_iter().map(|needs| Node { needs, ..Node::default() }).collect();
        let count_of_nodes = nodes.len();
        let names = checked(&Graph { nodes, ..Graph::default() }.draw());
        prop_assert_eq!(count(&names, "rect"), count_of_nodes);
    }
}
