//! Mistakes that only the service can judge: they are said with its code, and can be mended.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

#[tokio::test(start_paused = true)]
async fn bad_input_that_only_the_service_can_judge_is_said_with_its_code() {
    let of_both = [
        (json!({"engineVersion": "9.9"}), "DMS."),
        (json!({"productId": "c6.99u.cluster"}), "DMS."),
        (json!({"availableZones": ["eu-west-101x"]}), "spec.availableZones"),
        (json!({"storageSpecCode": "floppy"}), "DMS."),
    ];
    let table = ENGINES
        .into_iter()
        .flat_map(|estate| of_both.clone().map(|(wrong, expected)| (estate, wrong, expected)));
    let bad_tag = (KAFKA, json!({"tags": {"bad*key": "1"}}), "DMS.");
    let without_brokers = (ROCKETMQ, json!({"brokerNum": null}), "spec.brokerNum");
    for (estate, wrong, expected) in table.chain([bad_tag, without_brokers]) {
        let (kind, name) = estate.instance;
        let mut world = World::furnished().await;
        world.set_lease(HOUR);
        estate.apply_instance(&world).await;
        world.edit(kind, name, json!({"spec": wrong})).await.unwrap();
        let _operator = world.start("one");
        world
            .until(5 * MINUTE, "refused", |world| {
                shown(world, estate.instance) == "FFTU InvalidSpec"
            })
            .await;
        let said = message(&world, estate.instance, "Stalled");
        assert!(said.contains(expected), "{wrong}: {said}");
        assert!(
            !expected.starts_with("DMS") || said.contains("request "),
            "{wrong}: {said}"
        );
        let (calls, writes) = (world.cloud.calls().len(), world.effects().len());
        sleep(HOUR).await;
        assert!(
            world.cloud.calls().len() - calls < 20,
            "{wrong}: no hot loop: {:?}",
            world.cloud.call_counts()
        );
        assert!(world.effects().len() - writes < 12, "{wrong}: {:?}", world.effects());
        assert!(world.instances().is_empty());
        // The typo can still be mended.
        let right: Value = serde_saphyr::from_str(example(estate.instance)).unwrap();
        let mut spec = right["spec"].clone();
        spec["tags"]["bad*key"] = Value::Null;
        world.edit(kind, name, json!({"spec": spec})).await.unwrap();
        world.until_ready(HOUR, &[estate.instance]).await;
        assert_eq!(world.instances().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn tags_that_only_the_service_refuses_are_said_once_the_instance_is_there() {
    // A create of RocketMQ takes none, so that they come last.
    let mut world = World::furnished().await;
    world.set_lease(HOUR);
    ROCKETMQ.apply_instance(&world).await;
    let tags = |value: Value| json!({"spec": {"tags": {"bad*key": value}}});
    world.edit(SHOP.0, SHOP.1, tags(json!("1"))).await.unwrap();
    let _operator = world.start("one");
    world
        .until(HOUR, "refused", |world| {
            shown(world, SHOP) == "FFTF InvalidSpec DriftFound"
        })
        .await;
    let said = message(&world, SHOP, "Stalled");
    assert!(said.contains("DMS.") && said.contains("request "), "{said}");
    assert!(
        !world.instances()[0]["description"]
            .to_string()
            .contains("dms-operator.create")
    );
    world.edit(SHOP.0, SHOP.1, tags(Value::Null)).await.unwrap();
    world.until_ready(2 * MINUTE, &[SHOP]).await;
    assert_eq!(world.instances()[0]["tags"], json!({"env": "demo", "team": "shop"}));
}
