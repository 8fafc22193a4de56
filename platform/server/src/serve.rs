//! Running a process: its roles, its ports, its end.

use std::time::Duration;

use anyhow::Context as _;
use berth_telemetry::{logs, metrics::Metrics};
use berth_tenancy::Tenancy;
use berth_web::observe::Observed;
use poem::{
    Endpoint, EndpointExt as _, Response, Route, Server, endpoint::make_sync, get,
    listener::TcpListener,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    health::{self, Health},
    settings::Settings,
    wire::App,
    work,
};

/// How long requests and events at hand may take to finish once the process is to end.
const DRAIN_WITHIN: Duration = Duration::from_secs(25);

/// What a process does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Roles {
    pub(crate) serve: bool,
    pub(crate) work: bool,
    pub(crate) relay: bool,
}

/// Runs the roles until SIGTERM or Ctrl-C, then lets what is at hand finish.
pub(crate) async fn run(roles: Roles) -> anyhow::Result<()> {
    let settings = Settings::read()?;
    let _guard = logs::install(&settings.telemetry)?;
    let metrics = Metrics::install()?;
    let app = App::build(&settings).await?;
    let health = Health::new(app.tenancy.clone());
    let stop = CancellationToken::new();
    let tracker = TaskTracker::new();

    let metrics_page = operator_routes(metrics, &health);
    let server = Server::new(TcpListener::bind(settings.metrics_addr)).name("metrics");
    let stopping = stop.clone();
    tracker.spawn(server.run_with_graceful_shutdown(
        metrics_page,
        async move { stopping.cancelled().await },
        Some(Duration::from_secs(1)),
    ));
    tracker.spawn(report_pools(app.tenancy.clone(), stop.clone()));
    work::start(&app, roles, &tracker, &stop);
    if roles.serve {
        let routes = public_routes(app, &health)?;
        let server = Server::new(TcpListener::bind(settings.http_addr)).name("http");
        let stopping = stop.clone();
        tracker.spawn(server.run_with_graceful_shutdown(
            routes,
            async move { stopping.cancelled().await },
            Some(DRAIN_WITHIN),
        ));
    }
    tracing::info!(?roles, http = %settings.http_addr, "berth is up");
    ended().await?;
    tracing::info!("berth is asked to end");
    health.leave();
    if roles.serve {
        tokio::time::sleep(settings.leave).await;
    }
    stop.cancel();
    tracker.close();
    let _ = tokio::time::timeout(DRAIN_WITHIN + Duration::from_secs(2), tracker.wait()).await;
    Ok(())
}

/// What the public reaches.
fn public_routes(
    app: App,
    health: &Health,
) -> anyhow::Result<impl Endpoint<Output = Response> + 'static> {
    let routes = Route::new()
        .at("/livez", get(health::live))
        .at("/readyz", get(health::ready).data(health.clone()));
    let routes = berth_admin_portal::mount(routes, app.portal)?;
    let routes = routes.nest("/", berth_tenant_api::routes(app.api));
    Ok(Observed(routes.map_to_response()))
}

/// What operators and scrapers reach, on a port of its own.
fn operator_routes(metrics: Metrics, health: &Health) -> impl Endpoint + 'static {
    Route::new()
        .at("/metrics", get(make_sync(move |_| metrics.render())))
        .at("/livez", get(health::live))
        .at("/readyz", get(health::ready).data(health.clone()))
}

/// Exports how many connections the pools hold.
async fn report_pools(tenancy: Tenancy, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let (open, idle) = tenancy.database().usage();
        metrics::gauge!("berth_pool_connections", "state" => "open").set(f64::from(open));
        metrics::gauge!("berth_pool_connections", "state" => "idle")
            .set(u32::try_from(idle).map_or(f64::MAX, f64::from));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn ended() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("signals cannot be listened to")?;
    tokio::select! {
        _ = terminate.recv() => {}
        result = tokio::signal::ctrl_c() => result.context("signals cannot be listened to")?,
    }
    Ok(())
}
