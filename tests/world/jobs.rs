//! What takes the service minutes, or fails in them: it is waited for, followed across restarts, and never repeated unasked.

use dms_operator::simulator::Effect;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

#[tokio::test(start_paused = true)]
async fn growing_storage_takes_minutes_and_is_followed_across_a_restart() {
    for (estate, crashes) in [(KAFKA, false), (KAFKA, true), (ROCKETMQ, true)] {
        let of = estate.instance;
        let mut world = with(&estate.all()).await;
        world.set_lease(15 * SECOND);
        let operator = world.start("one");
        settled_with(&world, &estate.all()).await;
        edit(&world, of, json!({"storageSpace": 900})).await;
        let operation = |world: &World| world.object(of.0, of.1)["status"]["operation"].clone();
        world
            .until(MINUTE, "it grows", |world| {
                shown(world, of) == UPDATING && operation(world)["jobId"].is_string()
            })
            .await;
        if crashes {
            operator.crash();
        } else {
            operator.stop().await.unwrap();
        }
        let _second = world.start("two");
        sleep(2 * MINUTE).await;
        assert_eq!(world.object(of.0, of.1)["status"]["state"], "EXTENDING");
        assert_eq!(operation(&world)["name"], "ExtendStorage");
        assert_eq!(shown(&world, of), UPDATING);
        for child in estate.children {
            assert_eq!(shown(&world, *child), HEALTHY, "{child:?} serves on");
        }
        until_applied(&world, of).await;
        let resized = world.calls("ResizeEngineInstance") + world.calls("ResizeInstance");
        assert_eq!(resized, 1, "the same job was followed");
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
async fn a_storage_beyond_what_the_flavour_can_have_is_refused_with_the_most_that_it_can() {
    let (world, _operator) = at_rest_with(&ROCKETMQ.all()).await;
    edit(&world, SHOP, json!({"storageSpace": 120_100})).await;
    world
        .until(MINUTE, "refused", |world| {
            shown(world, SHOP) == "FFTF InvalidSpec DriftFound"
        })
        .await;
    let said = message(&world, SHOP, "Stalled");
    assert!(said.contains("spec.storageSpace") && said.contains("120000"), "{said}");
    let calls = world.cloud.calls().len();
    sleep(HOUR).await;
    assert!(world.cloud.calls().len() - calls < 40, "looked at every half hour");
    assert_eq!(world.calls("ResizeInstance"), 0);
    edit(&world, SHOP, json!({"storageSpace": 120_000})).await;
    until_applied(&world, SHOP).await;
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
async fn a_job_that_fails_in_an_instance_is_repeated_only_when_asked() {
    // Of the second and the fourth the answer tells no job: it is found among the instance's.
    let rocketmq = |fields: Value| json!({"rocketmq": fields});
    let (world, _operator) = at_rest_with(&EVERYTHING).await;
    for (of, operation, spec) in [
        (
            QUOTA,
            "UpdateKafkaUserClientQuotaTask",
            json!({"producerByteRate": "1Mi"}),
        ),
        (PAYMENTS, "UpdateTopic", rocketmq(json!({"queueNum": 9}))),
        (LEDGER, "BatchUpdateConsumerGroup", rocketmq(json!({"maxRetries": 9}))),
        (
            LEDGER,
            "UpdateConsumerGroup",
            rocketmq(json!({"brokers": ["broker-0"]})),
        ),
        (LETTERS, "UpdateTopic", rocketmq(json!({"permission": "sub"}))),
        (LETTERS, "UpdateTopic", json!({"description": "in no answer"})),
        (
            POSTMEN,
            "BatchUpdateConsumerGroup",
            rocketmq(json!({"consumeOrderly": false})),
        ),
    ] {
        world.cloud.forget_calls();
        let job_fails = Effect {
            job_fails: true,
            ..Effect::default()
        };
        world.fault(operation, job_fails);
        edit(&world, of, spec).await;
        world
            .until(10 * MINUTE, operation, |world| {
                shown(world, of) == "FFTF CloudFailed DriftFound"
            })
            .await;
        assert!(message(&world, of, "Stalled").contains("ended FAILED"), "{of:?}");
        sleep(3 * HOUR).await;
        assert_eq!(world.calls(operation), 1, "{of:?} {operation}");
        let asked = format!("{of:?} {operation} {}", world.clock.now());
        let now = json!({"metadata": {"annotations": {"dms.huaweicloud.com/reconcile-requested-at": asked}}});
        world.edit(of.0, of.1, now).await.unwrap();
        until_applied(&world, of).await;
        assert_eq!(world.object(of.0, of.1)["status"]["lastHandledReconcileAt"], asked);
        assert_eq!(world.calls(operation), 2, "{of:?} {operation}");
    }
    assert_eq!(topic(&world, "letters")["description"], "in no answer");
}
