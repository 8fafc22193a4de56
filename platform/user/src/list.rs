//! The tenant's accounts.

use berth_access::{Context, Permission};
use berth_kernel::{Cursor, Page};

use crate::{Account, Error, Users, store};

/// The longest page.
const MOST: usize = 100;

impl Users {
    /// The tenant's accounts that are not deleted, newest first; `limit` is kept within 1 to 100.
    ///
    /// # Errors
    /// When the asker may not.
    pub async fn list(
        &self,
        ctx: &Context,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Account>, Error> {
        ctx.authorize(Permission::UserRead)?;
        let limit = limit.clamp(1, MOST);
        let mut tx = self.tenancy.begin(&ctx.tenant).await?;
        let surplus = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let accounts = store::accounts(&mut tx, cursor, surplus).await?;
        tx.commit().await?;
        Ok(Page::from_surplus(accounts, limit, Account::cursor))
    }
}
