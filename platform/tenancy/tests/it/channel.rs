//! What is trusted of what is remembered where `LISTEN` is answered and then nothing is heard.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use berth_kernel::Secret;
use berth_tenancy::{Database, DatabaseSettings, Tenancy, TenantKey};
use berth_testkit::TestPlatform;
use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::admin;

/// Between the product and the database, and forwards all but what is told.
async fn deaf(to: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&to).await.unwrap();
            let (mut from_client, to_client) = client.into_split();
            let (from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(forward(from_server, to_client));
        }
    });
    at
}

/// Messages of the database: a letter, and their length with itself in four bytes.
async fn forward(
    mut server: tokio::net::tcp::OwnedReadHalf,
    mut client: tokio::net::tcp::OwnedWriteHalf,
) -> std::io::Result<()> {
    loop {
        let kind = server.read_u8().await?;
        let length = server.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        server.read_exact(&mut body).await?;
        // NotificationResponse.
        if kind != b'A' {
            client.write_u8(kind).await?;
            client.write_u32(length).await?;
            client.write_all(&body).await?;
        }
    }
}

/// The settings of another process, whose connections go by way of `deaf`.
async fn through(platform: &TestPlatform) -> DatabaseSettings {
    let url = platform.settings().url.expose();
    let to: PgConnectOptions = url.parse().unwrap();
    let address = format!("{}:{}", to.get_host(), to.get_port());
    let at = deaf(address.clone()).await.to_string();
    // There is no encryption to agree on before the first message.
    let mark = if url.contains('?') { '&' } else { '?' };
    let url = format!("{}{mark}sslmode=disable", url.replace(&address, &at));
    DatabaseSettings {
        url: Secret::new(url),
        ..platform.settings().clone()
    }
}

#[tokio::test]
async fn what_is_remembered_is_trusted_for_seconds_where_nothing_can_be_heard() {
    let platform = TestPlatform::start().await;
    let settings = through(&platform).await;
    let tenancy = Tenancy::new(Database::connect(&settings).unwrap());
    let registry = tenancy.registry().clone();
    let following = registry.clone();
    tokio::spawn(async move { following.follow_changes(CancellationToken::new()).await });
    // Long enough for it to have asked whether the channel is there.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let key = TenantKey::Slug("alpha-clinic".to_owned());
    let active = async || registry.find(&key).await.unwrap().unwrap().tenant.active;
    assert!(active().await);
    let suspend = "UPDATE platform.tenant SET status = 'suspended' WHERE slug = 'alpha-clinic'";
    admin(&platform, suspend.to_owned()).await;
    let began = Instant::now();
    while active().await {
        assert!(
            began.elapsed() < Duration::from_secs(8),
            "it is trusted yet"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
