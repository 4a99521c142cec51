//! The user edits: each change arrives in the cloud, and Ready speaks of the newest generation only.

use dms_operator::simulator::Effect;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

const UPDATING: &str = "FTFF Updating DriftFound";

async fn edit(world: &World, (kind, name): Object, spec: Value) {
    world.edit(kind, name, json!({"spec": spec})).await.unwrap();
}

/// As `kubectl wait --for=condition=Ready` decides after an edit.
fn waited_for(world: &World, (kind, name): Object) -> bool {
    let object = world.object(kind, name);
    let ready = &object["status"]["conditions"][0];
    ready["observedGeneration"] == object["metadata"]["generation"] && ready["status"] == "True"
}

async fn until_applied(world: &World, of: Object) {
    world
        .until(20 * MINUTE, "the edit is applied", |world| {
            waited_for(world, of) && shown(world, of) == HEALTHY
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_any_field_arrives_and_ready_waits_for_it() {
    let instance = |world: &World, field: &str| world.instances()[0][field].clone();
    type Seen = fn(&World) -> Value;
    let table: [(Object, Value, Seen, Value); 13] = [
        (
            INSTANCE,
            json!({"name": "renamed"}),
            |w| w.instances()[0]["name"].clone(),
            json!("renamed"),
        ),
        (
            INSTANCE,
            json!({"description": "new"}),
            |w| w.instances()[0]["description"].clone(),
            json!("new"),
        ),
        (
            INSTANCE,
            json!({"description": ""}),
            |w| w.instances()[0]["description"].clone(),
            json!(""),
        ),
        (
            INSTANCE,
            json!({"securityGroupId": "sg"}),
            |w| w.instances()[0]["securityGroupId"].clone(),
            json!("sg"),
        ),
        (
            INSTANCE,
            json!({"maintenanceWindow": {"begin": "06:00:00", "end": "10:00:00"}}),
            |w| w.instances()[0]["maintainBegin"].clone(),
            json!("06:00:00"),
        ),
        (
            INSTANCE,
            json!({"retentionPolicy": "produce_reject"}),
            |w| w.instances()[0]["retentionPolicy"].clone(),
            json!("produce_reject"),
        ),
        (
            INSTANCE,
            json!({"enterpriseProjectId": "7"}),
            |w| w.instances()[0]["enterpriseProjectId"].clone(),
            json!("7"),
        ),
        (
            INSTANCE,
            json!({"tags": {"env": "prod", "team": null, "new": "1"}}),
            |w| w.instances()[0]["tags"].clone(),
            json!({"env": "prod", "new": "1"}),
        ),
        (
            INSTANCE,
            json!({"storageSpace": 900}),
            |w| w.instances()[0]["storageSpace"].clone(),
            json!(900),
        ),
        (
            ORDERS,
            json!({"kafka": {"partitions": 9}}),
            |w| topic(w, "orders")["partition"].clone(),
            json!(9),
        ),
        (
            ORDERS,
            json!({"kafka": {"retentionHours": 24}}),
            |w| topic(w, "orders")["retention_time"].clone(),
            json!(24),
        ),
        (
            ORDERS,
            json!({"description": ""}),
            |w| topic(w, "orders")["topic_desc"].clone(),
            json!(""),
        ),
        (
            QUOTA,
            json!({"producerByteRate": "1Mi"}),
            |w| quota(w, "importer")["producer-byte-rate"].clone(),
            json!(1 << 20),
        ),
    ];
    let (world, _operator) = at_rest().await;
    let creates = |world: &World| world.calls("CreateInstanceTopic") + world.calls("CreateKafkaUserClientQuotaTask");
    let before = creates(&world);
    for (of, change, seen, expected) in table {
        let film = Film::of(&world, of).await;
        edit(&world, of, change.clone()).await;
        assert!(!waited_for(&world, of), "{change}: Ready is of the generation before");
        world
            .until(20 * MINUTE, "the edit is applied", |world| {
                let done = waited_for(world, of);
                assert!(!done || seen(world) == expected, "{change}: Ready, but {}", seen(world));
                done
            })
            .await;
        sleep(MINUTE).await;
        assert_eq!(shown(&world, of), HEALTHY, "{change}");
        let shots = film.take();
        let [middle @ .., last] = shots.as_slice() else {
            panic!("{change}")
        };
        // Busy with the job of a retention policy, or trying again while the list of tags lags.
        let works = |shot: &String| shot.starts_with("FTFF ") && shot.ends_with(" DriftFound");
        assert!(
            middle.first().is_some_and(|first| first == UPDATING) && middle.iter().all(works),
            "{change}: {shots:?}"
        );
        assert_eq!(last, HEALTHY, "{change}");
    }
    assert_eq!(instance(&world, "storageSpace"), 900);
    let id = instance_id(&world, INSTANCE);
    assert_eq!(world.instances()[0]["id"], id.as_str());
    assert_eq!(creates(&world), before, "all in place");
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_changes_nothing_is_ready_for_the_new_generation() {
    let (world, _operator) = at_rest().await;
    for (of, same) in [
        (
            INSTANCE,
            json!({"name": "events", "maintenanceWindow": {"begin": "22:00:00", "end": "02:00:00"}}),
        ),
        (ORDERS, json!({"kafka": {"syncReplication": false}})),
        (QUOTA, json!({"producerByteRate": 10_485_760})),
    ] {
        let writes = cloud_writes(&world);
        edit(&world, of, same).await;
        until_applied(&world, of).await;
        assert_eq!(cloud_writes(&world), writes, "{of:?}: nothing was sent");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_spec_no_longer_names_is_undone_only_if_it_was_ours() {
    let (world, _operator) = at_rest().await;
    let foreign = json!({"action": "create", "tags": [{"key": "foreign", "value": "1"}]});
    behind(&world, "POST", TAGS_PATH, foreign).await;
    let theirs =
        json!({"id": "orders", "topic_other_configs": [{"name": "message.timestamp.type", "value": "CreateTime"}]});
    behind(&world, "PUT", TOPICS_PATH, json!({"topics": [theirs]})).await;

    edit(&world, INSTANCE, json!({"tags": null})).await;
    edit(&world, ORDERS, json!({"kafka": {"configs": null}})).await;
    until_applied(&world, INSTANCE).await;
    until_applied(&world, ORDERS).await;
    assert_eq!(world.instances()[0]["tags"], json!({"foreign": "1"}));
    let configs = topic(&world, "orders")["topic_other_configs"].clone();
    let value = |name: &str| configs.as_array().unwrap().iter().find(|c| c["name"] == name).unwrap()["value"].clone();
    assert_eq!(value("max.message.bytes"), "10485760", "the default");
    assert_eq!(
        value("message.timestamp.type"),
        "CreateTime",
        "never named, never touched"
    );
    let status = |(kind, name): Object| world.object(kind, name)["status"].clone();
    assert!(status(INSTANCE)["managedTags"].as_array().is_none_or(Vec::is_empty));
    assert!(status(ORDERS)["managedConfigs"].as_array().is_none_or(Vec::is_empty));
}

#[tokio::test(start_paused = true)]
async fn a_scalar_that_is_left_out_is_released_and_stays() {
    let (world, _operator) = at_rest().await;
    let before = cloud(&world);
    edit(
        &world,
        INSTANCE,
        json!({"description": null, "retentionPolicy": null, "maintenanceWindow": null}),
    )
    .await;
    edit(
        &world,
        ORDERS,
        json!({"description": null, "kafka": {"retentionHours": null}}),
    )
    .await;
    until_applied(&world, INSTANCE).await;
    until_applied(&world, ORDERS).await;
    assert_eq!(cloud(&world), before);

    let theirs = json!({"topics": [{"id": "orders", "retention_time": 24}]});
    behind(&world, "PUT", TOPICS_PATH, theirs).await;
    behind(&world, "PUT", INSTANCE_PATH, json!({"description": "theirs"})).await;
    sleep(3 * RESYNC).await;
    assert_eq!(topic(&world, "orders")["retention_time"], 24);
    assert_eq!(world.instances()[0]["description"], "theirs");
    assert_eq!(shown(&world, ORDERS), HEALTHY);
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_is_left_out_is_taken_away() {
    let (world, _operator) = at_rest().await;
    let film = Film::of(&world, QUOTA).await;
    edit(&world, QUOTA, json!({"consumerByteRate": null})).await;
    until_applied(&world, QUOTA).await;
    assert_eq!(quota(&world, "importer").get("consumer-byte-rate"), None);
    assert_eq!(quota(&world, "importer")["producer-byte-rate"], 10 << 20);
    assert_eq!(
        film.take(),
        [UPDATING, HEALTHY],
        "one Updating, though it was deleted and made anew"
    );
}

#[tokio::test(start_paused = true)]
async fn growing_storage_takes_minutes_and_is_followed_across_a_restart() {
    for crashes in [false, true] {
        let mut world = applied().await;
        world.set_lease(15 * SECOND);
        let operator = world.start("one");
        settled(&world).await;
        edit(&world, INSTANCE, json!({"storageSpace": 900})).await;
        let operation = |world: &World| world.object("KafkaInstance", "events")["status"]["operation"].clone();
        world
            .until(MINUTE, "it grows", |world| {
                shown(world, INSTANCE) == UPDATING && operation(world)["jobId"].is_string()
            })
            .await;
        if crashes {
            operator.crash();
        } else {
            operator.stop().await.unwrap();
        }
        let _second = world.start("two");
        sleep(2 * MINUTE).await;
        let object = world.object("KafkaInstance", "events");
        assert_eq!(object["status"]["state"], "EXTENDING");
        assert_eq!(operation(&world)["name"], "ExtendStorage");
        assert_eq!(shown(&world, INSTANCE), UPDATING);
        for child in [ORDERS, AUDIT, QUOTA] {
            assert_eq!(shown(&world, child), HEALTHY, "{child:?} serves on");
        }
        until_applied(&world, INSTANCE).await;
        assert_eq!(world.calls("ResizeEngineInstance"), 1, "the same job was followed");
        assert_eq!(operation(&world), Value::Null);
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_edited_while_the_instance_grows_waits_its_turn() {
    let (world, _operator) = at_rest().await;
    edit(&world, INSTANCE, json!({"storageSpace": 900})).await;
    world
        .until(MINUTE, "it grows", |world| {
            world.instances()[0]["status"] == "EXTENDING"
        })
        .await;
    sleep(MINUTE / 2).await;
    edit(&world, ORDERS, json!({"kafka": {"partitions": 9}})).await;
    sleep(MINUTE).await;
    assert_eq!(shown(&world, ORDERS), "FTFF InstanceBusy DriftFound");
    assert_eq!(topic(&world, "orders")["partition"], 6);
    let tried = world.calls("UpdateInstanceTopic");
    assert_eq!(tried, 0, "nobody knocks at a door that is known to be closed");
    until_applied(&world, ORDERS).await;
    assert_eq!(topic(&world, "orders")["partition"], 9);
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_cannot_be_reached_is_refused_with_the_next_that_can() {
    let mut world = applied().await;
    world.set_lease(15 * SECOND);
    let operator = world.start("one");
    settled(&world).await;
    let total = |total: u32| json!({"spec": {"storageSpace": total}});
    let refused = world.edit("KafkaInstance", "events", total(700)).await.unwrap_err();
    assert!(
        refused.to_string().contains("spec.storageSpace") && refused.to_string().contains("900"),
        "{refused}"
    );
    // What the API server cannot know: there are four brokers by now.
    operator.stop().await.unwrap();
    let wider = json!({"oper_type": "horizontal", "new_broker_num": 4, "new_storage_space": 800});
    behind(&world, "POST", "/v2/kafka/{p}/instances/{i}/extend", wider).await;
    sleep(30 * MINUTE).await;
    world.edit("KafkaInstance", "events", total(1002)).await.unwrap();
    let _second = world.start("two");
    world
        .until(MINUTE, "refused", |world| {
            shown(world, INSTANCE) == "FFTF InvalidSpec DriftFound"
        })
        .await;
    let said = message(&world, INSTANCE, "Stalled");
    assert!(said.contains("spec.storageSpace") && said.contains("1200"), "{said}");
    let calls = world.cloud.calls().len();
    sleep(HOUR).await;
    assert!(world.cloud.calls().len() - calls < 40, "looked at every half hour");
    assert_eq!(world.calls("ResizeEngineInstance"), 1, "only that of the others");
    edit(&world, INSTANCE, json!({"storageSpace": 1200})).await;
    until_applied(&world, INSTANCE).await;
    assert_eq!(world.instances()[0]["storageSpace"], 1200);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_is_repeated_only_when_asked() {
    for asked in [true, false] {
        let (world, _operator) = at_rest().await;
        world.fault(
            "ResizeEngineInstance",
            Effect {
                job_fails: true,
                ..Effect::default()
            },
        );
        edit(&world, INSTANCE, json!({"storageSpace": 900})).await;
        world
            .until(20 * MINUTE, "failed", |world| {
                shown(world, INSTANCE) == "FFTF CloudFailed DriftFound"
            })
            .await;
        let said = message(&world, INSTANCE, "Stalled");
        let job = world.object("KafkaInstance", "events")["status"]["operation"]["jobId"].clone();
        assert!(
            said.contains(job.as_str().unwrap()) && said.contains("reconcile-requested-at"),
            "{said}"
        );
        sleep(3 * HOUR).await;
        assert_eq!(world.calls("ResizeEngineInstance"), 1, "not by itself");
        let change = if asked {
            json!({"metadata": {"annotations": {"dms.huaweicloud.com/reconcile-requested-at": "now"}}})
        } else {
            json!({"spec": {"storageSpace": 1200}})
        };
        world.edit("KafkaInstance", "events", change).await.unwrap();
        // An instance in this state refuses a further extension until support has put it right.
        world
            .cloud
            .set_status(&instance_id(&world, INSTANCE), dms_operator::simulator::Status::Running);
        until_applied(&world, INSTANCE).await;
        assert_eq!(world.calls("ResizeEngineInstance"), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_quotas_job_that_fails_is_repeated_only_when_asked() {
    let (world, _operator) = at_rest().await;
    world.fault(
        "UpdateKafkaUserClientQuotaTask",
        Effect {
            job_fails: true,
            ..Effect::default()
        },
    );
    edit(&world, QUOTA, json!({"producerByteRate": "1Mi"})).await;
    world
        .until(10 * MINUTE, "failed", |world| {
            shown(world, QUOTA) == "FFTF CloudFailed DriftFound"
        })
        .await;
    sleep(3 * HOUR).await;
    assert_eq!(world.calls("UpdateKafkaUserClientQuotaTask"), 1);
    let now = json!({"metadata": {"annotations": {"dms.huaweicloud.com/reconcile-requested-at": "now"}}});
    world.edit("KafkaUserQuota", "importer", now).await.unwrap();
    until_applied(&world, QUOTA).await;
    assert_eq!(
        world.object("KafkaUserQuota", "importer")["status"]["lastHandledReconcileAt"],
        "now"
    );
}

#[tokio::test(start_paused = true)]
async fn several_edits_in_a_row_end_in_the_last() {
    let (world, _operator) = at_rest().await;
    for partitions in 7..=12 {
        edit(&world, ORDERS, json!({"kafka": {"partitions": partitions}})).await;
        edit(
            &world,
            INSTANCE,
            json!({"description": format!("for the {partitions}th time")}),
        )
        .await;
        edit(&world, QUOTA, json!({"producerByteRate": partitions << 20})).await;
        sleep(3 * SECOND).await;
    }
    for of in [ORDERS, INSTANCE, QUOTA] {
        until_applied(&world, of).await;
    }
    assert_eq!(topic(&world, "orders")["partition"], 12);
    assert_eq!(world.instances()[0]["description"], "for the 12th time");
    assert_eq!(quota(&world, "importer")["producer-byte-rate"], 12 << 20);
}
