//! Whatever users, clients, crashes and the service do to fifty topics of three instances, and in whatever order: in the end
//! the cloud equals the specs, and the lists were not read more often than that takes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dms_operator::simulator::{Call, Effect, Fault, LostAnswer, Malformed};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::scale::kit::*;
use crate::support::world::{Running, World};

const TOPICS: usize = 50;
/// A topic lives in the instance that its number says.
const HOMES: [Object; 3] = [("KafkaInstance", "lake"), ("KafkaInstance", "pond"), SHOP];

/// What somebody does.
#[derive(Clone, Debug)]
enum Deed {
    /// The user makes these topics, if they are not there.
    Make(Vec<usize>),
    /// The user asks for so many more partitions or queues.
    Grow(Vec<usize>, u64),
    /// The user asks for this retention, or on RocketMQ for this permission.
    Keep(Vec<usize>, u64),
    /// The user deletes topics.
    Delete(Vec<usize>),
    /// Somebody deletes a topic in the cloud.
    Lose(usize),
    /// The operator ends, or dies, and another one starts.
    Restart { dies: bool },
    /// A kind of call goes wrong so often.
    Fail(&'static str, Effect, u32),
    /// Watches lag so long.
    Lag(u64),
    /// Watches break, and have to list again.
    Expire,
    /// Nothing, for seconds.
    Rest(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let some = || prop::collection::btree_set(0..TOPICS, 1..12).prop_map(|some| some.into_iter().collect::<Vec<_>>());
    let operations = vec![
        "*",
        CREATE_TOPIC,
        "ListInstanceTopics",
        "UpdateInstanceTopic",
        "BatchDeleteInstanceTopic",
        "CreateTopicOrBatchDeleteTopic",
        "ListRocketInstanceTopics",
        "UpdateTopic",
        "ListBackgroundTasks",
    ];
    prop_oneof![
        6 => some().prop_map(Deed::Make),
        5 => (some(), 1..3u64).prop_map(|(some, more)| Deed::Grow(some, more)),
        4 => (some(), 1..4u64).prop_map(|(some, choice)| Deed::Keep(some, choice)),
        4 => some().prop_map(Deed::Delete),
        1 => (0..TOPICS).prop_map(Deed::Lose),
        2 => any::<bool>().prop_map(|dies| Deed::Restart { dies }),
        4 => (select(operations), select(effects()), 1..12u32).prop_map(|(what, how, often)| Deed::Fail(what, how, often)),
        1 => select(vec![0, 2, 20]).prop_map(Deed::Lag),
        1 => Just(Deed::Expire),
        6 => select(vec![1, 3, 10, 70, 900]).prop_map(Deed::Rest),
    ]
}

fn effects() -> Vec<Effect> {
    let refused = |status, code: &str| Effect {
        status: Some(status),
        code: Some(code.into()),
        ..Effect::default()
    };
    let lost = |lost| Effect {
        lost: Some(lost),
        ..Effect::default()
    };
    vec![
        refused(503, "DMS.00500000"),
        refused(429, "APIGW.0308"),
        refused(404, "DMS.10240407"),
        refused(400, "DMS.00400026"),
        refused(400, "DMS.00400062"),
        lost(LostAnswer::Before),
        lost(LostAnswer::After),
        Effect {
            malformed: Some(Malformed::Truncated),
            ..Effect::default()
        },
        Effect {
            items_fail: true,
            ..Effect::default()
        },
        Effect {
            job_fails: true,
            ..Effect::default()
        },
        Effect {
            delay_ms: 9_000,
            ..Effect::default()
        },
        Effect {
            effect_delay_ms: 20_000,
            ..Effect::default()
        },
    ]
}

/// A world on its way through a sequence.
struct Life {
    world: World,
    operator: Option<Running>,
    operators: usize,
    begun: Instant,
    /// Deeds that may need lists to be read, by instance.
    stirred: [usize; 3],
}

impl Life {
    async fn begin() -> Self {
        let mut world = World::furnished().await;
        world.set_lease(MINUTE);
        for (_, name) in &HOMES[..2] {
            world.apply(&instance(name)).await;
        }
        apply(&world, &HOMES[2..]).await;
        let operator = world.start("operator-0");
        world.until_ready(HOUR, &HOMES).await;
        sleep(MINUTE).await;
        world.cloud.forget_calls();
        Self {
            world,
            operator: Some(operator),
            operators: 1,
            begun: Instant::now(),
            stirred: [0; 3],
        }
    }

    async fn does(&mut self, deed: &Deed) {
        let world = &self.world;
        match deed {
            Deed::Make(some) => {
                for n in some.iter().filter(|n| topic(world, **n).is_null()) {
                    world.apply(&manifest(*n)).await;
                }
            }
            Deed::Grow(some, more) => {
                for n in some {
                    let (block, field) = if home(*n) == 2 {
                        ("rocketmq", "queueNum")
                    } else {
                        ("kafka", "partitions")
                    };
                    let now = topic(world, *n)["spec"][block][field].as_u64().unwrap_or_default();
                    edit(world, *n, json!({block: {field: (now + more).min(40)}})).await;
                }
            }
            Deed::Keep(some, choice) => {
                for n in some {
                    let spec = if home(*n) == 2 {
                        let permission = ["all", "pub", "sub"][*choice as usize % 3];
                        json!({"rocketmq": {"permission": permission}})
                    } else {
                        json!({"kafka": {"retentionHours": 24 * choice}, "description": format!("kept {choice}")})
                    };
                    edit(world, *n, spec).await;
                }
            }
            Deed::Delete(some) => {
                for n in some.iter().filter(|n| !topic(world, **n).is_null()) {
                    world.delete("Topic", &name(*n)).await;
                }
            }
            Deed::Lose(n) => {
                let id = instance_id(world, HOMES[home(*n)]);
                let (path, query, body) = if home(*n) == 2 {
                    (
                        format!("/v2/{{p}}/instances/{id}/topics"),
                        vec![("action", "delete")],
                        json!({"topics": [name(*n)]}),
                    )
                } else {
                    (
                        format!("/v2/{{p}}/instances/{id}/topics/delete"),
                        vec![],
                        json!({"topics": [name(*n)]}),
                    )
                };
                // Busy, or gone already, or hit by a fault: then it is not lost.
                world.call("POST", &path, &query, body).await;
            }
            Deed::Restart { dies } => {
                let operator = self.operator.take().expect("one runs always");
                if *dies {
                    operator.crash();
                } else {
                    operator.stop().await.expect("it ends when told to");
                }
                self.operator = Some(self.world.start(&format!("operator-{}", self.operators)));
                self.operators += 1;
            }
            Deed::Fail(operation, effect, often) => self.world.cloud.add_fault(Fault {
                operation: (*operation).into(),
                times: Some(*often),
                effect: effect.clone(),
                ..Fault::default()
            }),
            Deed::Lag(seconds) => world.set_watch_lag(Duration::from_secs(*seconds)),
            Deed::Expire => world.server.expire_watches(),
            Deed::Rest(seconds) => sleep(Duration::from_secs(*seconds)).await,
        }
        for (n, stirred) in self.stirred.iter_mut().enumerate() {
            *stirred += deed.stirs(n);
        }
    }

    /// All trouble is over, and all is well.
    async fn ends(&self) {
        let world = &self.world;
        world.cloud.clear_faults();
        world.set_watch_lag(Duration::ZERO);
        let start = Instant::now();
        while let Some(difference) = difference(world) {
            assert!(start.elapsed() < 2 * HOUR, "{difference}\n{}", unready(world));
            asks_again(world).await;
            sleep(5 * SECOND).await;
        }
    }
}

impl Deed {
    /// How often an instance's list may have to be read anew for it, more or less.
    fn stirs(&self, instance: usize) -> usize {
        match self {
            Self::Make(some) | Self::Grow(some, _) | Self::Keep(some, _) | Self::Delete(some) => {
                usize::from(some.iter().any(|n| home(*n) == instance))
            }
            Self::Lose(n) => usize::from(home(*n) == instance),
            Self::Fail(_, _, often) => *often as usize,
            Self::Restart { .. } | Self::Expire | Self::Lag(_) => 1,
            Self::Rest(_) => 0,
        }
    }
}

fn name(n: usize) -> String {
    format!("topic-{n:02}")
}

fn home(n: usize) -> usize {
    n % HOMES.len()
}

fn manifest(n: usize) -> String {
    let (kind, instance) = HOMES[home(n)];
    let own = if home(n) == 2 {
        "rocketmq: {permission: all, brokers: [broker-0], queueNum: 1}"
    } else {
        "kafka: {partitions: 1, replication: 3}"
    };
    format!(
        "apiVersion: dms.huaweicloud.com/v1alpha1\nkind: Topic\nmetadata: {{name: {}}}\n\
         spec: {{instanceRef: {{kind: {kind}, name: {instance}}}, {own}}}",
        name(n)
    )
}

fn topic(world: &World, n: usize) -> Value {
    world.object("Topic", &name(n))
}

/// The user edits a topic that is there and stays.
async fn edit(world: &World, n: usize, spec: Value) {
    let object = topic(world, n);
    if !object.is_null() && object["metadata"]["deletionTimestamp"].is_null() {
        world.edit("Topic", &name(n), json!({"spec": spec})).await.unwrap();
    }
}

/// The user does what the status of a topic asks for whose job failed.
async fn asks_again(world: &World) {
    for object in world.server.objects("topics") {
        let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
        let failed = conditions.filter(|c| c["type"] == "Stalled" && c["reason"] == "CloudFailed");
        for since in failed.map(|condition| &condition["lastTransitionTime"]) {
            let asked = json!({"metadata": {"annotations": {"dms.huaweicloud.com/reconcile-requested-at": since}}});
            let name = text(&object["metadata"]["name"]);
            world.edit("Topic", &name, asked).await.unwrap();
        }
    }
}

/// How the cloud and what objects say differ from their specs.
fn difference(world: &World) -> Option<String> {
    let (objects, cloud) = (world.server.objects("topics"), topics_in_cloud(world));
    let wanted: BTreeSet<String> = objects.iter().map(|object| text(&object["metadata"]["name"])).collect();
    let there: BTreeSet<String> = cloud.keys().cloned().collect();
    if wanted != there {
        return Some(format!("wanted {wanted:?}\nthere {there:?}"));
    }
    objects.iter().find_map(|object| {
        let name = text(&object["metadata"]["name"]);
        let (spec, thing) = (&object["spec"], &cloud[&name]);
        let equal = |wanted: &Value, found: &Value| wanted.is_null() || wanted == found;
        let same = if spec["rocketmq"].is_null() {
            equal(&spec["kafka"]["partitions"], &thing["partition"])
                && equal(&spec["kafka"]["retentionHours"], &thing["retention_time"])
                && equal(&spec["description"], &thing["topic_desc"])
        } else {
            equal(&spec["rocketmq"]["permission"], &thing["permission"])
                && equal(&spec["rocketmq"]["queueNum"], &thing["queues"][0]["write"])
        };
        let ready = world.is_ready("Topic", &name);
        (!same || !ready).then(|| format!("{name} is Ready {ready}; wanted {spec}\nthere {thing}"))
    })
}

/// The calls to one instance, in order.
fn calls_to(world: &World, home: Object) -> Vec<Call> {
    let path = format!("/instances/{}/", instance_id(world, home));
    let all = world.cloud.calls().into_iter();
    all.filter(|call| call.path.contains(&path)).collect()
}

async fn lives(deeds: Vec<Deed>) {
    let mut life = Life::begin().await;
    for deed in &deeds {
        life.does(deed).await;
    }
    life.ends().await;
    let elapsed = life.begun.elapsed();
    for (home, stirred) in HOMES.into_iter().zip(life.stirred) {
        let calls = calls_to(&life.world, home);
        assert_lists_are_few(&calls, 1);
        let read = calls.iter().filter(|call| lists(call)).count();
        let writes = calls.iter().filter(|call| changes(call)).count();
        // Absence takes two lists, what was written is read back until the lists show it, and rest takes one an interval.
        let intervals = elapsed.as_secs_f64() / RESYNC.as_secs_f64();
        let most = 8 + 6 * stirred + writes / 19 + intervals.ceil() as usize;
        assert!(
            read <= most,
            "{home:?}: {read} lists for {stirred} deeds and {writes} writes in {elapsed:?}"
        );
    }
    at_rest(&life).await;
}

/// Each list once an interval, whatever has been.
async fn at_rest(life: &Life) {
    sleep(2 * RESYNC).await;
    life.world.cloud.forget_calls();
    let writes = life.world.writes();
    sleep(2 * HOUR).await;
    assert_eq!(life.world.writes(), writes);
    let most = 2.0 * 6.0;
    let counts: BTreeMap<String, usize> = life.world.cloud.call_counts();
    assert!(
        counts.get("ListInstanceTopics").is_none_or(|n| *n as f64 <= 2.0 * most),
        "{counts:?}"
    );
    assert!(
        counts.get("ListRocketInstanceTopics").is_none_or(|n| *n as f64 <= most),
        "{counts:?}"
    );
}

fn config() -> ProptestConfig {
    let usual = ProptestConfig {
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => usual,
        None => ProptestConfig { cases: 4, ..usual },
    }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn the_cloud_ends_equal_to_the_specs(deeds in prop::collection::vec(deed(), 5..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(lives(deeds));
    }
}
