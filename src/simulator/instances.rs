//! Instances: 5.1.1 to 5.1.5.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::catalogue::{Flavour, Zone};
use super::codes::{self, ApiError};
use super::fields::{Fields, object};
use super::gateway::{Context, Reply};
use super::state::{Change, Instance, NewTask, State, Status};
use super::tags::{self, Tags};
use super::{FailedCreates, view};

/// What the service needs for a creation, a deletion and a changed retention policy.
const CREATE: Duration = Duration::from_mins(15);
const DELETE: Duration = Duration::from_mins(2);
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

/// `CreateInstanceByEngine`.
pub(crate) fn create(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let body: serde_json::Map<_, _> = body
        .into_iter()
        .filter(|(_, value)| *value != Value::Bool(false))
        .collect();
    let mut instance = ordered(Fields(&body), context)?;
    if context.config.unique_names && name_taken(context.state, &instance.name, "") {
        return Err(codes::NAME_EXISTS.error());
    }
    instance.id = context.state.uuid();
    let id = instance.id.clone();
    let change = Change::Create(context.effect.create_fails);
    instance.begin(
        context.now,
        context.takes(CREATE),
        context.effect.job_fails,
        None,
        change,
    );
    context.state.instances.insert(id.clone(), instance);
    Ok(Reply::ok(json!({"instance_id": id})))
}

/// `ListInstances`: newest first, so that whatever comes or goes between two pages shifts the rest.
pub(crate) fn list(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let query = &context.query;
    query.only(&[
        "engine",
        "name",
        "instance_id",
        "status",
        "include_failure",
        "exact_match_name",
        "enterprise_project_id",
        "offset",
        "limit",
    ])?;
    match query.text("engine") {
        Some("kafka") => {}
        Some(_) => return Err(codes::TYPE.error()),
        None => return Err(codes::PARAMETER.about("engine")),
    }
    let (offset, limit) = query.page()?;
    let status = query
        .text("status")
        .map(|status| serde_json::from_value::<Status>(status.into()));
    let status = status.transpose().map_err(|_| codes::PARAMETER.about("status"))?;
    let exact = query.flag("exact_match_name")?;
    let failures = if query.flag("include_failure")? {
        context.config.failed_creates
    } else {
        FailedCreates::Hidden
    };
    let lag = context.takes(context.config.list_lag);

    let mut found: Vec<&Instance> = context
        .state
        .instances
        .values()
        .filter(|instance| instance.created + lag <= context.now.at)
        .filter(|instance| {
            query.text("name").is_none_or(|name| {
                if exact {
                    instance.name == name
                } else {
                    instance.name.contains(name)
                }
            })
        })
        .filter(|instance| query.text("instance_id").is_none_or(|id| instance.id == id))
        .filter(|instance| {
            query
                .text("enterprise_project_id")
                .is_none_or(|id| instance.enterprise_project_id == id)
        })
        .filter(|instance| status.is_none_or(|status| instance.status == status))
        .filter(|instance| !instance.creation_failed || failures != FailedCreates::Hidden)
        .collect();
    let total = found.len();
    found.retain(|instance| !instance.creation_failed || failures == FailedCreates::Listed);
    found.sort_by_key(|instance| (std::cmp::Reverse(instance.created), instance.id.clone()));
    // Known of the service, not in the reference: a page beyond the end is an error.
    if offset > 0 && offset >= total {
        return Err(codes::OFFSET.error());
    }
    let page: Vec<Value> = found
        .into_iter()
        .skip(offset)
        .take(limit)
        .map(|instance| view::listed(instance, context.now))
        .collect();
    Ok(Reply::ok(json!({"instances": page, "instance_num": total})))
}

/// `ShowInstance`: no lag here.
pub(crate) fn show(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&[])?;
    let now = context.now;
    let turn = context.state.random();
    Ok(Reply::ok(view::shown(context.instance()?, now, turn)))
}

/// `UpdateInstance`: all at once but the retention policy, which is a job.
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
    let name = fields.text("name")?.map(instance_name).transpose()?;
    // Stricter than at creation (5.1.5): it starts with a letter.
    if name.is_some_and(|name| !name.starts_with(|first: char| first.is_ascii_alphabetic())) {
        return Err(codes::NAME.error());
    }
    let id = context.instance()?.id.clone();
    if let Some(name) = name.filter(|name| context.config.unique_names && name_taken(context.state, name, &id)) {
        return Err(codes::DUPLICATE_NAME.about(name));
    }
    let description = description(fields)?;
    let window = window(fields, ":00")?;
    let security_group_id = fields.text("security_group_id")?;
    if security_group_id.is_some_and(str::is_empty) {
        return Err(codes::NO_SECURITY_GROUP.error());
    }
    let retention_policy = retention_policy(fields)?;
    let enterprise_project_id = fields.text("enterprise_project_id")?;

    let task_id = context.state.hex(32);
    let (now, lasts, fails) = (context.now, context.takes(CHANGE), context.effect.job_fails);
    let instance = context.instance()?;
    set(&mut instance.name, name);
    set(&mut instance.description, description);
    set(&mut instance.security_group_id, security_group_id);
    set(&mut instance.enterprise_project_id, enterprise_project_id);
    instance.window = window.unwrap_or_else(|| instance.window.clone());
    if let Some(policy) = retention_policy.filter(|policy| *policy != instance.retention_policy) {
        let params = json!({"new_retention_policy": policy, "origin_retention_policy": instance.retention_policy});
        let task = NewTask {
            id: task_id,
            name: "changeRetentionPolicy",
            params,
        };
        instance.begin(now, lasts, fails, Some(task), Change::Retention(policy.to_owned()));
    }
    Ok(Reply::no_content())
}

/// `DeleteInstance`: accepted at once, done later.
pub(crate) fn delete(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let (now, lasts, fails) = (context.now, context.takes(DELETE), context.effect.job_fails);
    let instance = context.instance()?;
    match instance.status {
        Status::Creating | Status::Starting | Status::Restarting => {
            return Err(codes::CANNOT_DELETE.about(&instance.id));
        }
        Status::Running | Status::Error | Status::ExtendedFailed | Status::Frozen => {}
        _ => return Err(codes::STATUS.error()),
    }
    if instance.job.is_some() {
        return Err(codes::TASK_RUNNING.error());
    }
    let before = std::mem::replace(&mut instance.status, Status::Deleting);
    instance.begin(now, lasts, fails, None, Change::Delete { before });
    Ok(Reply::no_content())
}

/// The instance that a creation asks for, without an id.
fn ordered(fields: Fields<'_>, context: &Context<'_>) -> Result<Instance, ApiError> {
    fields.only(&SERVED)?;
    let name = instance_name(fields.text("name")?.unwrap_or_default())?;
    if fields.text("engine")? != Some("kafka") {
        return Err(codes::TYPE.error());
    }
    // A string by the table, a number in the getting-started example.
    let engine_version = fields.text_or_number("engine_version")?.unwrap_or_default();
    if !["1.1.0", "2.7", "3.x"].contains(&engine_version.as_str()) {
        return Err(codes::VERSION.error());
    }
    let flavour = fields
        .text("product_id")?
        .and_then(Flavour::find)
        .ok_or_else(|| codes::PRODUCT.error())?;
    // 5.1.1 prints no range; the products of 5.12.3 have 3 to 30 brokers.
    let broker_num = fields.integer("broker_num")?.filter(|n| (3..=30).contains(n));
    let broker_num = broker_num.ok_or_else(|| codes::PARAMETER.about("broker_num"))?;
    let storage = fields.integer("storage_space")?.ok_or_else(|| codes::DISK.error())?;
    if !(300..=flavour.storage).contains(&storage) || storage % broker_num != 0 {
        return Err(codes::DISK.about(format_args!("{storage} GB for {broker_num} brokers.")));
    }
    let storage_spec_code = fields.text("storage_spec_code")?.unwrap_or_default();
    if !["dms.physical.storage.high.v2", "dms.physical.storage.ultra.v2"].contains(&storage_spec_code) {
        return Err(codes::STORAGE_SPEC.error());
    }
    let filled = |key, code: &codes::Code| {
        fields
            .text(key)?
            .filter(|id| !id.is_empty())
            .ok_or_else(|| code.error())
    };
    let vpc_id = filled("vpc_id", &codes::NO_VPC)?;
    let subnet_id = filled("subnet_id", &codes::NO_SUBNET)?;
    let security_group_id = filled("security_group_id", &codes::NO_SECURITY_GROUP)?;
    let ipv6 = fields.flag("ipv6_enable")?.unwrap_or(false);
    let now = context.now;
    Ok(Instance {
        id: String::new(),
        name: name.to_owned(),
        description: description(fields)?.unwrap_or_default().to_owned(),
        status: Status::Creating,
        engine_version,
        product_id: flavour.id.to_owned(),
        broker_num,
        storage,
        storage_spec_code: storage_spec_code.to_owned(),
        zones: zones(fields, ipv6)?,
        vpc_id: vpc_id.to_owned(),
        subnet_id: subnet_id.to_owned(),
        security_group_id: security_group_id.to_owned(),
        enterprise_project_id: fields.text("enterprise_project_id")?.unwrap_or("0").to_owned(),
        retention_policy: retention_policy(fields)?.unwrap_or("produce_reject").to_owned(),
        ipv6,
        window: window(fields, "")?.unwrap_or_else(|| ("02:00:00".into(), "06:00:00".into())),
        extend_times: 0,
        created: now.at,
        created_at: now.wall,
        creation_failed: false,
        gone: None,
        job: None,
        tasks: Vec::new(),
        topics: Vec::new(),
        quotas: Vec::new(),
        tags: initial_tags(fields, now.at + context.takes(context.config.tag_lag))?,
    })
}

fn initial_tags(fields: Fields<'_>, from: Duration) -> Result<Tags, ApiError> {
    let mut tags = BTreeMap::new();
    for (key, value) in tags::read(fields)? {
        if tags.insert(key, value).is_some() {
            return Err(codes::TAG_EXISTS.error());
        }
    }
    Ok(Tags::new(from, tags))
}

fn instance_name(name: &str) -> Result<&str, ApiError> {
    let legal = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if legal && (4..=64).contains(&name.len()) {
        Ok(name)
    } else {
        Err(codes::NAME.error())
    }
}

fn name_taken(state: &State, name: &str, except: &str) -> bool {
    state
        .instances
        .values()
        .any(|other| other.gone.is_none() && other.name == name && other.id != except)
}

fn description<'a>(fields: Fields<'a>) -> Result<Option<&'a str>, ApiError> {
    let description = fields.text("description")?;
    if description.is_some_and(|text| text.chars().count() > 1024) {
        return Err(codes::DESCRIPTION.error());
    }
    Ok(description)
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

/// One zone or at least three, by their ids.
fn zones(fields: Fields<'_>, ipv6: bool) -> Result<Vec<String>, ApiError> {
    let ids = fields.texts("available_zones")?.unwrap_or_default();
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    // The code's text contradicts the call's own table, which wins.
    if distinct.len() != ids.len() || !matches!(ids.len(), 1 | 3..) {
        return Err(codes::ZONES.error());
    }
    for id in &ids {
        match Zone::find(id) {
            None => return Err(codes::NO_ZONE.about(id)),
            Some(zone) if zone.sold_out => return Err(codes::SOLD_OUT.about(id)),
            Some(zone) if ipv6 && !zone.ipv6 => return Err(codes::NO_IPV6.about(id)),
            Some(_) => {}
        }
    }
    Ok(ids.into_iter().map(str::to_owned).collect())
}

fn set(field: &mut String, value: Option<&str>) {
    if let Some(value) = value {
        value.clone_into(field);
    }
}
