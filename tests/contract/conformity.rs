//! What the client asks and what the simulator answers, against the definitions.
//!
//! `differences.tsv` lists where the definitions and the API reference differ; there the reference is followed. A
//! difference that is not listed fails the test, and so does a line that no longer is one.

use std::collections::{BTreeMap, BTreeSet};

use dms_operator::cloud::{Credentials, Engine, Operation, kafka, rocketmq};
use dms_operator::simulator::{Effect, Fault};
use serde_json::{Value, json};

use crate::calls::{Exchange, Line, settle};
use crate::definitions::{Breach, Schema, definitions};

/// Engine, operation, place, and what the definition has there.
type Difference = (String, String, String, String);

const ENGINES: [Engine; 2] = [Engine::Kafka, Engine::RocketMq];

#[tokio::test(start_paused = true)]
async fn requests_and_answers_are_as_published() {
    let mut covered = BTreeSet::new();
    let mut found = BTreeSet::new();
    let mut check = |line: Line| {
        let engine = line.engine;
        for (operation, exchange) in line.finish() {
            covered.insert(operation);
            found.extend(differences(engine, operation, &exchange));
        }
    };
    for engine in ENGINES {
        let line = Line::new(engine);
        let id = line.instance().await.unwrap();
        for result in line.with_everything(&id).await {
            result.unwrap();
        }
        for result in line.with_little().await {
            result.unwrap();
        }
        check(line);
    }
    let line = Line::with(Engine::RocketMq, password("simulator-password-of-no-value"));
    line.client.find_projects(None).await.unwrap();
    line.instance().await.unwrap();
    check(line);
    let missing: Vec<_> = Operation::ALL
        .iter()
        .filter(|operation| !covered.contains(operation))
        .collect();
    assert!(
        missing.is_empty(),
        "no call of {missing:?} is checked; add one to calls.rs"
    );

    let listed = listed();
    let new: Vec<_> = found
        .iter()
        .filter(|difference| !listed.contains_key(*difference))
        .map(row)
        .collect();
    assert!(
        new.is_empty(),
        "not as published, and not in differences.tsv (a mistake, unless the API reference says so):\n{}",
        new.join("\n")
    );
    let gone: Vec<_> = listed
        .keys()
        .filter(|difference| !found.contains(*difference))
        .map(row)
        .collect();
    assert!(
        gone.is_empty(),
        "in differences.tsv, but no longer seen:\n{}",
        gone.join("\n")
    );
}

#[tokio::test(start_paused = true)]
async fn refusals_have_the_documented_shape() {
    let (mut forged, mut broken) = (BTreeSet::new(), BTreeSet::new());
    for engine in ENGINES {
        let key = Credentials::AccessKey {
            access_key: "SIMULATORACCESSKEY00".into(),
            secret_key: "not the key".into(),
            security_token: None,
        };
        forged.extend(refused(Line::with(engine, key), "APIGW.0301").await);

        let line = Line::new(engine);
        line.simulator.add_fault(Fault {
            times: Some(0),
            effect: Effect {
                status: Some(500),
                ..Effect::default()
            },
            ..Fault::default()
        });
        broken.extend(refused(line, "DMS.00500000").await);
    }
    let all = Operation::ALL.iter().copied();
    let signed: BTreeSet<_> = all
        .filter(|operation| *operation != Operation::KeystoneCreateUserTokenByPassword)
        .collect();
    assert_eq!(forged, signed);
    assert_eq!(broken, signed);
}

#[tokio::test(start_paused = true)]
async fn a_refused_password_has_the_shape_of_iam() {
    let line = Line::with(Engine::Kafka, password("not the password"));
    let error = line.client.list_available_zones().await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(401), Some("401")));
    let exchanges = line.finish();
    let [(operation, exchange)] = exchanges.as_slice() else {
        panic!("{} calls", exchanges.len())
    };
    assert_eq!(*operation, Operation::KeystoneCreateUserTokenByPassword);
    // Not in the references.
    let error = json!({"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"});
    assert_eq!(exchange.answer, Some(json!({"error": error})));
}

#[tokio::test(start_paused = true)]
async fn the_client_finds_in_full_answers_all_that_it_looks_for() {
    let line = Line::new(Engine::Kafka);
    let (id, client) = (&line.instance().await.unwrap(), &line.client);
    let topic = kafka::CreateTopic {
        name: "orders".into(),
        ..Default::default()
    };
    let group = kafka::CreateGroup {
        name: "billing".into(),
        description: Some("of the shop".into()),
    };
    let quota = kafka::Quota {
        identity: kafka::QuotaIdentity {
            user: "alice".into(),
            ..Default::default()
        },
        producer_byte_rate: Some(1),
        consumer_byte_rate: Some(1),
    };
    client.create_topic(id, &topic).await.unwrap();
    client.create_group(id, &group).await.unwrap();
    client.create_quota(id, &quota).await.unwrap();
    line.simulator.set_lag(id, "billing", "orders", 1);
    settle().await;
    let tasks = client.list_tasks(id, 1, 50).await.unwrap();
    let found = [
        format!("{:?}", client.show_instance::<kafka::Instance>(id).await.unwrap()),
        format!("{:?}", client.list_topics(id, 0, 50).await.unwrap().items),
        format!("{:?}", client.list_topics(id, 0, 50).await.unwrap().limits),
        format!("{:?}", client.list_groups(id, 0, 50).await.unwrap().items),
        format!("{:?}", client.show_topic_usage(id, "orders").await.unwrap()),
        format!("{:?}", client.show_group_usage(id, "billing").await.unwrap()),
        format!("{:?}", client.list_quotas(id, 0, 50).await.unwrap().items),
        format!("{:?}", client.show_task(id, &tasks.items[0].id).await.unwrap()),
        format!("{:?}", tasks.items),
        format!("{:?}", client.list_available_zones().await.unwrap()),
        format!("{:?}", client.find_projects(None).await.unwrap()),
    ];
    for found in found {
        assert!(!found.contains(": None") && !found.contains("Other("), "{found}");
    }
}

#[tokio::test(start_paused = true)]
async fn and_of_rocketmq_all_but_what_is_of_the_other_version() {
    let line = Line::new(Engine::RocketMq);
    let (id, client) = (&line.instance().await.unwrap(), &line.client);
    let topic = rocketmq::CreateTopic {
        name: "orders".into(),
        brokers: vec!["broker-0".into()],
        queue_num: Some(8),
        permission: Some("all".into()),
        ..Default::default()
    };
    let group = rocketmq::CreateGroup {
        name: "billing".into(),
        description: Some("of the shop".into()),
        brokers: vec!["broker-0".into()],
        ..Default::default()
    };
    client.create_rocketmq_topic(id, &topic).await.unwrap();
    client.create_rocketmq_group(id, &group).await.unwrap();
    line.simulator.set_lag(id, "billing", "orders", 1);
    settle().await;
    let instance = client.show_instance::<rocketmq::Instance>(id).await.unwrap();
    let of_five = ["grpc_address", "public_grpc_address", "message_type"];
    // Nothing is public that was not made so.
    let absent = of_five.iter().copied().chain(["public_namesrv_address"]);
    let found = [
        format!("{instance:?}"),
        format!("{:?}", client.list_rocketmq_topics(id, 0, 50).await.unwrap().items),
        format!("{:?}", client.list_rocketmq_groups(id, 0, 50).await.unwrap().items),
        format!("{:?}", client.extend_products(id).await.unwrap()),
    ];
    for found in found {
        let expected = absent.clone().map(|name| format!("{name}: None"));
        let rest = expected.fold(found.clone(), |found, none| found.replace(&none, ""));
        assert!(!rest.contains(": None") && !rest.contains("Other("), "{found}");
    }
    assert_eq!(client.list_brokers(id).await.unwrap(), ["broker-0", "broker-1"]);
    for limits in [
        client.list_rocketmq_topics(id, 0, 50).await.unwrap().limits,
        client.list_rocketmq_groups(id, 0, 50).await.unwrap().limits,
    ] {
        assert_eq!((limits.most, limits.left), (Some(8000), Some(7999)));
    }
    let consumers = client.show_rocketmq_consumers(id, "billing").await.unwrap();
    assert_eq!((consumers.online, consumers.total), (Some(false), Some(0)));
    let topics = client
        .list_rocketmq_topics_of_group(id, "billing", 0, 50)
        .await
        .unwrap();
    assert_eq!((topics.items, topics.total), (vec!["orders".to_owned()], Some(1)));
    assert_eq!(client.show_rocketmq_lag(id, "billing", "orders").await.unwrap(), 1);
    let groups = client.list_rocketmq_groups_of_topic(id, "orders", 0, 50).await.unwrap();
    assert_eq!(groups.items, ["billing"]);
    assert_eq!(client.count_rocketmq_messages(id, "orders").await.unwrap(), Some(1));
}

fn password(password: &str) -> Credentials {
    Credentials::Password {
        user_name: "simulator-user".into(),
        password: password.into(),
        domain_name: "simulator-account".into(),
    }
}

/// Lets `line` try every operation of its engine; each must be refused with `code`. Gives those that were.
async fn refused(line: Line, code: &str) -> BTreeSet<Operation> {
    // 3.3 of both API references; the request's id beside it is not in the reference.
    let shape = json!({
        "type": "object",
        "required": ["error_code", "error_msg"],
        "properties": {"error_code": {"type": "string"}, "error_msg": {"type": "string"}, "request_id": {"type": "string"}},
    });
    let shape = Schema::new(&shape, &json!({}));
    let absent = "d3b07384-d9a0-4c9b-8f8e-1a2b3c4d5e6f";
    let mut results = vec![line.instance().await.map(drop)];
    results.extend(line.with_everything(absent).await);
    for result in results {
        assert_eq!(result.unwrap_err().code(), Some(code));
    }
    let mut refused = BTreeSet::new();
    for (operation, exchange) in line.finish() {
        let answer = exchange.answer.unwrap_or_default();
        assert_eq!(shape.check("answer", &answer), [], "{operation:?} {answer}");
        refused.insert(operation);
    }
    refused
}

fn differences(engine: Engine, operation: Operation, exchange: &Exchange) -> Vec<Difference> {
    let name = operation.name();
    let definition = &definitions(engine)[name];
    let breaches = [definition.of_request(exchange), definition.of_answer(exchange)].concat();
    let difference = |Breach { place, definition }| (format!("{engine:?}"), name.to_owned(), place, definition);
    breaches.into_iter().map(difference).collect()
}

/// The known differences; each says what the reference has, and where.
fn listed() -> BTreeMap<Difference, String> {
    let lines = include_str!("differences.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'));
    let known: Vec<(Difference, String)> = lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [engine, operation, place, definition, reference, section] = columns[..] else {
                panic!("not six columns: {line:?}")
            };
            assert!(!reference.is_empty() && !section.is_empty(), "no reason: {line:?}");
            let difference = (engine.into(), operation.into(), place.into(), definition.into());
            (difference, reference.into())
        })
        .collect();
    let count = known.len();
    let listed: BTreeMap<_, _> = known.into_iter().collect();
    assert_eq!(listed.len(), count, "a line is there twice");
    listed
}

fn row((engine, operation, place, definition): &Difference) -> String {
    [engine.as_str(), operation, place, definition].join("\t")
}

#[test]
fn the_check_sees_what_is_wrong() {
    let exchange = |method: &str, query: &[(&str, &str)], body: Option<Value>| Exchange {
        method: method.into(),
        path: "/v2/kafka/p/instances/i/kafka-user-client-quota".into(),
        query: query
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        body,
        status: 200,
        answer: Some(json!({"quotas": [{"count": 1}, {"user": null}], "count": "1"})),
    };
    let show = &definitions(Engine::Kafka)["ShowKafkaUserClientQuota"];
    let said = |breaches: Vec<Breach>| -> Vec<String> {
        let said = breaches
            .into_iter()
            .map(|breach| format!("{}: {}", breach.place, breach.definition));
        said.collect()
    };
    assert_eq!(
        said(show.of_request(&exchange("GET", &[("offset", "0"), ("limit", "50")], None))),
        [""; 0]
    );
    let wrong = exchange(
        "GET",
        &[("limit", "51"), ("offset", "x"), ("page", "1")],
        Some(json!({})),
    );
    assert_eq!(
        said(show.of_request(&wrong)),
        [
            "query limit: value is greater than the maximum of 50",
            "query offset: value is not of type \"integer\"",
            "query page: no such parameter",
            "body: no body",
        ]
    );
    assert_eq!(
        said(show.of_answer(&wrong)),
        [
            "answer 200 /count: value is not of type \"integer\"",
            "answer 200 /quotas/*/count: no such field",
            "answer 200 /quotas/*/user: value is not of type \"string\"",
        ]
    );
    let other = exchange("PATCH", &[], None);
    assert_eq!(show.of_request(&other).len(), 1);
    let list = &definitions(Engine::Kafka)["ListInstances"];
    let wrong = Exchange {
        path: "/v2/p/instances".into(),
        status: 201,
        ..exchange("GET", &[("include_failure", "yes")], None)
    };
    assert_eq!(
        said(list.of_request(&wrong)),
        [
            "query include_failure: value is not one of \"true\" or \"false\"",
            "query engine: required",
        ]
    );
    assert_eq!(said(list.of_answer(&wrong)), ["answer 201: no such status"]);
    let order = Exchange {
        path: "/v2/kafka/p/instances".into(),
        ..exchange("POST", &[], Some(json!({"engine": "rabbit", "naem": "x"})))
    };
    let said = said(definitions(Engine::Kafka)["CreateInstanceByEngine"].of_request(&order));
    assert!(
        said.contains(&"body /engine: value is not one of \"kafka\"".to_owned()),
        "{said:?}"
    );
    assert!(said.contains(&"body /naem: no such field".to_owned()), "{said:?}");
    assert!(said.contains(&"body /storage_space: required".to_owned()), "{said:?}");
}
