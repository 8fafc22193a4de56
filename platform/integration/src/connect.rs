//! Connecting a tenant's pixel.

use berth_access::{Context, Permission};
use berth_kernel::Secret;

use crate::{
    Connection, Error, Integrations,
    model::{is_access_token, is_pixel_code},
    store,
};

impl Integrations {
    /// Connects a TikTok pixel, or replaces the one connected; events are passed on from now.
    ///
    /// # Errors
    /// [`Error::PixelCode`], [`Error::AccessToken`] for what cannot be one.
    pub async fn connect_tiktok(
        &self,
        ctx: &Context,
        pixel_code: &str,
        access_token: &Secret,
    ) -> Result<Connection, Error> {
        ctx.authorize(Permission::ConnectionManage)
            .map_err(Error::Denied)?;
        if !is_pixel_code(pixel_code) {
            return Err(Error::PixelCode);
        }
        if !is_access_token(access_token.expose()) {
            return Err(Error::AccessToken);
        }
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let connection =
            store::connect_tiktok(&mut tx, pixel_code, access_token, ctx.clock.now()).await?;
        tx.commit().await?;
        Ok(connection)
    }
}
