//! The API server of these tests itself.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dms_operator::clock::Clock;
use futures::StreamExt;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::support::apiserver::{ApiServer, Lifeline, Trouble};
use crate::support::gadgets::{self, gadget_api};
use crate::support::scenarios;

fn server() -> ApiServer {
    let server = ApiServer::new(Clock::anchored("2026-11-22T12:00:00Z".parse().unwrap()));
    server.install(&gadgets::gadgets());
    server
}

fn gadget(name: &str) -> DynamicObject {
    let body = json!({"metadata": {"name": name}, "spec": {"partitions": 3}});
    serde_json::from_value(body).unwrap()
}

async fn grow(client: Client, partitions: u32) -> kube::Result<DynamicObject> {
    let body = json!({"spec": {"partitions": partitions}});
    gadget_api(client, "default")
        .patch("g", &PatchParams::default(), &Patch::Merge(body))
        .await
}

/// A watcher's events as they come: (seconds since the beginning, text).
fn observe(client: Client) -> Arc<Mutex<Vec<(u64, String)>>> {
    let (seen, start) = (Arc::new(Mutex::new(Vec::new())), Instant::now());
    let log = seen.clone();
    tokio::spawn(async move {
        let config = watcher::Config::default();
        let mut events = watcher(gadget_api(client, "default"), config).default_backoff().boxed();
        while let Some(event) = events.next().await {
            let partitions = |object: DynamicObject| object.data["spec"]["partitions"].to_string();
            let text = match event {
                Ok(watcher::Event::Apply(object)) => partitions(object),
                Ok(watcher::Event::InitApply(object)) => format!("init {}", partitions(object)),
                Ok(watcher::Event::Delete(object)) => format!("gone {}", partitions(object)),
                Ok(watcher::Event::Init | watcher::Event::InitDone) => continue,
                Err(error) => format!("error: {}", error.to_string().split(':').next().unwrap()),
            };
            log.lock().unwrap().push((start.elapsed().as_secs(), text));
        }
    });
    seen
}

fn take(seen: &Arc<Mutex<Vec<(u64, String)>>>) -> Vec<(u64, String)> {
    std::mem::take(&mut *seen.lock().unwrap())
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn every_scenario_of_the_real_server() {
    let server = server();
    for (name, scenario) in scenarios::ALL {
        println!("{name}");
        server.add_namespace(name);
        scenario(gadget_api(server.client_as("user"), name)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn watches_lag_freeze_break_and_expire() {
    let server = server();
    let client = server.client_as("user");
    gadget_api(client.clone(), "default")
        .create(&PostParams::default(), &gadget("g"))
        .await
        .unwrap();
    let seen = observe(client.clone());
    seconds(1).await;
    assert_eq!(take(&seen), [(0, "init 3".into())]);

    server.set_watch_lag("gadgets", Duration::from_secs(5));
    grow(client.clone(), 4).await.unwrap();
    seconds(9).await;
    assert_eq!(take(&seen), [(6, "4".into())], "five seconds late");
    server.set_watch_lag("gadgets", Duration::ZERO);

    server.freeze_watches("gadgets");
    grow(client.clone(), 5).await.unwrap();
    seconds(10).await;
    assert_eq!(take(&seen), []);
    server.thaw_watches("gadgets");
    seconds(1).await;
    assert_eq!(take(&seen), [(20, "5".into())]);

    server.drop_watches();
    seconds(60).await;
    grow(client.clone(), 6).await.unwrap();
    seconds(1).await;
    let events = take(&seen);
    assert_eq!(
        events.last(),
        Some(&(81, "6".into())),
        "the watch was resumed: {events:?}"
    );
    assert!(
        !events.iter().any(|(_, text)| text.starts_with("init")),
        "without a new list: {events:?}"
    );

    server.expire_watches();
    seconds(60).await;
    let events = take(&seen);
    assert!(
        events.iter().any(|(_, text)| text == "init 6"),
        "listed anew: {events:?}"
    );
    gadget_api(client, "default")
        .delete("g", &DeleteParams::default())
        .await
        .unwrap();
    seconds(1).await;
    assert_eq!(take(&seen).last().map(|(_, text)| text.as_str()), Some("gone 6"));
}

#[tokio::test(start_paused = true)]
async fn streaming_lists_end_with_a_bookmark() {
    let server = server();
    let client = server.client_as("user");
    gadget_api(client.clone(), "default")
        .create(&PostParams::default(), &gadget("g"))
        .await
        .unwrap();
    let config = watcher::Config::default().streaming_lists();
    let mut events = watcher(gadget_api(client, "default"), config).boxed();
    for expected in ["Init", "InitApply", "InitDone"] {
        let event = events.next().await.unwrap().unwrap();
        assert!(format!("{event:?}").starts_with(expected), "{expected}: {event:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_of_watching_costs_a_few_requests_and_no_list() {
    let server = server();
    let seen = observe(server.client_as("user"));
    seconds(86_400).await;
    assert_eq!(take(&seen), []);
    let requests = server.requests();
    assert_eq!(requests.iter().filter(|request| request.verb == "list").count(), 1);
    assert!(requests.len() < 320, "watches last 290 seconds: {}", requests.len());
}

#[tokio::test(start_paused = true)]
async fn troubles_before_and_after_the_effect() {
    let server = server();
    let client = server.client_as("user");
    gadget_api(client.clone(), "default")
        .create(&PostParams::default(), &gadget("g"))
        .await
        .unwrap();
    let partitions = || server.object("gadgets", "default", "g").unwrap()["spec"]["partitions"].clone();
    let troubles = [
        (Trouble::Refuse(503), false),
        (Trouble::RefuseAfter(500), true),
        (Trouble::Break, false),
        (Trouble::BreakAfter, true),
        (Trouble::Hang, false),
        (Trouble::HangAfter, true),
    ];
    for (size, (trouble, effective)) in (10..).zip(troubles) {
        server.fail(1, |call| call.verb == "patch", trouble);
        let result = timeout(Duration::from_secs(30), grow(client.clone(), size)).await;
        assert!(!matches!(result, Ok(Ok(_))), "{trouble:?}");
        assert_eq!(partitions() == json!(size), effective, "{trouble:?}");
    }
    grow(client, 100).await.expect("the troubles are over");
}

#[tokio::test(start_paused = true)]
async fn a_cut_line_carries_neither_requests_nor_answers() {
    let server = server();
    let lifeline = Lifeline::default();
    let client = server.client_on("operator", &lifeline);
    let at_first_write = lifeline.clone();
    server.on_write(move |record| {
        if record.verb == "create" {
            at_first_write.cut();
        }
    });
    let api = gadget_api(client.clone(), "default");
    let create = tokio::spawn(async move { api.create(&PostParams::default(), &gadget("g")).await });
    seconds(60).await;
    assert!(!create.is_finished(), "the answer never came");
    assert!(server.object("gadgets", "default", "g").is_some(), "but it took effect");
    let late = tokio::spawn(grow(client, 9));
    seconds(60).await;
    assert_eq!(
        server.writes_of("operator").len(),
        1,
        "the second request never arrived"
    );
    lifeline.restore();
    create.await.unwrap().unwrap();
    late.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_namespace_ends_when_the_last_finalizer_is_gone() {
    let server = server();
    server.add_namespace("team");
    let client = server.client_as("user");
    let gadgets = gadget_api(client.clone(), "team");
    let mut held = gadget("g");
    held.metadata.finalizers = Some(vec!["example.com/hold".into()]);
    gadgets.create(&PostParams::default(), &held).await.unwrap();
    let secrets: Api<Secret> = Api::namespaced(client.clone(), "team");
    let secret: Secret = serde_json::from_value(json!({"metadata": {"name": "s"}, "stringData": {"k": "v"}})).unwrap();
    let secret = secrets.create(&PostParams::default(), &secret).await.unwrap();
    assert_eq!(secret.data.unwrap()["k"].0, b"v");

    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.delete("team", &DeleteParams::default()).await.unwrap();
    seconds(1).await;
    assert!(
        secrets.get_opt("s").await.unwrap().is_none(),
        "what nothing holds is gone"
    );
    assert!(gadgets.get("g").await.unwrap().metadata.deletion_timestamp.is_some());
    let late = gadgets
        .create(&PostParams::default(), &gadget("late"))
        .await
        .unwrap_err();
    assert!(
        matches!(late, kube::Error::Api(status) if status.code == 403),
        "nothing new in an ending namespace"
    );
    assert!(namespaces.get_opt("team").await.unwrap().is_some());

    let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    gadgets.patch("g", &PatchParams::default(), &release).await.unwrap();
    assert!(namespaces.get_opt("team").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_log_names_users_and_effects() {
    let server = server();
    let user = gadget_api(server.client_as("user"), "default");
    user.create(&PostParams::default(), &gadget("g")).await.unwrap();
    let body = Patch::Merge(json!({"status": {"id": "x"}}));
    let operator = gadget_api(server.client_as("operator"), "default");
    for _ in 0..2 {
        operator
            .patch_status("g", &PatchParams::default(), &body)
            .await
            .unwrap();
    }
    operator.get("g").await.unwrap();
    let writes = server.writes_of("operator");
    let told: Vec<_> = writes
        .iter()
        .map(|w| {
            (
                w.verb,
                w.resource.as_str(),
                w.name.as_str(),
                w.subresource.as_str(),
                w.code,
                w.effective,
            )
        })
        .collect();
    let expected = [
        ("patch", "gadgets", "g", "status", 200, true),
        ("patch", "gadgets", "g", "status", 200, false),
    ];
    assert_eq!(told, expected);
    assert_eq!(server.writes_of("user").len(), 1);
    assert_eq!(
        user.get("g").await.unwrap().creation_timestamp().unwrap().0,
        "2026-11-22T12:00:00Z".parse().unwrap()
    );
}
