//! The connection to RabbitMQ: made anew when it breaks, for publishing with confirms.

use std::time::Duration;

use berth_kernel::Secret;
use futures::future::try_join_all;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::{FieldTable, ShortString},
};
use serde::Deserialize;

use crate::topology::{self, Names};

/// Where the broker is.
#[derive(Clone, Debug, Deserialize)]
pub struct BrokerSettings {
    /// `amqp://user:password@host:port/vhost`.
    pub url: Secret,
    /// Prefix of all names, so that several deployments can share a broker.
    #[serde(default = "default_namespace")]
    pub namespace: String,
}

fn default_namespace() -> String {
    "berth".into()
}

/// A message could not be handed over for certain; it may or may not have arrived.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The broker cannot be reached or closed the connection.
    #[error("the broker cannot be reached")]
    Unreachable(#[from] lapin::Error),
    /// The broker answered, but did not take the message.
    #[error("the broker did not take the message")]
    Refused,
    /// No answer in time.
    #[error("the broker did not answer in time")]
    Silent,
}

/// How long the broker may take to confirm.
const CONFIRM_WITHIN: Duration = Duration::from_secs(10);

/// A way to the broker; connects when asked.
#[derive(Clone, Debug)]
pub struct Broker {
    url: Secret,
    names: Names,
}

/// A message to be published.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) exchange: ShortString,
    pub(crate) routing_key: ShortString,
    pub(crate) message_id: String,
    pub(crate) headers: FieldTable,
    pub(crate) payload: Vec<u8>,
}

impl Broker {
    /// A way to the broker at the settings' address.
    #[must_use]
    pub fn new(settings: &BrokerSettings) -> Self {
        Self {
            url: settings.url.clone(),
            names: Names::new(&settings.namespace),
        }
    }

    /// The names of this deployment's exchanges and queues.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> Result<Connection, BrokerError> {
        let properties = ConnectionProperties::default();
        let connecting = Connection::connect(self.url.expose(), properties);
        tokio::time::timeout(CONFIRM_WITHIN, connecting)
            .await
            .map_err(|_| BrokerError::Silent)?
            .map_err(BrokerError::Unreachable)
    }

    /// Opens a connection and a channel that confirms, with the shared exchanges in place.
    pub(crate) async fn publisher(&self) -> Result<Publisher, BrokerError> {
        let connection = self.connect().await?;
        let channel = connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        topology::declare_shared(&channel, &self.names).await?;
        Ok(Publisher {
            connection,
            channel,
        })
    }
}

/// A channel that confirms, with its connection.
pub(crate) struct Publisher {
    connection: Connection,
    channel: Channel,
}

impl Publisher {
    /// A further channel, for what may close it.
    pub(crate) async fn channel(&self) -> Result<Channel, BrokerError> {
        Ok(self.connection.create_channel().await?)
    }

    /// Publishes all of `batch` and returns when the broker has every message safe.
    pub(crate) async fn publish(&self, batch: Vec<Outgoing>) -> Result<(), BrokerError> {
        publish(&self.channel, batch).await
    }
}

/// Publishes on a confirming channel. A message that came back was not routed anywhere and counts
/// as refused, although the broker acknowledges it too.
pub(crate) async fn publish(channel: &Channel, batch: Vec<Outgoing>) -> Result<(), BrokerError> {
    let sending = async {
        let mut confirms = Vec::with_capacity(batch.len());
        for message in batch {
            let properties = BasicProperties::default()
                .with_content_type("application/json".into())
                .with_delivery_mode(2)
                .with_message_id(message.message_id.into())
                .with_headers(message.headers);
            let options = BasicPublishOptions {
                mandatory: true,
                ..Default::default()
            };
            let confirm = channel
                .basic_publish(
                    message.exchange,
                    message.routing_key,
                    options,
                    &message.payload,
                    properties,
                )
                .await?;
            confirms.push(confirm);
        }
        let confirms = try_join_all(confirms).await?;
        let taken = |c: lapin::Confirmation| c.is_ack() && c.take_message().is_none();
        if confirms.into_iter().all(taken) {
            Ok(())
        } else {
            Err(BrokerError::Refused)
        }
    };
    tokio::time::timeout(CONFIRM_WITHIN, sending)
        .await
        .map_err(|_| BrokerError::Silent)?
}
