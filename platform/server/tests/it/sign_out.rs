//! Who has signed out is out: with the very next request, whatever the token says.

use reqwest::{Method, StatusCode};

use crate::{
    caller::{Caller, Credential},
    house::House,
};

async fn profile(caller: &Caller, credential: &Credential) -> StatusCode {
    let path = "/users/me";
    caller.call(&Method::GET, path, None, credential).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_session_that_ended_is_refused_at_once() {
    let house = House::open().await;
    let gym = house.gym();
    let caller = Caller::to(&house, gym);
    let here = caller.token(&gym.customer).await;
    let there = caller.token(&gym.customer).await;
    assert_eq!(profile(&caller, &here).await, StatusCode::OK);
    let path = "/sessions/current";
    let (status, _) = caller.call(&Method::DELETE, path, None, &here).await;
    assert!(status.is_success(), "{status}");
    assert_eq!(profile(&caller, &here).await, StatusCode::UNAUTHORIZED);
    // The public pages do not take it for a visitor without a token either.
    let (status, _) = caller.call(&Method::GET, "/products", None, &here).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(profile(&caller, &there).await, StatusCode::OK);
}
