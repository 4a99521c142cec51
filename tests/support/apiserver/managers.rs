//! Who owns which field, and server-side apply.

use serde_json::{Map, Value, json};

use super::fields::{self, Path, Set, Shape};

/// The writer of a change.
#[derive(Clone, PartialEq)]
pub struct Who {
    /// Field manager.
    pub name: String,
    /// An apply, or any other write.
    pub applies: bool,
    /// Empty, or `status`.
    pub subresource: String,
}

struct Manager {
    who: Who,
    time: String,
    set: Set,
}

/// The managers of one object.
pub struct Managers {
    all: Vec<Manager>,
    api_version: String,
}

/// Fields that somebody else owns with another value: (manager, path).
pub type Conflicts = Vec<(String, Path)>;

impl Managers {
    /// Reads `metadata.managedFields`.
    pub fn of(object: &Value) -> Self {
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_string();
        let all = object["metadata"]["managedFields"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| Manager {
                who: Who {
                    name: text(entry, "manager"),
                    applies: entry["operation"] == "Apply",
                    subresource: text(entry, "subresource"),
                },
                time: text(entry, "time"),
                set: fields::parse(&entry["fieldsV1"]),
            });
        Self {
            all: all.collect(),
            api_version: text(object, "apiVersion"),
        }
    }

    /// Takes note of a create, an update or a patch: what it changed is now `who`'s alone.
    pub fn updated(&mut self, who: &Who, old: &Value, new: &Value, schema: &Value, now: &str) {
        let difference = fields::compare(old, new, schema);
        for manager in self.all.iter_mut().filter(|manager| manager.who != *who) {
            manager
                .set
                .retain(|path| !difference.changed.contains(path) && !difference.removed.contains(path));
        }
        let mut set = self.set(who);
        set.retain(|path| !difference.removed.contains(path));
        set.extend(difference.changed);
        self.replace(who, set, now);
    }

    /// Merges `config` into `live`: the result, in which what `who` applied before and no longer names is gone.
    pub fn apply(
        &mut self,
        who: &Who,
        live: &Value,
        config: &Value,
        force: bool,
        schema: &Value,
        now: &str,
    ) -> Result<Value, Conflicts> {
        let merged = merge(live, config, schema);
        let changed = fields::compare(live, &merged, schema).changed;
        let others = self.all.iter_mut().filter(|manager| manager.who != *who);
        let mut conflicts = Conflicts::new();
        for manager in others {
            let disputed: Vec<Path> = manager.set.intersection(&changed).cloned().collect();
            for path in disputed {
                manager.set.remove(&path);
                conflicts.push((manager.who.name.clone(), path));
            }
        }
        if !conflicts.is_empty() && !force {
            return Err(conflicts);
        }
        let last = self.set(who);
        self.replace(who, fields::set_of(config, schema), now);
        let result = self.prune(merged, &last, schema);
        let removed = fields::compare(live, &result, schema).removed;
        for manager in &mut self.all {
            manager.set.retain(|path| !removed.contains(path));
        }
        Ok(result)
    }

    /// Writes `metadata.managedFields`.
    pub fn write_to(&self, object: &mut Value) {
        let entry = |manager: &Manager| {
            let mut entry = json!({
                "manager": manager.who.name, "operation": if manager.who.applies { "Apply" } else { "Update" },
                "apiVersion": self.api_version, "time": manager.time, "fieldsType": "FieldsV1",
                "fieldsV1": fields::render(&manager.set),
            });
            if !manager.who.subresource.is_empty() {
                entry["subresource"] = json!(manager.who.subresource);
            }
            entry
        };
        let entries: Vec<Value> = self
            .all
            .iter()
            .filter(|manager| !manager.set.is_empty())
            .map(entry)
            .collect();
        object["metadata"]["managedFields"] = json!(entries);
    }

    fn set(&self, who: &Who) -> Set {
        self.all
            .iter()
            .find(|manager| manager.who == *who)
            .map(|manager| manager.set.clone())
            .unwrap_or_default()
    }

    fn replace(&mut self, who: &Who, set: Set, now: &str) {
        match self.all.iter_mut().find(|manager| manager.who == *who) {
            Some(manager) if manager.set == set => {}
            Some(manager) => (manager.set, manager.time) = (set, now.into()),
            None => self.all.push(Manager {
                who: who.clone(),
                time: now.into(),
                set,
            }),
        }
    }

    /// Removes what was applied last time and is owned by nobody now.
    fn prune(&self, merged: Value, last: &Set, schema: &Value) -> Value {
        let owned: Set = self
            .all
            .iter()
            .flat_map(|manager| manager.set.iter().cloned())
            .collect();
        let owned = fields::with_named_parents(&owned, schema);
        let is_kept = |path: &Path| {
            *path == ["f:metadata"]
                || owned
                    .range(path.clone()..)
                    .next()
                    .is_some_and(|next| next.starts_with(path))
        };
        let last = fields::with_named_parents(last, schema);
        remove(
            &merged,
            &last.into_iter().filter(|path| !is_kept(path)).collect(),
            schema,
            &mut Vec::new(),
        )
    }
}

/// `live` with everything that `config` says.
fn merge(live: &Value, config: &Value, schema: &Value) -> Value {
    let shape = fields::shape(config, schema);
    match (live, config, &shape) {
        (Value::Object(live), Value::Object(config), Shape::Granular) => {
            let mut merged: Map<String, Value> = live.clone();
            for (name, value) in config {
                let before = live.get(name).unwrap_or(&Value::Null);
                merged.insert(name.clone(), merge(before, value, fields::child(schema, name)));
            }
            Value::Object(merged)
        }
        (Value::Array(live), Value::Array(config), Shape::ListMap(_) | Shape::ListSet) => {
            Value::Array(merge_items(live, config, schema, &shape))
        }
        _ => config.clone(),
    }
}

/// Items of `config` in its order; items that only `live` has keep their place before the shared item that follows them.
fn merge_items(live: &[Value], config: &[Value], schema: &Value, shape: &Shape) -> Vec<Value> {
    let keyed = |items: &[Value]| -> Vec<(String, Value)> {
        items
            .iter()
            .map(|item| (fields::item_key(item, schema, shape), item.clone()))
            .collect()
    };
    let (live, config) = (keyed(live), keyed(config));
    let has = |items: &[(String, Value)], key: &str| items.iter().any(|(other, _)| other == key);
    let mut shared = config
        .iter()
        .map(|(key, _)| key)
        .filter(|key| has(&live, key))
        .peekable();
    let (mut merged, mut rest) = (Vec::new(), live.iter().peekable());
    for (key, item) in &config {
        while let Some((next, value)) = rest.next_if(|(next, _)| Some(&next) != shared.peek()) {
            if !has(&config, next) {
                merged.push(value.clone());
            }
        }
        let before = live
            .iter()
            .find(|(other, _)| other == key)
            .map_or(&Value::Null, |(_, value)| value);
        merged.push(merge(before, item, &schema["items"]));
        if shared.next_if_eq(&key).is_some() {
            rest.next_if(|(next, _)| next == key);
        }
    }
    merged.extend(
        rest.filter(|(key, _)| !has(&config, key))
            .map(|(_, value)| value.clone()),
    );
    merged
}

/// `value` without the fields of `set`.
fn remove(value: &Value, set: &Set, schema: &Value, path: &mut Path) -> Value {
    let shape = fields::shape(value, schema);
    let mut keep = |element: String, value: &Value, schema: &Value| {
        path.push(element);
        let kept = (!set.contains(path)).then(|| remove(value, set, schema, path));
        path.pop();
        kept
    };
    match (value, &shape) {
        (Value::Object(map), Shape::Granular) => Value::Object(
            map.iter()
                .filter_map(|(name, value)| {
                    Some((
                        name.clone(),
                        keep(format!("f:{name}"), value, fields::child(schema, name))?,
                    ))
                })
                .collect(),
        ),
        (Value::Array(items), Shape::ListMap(_) | Shape::ListSet) => Value::Array(
            items
                .iter()
                .filter_map(|item| keep(fields::item_key(item, schema, &shape), item, &schema["items"]))
                .collect(),
        ),
        _ => value.clone(),
    }
}
