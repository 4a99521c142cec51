//! Every operation of the client, carried out by the simulator and written down on the way.

pub mod kafka;
pub mod rocketmq;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use dms_operator::clock::Clock;
use dms_operator::cloud::{
    Broken, Client, Config, Credentials, Endpoints, Engine, Error, Limiter, Operation, Tag, Timeouts, Transport,
};
use dms_operator::simulator::{self, Simulator};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value;
use tower::ServiceExt as _;

/// A request and its answer, taken apart.
pub struct Exchange {
    /// In capitals.
    pub method: String,
    /// Without the query, still encoded.
    pub path: String,
    /// As sent; none of our values there needs encoding.
    pub query: BTreeMap<String, String>,
    /// JSON, if there is any.
    pub body: Option<Value>,
    /// HTTP.
    pub status: u16,
    /// JSON, if there is any, else text.
    pub answer: Option<Value>,
}

type Log<T> = Arc<Mutex<Vec<T>>>;

/// A client of a cloud of its own, and all that passed between the two.
pub struct Line {
    /// Whose operations go over it.
    pub engine: Engine,
    /// The cloud.
    pub simulator: Simulator,
    /// The client.
    pub client: Client,
    exchanges: Log<Exchange>,
    operations: Log<Operation>,
}

impl Line {
    /// With the right key.
    pub fn new(engine: Engine) -> Self {
        let simulator::Config {
            access_key, secret_key, ..
        } = simulator::Config::default();
        let credentials = Credentials::AccessKey {
            access_key,
            secret_key,
            security_token: None,
        };
        Self::with(engine, credentials)
    }

    /// With these credentials.
    pub fn with(engine: Engine, credentials: Credentials) -> Self {
        let clock = Clock::anchored("2026-11-22T12:00:00Z".parse().unwrap());
        let simulator = Simulator::new(simulator::Config {
            clock: clock.clone(),
            ..simulator::Config::default()
        });
        let (exchanges, operations) = (Log::default(), Log::default());
        let recorder = Recorder {
            simulator: simulator.clone(),
            exchanges: exchanges.clone(),
        };
        let seen: Log<Operation> = operations.clone();
        let config = Config {
            endpoints: Endpoints::of_region("eu-west-101").unwrap(),
            project_id: simulator.config().project_id.clone(),
            project_name: String::new(),
            clock,
            timeouts: Timeouts::default(),
            on_call: Some(Arc::new(move |call| seen.lock().unwrap().push(call.operation))),
        };
        let client = Client::new(config, Arc::new(recorder), Arc::new(Limiter::new()), credentials);
        Self {
            engine,
            simulator,
            client,
            exchanges,
            operations,
        }
    }

    /// What passed so far, in order.
    pub fn finish(self) -> Vec<(Operation, Exchange)> {
        let exchanges = std::mem::take(&mut *self.exchanges.lock().unwrap());
        let operations = self.operations.lock().unwrap();
        assert_eq!(operations.len(), exchanges.len());
        operations.iter().copied().zip(exchanges).collect()
    }

    /// An instance that runs, with every field that its creation can have.
    pub async fn instance(&self) -> Result<String, Error> {
        let id = match self.engine {
            Engine::Kafka => self.client.create_instance(&kafka::order()).await,
            Engine::RocketMq => self.client.create_instance(&rocketmq::order()).await,
        };
        settle().await;
        id
    }

    /// Each operation at least once, with every field that it can have, on an instance that runs.
    pub async fn with_everything(&self, id: &str) -> Vec<Result<(), Error>> {
        match self.engine {
            Engine::Kafka => kafka::with_everything(&self.client, &self.simulator, id).await,
            Engine::RocketMq => rocketmq::with_everything(&self.client, &self.simulator, id).await,
        }
    }

    /// The same with as little as the types allow, where that is less.
    pub async fn with_little(&self) -> Vec<Result<(), Error>> {
        match self.engine {
            Engine::Kafka => kafka::with_little(&self.client).await,
            Engine::RocketMq => rocketmq::with_little(&self.client).await,
        }
    }
}

/// What became of calls, each of them after all that the one before it began.
#[derive(Default)]
struct Results(Vec<Result<(), Error>>);

impl Results {
    async fn add<T>(&mut self, result: Result<T, Error>) {
        self.0.push(result.map(drop));
        settle().await;
    }
}

/// Until no job runs and no list lags.
pub async fn settle() {
    tokio::time::sleep(Duration::from_mins(20)).await;
}

fn tag(key: &str, value: &str) -> Tag {
    Tag {
        key: key.into(),
        value: value.into(),
    }
}

struct Recorder {
    simulator: Simulator,
    exchanges: Log<Exchange>,
}

impl Transport for Recorder {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Broken>> {
        async move {
            let (method, uri) = (request.method().to_string(), request.uri().clone());
            let body = json(request.body());
            let answer = self.simulator.router().oneshot(request.map(Body::from)).await.unwrap();
            let (parts, answer) = answer.into_parts();
            let answer = to_bytes(answer, usize::MAX).await.unwrap();
            let query = uri
                .query()
                .unwrap_or_default()
                .split('&')
                .filter_map(|pair| pair.split_once('='));
            self.exchanges.lock().unwrap().push(Exchange {
                method,
                path: uri.path().to_owned(),
                query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                body,
                status: parts.status.as_u16(),
                answer: json(&answer),
            });
            Ok(Response::from_parts(parts, answer))
        }
        .boxed()
    }
}

fn json(bytes: &[u8]) -> Option<Value> {
    let text = || Value::String(String::from_utf8_lossy(bytes).into());
    (!bytes.is_empty()).then(|| serde_json::from_slice(bytes).unwrap_or_else(|_| text()))
}
