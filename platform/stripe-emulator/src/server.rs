//! Starting and stopping: state, listener, routes, background tasks.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use poem::{EndpointExt, Route, Server, get, listener::TcpAcceptor, post};
use tokio::{sync::watch, task::JoinHandle, time};

use crate::{
    api::Api,
    control,
    core::{Core, Settings},
    model::endpoint::Endpoint,
    pages, persist, tiktok,
    webhook::deliver,
    world::World,
};

/// What a stopping server grants requests under way.
const GRACE: Duration = Duration::from_millis(300);

/// How often the emulator looks for what it has to do by itself.
const TICK: Duration = Duration::from_millis(100);

/// A receiver of webhooks that is known from the start.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// Where events are posted to, `http://` only.
    pub url: String,
    /// The signing secret (`whsec_…`).
    pub secret: String,
    /// `true`: events of connected accounts; `false`: the platform's own.
    pub connect: bool,
}

/// How an emulator is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Address under which browsers reach the emulator, if it is another one.
    pub public_url: Option<String>,
    /// Snapshot file; without it a restart begins empty.
    pub state: Option<PathBuf>,
    /// Webhook endpoints besides those registered through the API.
    pub webhooks: Vec<WebhookTarget>,
    /// The one token that the TikTok routes accept; any non-empty one, if absent.
    pub tiktok_access_token: Option<String>,
    /// First pause before a webhook is tried again; doubled each time.
    pub first_retry: Duration,
    /// Longest pause between two tries of a webhook.
    pub longest_retry: Duration,
    /// How long bank debits and slow refunds take, on the emulator's clock.
    pub settle_after: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            state: None,
            webhooks: Vec::new(),
            tiktok_access_token: None,
            first_retry: Duration::from_millis(500),
            longest_retry: Duration::from_secs(15),
            settle_after: Duration::from_secs(2),
        }
    }
}

/// The emulator; see [`Emulator::start`].
#[derive(Debug)]
pub struct Emulator;

/// A running emulator. Dropping it stops it too, without a last snapshot.
#[derive(Debug)]
pub struct Running {
    /// Its address, `http://127.0.0.1:PORT`.
    pub url: String,
    core: Arc<Core>,
    state: Option<PathBuf>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Emulator {
    /// Starts an emulator on the current tokio runtime.
    ///
    /// # Errors
    /// An address in use, or a state file that is no snapshot.
    pub async fn start(config: Config) -> anyhow::Result<Running> {
        // Fails if the process has a provider already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let mut world = persist::load(config.state.as_deref())?;
        world.settle_after = millis(config.settle_after);
        configure_webhooks(&mut world, &config.webhooks);
        let listener = TcpListener::bind(config.listen)
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let settings = Settings {
            base: config
                .public_url
                .unwrap_or_else(|| url.clone())
                .trim_end_matches('/')
                .to_owned(),
            first_retry: millis(config.first_retry),
            longest_retry: millis(config.longest_retry),
            tiktok_access_token: config.tiktok_access_token,
        };
        let (stop, stopping) = watch::channel(false);
        let core = Arc::new(Core::new(world, settings, stopping));
        let mut tasks = vec![
            tokio::spawn(serve(Arc::clone(&core), TcpAcceptor::from_std(listener)?)),
            tokio::spawn(deliver::run(Arc::clone(&core), client)),
            tokio::spawn(tick(Arc::clone(&core))),
        ];
        if let Some(path) = config.state.clone() {
            tasks.push(tokio::spawn(persist::run(Arc::clone(&core), path)));
        }
        Ok(Running {
            url,
            core,
            state: config.state,
            stop,
            tasks,
        })
    }
}

impl Running {
    /// Stops serving and delivering and writes the last snapshot.
    ///
    /// # Errors
    /// A snapshot that cannot be written.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        for task in self.tasks {
            task.await?;
        }
        match &self.state {
            Some(path) => persist::save(&self.core.lock().frozen(), path),
            None => Ok(()),
        }
    }
}

async fn serve(core: Arc<Core>, acceptor: TcpAcceptor) {
    let stopped = Arc::clone(&core);
    let served = Server::new_with_acceptor(acceptor)
        .run_with_graceful_shutdown(
            routes(core),
            async move { stopped.stopped().await },
            Some(GRACE),
        )
        .await;
    if let Err(error) = served {
        eprintln!("berth-stripe-emulator: {error}");
    }
}

fn routes(core: Arc<Core>) -> impl poem::Endpoint {
    Route::new()
        .at("/v1/*path", Api(Arc::clone(&core)))
        .at("/v3", get(pages::stripe_js::script))
        .at("/v3/", get(pages::stripe_js::script))
        .at("/:release/stripe.js", get(pages::stripe_js::script))
        .at(
            "/connect/onboarding/:token",
            get(pages::onboarding::show).post(pages::onboarding::act),
        )
        .at(
            "/connect/express/:account",
            get(pages::onboarding::dashboard),
        )
        .at(
            "/3ds/:account/:intent",
            get(pages::three_d_secure::show).post(pages::three_d_secure::act),
        )
        .at("/open_api/v1.3/event/track", post(tiktok::Track))
        .at("/open_api/v1.3/event/track/", post(tiktok::Track))
        .nest("/_emulator", control::routes())
        .data(core)
}

/// Sees to it that what is due happens without a request too.
async fn tick(core: Arc<Core>) {
    loop {
        tokio::select! {
            () = core.stopped() => return,
            () = time::sleep(TICK) => {}
        }
        let idle = core.lock().schedule.is_empty();
        if !idle {
            core.look(|_| ());
        }
    }
}

/// Puts the endpoints of the configuration in place of those of the last start;
/// what was pending for them goes to the new address.
fn configure_webhooks(world: &mut World, targets: &[WebhookTarget]) {
    let now = world.now();
    let endpoints = &mut world.platform.endpoints;
    let former: Vec<_> = endpoints
        .iter()
        .filter(|one| one.configured)
        .map(|one| one.id.clone())
        .collect();
    for id in former {
        endpoints.remove(&id);
    }
    for (number, target) in targets.iter().enumerate() {
        endpoints.put(Endpoint {
            id: format!("we_configured_{number}"),
            created: now,
            url: target.url.clone(),
            secret: target.secret.clone(),
            connect: target.connect,
            enabled_events: vec!["*".to_owned()],
            enabled: true,
            description: None,
            api_version: None,
            metadata: Default::default(),
            configured: true,
        });
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
