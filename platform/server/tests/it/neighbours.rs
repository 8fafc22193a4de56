//! A tenant that asks for more than its plan allows is refused, and its neighbours do not notice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use berth_devkit::Tenant;

use crate::house::House;

/// Asks once; the status, and what it is told to wait.
async fn ask(client: &reqwest::Client, api: &str, tenant: &Tenant) -> (u16, Option<String>) {
    let url = format!("{api}/v1/products/{}", tenant.product_ids[0]);
    let asked = client
        .get(url)
        .header("X-Tenant", &tenant.slug)
        .send()
        .await;
    let answer = asked.unwrap();
    let wait = answer.headers().get("Retry-After");
    let wait = wait.map(|wait| wait.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    answer.bytes().await.unwrap();
    (status, wait)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_over_its_plan_is_refused_and_its_neighbours_never_are() {
    // All of them share one pool of connections.
    let house = House::with(&[("BERTH_LIMITS", "tenants"), ("BERTH_DATABASE_BUCKETS", "1")]).await;
    let plan =
        "INSERT INTO plan (name, requests_per_second, concurrent_requests, concurrent_events)
                VALUES ('tiny', 5, 2, 2)";
    house.sql(house.gym(), plan).await;
    let update = [
        "tenant",
        "update",
        "--slug",
        &house.gym().slug,
        "--plan",
        "tiny",
    ];
    house.berth(&update).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let api = house.endpoints.api.clone();
    // The new plan holds within the second that processes need to hear of it.
    let began = Instant::now();
    let wait = loop {
        let (status, wait) = ask(&client, &api, house.gym()).await;
        if status == 429 {
            break wait;
        }
        assert_eq!(status, 200);
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "it is never refused"
        );
    };
    assert_eq!(wait.as_deref(), Some("1"));

    let stop = Arc::new(AtomicBool::new(false));
    let refused = Arc::new(AtomicUsize::new(0));
    let served = Arc::new(AtomicUsize::new(0));
    let flood = (0..8).map(|_| {
        let (client, api, gym) = (client.clone(), api.clone(), house.gym().clone());
        let (stop, refused, served) =
            (Arc::clone(&stop), Arc::clone(&refused), Arc::clone(&served));
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                match ask(&client, &api, &gym).await.0 {
                    429 => refused.fetch_add(1, Ordering::SeqCst),
                    200 => served.fetch_add(1, Ordering::SeqCst),
                    other => panic!("{other}"),
                };
            }
        })
    });
    let flood: Vec<_> = flood.collect();
    for _ in 0..100 {
        assert_eq!(ask(&client, &api, house.clinic()).await.0, 200);
    }
    stop.store(true, Ordering::SeqCst);
    for one in flood {
        one.await.unwrap();
    }
    assert!(refused.load(Ordering::SeqCst) > 0);

    let metrics = client.get(&house.endpoints.metrics).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let counted = metrics
        .lines()
        .filter(|line| line.starts_with("berth_tenant_requests_total"));
    assert!(
        counted.clone().any(|line| line.contains("refused")),
        "{metrics}"
    );
    assert!(counted.count() >= 3, "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_keys_is_soon_told_to_wait_and_customers_are_served() {
    let house = House::with(&[("BERTH_LIMITS", "tenants")]).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let api = house.endpoints.api.clone();
    assert_eq!(ask(&client, &api, house.clinic()).await.0, 200);
    let guess = async |name: &str, key: usize| {
        let asked = client
            .get(format!("{api}/v1/products"))
            .header("X-Tenant", name)
            .header("X-Api-Key", format!("bk_{key}"));
        asked.send().await.unwrap().status().as_u16()
    };
    let slug = &house.clinic().slug;
    assert_eq!(guess(slug, 0).await, 401);
    let mut tries = 1;
    while guess(slug, tries).await == 401 {
        tries += 1;
        assert!(tries < 2_000, "one may guess for ever");
    }
    // Whoever is asked for, and whatever key it is that nobody remembers.
    assert_eq!(guess(slug, tries + 1).await, 429);
    assert_eq!(guess("nobody-there", tries + 2).await, 429);
    assert_eq!(ask(&client, &api, house.clinic()).await.0, 200);
}
