//! Topics of a RocketMQ instance. Version 4.8.0 has brokers and permissions to say, 5.x kinds of messages (RocketMQ API
//! reference 5.3.1).

use std::collections::BTreeSet;

use super::{Step, name};
use crate::api::topic::{BrokerQueues as PerBroker, ObservedTopic, RocketMqTopic};
use crate::api::{Correction, Drift, Origin, Topic, TopicStatus};
use crate::cloud::rocketmq::{self, BrokerQueues, CreateQueues, CreateTopic, UpdateTopic};
use crate::plan::child::{self, Calls, Found, Host};
use crate::plan::rocketmq_instance::{is_4, no_such_broker};
use crate::plan::upkeep::Comparison;
use crate::plan::{Differences, Facts, Job, Plan};

/// What a look shows.
pub type Seen = child::Seen<rocketmq::Topic>;

/// Decides.
pub fn plan(topic: &Topic, facts: Facts<'_>, seen: Seen) -> Plan<TopicStatus, Step> {
    let mut status = topic.status.clone().unwrap_or_default();
    if seen.found == Found::Absent || matches!(facts.job(), Some(Job::Failed(_))) {
        // A new topic has none, and what a failed change leaves is not known.
        status.sent_description = None;
    }
    let sent_description = status.sent_description.clone();
    let unset = RocketMqTopic::default();
    let wanted = topic.spec.rocketmq.as_ref().unwrap_or(&unset);
    let name = name(topic);
    let (before, told) = (status.observed.take(), facts.core.drift.as_slice());
    status.observed = match &seen.found {
        Found::There(found) => Some(observe(found, &seen.host)),
        Found::Absent | Found::InstanceGone => None,
    };
    status.unverifiable = topic
        .spec
        .description
        .iter()
        .map(|_| "description".to_owned())
        .collect();
    let host = seen.host.clone();
    let calls = Calls {
        create: create(&name, wanted, &host),
        delete: Step::Delete(name.clone()),
        blocked: None,
        advice: "",
    };
    // Only who managed it before may lower a number: what is taken over is not touched.
    let may_lower = facts.is_edit() && facts.was_managed();
    let left_alone = facts.left_alone().is_some();
    // What was never sent to a topic that others made cannot be compared.
    let ours = facts.core.origin == Some(Origin::Created) || facts.core.create_intent.is_some();
    let description = topic.spec.description.as_ref();
    let description = description.filter(|_| !left_alone || ours || sent_description.is_some());
    let child = seen.child(facts, format!("topic {name}"), name.clone());
    child.plan(status, calls, |found| {
        let mut comparing = Comparing {
            wanted,
            found,
            may_lower,
            left_alone,
            before: before.unwrap_or_default(),
            told,
            differences: Differences::default(),
            not_lowered: None,
            update: UpdateTopic::default(),
        };
        comparing.compare(description, sent_description.as_ref());
        let refused = unfit(wanted, &host);
        // What the service would refuse is not sent.
        let steps = match refused.is_some() || comparing.update == UpdateTopic::default() {
            true => vec![],
            false => vec![Step::UpdateRocketMq(name.clone(), comparing.update)],
        };
        Comparison {
            differences: comparing.differences,
            steps,
            refused: refused.or(comparing.not_lowered),
            summary: summary(found),
        }
    })
}

/// What the settings of a spec cannot be on an instance of this version and with these brokers.
fn unfit(wanted: &RocketMqTopic, host: &Host) -> Option<String> {
    if is_4(host.engine_version.as_deref()) {
        if wanted.message_type.is_some() {
            return Some(
                "spec.rocketmq.messageType is not for an instance of version 4.8.0, whose topics have none: leave it out"
                    .into(),
            );
        }
        let queues = wanted.queues.iter().map(|queues| &queues.broker);
        return no_such_broker("spec.rocketmq.brokers", &wanted.brokers, host)
            .or_else(|| no_such_broker("spec.rocketmq.queues", queues, host));
    }
    let version = host.engine_version.as_deref().unwrap_or("5.x");
    let only_4 = [
        ("brokers", !wanted.brokers.is_empty()),
        ("queues", !wanted.queues.is_empty()),
    ];
    let (field, _) = only_4.into_iter().find(|(_, said)| *said)?;
    Some(format!(
        "spec.rocketmq.{field} is for instances of version 4.8.0, and this one is {version}: leave it out"
    ))
}

/// What to send, or what is wrong with the spec.
fn create(name: &str, wanted: &RocketMqTopic, host: &Host) -> Result<Step, String> {
    if let Some(why) = unfit(wanted, host) {
        return Err(why);
    }
    let permission = wanted.permission.map(|p| p.as_str().to_owned());
    let sides = [wanted.read_queue_num, wanted.write_queue_num];
    // A topic begins with one number for both: the lower one, for from there both can grow.
    let queue_num = sides.into_iter().filter_map(|own| own.or(wanted.queue_num)).min();
    let mut topic = CreateTopic {
        name: name.to_owned(),
        permission,
        ..Default::default()
    };
    if !is_4(host.engine_version.as_deref()) {
        let Some(message_type) = wanted.message_type else {
            return Err("spec.rocketmq.messageType is needed to create it on an instance of version 5.x".into());
        };
        topic.queue_num = queue_num;
        topic.message_type = Some(message_type.as_str().to_owned());
        return Ok(Step::CreateRocketMq(topic));
    }
    if topic.permission.is_none() {
        return Err("spec.rocketmq.permission is needed to create it on an instance of version 4.8.0".into());
    }
    let on = wanted.brokers.len();
    if let Some(total) = queue_num.filter(|total| wanted.queues.is_empty() && (*total as usize) < on) {
        // The reference is silent about a broker that would get none.
        return Err(format!(
            "each of the {on} brokers in spec.rocketmq.brokers needs a queue, and the least of queueNum, readQueueNum and writeQueueNum is {total}"
        ));
    }
    let queues = |(broker, queue_num): (&String, u32)| CreateQueues {
        broker: broker.clone(),
        queue_num,
    };
    topic.queues = match queue_num {
        Some(total) if wanted.queues.is_empty() => spread(&wanted.brokers, total).into_iter().map(queues).collect(),
        _ => {
            let least = |q: &PerBroker| q.read_queue_num.min(q.write_queue_num);
            wanted.queues.iter().map(|q| queues((&q.broker, least(q)))).collect()
        }
    };
    topic.brokers = match wanted.queues.is_empty() {
        true => wanted.brokers.iter().cloned().collect(),
        false => wanted.queues.iter().map(|queues| queues.broker.clone()).collect(),
    };
    if topic.brokers.is_empty() {
        let there = host.brokers.iter().cloned().collect::<Vec<_>>().join(", ");
        return Err(format!(
            "spec.rocketmq.brokers or spec.rocketmq.queues is needed to create it on an instance of version 4.8.0; its brokers are {there}"
        ));
    }
    if topic.queues.is_empty() {
        return Err(
            "spec.rocketmq.queueNum or spec.rocketmq.queues is needed to create it on an instance of version 4.8.0"
                .into(),
        );
    }
    Ok(Step::CreateRocketMq(topic))
}

/// A total over the brokers, as evenly as it goes.
fn spread(brokers: &BTreeSet<String>, total: u32) -> Vec<(&String, u32)> {
    let count = u32::try_from(brokers.len()).unwrap_or(u32::MAX).max(1);
    let share = |index: usize| total / count + u32::from((index as u32) < total % count);
    let shares = brokers.iter().enumerate();
    shares.map(|(index, broker)| (broker, share(index))).collect()
}

/// The spec against what was found, and the call that mends the differences.
struct Comparing<'a> {
    wanted: &'a RocketMqTopic,
    found: &'a rocketmq::Topic,
    may_lower: bool,
    /// Nothing of it is sent.
    left_alone: bool,
    /// What the look before showed.
    before: ObservedTopic,
    /// The differences that it told.
    told: &'a [Drift],
    differences: Differences,
    /// What is said of a number that could be lowered, but not now.
    not_lowered: Option<String>,
    update: UpdateTopic,
}

impl Comparing<'_> {
    fn compare(&mut self, description: Option<&String>, sent_description: Option<&String>) {
        let Self { wanted, found, .. } = *self;
        let message_type = wanted.message_type.map(|t| t.as_str().to_owned());
        self.differences.compare(
            "spec.rocketmq.messageType",
            message_type.as_ref(),
            found.message_type.as_ref(),
            Correction::Impossible,
        );
        if let (false, Some(there)) = (wanted.brokers.is_empty(), &found.brokers) {
            let there = there.iter().map(|queues| queues.broker.clone()).collect();
            let field = "spec.rocketmq.brokers";
            self.differences
                .compare_sets(field, &wanted.brokers, &there, Correction::Impossible);
        }
        self.compare_totals();
        self.compare_queues();
        let permission = wanted.permission.map(|p| p.as_str().to_owned());
        if self.differences.compare(
            "spec.rocketmq.permission",
            permission.as_ref(),
            found.permission.as_ref(),
            Correction::InPlace,
        ) {
            self.update.permission = permission;
        }
        // It is in no answer, so what was sent is all that can be known.
        if let Some(wanted) = description.filter(|wanted| Some(*wanted) != sent_description) {
            let sent = sent_description.map_or("not known", String::as_str);
            self.differences
                .note("spec.description", wanted, sent, Correction::InPlace);
            self.update.description = Some(wanted.clone());
        }
    }

    fn compare_totals(&mut self) {
        let Self { wanted, found, .. } = *self;
        let (read, write) = (found.total_read_queue_num, found.total_write_queue_num);
        if let Some(wanted) = wanted.queue_num {
            let differs = |own: Option<u32>, found: Option<u32>| own.is_none() && found.is_some_and(|n| n != wanted);
            let (reads, writes) = (
                differs(self.wanted.read_queue_num, read),
                differs(self.wanted.write_queue_num, write),
            );
            // One of the two may have to grow where the other is above already.
            let grows = |differs: bool, found: Option<u32>| differs && found.is_some_and(|n| n < wanted);
            self.update.read_queue_num = grows(reads, read).then_some(wanted);
            self.update.write_queue_num = grows(writes, write).then_some(wanted);
            if reads || writes {
                let grows = self.update.read_queue_num.or(self.update.write_queue_num).is_some();
                let correction = if grows {
                    Correction::InPlace
                } else {
                    Correction::Impossible
                };
                self.differences
                    .note("spec.rocketmq.queueNum", wanted, sides(read, write), correction);
            }
        }
        if let Some(wanted) = wanted.write_queue_num
            && self.differs(
                "spec.rocketmq.writeQueueNum",
                wanted,
                write,
                self.before.write_queue_num,
            )
        {
            self.update.write_queue_num = Some(wanted);
        }
        if let Some(wanted) = wanted.read_queue_num
            && self.differs("spec.rocketmq.readQueueNum", wanted, read, self.before.read_queue_num)
        {
            // What can still be written must stay readable: writing ends first.
            let waits = Some(wanted) < read && self.update.write_queue_num.is_some();
            self.update.read_queue_num = (!waits).then_some(wanted);
        }
    }

    fn compare_queues(&mut self) {
        let Self { wanted, found, .. } = *self;
        let Some(there) = found.brokers.as_ref().filter(|_| !wanted.queues.is_empty()) else {
            return;
        };
        let mut changes = false;
        let mut all = vec![];
        for wanted in &wanted.queues {
            let field = format!("spec.rocketmq.queues[{}]", wanted.broker);
            let text = sides(Some(wanted.read_queue_num), Some(wanted.write_queue_num));
            let Some(found) = there.iter().find(|queues| queues.broker == wanted.broker) else {
                self.differences.note(&field, text, "none", Correction::Impossible);
                continue;
            };
            let (read, write) = (
                found.read_queue_num.unwrap_or(wanted.read_queue_num),
                found.write_queue_num.unwrap_or(wanted.write_queue_num),
            );
            let mut queues = BrokerQueues {
                broker: wanted.broker.clone(),
                read_queue_num: Some(wanted.read_queue_num),
                write_queue_num: Some(wanted.write_queue_num),
            };
            if (read, write) != (wanted.read_queue_num, wanted.write_queue_num) {
                let lowers = wanted.read_queue_num < read || wanted.write_queue_num < write;
                let before = self.before.queues.iter().find(|queues| queues.broker == wanted.broker);
                let grew = before.is_none_or(|before| {
                    (wanted.read_queue_num < read && before.read_queue_num <= wanted.read_queue_num)
                        || (wanted.write_queue_num < write && before.write_queue_num <= wanted.write_queue_num)
                });
                let there = sides(Some(read), Some(write));
                let correction = self.correction(&field, (&text, &there), lowers, grew);
                self.differences.note(&field, &text, there, correction);
                if correction == Correction::InPlace {
                    changes = true;
                    if wanted.read_queue_num < read && wanted.write_queue_num != write {
                        queues.read_queue_num = Some(read);
                    }
                } else {
                    (queues.read_queue_num, queues.write_queue_num) = (Some(read), Some(write));
                }
            }
            all.push(queues);
        }
        if changes {
            self.update.queues = all;
        }
    }

    /// Whether a number differs and is to be changed; `before` is what it was at the look before.
    fn differs(&mut self, field: &str, wanted: u32, found: Option<u32>, before: Option<u32>) -> bool {
        let lowers = found.is_some_and(|found| wanted < found);
        let grew = before.is_none_or(|before| before <= wanted);
        let there = sides(found, found);
        let correction = self.correction(field, (&wanted.to_string(), &there), lowers, grew);
        let differs = self
            .differences
            .compare(field, Some(&wanted), found.as_ref(), correction);
        differs && correction == Correction::InPlace
    }

    /// A number is lowered for an edit that says so, never to put something back: not if it was told before that it is not
    /// what this same wish says, and not if it `grew` beyond the wish by itself. What is left alone goes on to be told as it
    /// was when it came up.
    fn correction(&mut self, field: &str, (wanted, there): (&str, &str), lowers: bool, grew: bool) -> Correction {
        let same = |d: &&Drift| d.field == field && d.wanted == wanted;
        let told = self.told.iter().find(same).map(|drift| drift.correction);
        let correction = match told.filter(|_| lowers && self.left_alone) {
            Some(told) if told != Correction::InPlace || !grew => return told,
            _ if lowers && (grew || !self.may_lower || told == Some(Correction::Impossible)) => Correction::Impossible,
            _ => Correction::InPlace,
        };
        if correction == Correction::Impossible && !self.left_alone {
            self.not_lowered.get_or_insert_with(|| {
                format!(
                    "{field} is {there} in the cloud, and what is there already is not lowered to {wanted} at once: set the \
                     field to what is there, and then lower it"
                )
            });
        }
        correction
    }
}

fn sides(read: Option<u32>, write: Option<u32>) -> String {
    match (read, write) {
        (Some(read), Some(write)) if read == write => read.to_string(),
        (read, write) => {
            let text = |n: Option<u32>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
            format!("read {}, write {}", text(read), text(write))
        }
    }
}

/// Broker by broker only where a spec may say it so.
fn observe(found: &rocketmq::Topic, host: &Host) -> ObservedTopic {
    let told = found.brokers.iter().flatten();
    let by_broker = told
        .filter(|_| is_4(host.engine_version.as_deref()))
        .filter_map(|queues| {
            Some(PerBroker {
                broker: queues.broker.clone(),
                read_queue_num: queues.read_queue_num?,
                write_queue_num: queues.write_queue_num?,
            })
        });
    let (read, write) = (found.total_read_queue_num, found.total_write_queue_num);
    ObservedTopic {
        message_type: found.message_type.clone(),
        queue_num: read.zip(write).map(|(read, write)| read.min(write)),
        read_queue_num: read,
        write_queue_num: write,
        permission: found.permission.clone(),
        brokers: found
            .brokers
            .iter()
            .flatten()
            .map(|queues| queues.broker.clone())
            .collect(),
        queues: by_broker.collect(),
        ..Default::default()
    }
}

fn summary(found: &rocketmq::Topic) -> String {
    let queues = sides(found.total_read_queue_num, found.total_write_queue_num);
    let parts = [
        Some(format!("{queues} queues")),
        found.message_type.clone(),
        found
            .permission
            .as_ref()
            .map(|permission| format!("permission {permission}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
