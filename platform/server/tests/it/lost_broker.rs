//! A broker that lost everything it had.

use berth_devkit::{demo::Client, environment::Role};

use crate::{
    books,
    house::House,
    shop::{self, Acknowledged, Checkout, Intention},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_queues_that_are_gone_is_sent_again() {
    let mut house = House::with_own_broker().await;
    let gym = house.gym().clone();
    let wish = shop::with_pixel(&shop::first_session(&gym).await, "lost");
    let client = Client::sign_in(&gym, &gym.customer).await.unwrap();
    // Published, and waiting in queues that nobody reads.
    house.stop(Role::Worker).await;
    let booked = client.post("/v1/bookings", &wish).await.unwrap();
    let waiting = "SELECT count(*) FROM platform.outbox WHERE published_at IS NULL";
    while house.count(&gym, waiting).await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let rabbit = house.rabbit.as_ref().unwrap();
    for command in ["stop_app", "reset", "start_app"] {
        rabbit.control(&[command]).await.unwrap();
    }
    house.start(Role::Worker).await;
    let checkout = Checkout::at(&house);
    let (id, price) = shop::settle(&checkout, &client, &booked, Intention::Pay).await;
    let bought = Acknowledged {
        id,
        intention: Intention::Pay,
        price,
        pixel: "lost".to_owned(),
    };
    books::assert_settled(&house, &gym, &[bought]).await;
}
