//! Calls through a client, against what the recommender answers without one.

use recflow_stages::names::Id;

use super::generated::recommender_client::RecommenderClient;
use super::generated::*;
use super::*;
use crate::server::serving::MODELS;
use crate::server::serving::tests::World;

type Client = RecommenderClient<RecommenderServer<Service>>;

fn client(world: &World) -> Client {
    RecommenderClient::new(RecommenderServer::new(Service(world.recommender.clone())))
}

fn for_user(user: &str, k: u32) -> RecommendForUserRequest {
    RecommendForUserRequest { user: user.to_owned(), k, ..RecommendForUserRequest::default() }
}

fn rating(item: &str, rating: f64) -> Rating {
    Rating { item: item.to_owned(), rating }
}

fn places(items: &[Item]) -> Vec<(String, f64)> {
    items.iter().map(|item| (item.item.clone(), item.score)).collect()
}

fn listed(list: &recflow_stages::serving::List) -> Vec<(String, f64)> {
    list.items.iter().map(|listed| (listed.item.as_text().into_owned(), listed.score)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_answers_what_the_http_api_does() {
    let (world, names) = World::with_models(1);
    let (mut client, recommender) = (client(&world), &world.recommender);
    let answer = client.recommend_for_user(for_user("1", 3)).await.unwrap().into_inner();
    let (_, expected) = recommender.for_user(MODELS, Id::from(1), 3, false).await.unwrap();
    assert_eq!((answer.user.as_str(), &answer.version, places(&answer.items)), ("1", &names[0], listed(&expected.list)));
    assert_eq!(answer.fallback(), Fallback::Unspecified);

    let ratings = vec![rating("10", 5.0), rating("none", 1.0)];
    let answer =
        client.fold_in_and_recommend(FoldInAndRecommendRequest { ratings, k: 2, ..Default::default() }).await.unwrap().into_inner();
    let expected = recommender.for_new_user(MODELS, vec![(Id::from(10), 5.0)], 2).await.unwrap();
    assert_eq!((places(&answer.items), answer.unknown_items), (listed(&expected.list), vec!["none".to_owned()]));

    let pair = |user: &str, item: &str| Pair { user: user.to_owned(), item: item.to_owned() };
    let request = PredictRatingsRequest { pairs: vec![pair("1", "10"), pair("77", "10")], ..Default::default() };
    let answer = client.predict_ratings(request).await.unwrap().into_inner();
    let expected = recommender.predict(MODELS, vec![(Id::from(1), Id::from(10))]).await.unwrap();
    assert_eq!(answer.predictions[0].rating, expected.predictions[0].2.rating);
    assert_eq!((answer.predictions[1].rating, answer.predictions[1].knows_user, answer.predictions[1].knows_item), (None, false, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_places_unless_asked_otherwise_and_strangers_get_what_is_popular() {
    let (world, _) = World::with_models(1);
    let mut client = client(&world);
    assert_eq!(client.recommend_for_user(for_user("1", 0)).await.unwrap().into_inner().items.len(), 8, "all there are");
    let stranger = client.recommend_for_user(for_user("nobody", 2)).await.unwrap().into_inner();
    assert_eq!((stranger.fallback(), stranger.items.len(), stranger.user.as_str()), (Fallback::Popular, 2, "nobody"));
    let new = client.fold_in_and_recommend(FoldInAndRecommendRequest::default()).await.unwrap().into_inner();
    assert_eq!(new.fallback(), Fallback::Popular);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_has_the_code_for_it_and_says_why() {
    let (world, _) = World::with_models(1);
    let mut client = client(&world);
    for ratings in [vec![rating("10", f64::NAN)], vec![rating("10", 1e300)], vec![rating("10", 1.0), rating("10", 2.0)]] {
        let status = client.fold_in_and_recommend(FoldInAndRecommendRequest { ratings, ..Default::default() }).await.unwrap_err();
        assert!(status.code() == tonic::Code::InvalidArgument && status.message().contains("item 10"), "{status}");
    }
    let status = client.recommend_for_user(for_user("1", 1_001)).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    let elsewhere = RecommendForUserRequest { folder: "other".to_owned(), ..for_user("1", 1) };
    assert_eq!(client.recommend_for_user(elsewhere).await.unwrap_err().code(), tonic::Code::NotFound);
    assert_eq!(client.predict_ratings(PredictRatingsRequest::default()).await.unwrap_err().code(), tonic::Code::InvalidArgument);
}
