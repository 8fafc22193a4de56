//! Who may connect a pixel, and what of it is seen.

use berth_access::Role;
use berth_integration::Error;
use berth_kernel::{BookingId, Secret};

use crate::stage::{Stage, TOKEN};

#[tokio::test]
async fn connecting_again_replaces_the_pixel_and_raises_the_version() {
    let stage = Stage::set().await;
    let ctx = stage.context(Role::Admin);
    let token = Secret::new(TOKEN);
    let first = stage
        .integrations
        .connect_tiktok(&ctx, "C4FIRST", &token)
        .await
        .unwrap();
    assert_eq!((first.version, first.enabled), (1, true));
    let second = stage
        .integrations
        .connect_tiktok(&ctx, "C4SECOND", &token)
        .await
        .unwrap();
    assert_eq!((second.version, &*second.pixel_code), (2, "C4SECOND"));
    let listed = stage.integrations.connections(&ctx).await.unwrap();
    assert_eq!(listed, [second]);
    assert!(!format!("{listed:?}").contains(TOKEN));
}

#[tokio::test]
async fn what_cannot_be_a_pixel_or_a_token_is_refused() {
    let stage = Stage::set().await;
    let ctx = stage.context(Role::Admin);
    let connect = async |code: &str, token: &str| {
        stage
            .integrations
            .connect_tiktok(&ctx, code, &Secret::new(token))
            .await
    };
    assert!(matches!(
        connect("C4 PIXEL", TOKEN).await,
        Err(Error::PixelCode)
    ));
    assert!(matches!(
        connect("C4PIXEL", "a\r\nb").await,
        Err(Error::AccessToken)
    ));
    assert!(
        stage
            .integrations
            .connections(&ctx)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn only_who_runs_the_tenant_connects_and_looks() {
    let stage = Stage::set().await;
    for role in [Role::Customer, Role::Staff] {
        let ctx = stage.context(role);
        let connecting = stage
            .integrations
            .connect_tiktok(&ctx, "C4PIXEL", &Secret::new(TOKEN))
            .await;
        assert!(matches!(connecting, Err(Error::Denied(_))));
        assert!(matches!(
            stage.integrations.connections(&ctx).await,
            Err(Error::Denied(_))
        ));
        let looking = stage
            .integrations
            .conversions_for_booking(&ctx, BookingId::new())
            .await;
        assert!(matches!(looking, Err(Error::Denied(_))));
    }
}
