//! Files kept in a bucket instead of a folder, with the keys the environment holds.

use std::{net::SocketAddr, path::Path};

use berth_devkit::demo::Client;
use hyper_util::rt::TokioIo;
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    house::House,
    shop::{self, Checkout, Intention},
};

const BUCKET: &str = "berth-files";
const KEY: &str = "AKIDBERTHTEST";
const SECRET: &str = "a secret that signs what is put";

/// A store that speaks S3 over HTTP, checks signatures, and keeps its buckets as folders.
struct Store {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Store {
    async fn open(buckets: &Path) -> Self {
        std::fs::create_dir_all(buckets.join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(buckets).unwrap());
        service.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service.clone());
                tokio::spawn(connection);
            }
        });
        Self { address, serving }
    }

    /// The setting that names it.
    fn url(&self) -> String {
        let endpoint = format!("http://{}", self.address);
        format!("s3://{BUCKET}/demo?region=eu-central-1&endpoint={endpoint}&allow_http=true")
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_put_into_a_bucket_and_read_from_it() {
    let buckets = tempfile::tempdir().unwrap();
    let store = Store::open(buckets.path()).await;
    let settings = [
        ("BERTH_STORE_URL", store.url()),
        ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
    ];
    let settings = settings
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let house = House::with(&settings).await;
    let gym = house.gym();
    let customer = Client::sign_in(gym, &gym.customer).await.unwrap();
    let wish = shop::first_session(gym).await;
    let bought = shop::shop(&Checkout::at(&house), &customer, wish, Intention::Pay).await;

    let path = format!("/v1/receipts?booking_id={}", bought.id);
    let receipt = shop::until(&customer, &path, |page| {
        let receipt = &page["items"][0];
        (receipt["stored"] == true).then(|| receipt.clone())
    })
    .await;
    let stored = buckets.path().join(BUCKET).join("demo");
    let tenant: uuid::Uuid = sqlx::query_scalar("SELECT id FROM platform.tenant WHERE slug = $1")
        .bind(&gym.slug)
        .fetch_one(house.platform.admin_pool())
        .await
        .unwrap();
    let stored = stored.join(tenant.to_string());
    let stored = stored.join(receipt["path"].as_str().unwrap());
    let stored = std::fs::read(&stored).unwrap_or_else(|error| panic!("{stored:?}: {error}"));
    assert!(stored.starts_with(b"%PDF"));
    let path = format!("/v1/receipts/{}/pdf", receipt["id"].as_str().unwrap());
    assert_eq!(customer.bytes(&path).await.unwrap(), stored);
}
