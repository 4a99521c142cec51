//! Where nothing happens, nothing is written.

use std::time::Duration;

use dms_operator::clock::Clock;

use crate::audit;
use crate::cluster::{ACCOUNT, Cluster, RESYNC};
use crate::run::Run;

const QUIET: Duration = Duration::from_secs(60);

pub async fn all(run: &mut Run, cluster: &Cluster) {
    run.test(
        "rest::a_quiet_minute_has_no_write_but_the_lease",
        a_quiet_minute(cluster),
    )
    .await;
}

async fn a_quiet_minute(cluster: &Cluster) {
    cluster.shop().await;
    // What came before may still be read back.
    tokio::time::sleep(Duration::from_secs(2 * RESYNC)).await;
    let begun = Clock::system().now();
    cluster.cloud.forget_calls().await;
    tokio::time::sleep(QUIET).await;
    let requests = audit::requests_of(ACCOUNT, cluster.audit_log());
    let writes: Vec<_> = requests
        .iter()
        .filter(|request| request.at >= begun && request.writes())
        .collect();
    let (lease, others): (Vec<_>, Vec<_>) = writes.into_iter().partition(|request| request.resource == "leases");
    assert!(!lease.is_empty(), "the lease is renewed");
    assert!(others.is_empty(), "{others:#?}");

    let calls = cluster.cloud.calls().await;
    let writes: Vec<_> = calls.iter().filter(|call| call["method"] != "GET").collect();
    assert!(writes.is_empty(), "{writes:#?}");
    let rounds = QUIET.as_secs() / RESYNC;
    assert!(calls.len() as u64 > rounds, "the cloud is looked at: {calls:#?}");
    // For each ProviderConfig a list of instances; each instance with its tags and, of RocketMQ, its brokers; each list of
    // what lives in them, three of Kafka and two of each RocketMQ instance. By jitter all comes up to a tenth more often.
    let looks = 2 + 2 + 2 * 3 + 3 + 2 * 2;
    assert!(
        calls.len() as u64 <= looks * (rounds * 11 / 10 + 1),
        "{} calls in {rounds} rounds",
        calls.len()
    );
}
