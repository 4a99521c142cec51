//! The first minutes of a user: apply, look, wait.

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
        [
            "NAME READY REASON STATE VERSION FLAVOR BROKERS STORAGE AGE",
            "kafkainstance.dms.huaweicloud.com/events True Available RUNNING 2.7 c6.2u4g.cluster 3 600",
        ],
        [
            "NAME READY REASON INSTANCE USER CLIENT PRODUCE CONSUME AGE",
            "kafkauserquota.dms.huaweicloud.com/importer True Available events importer 10485760 20971520",
        ],
        [
            "NAME READY REASON REGION PROJECT AUTH AGE",
            "providerconfig.dms.huaweicloud.com/default True Available eu-west-101 0c1f2d3e4b5a69788796a5b4c3d2e1f0 AccessKey",
        ],
        [
            "NAME READY REASON INSTANCE TOPIC PARTITIONS AGE",
            "topic.dms.huaweicloud.com/audit True Available events shop.audit 3",
        ],
    ];
    assert_eq!(shown.len(), expected.len(), "{shown:#?}");
    for (table, [head, first]) in shown.iter().zip(expected) {
        assert_eq!(table[0], head);
        assert!(table[1].starts_with(first), "{:?} is not {first:?}", table[1]);
    }
    assert!(
        shown[3][2].starts_with("topic.dms.huaweicloud.com/orders True Available events orders 6"),
        "{shown:#?}"
    );
}

async fn wide_shows_the_ids(cluster: &Cluster) {
    cluster.shop().await;
    let shown = tables(
        &cluster
            .kubectl("shop", &["get", "dmskafka,dmstopic,dmsquota,dmsprovider", "-o", "wide"])
            .await
            .out,
    );
    let id = cluster.object("KafkaInstance", "shop", "events").await["status"]["instanceId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let heads: Vec<_> = shown.iter().map(|table| table[0].as_str()).collect();
    assert_eq!(
        heads,
        [
            "NAME READY REASON STATE VERSION FLAVOR BROKERS STORAGE SYNCED OPERATION ENDPOINT INSTANCE-ID AGE",
            "NAME READY REASON INSTANCE TOPIC PARTITIONS SYNCED KIND REPLICAS RETENTION-H INSTANCE-ID AGE",
            "NAME READY REASON INSTANCE USER CLIENT PRODUCE CONSUME SYNCED INSTANCE-ID AGE",
            "NAME READY REASON REGION PROJECT AUTH DMS-ENDPOINT AGE",
        ]
    );
    for table in &shown[..3] {
        assert!(table[1].contains(&format!(" {id} ")), "{table:#?}");
    }
    assert!(shown[0][1].contains(" 600 True "), "synced: {shown:#?}");
    assert!(shown[1][1].contains(" 3 True KafkaInstance 3 720 "), "{shown:#?}");
    assert!(shown[3][1].contains(" AccessKey http://"), "where it leads: {shown:#?}");
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
    let printed = cluster
        .kubectl("default", &["explain", "topic.spec.kafka", "--recursive"])
        .await;
    assert!(
        printed.out.contains("retentionHours\t<integer>"),
        "{}{}",
        printed.out,
        printed.err
    );
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
    let edit = [
        "patch",
        "dmstopic/orders",
        "--type=merge",
        "-p",
        r#"{"spec":{"kafka":{"partitions":9}}}"#,
    ];
    assert!(cluster.kubectl("shop", &edit).await.success);
    let waited = cluster
        .kubectl(
            "shop",
            &["wait", "--for=condition=Ready", "--timeout=30s", "dmstopic/orders"],
        )
        .await;
    assert!(waited.success, "{}", waited.err);
    let topic = cluster.cloud.topic("events", "orders").await.expect("it is there");
    assert_eq!(topic["partition"], 9, "{topic}");
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
