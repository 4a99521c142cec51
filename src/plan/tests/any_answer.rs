//! No answer of the service, and nothing that is written down, makes a plan panic or do harm.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::child::REPLACE;
use super::instance::Step;
use super::instance::{Found, Search};
use super::instance_properties::wish;
use super::instances::{look, look_at_instance, object, running};
use super::rocketmq_instance::{RocketMq, is_marked};
use super::topic_properties::{shown, wanted};
use super::*;
use crate::api::CreateIntent;
use crate::cloud::{kafka, rocketmq};

/// Anything that may be written down, also by another version.
fn any_core() -> impl Strategy<Value = CoreStatus> {
    let time = || prop::sample::select(vec![written(-99999), written(-61), written(-1), written(9), "?".into()]);
    let name = prop::sample::select(vec![
        "CreateInstance",
        "DeleteInstance",
        "ExtendStorage",
        REPLACE,
        "UpdateQuota",
    ]);
    let operation =
        (name, option::of("j1"), time(), option::of("why")).prop_map(|(name, job_id, start_time, failure)| Operation {
            name: name.into(),
            job_id,
            start_time,
            attempts: None,
            failure,
            shared: false,
        });
    let intent = (time(), option::of("n1"), option::of(1u32..3), option::of(time())).prop_map(
        |(time, nonce, attempts, searched_since)| CreateIntent {
            time,
            nonce,
            attempts,
            searched_since,
            ..Default::default()
        },
    );
    let origin = prop::sample::select(vec![Origin::Created, Origin::Adopted]);
    let generations = (option::of(0i64..3), option::of(0i64..3));
    (
        generations,
        option::of(operation),
        option::of(intent),
        option::of(origin),
        option::of(time()),
        option::of("i1"),
    )
        .prop_map(
            |((observed_generation, applied_generation), operation, create_intent, origin, served, id)| CoreStatus {
                observed_generation,
                applied_generation,
                operation,
                create_intent,
                origin,
                served_since: served,
                instance_id: id,
                ..Default::default()
            },
        )
}

fn any_job() -> impl Strategy<Value = Option<Job>> {
    use Job::*;
    option::of(prop::sample::select(vec![
        Running,
        Succeeded,
        Unknown,
        Failed("why".into()),
    ]))
}

proptest! {
    #[test]
    fn no_answer_about_a_topic_makes_its_plan_panic(
        (description, kafka) in wanted(),
        found in shown(),
        partitions in any::<Option<u32>>(),
        core in any_core(),
        job in any_job(),
        deleting: bool,
    ) {
        let mut topic = super::topics::topic(json!({}));
        topic.spec.description = description;
        topic.spec.kafka = Some(kafka);
        topic.status = Some(crate::api::TopicStatus { core, ..Default::default() });
        for found in [child::Found::There(kafka::Topic { partitions, ..found }), child::Found::Absent, child::Found::InstanceGone] {
            let plan = super::topics::look(&mut topic.clone(), found, |f, _| (f.job, f.deleting) = (job.clone(), deleting));
            prop_assert!(deleting || plan.next != Next::Release);
            prop_assert!(deleting || !plan.steps.iter().any(|s| matches!(s, super::topic::Step::Delete(_))));
        }
    }

    #[test]
    fn no_answer_about_an_instance_makes_its_plan_panic(
        wish in wish(),
        numbers in any::<[Option<u32>; 3]>(),
        total in any::<Option<u64>>(),
        words in any::<[Option<String>; 3]>(),
        zones in option::of(vec("z-[abc]", 0..3)),
        core in any_core(),
        job in any_job(),
        deleting: bool,
    ) {
        let Found::There(mut view) = running() else { unreachable!("it runs") };
        let instance = &mut view.instance;
        (instance.broker_num, instance.node_num, instance.extend_times) = numbers.into();
        (instance.description, instance.maintain_begin, instance.storage_spec_code) = words.clone().into();
        instance.total_storage_space = total;
        instance.available_zones = zones;
        let mut bare = view.clone();
        bare.tags = None;
        bare.instance.status = words[0].as_ref().and_then(|word| word.parse().ok());
        let mut object = object(json!({}));
        wish.of(&mut object, 2);
        object.spec.instance.broker_num = numbers[2];
        object.status = Some(crate::api::KafkaInstanceStatus { core, ..Default::default() });
        let none = Found::Searched(Search::default());
        for found in [Found::There(view), Found::There(bare), Found::Missing(1), Found::Missing(2), none] {
            let plan = look(&mut object.clone(), found, |f, _| (f.job, f.deleting) = (job.clone(), deleting));
            prop_assert!(deleting || plan.next != Next::Release);
            for step in &plan.steps {
                prop_assert!(deleting || !matches!(step, Step::Delete(_)));
                if let Step::ExtendStorage(new) = step {
                    prop_assert!(u64::from(*new) > total.unwrap());
                }
            }
        }
    }

    #[test]
    fn no_answer_about_what_lives_in_a_rocketmq_instance_makes_its_plan_panic(
        (is_4, (description, wish), group) in any::<bool>().prop_flat_map(|is_4| {
            (Just(is_4), super::rocketmq_topic_properties::wish(is_4), super::group_properties::wish(is_4))
        }),
        numbers in any::<[Option<u32>; 5]>(),
        words in any::<[Option<String>; 3]>(),
        version in option::of(prop::sample::select(vec!["4.8.0", "5.x", "6"])),
        core in any_core(),
        job in any_job(),
        deleting: bool,
    ) {
        let [read, write, of_one, of_other, retries] = numbers;
        let queues = |broker: &str, read, write| rocketmq::BrokerQueues {
            broker: broker.into(),
            read_queue_num: read,
            write_queue_num: write,
        };
        let tweak = |f: &mut Facts<'_>, host: &mut child::Host| {
            (f.job, f.deleting) = (job.clone(), deleting);
            host.engine_version = version.map(Into::into);
        };
        let judge = |next: Next, deletes: bool| deleting || (next != Next::Release && !deletes);

        let mut topic = super::rocketmq_topics::topic(json!({}));
        (topic.spec.description, topic.spec.rocketmq) = (description, Some(wish));
        topic.status = Some(crate::api::TopicStatus { core: core.clone(), ..Default::default() });
        let shows = child::Found::There(rocketmq::Topic {
            total_read_queue_num: read,
            total_write_queue_num: write,
            permission: words[0].clone(),
            brokers: retries.map(|_| vec![queues("a", of_one, of_other), queues("c", of_other, None)]),
            message_type: words[1].clone(),
            ..super::rocketmq_topics::there(1, 1)
        });
        for found in [shows, child::Found::Absent, child::Found::InstanceGone] {
            let plan = look_at(topic::rocketmq::plan, &mut topic.clone(), found, |f, s| tweak(f, &mut s.host));
            let deletes = plan.steps.iter().any(|s| matches!(s, super::topic::Step::Delete(_)));
            prop_assert!(judge(plan.next, deletes));
        }

        let mut object = super::rocketmq_groups::group(json!({}));
        (object.spec.description, object.spec.rocketmq) = (words[2].clone(), Some(group));
        object.status = Some(crate::api::ConsumerGroupStatus { core, ..Default::default() });
        let shows = child::Found::There(rocketmq::Group {
            description: words[0].clone(),
            enabled: of_one.map(|n| n > 9),
            retry_max_time: retries,
            consume_orderly: is_4.then_some(true),
            brokers: words[1].clone().map(|broker| vec![broker]),
            ..super::rocketmq_groups::there()
        });
        for found in [shows, child::Found::Absent, child::Found::InstanceGone] {
            let plan = look_at(consumer_group::rocketmq::plan, &mut object.clone(), found, |f, s| tweak(f, &mut s.host));
            let deletes = plan.steps.iter().any(|s| matches!(s, super::consumer_group::Step::Delete(_)));
            prop_assert!(judge(plan.next, deletes));
        }
    }

    #[test]
    fn no_answer_about_a_rocketmq_instance_makes_its_plan_panic(
        wanted in any::<[Option<u32>; 2]>(),
        numbers in any::<[Option<u32>; 3]>(),
        total in any::<Option<u64>>(),
        words in any::<[Option<String>; 3]>(),
        tail in prop::sample::select(vec!["", "dms-operator.create:", "dms-operator.create:n1", "dms-operator.create:é"]),
        core in any_core(),
        job in any_job(),
        deleting: bool,
    ) {
        let mut view = super::rocketmq_instances::shown("RUNNING", json!({}));
        let instance = &mut view.instance;
        [instance.broker_num, instance.extend_times, view.most_disk] = numbers;
        instance.description = words[0].as_ref().map(|text| format!("{text}{tail}"));
        (instance.storage_spec_code, instance.namesrv_address) = (words[1].clone(), words[2].clone());
        instance.total_storage_space = total;
        let mut bare = view.clone();
        (bare.tags, bare.brokers) = (None, None);
        bare.instance.status = words[0].as_ref().and_then(|word| word.parse().ok());
        let mut object = super::rocketmq_instances::object(json!({}));
        [object.spec.instance.storage_space, object.spec.instance.broker_num] = wanted;
        object.spec.instance.description = words[2].clone();
        object.status = Some(crate::api::RocketMQInstanceStatus { core, ..Default::default() });
        let none = Found::Searched(Search::default());
        for found in [Found::There(view), Found::There(bare), Found::Missing(1), Found::Missing(2), none] {
            let plan = look_at_instance::<RocketMq>(&mut object.clone(), found, |f, _| {
                (f.job, f.deleting) = (job.clone(), deleting);
            });
            prop_assert!(deleting || plan.next != Next::Release);
            for step in &plan.steps {
                prop_assert!(deleting || !matches!(step, Step::Delete(_)));
                match step {
                    Step::ExtendStorage(new) => prop_assert!(u64::from(*new) > total.unwrap()),
                    Step::Create(create) => {
                        let sent = create.order.description.clone().unwrap_or_default();
                        prop_assert!(is_marked(&sent, "n1") && sent.chars().count() <= 1024, "{sent:?}");
                    }
                    _ => {}
                }
            }
        }
    }
}
