//! No answer of the service, and nothing that is written down, makes a plan panic or do harm.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::child::REPLACE;
use super::instance::{Found, Search};
use super::instance_properties::wish;
use super::instances::{look, object, running};
use super::kafka_instance::Step;
use super::topic_properties::{shown, wanted};
use super::*;
use crate::api::CreateIntent;
use crate::cloud::kafka;

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
}
