//! The operator's process: reads flags, connects, runs until it is told to end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use dms_operator::clock::Clock;
use dms_operator::cloud::HttpTransport;
use dms_operator::operator::admin::{self, Stage};
use dms_operator::operator::{Config, LeaseConfig, Metrics, Operator};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

#[derive(Parser)]
#[command(version, about = "Keeps Huawei Cloud DMS as Kubernetes objects say it should be")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the controllers until SIGTERM.
    Run(Run),
}

#[derive(Args)]
struct Run {
    /// Hosts that a ProviderConfig may point to: `*.example.com`, `host` or `host:port`; comma-separated.
    #[arg(
        long,
        env = "DMS_OPERATOR_ALLOWED_ENDPOINTS",
        value_delimiter = ',',
        default_value = "*.myhuaweicloud.com,*.myhuaweicloud.eu"
    )]
    allowed_endpoints: Vec<String>,
    /// How often an object at rest is compared with the cloud.
    #[arg(long, env = "DMS_OPERATOR_RESYNC_INTERVAL", default_value = "10m", value_parser = duration)]
    resync_interval: Duration,
    /// How often something that ends by itself is looked at.
    #[arg(long, env = "DMS_OPERATOR_POLL_INTERVAL", default_value = "15s", value_parser = duration)]
    poll_interval: Duration,
    /// How long searches must find nothing before a create whose answer was lost is sent again.
    #[arg(long, env = "DMS_OPERATOR_CREATE_SEARCH_WINDOW", default_value = "10m", value_parser = duration)]
    create_search_window: Duration,
    /// Where /livez, /readyz and /metrics are served.
    #[arg(long, env = "DMS_OPERATOR_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Elect a leader among replicas by a Lease.
    #[arg(long, env = "DMS_OPERATOR_LEADER_ELECT", default_value_t = true, action = clap::ArgAction::Set)]
    leader_elect: bool,
    /// Namespace of the Lease; default: the pod's, else `default`.
    #[arg(long, env = "POD_NAMESPACE", default_value = "default")]
    lease_namespace: String,
    /// How this replica is called in the Lease and in Events; default: the pod's name and a random part.
    #[arg(long, env = "POD_NAME", default_value = "dms-operator")]
    identity: String,
    /// How lines are logged.
    #[arg(long, env = "DMS_OPERATOR_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// What is logged, as in `info,dms_operator=debug`.
    #[arg(long, env = "RUST_LOG", default_value = "info")]
    log: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Before any TLS: reqwest and kube share this provider.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok()
        .context("failed to set up TLS")?;
    match Cli::parse().command {
        Command::Run(flags) => run(flags).await,
    }
}

async fn run(flags: Run) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&flags.log).context("failed to read --log")?;
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    match flags.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    let shutdown = CancellationToken::new();
    end_on_signal(shutdown.clone())?;

    let mut kube = kube::Config::infer().await.context("failed to find the API server")?;
    // A round is repeated as a whole; retries below it would only hide that the API server is away.
    kube.default_retry = false;
    let kube = kube::Client::try_from(kube).context("failed to set up the API server's client")?;

    let (stage, shown) = watch::channel(Stage::default());
    let metrics = Metrics::default();
    let listener = TcpListener::bind(flags.listen)
        .await
        .with_context(|| format!("failed to listen on {}", flags.listen))?;
    info!(version = env!("CARGO_PKG_VERSION"), address = %listener.local_addr()?, "starts");
    let admin = axum::serve(listener, admin::router(shown, metrics.clone()));
    tokio::spawn(
        admin
            .with_graceful_shutdown(shutdown.clone().cancelled_owned())
            .into_future(),
    );

    let identity = format!("{}-{}", flags.identity, &uuid::Uuid::new_v4().simple().to_string()[..8]);
    let lease = flags
        .leader_elect
        .then(|| LeaseConfig::new(flags.lease_namespace, identity));
    let operator = Operator {
        kube,
        transport: Arc::new(HttpTransport::new().context("failed to set up the cloud's client")?),
        clock: Clock::system(),
        config: Config {
            resync: flags.resync_interval,
            poll: flags.poll_interval,
            search_window: flags.create_search_window,
            allowed_endpoints: flags.allowed_endpoints,
            lease,
        },
        metrics,
        stage,
    };
    operator.run(shutdown).await.context("ended early")?;
    info!("ended");
    Ok(())
}

fn end_on_signal(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let mut int = signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        info!("ends: rounds under way are finished");
        shutdown.cancel();
    });
    Ok(())
}

/// `90s`, `10m`, `1h`; at least a second.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("must be a number with s, m or h".into()),
    };
    let number: u64 = number.parse().map_err(|_| "must be a number with s, m or h")?;
    match number.checked_mul(unit) {
        Some(seconds) if seconds >= 1 => Ok(Duration::from_secs(seconds)),
        _ => Err("must be at least a second".into()),
    }
}
