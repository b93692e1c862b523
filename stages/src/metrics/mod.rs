//! How good a model is: errors of predicted ratings, quality of ranked lists, and baselines to compare with.
//!
//! | module | what it is for |
//! |---|---|
//! | [`errors`] | RMSE and MAE over the pairs that can be scored |
//! | [`ranking`] | Precision, Recall, NDCG, MAP, MRR and hit rate at K of one list, and their means |
//! | `lists` | many lists at several K at once; coverage and novelty |
//! | `ranked_users` | whom lists are made for, and their lists under each protocol |
//! | [`relevance`] | which items are relevant to which user |
//! | `panels` | the items of a model laid out for scoring |
//! | [`scoring`] | the best items of many users: blocked, parallel |
//! | [`top`] | the best of a stream of scored items |
//! | [`baselines`] | global mean, user and item biases, most popular items |
//! | [`segments`] | figures by activity, popularity, novelty and rating |
//! | [`metric`] | the figures that models are compared by |
//! | [`evaluation`] | all of it for one model and one test set |
//! | [`contest`] | two models on the pairs that both can score |
//!
//! Sums over rows or users are taken in f64 in a fixed order, so that the same input gives the same digits whatever
//! the number of threads.

pub mod baselines;
pub mod contest;
pub mod errors;
pub mod evaluation;
mod lists;
pub mod metric;
pub(crate) mod panels;
mod ranked_users;
pub mod ranking;
pub mod relevance;
pub mod scoring;
pub mod segments;
pub mod top;

#[cfg(test)]
pub(crate) mod movielens;

pub use errors::PairErrors;
pub use evaluation::{Evaluation, evaluate};
pub use metric::Metric;
pub use ranked_users::ranking_of;
pub use ranking::Ranking;
pub use scoring::Scorer;
