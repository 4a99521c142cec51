//! Serves the simulated cloud, both APIs and the control side, on one port.

use std::time::Duration;

use clap::Parser;
use dms_operator::clock::Clock;
use dms_operator::simulator::{Batches, Config, FailedCreates, Simulator};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Huawei Cloud DMS for Kafka and RocketMQ, and the two IAM calls that go with them, in memory.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where to listen; port 0 takes a free one, which is printed
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Divides the time that jobs and lags take
    #[arg(long, default_value_t = 60.0, value_parser = speed)]
    speed: f64,
    /// The one access key that is known [default: a made-up one, printed]
    #[arg(long, env = "DMS_SIMULATOR_ACCESS_KEY")]
    access_key: Option<String>,
    /// Its secret key [default: a made-up one, printed]
    #[arg(long, env = "DMS_SIMULATOR_SECRET_KEY", hide_env_values = true)]
    secret_key: Option<SecretString>,
    /// The one user of IAM who is known [default: a made-up one, printed]
    #[arg(long)]
    user_name: Option<String>,
    /// The user's password [default: a made-up one, printed]
    #[arg(long, env = "DMS_SIMULATOR_PASSWORD", hide_env_values = true)]
    password: Option<SecretString>,
    /// The account that the user belongs to [default: a made-up one, printed]
    #[arg(long)]
    domain_name: Option<String>,
    /// The region, which is also the name of its project
    #[arg(long)]
    region: Option<String>,
    /// The id of that project
    #[arg(long)]
    project_id: Option<String>,
    /// Seconds that lists of instances lag behind, divided by the speed
    #[arg(long)]
    list_lag: Option<u64>,
    /// Seconds that lists of topics and consumer groups lag behind, divided by the speed
    #[arg(long)]
    topic_lag: Option<u64>,
    /// Seconds that tags lag behind, divided by the speed
    #[arg(long)]
    tag_lag: Option<u64>,
    /// Calls before the gateway answers 429: a second (`20`), or in another time (`200/5m`); 0 is no limit
    #[arg(long, default_value = "20", value_parser = rate)]
    rate_limit: Rate,
    /// How long each answer takes on the way, as in `50ms`; not divided by the speed
    #[arg(long, default_value = "0ms", value_parser = duration)]
    latency: Duration,
    /// Calls a second and instance before the service answers DMS.10240407; 0 is no limit
    #[arg(long, default_value_t = 0)]
    instance_limit: u32,
    /// Show an instance's description only once its creation is complete
    #[arg(long)]
    late_descriptions: bool,
    /// Refuse a second instance of the same name
    #[arg(long)]
    unique_names: bool,
    /// What include_failure=true does for instances whose creation failed
    #[arg(long, value_enum, default_value_t = Failures::Hidden)]
    failed_creates: Failures,
    /// Deleted instances end in the recycle bin
    #[arg(long)]
    recycle_bin: bool,
    /// Leave __consumer_offsets out of the listed topics
    #[arg(long)]
    hide_system_topics: bool,
    /// Delete consumer groups also while clients are connected
    #[arg(long)]
    delete_online_groups: bool,
    /// List deleted consumer groups of Kafka for good, as DEAD
    #[arg(long)]
    dead_groups: bool,
    /// Show a consumer group of Kafka flat, as the example of the reference does, instead of nested
    #[arg(long)]
    flat_groups: bool,
    /// Refuse a quota that exists already, or does not, at once instead of by a failed job
    #[arg(long)]
    strict_quotas: bool,
    /// A tag whose key exists gets the new value instead of being refused
    #[arg(long)]
    replace_tags: bool,
    /// What an item that cannot be done does to its batch: refuses all, nothing to the others, or now this and now that
    #[arg(long, value_enum, default_value_t = Batching::Mixed)]
    batches: Batching,
    /// Decides ids and arbitrary orders [default: the time]
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Failures {
    Hidden,
    Counted,
    Listed,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Batching {
    Mixed,
    Atomic,
    Partial,
}

/// Calls in a time.
#[derive(Clone, Copy)]
struct Rate {
    calls: u32,
    window: Duration,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let listener = TcpListener::bind(&options.listen).await?;
    let (key_is_ours, password_is_ours) = (options.secret_key.is_none(), options.password.is_none());
    let simulator = Simulator::new(options.config());
    print(&simulator, listener.local_addr()?, key_is_ours, password_is_ours);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let serving = axum::serve(listener, simulator.router()).with_graceful_shutdown(async move {
        stop.await;
        let _ = stopping.send(());
    });
    // An answer that is held back for long does not hold the process.
    let patience = async {
        let _ = stopped.await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    };
    tokio::select! {
        result = serving => result,
        () = patience => Ok(()),
    }
}

impl Options {
    fn config(self) -> Config {
        let default = Config::default();
        let lag = |seconds: Option<u64>, lag| seconds.map_or(lag, Duration::from_secs);
        let clock = Clock::system();
        let seed = self.seed.unwrap_or_else(|| clock.now().as_microsecond().unsigned_abs());
        Config {
            access_key: self.access_key.unwrap_or(default.access_key),
            secret_key: self.secret_key.unwrap_or(default.secret_key),
            user_name: self.user_name.unwrap_or(default.user_name),
            user_password: self.password.unwrap_or(default.user_password),
            domain_name: self.domain_name.unwrap_or(default.domain_name),
            region: self.region.unwrap_or(default.region),
            project_id: self.project_id.unwrap_or(default.project_id),
            speed: self.speed,
            list_lag: lag(self.list_lag, default.list_lag),
            topic_lag: lag(self.topic_lag, default.topic_lag),
            tag_lag: lag(self.tag_lag, default.tag_lag),
            seed,
            rate_limit: Some(self.rate_limit.calls).filter(|calls| *calls > 0),
            rate_window: self.rate_limit.window,
            latency: self.latency,
            instance_limit: Some(self.instance_limit).filter(|limit| *limit > 0),
            late_descriptions: self.late_descriptions,
            unique_names: self.unique_names,
            failed_creates: match self.failed_creates {
                Failures::Hidden => FailedCreates::Hidden,
                Failures::Counted => FailedCreates::Counted,
                Failures::Listed => FailedCreates::Listed,
            },
            recycle_bin: self.recycle_bin,
            system_topics: !self.hide_system_topics,
            delete_online_groups: self.delete_online_groups,
            dead_groups: self.dead_groups,
            flat_groups: self.flat_groups,
            strict_quotas: self.strict_quotas,
            replace_tags: self.replace_tags,
            batches: match self.batches {
                Batching::Mixed => Batches::Mixed,
                Batching::Atomic => Batches::Atomic,
                Batching::Partial => Batches::Partial,
            },
            clock,
        }
    }
}

/// One line a setting, `name: value`; the address last, when the port accepts connections.
fn print(simulator: &Simulator, address: std::net::SocketAddr, key_is_ours: bool, password_is_ours: bool) {
    let config = simulator.config();
    println!("access-key: {}", config.access_key);
    println!("secret-key: {}", made_up(&config.secret_key, key_is_ours));
    println!("user-name: {}", config.user_name);
    println!("password: {}", made_up(&config.user_password, password_is_ours));
    println!("domain-name: {}", config.domain_name);
    println!("region: {}", config.region);
    println!("project-id: {}", config.project_id);
    println!("speed: {}", config.speed);
    println!("list-lag: {:?}", config.list_lag);
    println!("topic-lag: {:?}", config.topic_lag);
    println!("tag-lag: {:?}", config.tag_lag);
    println!(
        "rate-limit: {} in {:?}",
        config.rate_limit.unwrap_or(0),
        config.rate_window
    );
    println!("latency: {:?}", config.latency);
    println!("instance-limit: {}", config.instance_limit.unwrap_or(0));
    println!("late-descriptions: {}", config.late_descriptions);
    println!("unique-names: {}", config.unique_names);
    println!("failed-creates: {:?}", config.failed_creates);
    println!("recycle-bin: {}", config.recycle_bin);
    println!("hide-system-topics: {}", !config.system_topics);
    println!("delete-online-groups: {}", config.delete_online_groups);
    println!("dead-groups: {}", config.dead_groups);
    println!("flat-groups: {}", config.flat_groups);
    println!("strict-quotas: {}", config.strict_quotas);
    println!("replace-tags: {}", config.replace_tags);
    println!("batches: {:?}", config.batches);
    println!("seed: {}", config.seed);
    println!("listening: http://{address}");
}

/// A secret that is no secret, or nothing of one that was given.
fn made_up(secret: &SecretString, ours: bool) -> &str {
    if ours { secret.expose_secret() } else { "(as given)" }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if speed > 0.0 && f64::is_finite(speed) => Ok(speed),
        _ => Err("a number above 0".into()),
    }
}

/// `20` is a second's, `200/5m` those of five minutes.
fn rate(text: &str) -> Result<Rate, String> {
    let (calls, window) = text.split_once('/').unwrap_or((text, "1s"));
    let (calls, window) = (calls.parse().ok(), duration(window)?);
    match calls {
        Some(calls) if !window.is_zero() => Ok(Rate { calls, window }),
        _ => Err("a number of calls, or one and a time as in 200/5m".into()),
    }
}

/// `50ms`, `1s`, `5m`.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return Err("a number with ms, s or m".into()),
    };
    let number: u64 = number.parse().map_err(|_| "a number with ms, s or m")?;
    number
        .checked_mul(unit)
        .map(Duration::from_millis)
        .ok_or_else(|| "too long".into())
}
