//! What the database shows of a booking's way that the API does not: outbox and webhook inbox.

use anyhow::Context;
use tokio_postgres::{Client, NoTls, Row};

/// A look into the development database.
pub struct Evidence {
    client: Client,
}

impl Evidence {
    /// Connects.
    ///
    /// # Errors
    /// What the database says.
    pub async fn connect(database_url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(database_url, NoTls)
            .await
            .context("connecting to the database to look for evidence")?;
        // Ends by itself when the client is dropped.
        tokio::spawn(connection);
        Ok(Self { client })
    }

    /// The id of a published event of `entity`; none before it is published.
    ///
    /// # Errors
    /// What the database says.
    pub async fn event(&self, event_type: &str, entity: &str) -> anyhow::Result<Option<String>> {
        let row = self
            .client
            .query_opt(
                "SELECT event_id::text FROM platform.outbox
                 WHERE event_type = $1 AND entity_id::text = $2 AND published_at IS NOT NULL",
                &[&event_type, &entity],
            )
            .await?;
        Ok(row.map(|row| row.get(0)))
    }

    /// The id of a webhook of `kind` about `object` that was taken and acted on.
    ///
    /// # Errors
    /// What the database says.
    pub async fn webhook(&self, kind: &str, object: &str) -> anyhow::Result<Option<String>> {
        let row: Option<Row> = self
            .client
            .query_opt(
                "SELECT event_id FROM platform.webhook_inbox
                 WHERE state = 'done' AND convert_from(payload, 'UTF8')::jsonb ->> 'type' = $1
                   AND convert_from(payload, 'UTF8')::jsonb #>> '{data,object,id}' = $2
                   AND received_at > clock_timestamp() - interval '1 hour' LIMIT 1",
                &[&kind, &object],
            )
            .await?;
        Ok(row.map(|row| row.get(0)))
    }
}
