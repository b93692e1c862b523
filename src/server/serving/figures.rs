//! Figures of the recommender, for Prometheus.

use std::time::Instant;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

type Labels = Vec<(&'static str, &'static str)>;

/// Counts requests and measures how long they take. A clone counts the same.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    requests: Family<Labels, Counter>,
    seconds: Histogram,
    swaps: Counter,
}

impl Figures {
    /// Figures that `registry` shows.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        // From a tenth of a millisecond on: what a scan of a few thousand items takes.
        let buckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0];
        let figures = Self { requests: Family::default(), seconds: Histogram::new(buckets), swaps: Counter::default() };
        registry.register("recommender_requests", "Requests for recommendations, by what they got", figures.requests.clone());
        registry.register("recommender_seconds", "From a request for recommendations to its answer", figures.seconds.clone());
        registry.register("recommender_swaps", "Models that took another's place while serving", figures.swaps.clone());
        figures
    }

    /// A request that began at `since` was answered: `list`, `fallback`, `ratings`, `refused` or `failed`.
    pub(super) fn answered(&self, answer: &'static str, since: Instant) {
        self.requests.get_or_create(&vec![("answer", answer)]).inc();
        self.seconds.observe(since.elapsed().as_secs_f64());
    }

    /// Another model serves.
    pub(super) fn swapped(&self) {
        self.swaps.inc();
    }
}
