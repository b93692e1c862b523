//! Champion against challenger on the pairs of one test set that both can score.
//!
//! A model *can score* a pair if it knows its user and its item, whatever its `cold_start` says of others: the mean that a model answers
//! with for strangers is no merit, and a NaN no fault, of its factors. Rankings are compared on the same pairs too, and both models choose
//! from the items that both know: a larger catalogue is neither an advantage nor a handicap.

use super::errors::{PairErrors, Prediction, pair_errors};
use super::metric::Metric;
use super::ranked_users::ranking_of;
use super::ranking::Ranking;
use super::relevance::Relevance;
use crate::context::Context;
use crate::error::Result;
use crate::matrix::{Duplicates, RatingMatrix};
use crate::model::AlsModel;
use crate::ratings::Ratings;

/// What the models are asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The test set.
    pub test: &'a Ratings,
    /// The training set: with it, a ranking is of items that the user has not rated there, otherwise of all items.
    pub train: Option<&'a Ratings>,
    /// What decides.
    pub metric: Metric,
    /// Length of a ranked list, at least 1.
    pub k: usize,
    /// A test item is relevant if it is rated at least this.
    pub rating_threshold: f64,
}

/// How one model did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// The metric that decides, on the pairs that both can score; absent if it is no number.
    pub value: Option<f64>,
    /// Errors on the pairs that both can score.
    pub shared: PairErrors,
    /// Errors on all pairs that this model can score.
    pub own: PairErrors,
}

/// How champion and challenger did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contest {
    /// Pairs that both can score.
    pub pairs: u64,
    /// The champion, if there is one.
    pub champion: Option<Figures>,
    /// The challenger.
    pub challenger: Figures,
}

/// Compares two models; without a champion, measures the challenger alone.
///
/// # Errors
/// Ratings that are not finite in the training set; cancellation.
pub fn contest(champion: Option<&AlsModel>, challenger: &AlsModel, question: &Question<'_>, context: &Context) -> Result<Contest> {
    let shared = |user, item| champion.is_none_or(|champion| knows(champion, user, item)) && knows(challenger, user, item);
    let errors = |model: &AlsModel| {
        let own = errors_where(model, question.test, |user, item| knows(model, user, item));
        (errors_where(model, question.test, shared), own)
    };
    let (of_challenger, of_champion) = (errors(challenger), champion.map(errors));
    context.check_cancelled()?;
    let rankings = if !question.metric.is_error() && of_challenger.0.scored > 0 {
        Some(rankings(champion, challenger, &shared, question, context)?)
    } else {
        None
    };
    let figures = |(shared, own): (PairErrors, PairErrors), ranking: Option<Ranking>| Figures {
        value: question.metric.of(Some(&shared), ranking.as_ref()),
        shared,
        own,
    };
    Ok(Contest {
        pairs: of_challenger.0.scored,
        champion: of_champion.map(|errors| figures(errors, rankings.and_then(|(champion, _)| champion))),
        challenger: figures(of_challenger, rankings.map(|(_, challenger)| challenger)),
    })
}

fn knows(model: &AlsModel, user: i32, item: i32) -> bool {
    model.users().ids().row(user).and(model.items().ids().row(item)).is_some()
}

/// Errors over the rows that `counts`, all of which the model must know. A figure that is not finite is none.
fn errors_where(model: &AlsModel, test: &Ratings, counts: impl Fn(i32, i32) -> bool + Sync) -> PairErrors {
    let errors = pair_errors(test, |user, item| {
        let prediction = model.predict(user, item).filter(|_| counts(user, item));
        prediction.map_or(Prediction::Cold(None), |prediction| Prediction::Known(f64::from(prediction)))
    });
    let finite = |figure: Option<f64>| figure.filter(|figure| figure.is_finite());
    PairErrors { rmse: finite(errors.rmse), mae: finite(errors.mae), ..errors }
}

/// The rankings of both, each from the items that both know.
fn rankings(
    champion: Option<&AlsModel>,
    challenger: &AlsModel,
    shared: &(impl Fn(i32, i32) -> bool + Sync),
    question: &Question<'_>,
    context: &Context,
) -> Result<(Option<Ranking>, Ranking)> {
    let mut test = Ratings::default();
    for row in 0..question.test.len() {
        let (movie, user) = (question.test.movie[row], question.test.user[row]);
        if shared(user, movie) {
            test.push(movie, user, question.test.rating[row], question.test.date[row]);
        }
    }
    let train = question.train.filter(|train| !train.is_empty()).map(|train| RatingMatrix::build(train, Duplicates::Latest)).transpose()?;
    let relevance = Relevance::of(&test, question.rating_threshold);
    let rank = |model: &AlsModel, other: Option<&AlsModel>| -> Result<Ranking> {
        let narrowed = other.map(|other| model.with_items(|item| other.items().ids().row(item).is_some()));
        ranking_of(narrowed.as_ref().unwrap_or(model), &relevance, train.as_ref(), question.k, context)
    };
    Ok((champion.map(|champion| rank(champion, Some(challenger))).transpose()?, rank(challenger, champion)?))
}
