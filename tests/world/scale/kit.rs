//! What tests at scale begin with: instances that hold thousands of topics, and a way to count without copying the world.

use std::fmt::Write as _;

pub use crate::everyday::*;
use crate::support::world::World;

/// The order of a Kafka instance for up to 6,000 partitions.
pub fn instance(name: &str) -> String {
    let (small, big) = ("c6.2u4g.cluster", "c6.16u32g.cluster");
    example(INSTANCE).replace("name: events", &format!("name: {name}")).replace(small, big)
}

/// Names of topics.
pub fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}-{n:04}")).collect()
}

/// Applies topics of one partition in an instance.
pub async fn apply_topics(world: &World, instance: &str, names: &[String]) {
    let mut manifests = String::new();
    for name in names {
        writeln!(
            manifests,
            "---\napiVersion: dms.huaweicloud.com/v1alpha1\nkind: Topic\nmetadata: {{name: {name}}}\n\
             spec: {{instanceRef: {{kind: KafkaInstance, name: {instance}}}, kafka: {{partitions: 1, replication: 3}}}}"
        )
        .expect("memory is there");
    }
    world.apply(&manifests).await;
}
