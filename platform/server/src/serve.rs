//! Running a process: its roles, its ports, its end.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use berth_operator_api::OperatorApi;
use berth_telemetry::{logs, metrics::Metrics};
use berth_tenancy::Tenancy;
use berth_web::{Admission, Admitted, ByPath, observe::Observed, problem};
use poem::{
    Endpoint, EndpointExt as _, Response, Route, Server,
    endpoint::make_sync,
    get,
    listener::{Listener as _, TcpAcceptor, TcpListener},
    middleware::CatchPanic,
};
use tokio_util::sync::CancellationToken;

use crate::{
    health::{self, Health},
    provisioner,
    settings::Settings,
    tasks::Tasks,
    tls,
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
    pub(crate) provision: bool,
}

/// Runs the roles until SIGTERM or Ctrl-C, then lets what is at hand finish.
pub(crate) async fn run(roles: Roles) -> anyhow::Result<()> {
    let settings = Settings::read()?;
    let _guard = logs::install(&settings.telemetry)?;
    let metrics = Metrics::install()?;
    let app = App::build(&settings).await?;
    let health = Health::new(app.tenancy.clone());
    let tasks = Tasks::default();

    // Both ports are taken before anything is started: who cannot have them says so and ends.
    let metrics_port = bind(settings.metrics_addr, "BERTH_METRICS_ADDR").await?;
    let http_port = match roles.serve {
        true => Some(bind(settings.http_addr, "BERTH_HTTP_ADDR").await?),
        false => None,
    };
    let drain = Duration::from_secs(1);
    answer(
        &tasks,
        "metrics",
        metrics_port,
        operator_routes(metrics, &health, &app),
        drain,
    );
    tasks.spawn("pools", report_pools(app.tenancy.clone(), tasks.stop()));
    work::start(&app, roles, &tasks);
    if roles.provision {
        provisioner::start(&app, &settings, &tasks);
    }
    if let Some(port) = http_port {
        answer(
            &tasks,
            "http",
            port,
            public_routes(app, &health, settings.tenant_limits)?,
            DRAIN_WITHIN,
        );
    }
    tracing::info!(?roles, http = %settings.http_addr, "berth is up");
    let broken = tokio::select! {
        ended = ended() => ended.map(|()| false)?,
        () = tasks.broken() => true,
    };
    tracing::info!("berth is to end");
    health.leave();
    if roles.serve && !broken {
        tokio::time::sleep(settings.leave).await;
    }
    let _ = tokio::time::timeout(DRAIN_WITHIN + Duration::from_secs(2), tasks.end()).await;
    anyhow::ensure!(
        !broken,
        "a part of the process has ended by itself; the log says which and why"
    );
    Ok(())
}

/// Takes a port; `setting` names it.
async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpAcceptor> {
    let bound = TcpListener::bind(address).into_acceptor().await;
    bound.with_context(|| format!("{setting}: {address} cannot be listened on"))
}

/// Answers requests at a port until the process is to end; then those at hand get `drain`.
fn answer<E>(tasks: &Tasks, name: &'static str, port: TcpAcceptor, routes: E, drain: Duration)
where
    E: poem::IntoEndpoint + Send + 'static,
    E::Endpoint: 'static,
{
    let stop = tasks.stop();
    let server = Server::new_with_acceptor(port).name(name);
    let serving = server.run_with_graceful_shutdown(routes, stop.cancelled_owned(), Some(drain));
    tasks.spawn_fallible(name, async move { Ok(serving.await?) });
}

/// What the public reaches.
fn public_routes(
    app: App,
    health: &Health,
    limits: bool,
) -> anyhow::Result<impl Endpoint<Output = Response> + 'static> {
    let routes = Route::new()
        .at("/livez", get(health::live))
        .at("/readyz", get(health::ready).data(health.clone()))
        .at("/health", get(health::ready).data(health.clone()));
    let web = app.api.web.clone();
    let routes = berth_admin_portal::mount(routes, app.portal)?;
    let routes = routes.nest("/", berth_tenant_api::routes(app.api));
    let caught = CatchPanic::new().with_handler(problem::panicked);
    let admission = Admission::new(limits);
    let routes = routes.with(caught).map_to_response();
    let admitted = Admitted::new(routes, web.clone(), admission);
    Ok(Observed(ByPath::new(admitted, web)))
}

/// What operators and scrapers reach, on a port of its own.
fn operator_routes(
    metrics: Metrics,
    health: &Health,
    app: &App,
) -> impl Endpoint<Output = Response> + 'static {
    let api = OperatorApi {
        web: app.api.web.clone(),
        onboarding: app.onboarding.clone(),
        figures: app.figures.clone(),
    };
    let routes = Route::new()
        .nest("/platform/v1", berth_operator_api::routes(&api))
        .at("/tls/ask", get(tls::ask).data(app.api.web.clone()))
        .at("/metrics", get(make_sync(move |_| metrics.render())))
        .at("/livez", get(health::live))
        .at("/readyz", get(health::ready).data(health.clone()));
    let caught = CatchPanic::new().with_handler(problem::panicked);
    Observed(routes.with(caught).map_to_response())
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
