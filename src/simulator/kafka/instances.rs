//! What 5.1.1 and 5.1.5 have for Kafka alone.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::{Change, Kafka};
use crate::simulator::codes::{self, ApiError};
use crate::simulator::entries::Entries;
use crate::simulator::fields::{Fields, object};
use crate::simulator::gateway::{Context, Reply};
use crate::simulator::instances::{self, Edit};
use crate::simulator::jobs::{self, NewTask};
use crate::simulator::state::{Engine, Own};
use crate::simulator::tags::{self, Tags};

/// What the service needs for a changed retention policy.
const CHANGE: Duration = Duration::from_secs(10);

/// What can be said at creation. Of the rest of 5.1.1 nothing is served: to leave it out or off is all that it takes.
const SERVED: [&str; 18] = [
    "name",
    "description",
    "engine",
    "engine_version",
    "broker_num",
    "storage_space",
    "storage_spec_code",
    "product_id",
    "vpc_id",
    "subnet_id",
    "security_group_id",
    "available_zones",
    "maintain_begin",
    "maintain_end",
    "retention_policy",
    "ipv6_enable",
    "enterprise_project_id",
    "tags",
];
const SPEC_CODES: [&str; 2] = ["dms.physical.storage.high.v2", "dms.physical.storage.ultra.v2"];

/// `CreateInstanceByEngine`, 5.1.1.
pub(crate) fn create(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    instances::create(context, |fields, context| {
        fields.only(&SERVED)?;
        if fields.text("engine")? != Some("kafka") {
            return Err(codes::TYPE.error());
        }
        // A string by the table, a number in the getting-started example.
        let version = fields.text_or_number("engine_version")?.unwrap_or_default();
        if !["1.1.0", "2.7", "3.x"].contains(&version.as_str()) {
            return Err(codes::VERSION.error());
        }
        let own = Kafka {
            retention_policy: retention_policy(fields)?.unwrap_or("produce_reject").to_owned(),
            topics: Entries::default(),
            quotas: Vec::new(),
            groups: Entries::default(),
        };
        let mut instance = instances::ordered(fields, context, version, &SPEC_CODES, Own::Kafka(own))?;
        instance.tags = initial_tags(fields, context)?;
        if let Some(window) = window(fields, "")? {
            instance.window = window;
        }
        Ok(instance)
    })
}

/// `UpdateInstance`, 5.1.5: all at once but the retention policy, which is a job.
pub(crate) fn update(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let fields = Fields(&body);
    context.instance()?.idle()?;
    fields.only(&[
        "name",
        "description",
        "maintain_begin",
        "maintain_end",
        "security_group_id",
        "retention_policy",
        "enterprise_project_id",
    ])?;
    let edit = Edit::read(fields, context, |_| true)?;
    let window = window(fields, ":00")?;
    let retention_policy = retention_policy(fields)?;
    let enterprise_project_id = fields.text("enterprise_project_id")?;

    let task_id = context.state.hex(32);
    let (now, lasts, fails) = (context.now, context.takes(CHANGE), context.effect.job_fails);
    let instance = context.instance()?;
    edit.apply(instance);
    instances::set(&mut instance.enterprise_project_id, enterprise_project_id);
    instance.window = window.unwrap_or_else(|| instance.window.clone());
    let present = &instance.kafka().retention_policy;
    if let Some(policy) = retention_policy.filter(|policy| policy != present) {
        let params = json!({"new_retention_policy": policy, "origin_retention_policy": present});
        let task = NewTask {
            id: task_id,
            name: "changeRetentionPolicy",
            params,
        };
        let change = jobs::Change::Kafka(Change::Retention(policy.to_owned()));
        instance.begin(now, lasts, fails, Some(task), change);
    }
    Ok(Reply::no_content())
}

fn initial_tags(fields: Fields<'_>, context: &Context<'_>) -> Result<Tags, ApiError> {
    let mut tags = BTreeMap::new();
    for (key, value) in tags::read(fields, Engine::Kafka)? {
        if tags.insert(key, value).is_some() {
            return Err(codes::TAG_EXISTS.error());
        }
    }
    let from = context.now.at + context.takes(context.config.tag_lag);
    Ok(Tags::new(from, tags))
}

fn retention_policy<'a>(fields: Fields<'a>) -> Result<Option<&'a str>, ApiError> {
    match fields.text("retention_policy")? {
        policy @ (None | Some("produce_reject" | "time_base")) => Ok(policy),
        Some(_) => Err(codes::PARAMETER.about("retention_policy")),
    }
}

/// One of the six windows of 5.12.1; `HH:mm` at creation, `HH:mm:ss` (`seconds`) at change.
fn window(fields: Fields<'_>, seconds: &str) -> Result<Option<(String, String)>, ApiError> {
    let hour = |time: &str| {
        time.strip_suffix(seconds)?
            .strip_suffix(":00")?
            .parse::<u32>()
            .ok()
            .filter(|_| time.len() == 5 + seconds.len())
    };
    match (fields.text("maintain_begin")?, fields.text("maintain_end")?) {
        (None, None) => Ok(None),
        (Some(begin), Some(end)) => match (hour(begin), hour(end)) {
            (Some(from), Some(to)) if from < 24 && from % 4 == 2 && to == (from + 4) % 24 => {
                Ok(Some((format!("{from:02}:00:00"), format!("{to:02}:00:00"))))
            }
            _ => Err(codes::WINDOW.error()),
        },
        _ => Err(codes::WINDOW.error()),
    }
}
