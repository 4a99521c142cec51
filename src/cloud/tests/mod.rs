//! The client against answers that are written down beforehand.

mod calls;
mod decoding;
mod limits;
mod rocketmq;
mod sending;
mod tokens;
mod usage;
mod wire;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::*;
use crate::clock::Clock;

const SECRET_KEY: &str = "s3cret-signing-key";
const TOKEN: &str = "t0ken-of-a-temporary-pair";

/// What the stub does with the next request.
enum Reply {
    Answer(http::Response<Bytes>),
    Broken(Broken),
    Silence,
}

/// Gives the replies in turn and keeps the requests.
#[derive(Clone, Default)]
struct Script {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    requests: Arc<Mutex<Vec<http::Request<Bytes>>>>,
    delay: Arc<Mutex<Duration>>,
}

impl Script {
    fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            replies: Arc::new(Mutex::new(replies.into_iter().collect())),
            ..Self::default()
        }
    }

    fn client(&self) -> Client {
        self.client_with(Timeouts::default(), None)
    }

    fn client_with(&self, timeouts: Timeouts, on_call: Option<Observer>) -> Client {
        self.client_of(Config {
            timeouts,
            on_call,
            ..self.config()
        })
    }

    fn client_of(&self, config: Config) -> Client {
        Client::new(config, Arc::new(self.clone()), Arc::default(), credentials())
    }

    fn config(&self) -> Config {
        Config {
            endpoints: Endpoints::of_region("eu-west-101").unwrap(),
            project_id: "p1".to_owned(),
            project_name: "eu-west-101".to_owned(),
            clock: Clock::anchored(now()),
            timeouts: Timeouts::default(),
            on_call: None,
        }
    }

    /// Lets every answer to come take its time.
    fn delay(&self, time: Duration) {
        *self.delay.lock().unwrap() = time;
    }

    fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    fn header(&self, request: usize, name: &str) -> String {
        self.requests.lock().unwrap()[request].headers()[name]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Method, path and query, and body of the only request.
    fn only_request(&self) -> (String, serde_json::Value) {
        let requests = self.requests.lock().unwrap();
        let [request] = requests.as_slice() else {
            panic!("{} requests", requests.len())
        };
        let body = serde_json::from_slice(request.body()).unwrap_or_default();
        (format!("{} {}", request.method(), request.uri()), body)
    }
}

impl Transport for Script {
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, Broken>> {
        self.requests.lock().unwrap().push(request);
        let reply = self.replies.lock().unwrap().pop_front().expect("a request too many");
        let delay = *self.delay.lock().unwrap();
        async move {
            tokio::time::sleep(delay).await;
            match reply {
                Reply::Answer(answer) => Ok(answer),
                Reply::Broken(broken) => Err(broken),
                Reply::Silence => std::future::pending().await,
            }
        }
        .boxed()
    }
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn credentials() -> Credentials {
    Credentials::AccessKey {
        access_key: "AK".to_owned(),
        secret_key: SECRET_KEY.into(),
        security_token: Some(TOKEN.into()),
    }
}

fn answer(status: u16, body: &str) -> Reply {
    with_headers(status, &[], body)
}

fn with_headers(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let answer = http::Response::builder().status(status).header("X-Request-Id", "req-1");
    let answer = headers
        .iter()
        .fold(answer, |answer, (name, value)| answer.header(*name, *value));
    Reply::Answer(answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap())
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    answer(
        status,
        &serde_json::json!({"error_code": code, "error_msg": message}).to_string(),
    )
}

fn lost() -> Reply {
    Reply::Broken(Broken::Lost("connection reset".to_owned()))
}

fn order() -> kafka::CreateInstance {
    kafka::CreateInstance {
        order: Order {
            name: "events".to_owned(),
            engine_version: "2.7".to_owned(),
            ..Order::default()
        },
        ..Default::default()
    }
}

/// What is logged from `start` to `end`.
struct Logged {
    lines: LogWriter,
    guard: (tracing::Dispatch, tracing::subscriber::DefaultGuard),
}

impl Logged {
    fn start() -> Self {
        let lines = LogWriter::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        // While there is only one, a line that a test beside this one reaches first asks that test's thread whether
        // anybody listens, and is silent for good. Of two, all are asked.
        let second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
        let guard = (second, tracing::subscriber::set_default(subscriber));
        Self { lines, guard }
    }

    fn end(self) -> String {
        drop(self.guard);
        String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap()
    }
}

#[derive(Clone, Default)]
struct LogWriter(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
