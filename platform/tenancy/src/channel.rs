//! What processes tell each other through the database: `NOTIFY`, sent by a trigger when the
//! transaction that told it commits. Only for what is rare; each `NOTIFY` serialises commits.

use sqlx::postgres::PgListener;

use crate::{Database, Error};

/// A channel being listened to, on a connection of its own.
#[derive(Debug)]
pub struct Channel {
    listener: PgListener,
}

impl Channel {
    pub(crate) async fn listen(database: &Database, name: &str) -> Result<Self, Error> {
        let mut listener = PgListener::connect_with(database.listening()).await?;
        listener.listen(name).await?;
        Ok(Self { listener })
    }

    /// The next thing told.
    ///
    /// # Errors
    /// When the connection is lost: what was told meanwhile is missed, so listen anew and look at
    /// the table behind the channel.
    pub async fn next(&mut self) -> Result<String, Error> {
        match self.listener.try_recv().await? {
            Some(told) => Ok(told.payload().to_owned()),
            None => Err(Error::Unavailable(sqlx::Error::PoolClosed)),
        }
    }
}
