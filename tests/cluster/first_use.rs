//! The first minutes of a user: apply, look, wait.

use serde_json::json;

use crate::cluster::Cluster;
use crate::run::Run;

pub async fn all(run: &mut Run, cluster: &Cluster) {
    run.test("first_use::the_examples_become_ready_in_any_order", cluster.shop())
        .await;
    run.test("first_use::get_dms_shows_every_kind", get_dms_shows_every_kind(cluster))
        .await;
    run.test("first_use::wide_shows_the_ids", wide_shows_the_ids(cluster))
        .await;
    run.test(
        "first_use::explain_says_what_a_field_means",
        explain_says_what_a_field_means(cluster),
    )
    .await;
    run.test(
        "first_use::applied_again_nothing_changes",
        applied_again_nothing_changes(cluster),
    )
    .await;
    run.test(
        "first_use::wait_returns_when_an_edit_is_in_the_cloud",
        wait_returns_when_an_edit_is_in_the_cloud(cluster),
    )
    .await;
}

async fn get_dms_shows_every_kind(cluster: &Cluster) {
    cluster.shop().await;
    let shown = tables(&cluster.kubectl("shop", &["get", "dms"]).await.out);
    let expected = [
        "NAME READY REASON INSTANCE GROUP AGE
         consumergroup.dms.huaweicloud.com/billing True Available events billing
         consumergroup.dms.huaweicloud.com/ledger True Available shop GID_ledger
         consumergroup.dms.huaweicloud.com/postmen True Available mail postmen",
        "NAME READY REASON STATE VERSION FLAVOR BROKERS STORAGE AGE
         kafkainstance.dms.huaweicloud.com/events True Available RUNNING 2.7 c6.2u4g.cluster 3 600",
        "NAME READY REASON INSTANCE USER CLIENT PRODUCE CONSUME AGE
         kafkauserquota.dms.huaweicloud.com/importer True Available events importer 10485760 20971520",
        "NAME READY REASON REGION PROJECT AUTH AGE
         providerconfig.dms.huaweicloud.com/by-password True Available eu-west-101 0c1f2d3e4b5a69788796a5b4c3d2e1f0 Password
         providerconfig.dms.huaweicloud.com/default True Available eu-west-101 0c1f2d3e4b5a69788796a5b4c3d2e1f0 AccessKey",
        "NAME READY REASON STATE VERSION FLAVOR BROKERS STORAGE AGE
         rocketmqinstance.dms.huaweicloud.com/mail True Available RUNNING 5.x rocketmq.b1.large.1 1 200
         rocketmqinstance.dms.huaweicloud.com/shop True Available RUNNING 4.8.0 c6.4u8g.cluster 2 600",
        "NAME READY REASON INSTANCE TOPIC PARTITIONS QUEUES AGE
         topic.dms.huaweicloud.com/audit True Available events shop.audit 3
         topic.dms.huaweicloud.com/letters True Available mail letters 8
         topic.dms.huaweicloud.com/orders True Available events orders 6
         topic.dms.huaweicloud.com/payments True Available shop payments 8",
    ];
    assert_eq!(shown.len(), expected.len(), "{shown:#?}");
    for (table, expected) in shown.iter().zip(expected) {
        let expected: Vec<_> = expected.lines().map(str::trim_start).collect();
        assert_eq!(table.len(), expected.len(), "{table:#?}");
        assert_eq!(table[0], expected[0]);
        for (line, expected) in table.iter().zip(expected).skip(1) {
            assert!(line.starts_with(expected), "{line:?} is not {expected:?}");
        }
    }
}

async fn wide_shows_the_ids(cluster: &Cluster) {
    cluster.shop().await;
    let kinds = "dmskafka,dmsrocketmq,dmstopic,dmsgroup,dmsquota,dmsprovider";
    let shown = tables(&cluster.kubectl("shop", &["get", kinds, "-o", "wide"]).await.out);
    let heads: Vec<_> = shown.iter().map(|table| table[0].as_str()).collect();
    assert_eq!(
        heads,
        [
            "NAME READY REASON STATE VERSION FLAVOR BROKERS STORAGE SYNCED OPERATION ENDPOINT INSTANCE-ID AGE",
            "NAME READY REASON STATE VERSION FLAVOR BROKERS STORAGE SYNCED OPERATION ACL INSTANCE-ID AGE",
            "NAME READY REASON INSTANCE TOPIC PARTITIONS QUEUES SYNCED KIND REPLICAS RETENTION-H TYPE INSTANCE-ID AGE",
            "NAME READY REASON INSTANCE GROUP SYNCED KIND STATE MEMBERS LAG INSTANCE-ID AGE",
            "NAME READY REASON INSTANCE USER CLIENT PRODUCE CONSUME SYNCED INSTANCE-ID AGE",
            "NAME READY REASON REGION PROJECT AUTH DMS-ENDPOINT AGE",
        ]
    );
    let id = async |kind: &str, name: &str| {
        let object = cluster.object(kind, "shop", name).await;
        object["status"]["instanceId"].as_str().expect("an id").to_owned()
    };
    let events = id("KafkaInstance", "events").await;
    let (mail, shop) = (
        id("RocketMQInstance", "mail").await,
        id("RocketMQInstance", "shop").await,
    );
    let lines: Vec<_> = shown.iter().flatten().collect();
    for (name, cells) in [
        (
            "kafkainstance.dms.huaweicloud.com/events",
            format!(" 600 True PrivatePlaintext {events} "),
        ),
        (
            "rocketmqinstance.dms.huaweicloud.com/mail",
            format!(" 200 True false {mail} "),
        ),
        (
            "topic.dms.huaweicloud.com/audit",
            format!(" 3 True KafkaInstance 3 720 {events} "),
        ),
        (
            "topic.dms.huaweicloud.com/letters",
            format!(" 8 True RocketMQInstance FIFO {mail} "),
        ),
        (
            "consumergroup.dms.huaweicloud.com/ledger",
            format!(" GID_ledger True RocketMQInstance {shop} "),
        ),
        (
            "kafkauserquota.dms.huaweicloud.com/importer",
            format!(" True {events} "),
        ),
        (
            "providerconfig.dms.huaweicloud.com/default",
            " AccessKey http://".to_owned(),
        ),
    ] {
        let line = lines.iter().find(|line| line.starts_with(name)).expect("it is shown");
        assert!(line.contains(&cells), "{cells:?} is not in {line:?}");
    }
}

async fn explain_says_what_a_field_means(cluster: &Cluster) {
    let printed = cluster
        .kubectl("default", &["explain", "kafkainstance.spec.storageSpace"])
        .await;
    assert!(
        printed.out.contains("FIELD: storageSpace <integer>"),
        "{}{}",
        printed.out,
        printed.err
    );
    assert!(printed.out.contains("GB"), "the unit: {}", printed.out);
    for (block, field) in [
        ("topic.spec.kafka", "retentionHours\t<integer>"),
        ("topic.spec.rocketmq", "queueNum\t<integer>"),
        ("consumergroup.spec.rocketmq", "maxRetries\t<integer>"),
        ("rocketmqinstance.spec", "enableAcl\t<boolean>"),
    ] {
        let printed = cluster.kubectl("default", &["explain", block, "--recursive"]).await;
        assert!(printed.out.contains(field), "{}{}", printed.out, printed.err);
    }
}

async fn applied_again_nothing_changes(cluster: &Cluster) {
    cluster.shop().await;
    let printed = cluster.apply("shop", &cluster.examples("events")).await;
    // A Secret's stringData is never read back, so kubectl cannot tell.
    let changed: Vec<_> = printed
        .lines()
        .filter(|line| !line.ends_with(" unchanged") && !line.starts_with("secret/"))
        .collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

async fn wait_returns_when_an_edit_is_in_the_cloud(cluster: &Cluster) {
    cluster.shop().await;
    let edits = [
        ("dmstopic/orders", r#"{"spec":{"kafka":{"partitions":9}}}"#),
        ("dmstopic/payments", r#"{"spec":{"rocketmq":{"queueNum":12}}}"#),
        ("dmsgroup/ledger", r#"{"spec":{"rocketmq":{"maxRetries":3}}}"#),
        ("dmsrocketmq/shop", r#"{"spec":{"enableAcl":true}}"#),
    ];
    let there = async || {
        let orders = cluster.cloud.topic("events", "orders").await.expect("it is there");
        let payments = cluster
            .cloud
            .topic("events-shop", "payments")
            .await
            .expect("it is there");
        let ledger = cluster
            .cloud
            .group("events-shop", "GID_ledger")
            .await
            .expect("it is there");
        let shop = cluster.cloud.instance("events-shop").await.expect("it is there");
        // The queues of payments are on two brokers.
        [
            orders["partition"].clone(),
            payments["queues"][1]["write"].clone(),
            ledger["retryMaxTime"].clone(),
            shop["enableAcl"].clone(),
        ]
    };
    let wanted = [json!(9), json!(6), json!(3), json!(true)];
    for (at, (object, edit)) in edits.into_iter().enumerate() {
        let patch = ["patch", object, "--type=merge", "-p", edit];
        let wait = ["wait", "--for=condition=Ready", "--timeout=30s", object];
        for args in [&patch[..], &wait[..]] {
            let printed = cluster.kubectl("shop", args).await;
            assert!(printed.success, "{}", printed.err);
        }
        assert_eq!(there().await[at], wanted[at], "{object}");
    }
}

/// The tables that kubectl prints, each line with one space between its columns; empty cells show as nothing.
fn tables(text: &str) -> Vec<Vec<String>> {
    let table = |part: &str| {
        part.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    };
    text.trim().split("\n\n").map(table).collect()
}
