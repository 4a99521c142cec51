//! Instances of both engines: 5.1.1 to 5.1.5 of both references. What an engine says differently is in its folder.

use std::time::Duration;

use serde_json::{Value, json};

use super::catalogue::{Flavour, Zone};
use super::codes::{self, ApiError};
use super::fields::{Fields, object};
use super::gateway::{Context, Reply};
use super::jobs::Change;
use super::state::{Engine, Instance, Own, State, Status};
use super::tags::Tags;
use super::{FailedCreates, view};

/// What the service needs for a creation and a deletion.
const CREATE: Duration = Duration::from_mins(15);
const DELETE: Duration = Duration::from_mins(2);

/// `CreateInstanceByEngine`; `order` reads an instance, without an id, out of the body. A field that is `false` is taken
/// as left out.
pub(crate) fn create(
    context: &mut Context<'_>,
    order: fn(Fields<'_>, &Context<'_>) -> Result<Instance, ApiError>,
) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let body: serde_json::Map<_, _> = body
        .into_iter()
        .filter(|(_, value)| *value != Value::Bool(false))
        .collect();
    let mut instance = order(Fields(&body), context)?;
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
    let engine = query.text("engine").ok_or_else(|| codes::PARAMETER.about("engine"))?;
    let engine = Engine::named(engine).ok_or_else(|| codes::TYPE.error())?;
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
        .filter(|instance| instance.engine() == engine)
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
    let late = context.config.late_descriptions;
    Ok(Reply::ok(view::shown(context.instance()?, now, turn, late)))
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

/// The instance that a creation asks for, as far as both engines ask alike.
pub(crate) fn ordered(
    fields: Fields<'_>,
    context: &Context<'_>,
    engine_version: String,
    spec_codes: &[&str],
    own: Own,
) -> Result<Instance, ApiError> {
    let name = instance_name(fields.text("name")?.unwrap_or_default())?;
    let flavour = fields
        .text("product_id")?
        .and_then(|id| Flavour::find(own.engine(), &engine_version, id))
        .ok_or_else(|| codes::PRODUCT.error())?;
    let (fewest, most) = flavour.brokers;
    // Mandatory by the table; known of the service, 5.x of RocketMQ does not ask where there is nothing to choose.
    let only = (fewest == most).then_some(fewest);
    let broker_num = fields.integer("broker_num")?.or(only);
    let broker_num = broker_num.filter(|n| (fewest..=most).contains(n));
    let broker_num = broker_num.ok_or_else(|| codes::PARAMETER.about("broker_num"))?;
    let storage = fields.integer("storage_space")?.ok_or_else(|| codes::DISK.error())?;
    if !flavour.storage.holds(storage, broker_num) {
        return Err(codes::DISK.about(format_args!("{storage} GB for {broker_num} brokers.")));
    }
    let storage_spec_code = fields.text("storage_spec_code")?.unwrap_or_default();
    if !spec_codes.contains(&storage_spec_code) {
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
        ipv6,
        window: ("02:00:00".into(), "06:00:00".into()),
        extend_times: 0,
        created: now.at,
        created_at: now.wall,
        completed_at: None,
        creation_failed: false,
        gone: None,
        job: None,
        tasks: Vec::new(),
        tags: Tags::default(),
        own,
    })
}

/// What 5.1.5 of both references changes, and at once.
pub(crate) struct Edit<'a> {
    name: Option<&'a str>,
    description: Option<&'a str>,
    security_group_id: Option<&'a str>,
}

impl<'a> Edit<'a> {
    /// `legal` is what the engine asks of a new name beyond what both do.
    pub(crate) fn read(
        fields: Fields<'a>,
        context: &mut Context<'_>,
        legal: fn(&str) -> bool,
    ) -> Result<Self, ApiError> {
        let name = fields.text("name")?.map(instance_name).transpose()?;
        // Stricter than at creation: it starts with a letter.
        if name.is_some_and(|name| !name.starts_with(|first: char| first.is_ascii_alphabetic()) || !legal(name)) {
            return Err(codes::NAME.error());
        }
        let id = context.instance()?.id.clone();
        if let Some(name) = name.filter(|name| context.config.unique_names && name_taken(context.state, name, &id)) {
            return Err(codes::DUPLICATE_NAME.about(name));
        }
        let security_group_id = fields.text("security_group_id")?;
        if security_group_id.is_some_and(str::is_empty) {
            return Err(codes::NO_SECURITY_GROUP.error());
        }
        Ok(Self {
            name,
            description: description(fields)?,
            security_group_id,
        })
    }

    pub(crate) fn apply(&self, instance: &mut Instance) {
        set(&mut instance.name, self.name);
        set(&mut instance.description, self.description);
        set(&mut instance.security_group_id, self.security_group_id);
    }
}

pub(crate) fn set(field: &mut String, value: Option<&str>) {
    if let Some(value) = value {
        value.clone_into(field);
    }
}

fn instance_name(name: &str) -> Result<&str, ApiError> {
    let legal = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if legal && (4..=64).contains(&name.len()) {
        Ok(name)
    } else {
        Err(codes::NAME.error())
    }
}

/// The scope in which names are unique is not stated; here it is everything.
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
