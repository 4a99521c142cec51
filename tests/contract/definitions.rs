//! The vendor's published definitions: Swagger 2 as JSON, one file an operation, in two crates whose own types we do not
//! build. IAM's two operations are not in them: `KeystoneListProjects.json` is written after Kafka API reference 8.4 and
//! RocketMQ API reference 9.4, `KeystoneCreateUserTokenByPassword.json` after 3.2 of both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use dms_operator::cloud::Engine;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::calls::Exchange;

/// All definitions of an engine, and IAM's, by operation.
pub fn definitions(engine: Engine) -> &'static BTreeMap<String, Definition> {
    match engine {
        Engine::Kafka => &KAFKA,
        Engine::RocketMq => &ROCKETMQ,
    }
}

type Definitions = LazyLock<BTreeMap<String, Definition>>;

static KAFKA: Definitions = LazyLock::new(|| read("huawei-cloud-api-definitions-Kafka"));
static ROCKETMQ: Definitions = LazyLock::new(|| read("huawei-cloud-api-definitions-RocketMQ"));

fn read(package: &str) -> BTreeMap<String, Definition> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract");
    let own = ["KeystoneListProjects.json", "KeystoneCreateUserTokenByPassword.json"].map(|file| here.join(file));
    let published = fs::read_dir(crate_directory(package).join("src")).unwrap();
    let files = published.map(|entry| entry.unwrap().path()).chain(own);
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter_map(|path| {
            let document = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            Some((name, Definition::read(&document)?))
        })
        .collect()
}

/// One operation, as its publisher defines it.
pub struct Definition {
    /// In capitals.
    pub method: String,
    /// With parameters in braces.
    pub path: String,
    parameters: Vec<Parameter>,
    answers: BTreeMap<u16, Option<Schema>>,
}

struct Parameter {
    name: String,
    place: String,
    required: bool,
    schema: Schema,
}

/// Where an exchange does not keep to a definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    /// Such as `body /topics/*/id` or `answer 200 /job_id`.
    pub place: String,
    /// What the definition wants there.
    pub definition: String,
}

impl Definition {
    /// Some published documents are empty.
    fn read(document: &Value) -> Option<Self> {
        let (path, methods) = document.get("paths")?.as_object()?.iter().next()?;
        let (method, operation) = methods.as_object()?.iter().next()?;
        let schema = |schema: &Value| Schema::new(schema, &document["definitions"]);
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| Parameter {
            name: parameter["name"].as_str().unwrap().to_owned(),
            place: parameter["in"].as_str().unwrap().to_owned(),
            required: parameter["required"] == true,
            schema: schema(parameter.get("schema").unwrap_or(&typed(parameter))),
        });
        let answers = operation["responses"].as_object()?.iter();
        let answers = answers.map(|(status, answer)| (status.parse().unwrap(), answer.get("schema").map(schema)));
        Some(Self {
            method: method.to_uppercase(),
            path: path.clone(),
            parameters: parameters.collect(),
            answers: answers.collect(),
        })
    }

    /// Everything in a request that is not as defined.
    pub fn of_request(&self, exchange: &Exchange) -> Vec<Breach> {
        let mut breaches = Vec::new();
        let line = format!("{} {}", exchange.method, exchange.path);
        let Some(path) = self.matches(&exchange.method, &exchange.path) else {
            return vec![Breach::new(line, &format!("{} {}", self.method, self.path))];
        };
        for (given, place) in [(&path, "path"), (&exchange.query, "query")] {
            let defined = || self.parameters.iter().filter(|parameter| parameter.place == place);
            for (name, text) in given {
                let at = format!("{place} {name}");
                match defined().find(|parameter| parameter.name == *name) {
                    Some(parameter) => breaches.extend(parameter.schema.check_text(&at, text)),
                    None => breaches.push(Breach::new(at, "no such parameter")),
                }
            }
            let missing = defined().filter(|parameter| parameter.required && !given.contains_key(&parameter.name));
            breaches.extend(missing.map(|parameter| Breach::new(format!("{place} {}", parameter.name), "required")));
        }
        let body = self.parameters.iter().find(|parameter| parameter.place == "body");
        match (body, &exchange.body) {
            (Some(parameter), Some(body)) => breaches.extend(parameter.schema.check("body", body)),
            (Some(parameter), None) if parameter.required => breaches.push(Breach::new("body".into(), "required")),
            (None, Some(_)) => breaches.push(Breach::new("body".into(), "no body")),
            (_, None) => {}
        }
        breaches
    }

    /// Everything in a successful answer that is not as defined.
    pub fn of_answer(&self, exchange: &Exchange) -> Vec<Breach> {
        let at = format!("answer {}", exchange.status);
        match (self.answers.get(&exchange.status), &exchange.answer) {
            (None, _) => vec![Breach::new(at, "no such status")],
            (Some(Some(schema)), Some(answer)) => schema.check(&at, answer),
            (Some(Some(_)), None) => vec![Breach::new(at, "a body")],
            (Some(None), Some(_)) => vec![Breach::new(at, "no body")],
            (Some(None), None) => Vec::new(),
        }
    }

    /// The path's parameters, if method and path are this operation's.
    fn matches(&self, method: &str, path: &str) -> Option<BTreeMap<String, String>> {
        let (template, given): (Vec<_>, Vec<_>) = (self.path.split('/').collect(), path.split('/').collect());
        if method != self.method || template.len() != given.len() {
            return None;
        }
        let mut parameters = BTreeMap::new();
        for (part, text) in template.into_iter().zip(given) {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) => {
                    // Encoded once, whatever is in it.
                    let text = percent_decode_str(text).decode_utf8().unwrap();
                    parameters.insert(name.to_owned(), text.into_owned());
                }
                None if part == text => {}
                None => return None,
            }
        }
        Some(parameters)
    }
}

impl Breach {
    fn new(place: String, definition: &str) -> Self {
        Self {
            place,
            definition: definition.to_owned(),
        }
    }
}

/// A body's shape; stricter than Swagger: what is not named is not allowed, and integers fit their format.
pub struct Schema {
    integer: bool,
    validator: jsonschema::Validator,
}

impl Schema {
    /// `definitions` is what the schema's references lead to.
    pub fn new(schema: &Value, definitions: &Value) -> Self {
        let mut root = schema.clone();
        strict(&mut root);
        let integer = root["type"] == "integer";
        // In draft 4 nothing counts beside a reference; so does Swagger have it.
        if root.get("$ref").is_some() {
            root = json!({"allOf": [root]});
        }
        root["definitions"] = merged(definitions);
        strict_each(&mut root["definitions"]);
        Self {
            integer,
            validator: jsonschema::draft4::new(&root).unwrap(),
        }
    }

    /// What in `value` is not as defined; `place` says where it was found.
    pub fn check(&self, place: &str, value: &Value) -> Vec<Breach> {
        use jsonschema::error::ValidationErrorKind::{AdditionalProperties, Required};
        let mut breaches: Vec<Breach> = Vec::new();
        for error in self.validator.iter_errors(value) {
            let path = generic(error.instance_path.as_str());
            let at = format!("{place} {path}").trim_end().to_owned();
            let field = |name: &str| format!("{place} {path}/{name}");
            match &error.kind {
                AdditionalProperties { unexpected } => {
                    breaches.extend(unexpected.iter().map(|name| Breach::new(field(name), "no such field")));
                }
                Required { property } => breaches.push(Breach::new(field(property.as_str().unwrap()), "required")),
                _ => breaches.push(Breach::new(at, &error.masked().to_string())),
            }
        }
        breaches.sort();
        breaches.dedup();
        breaches
    }

    fn check_text(&self, place: &str, text: &str) -> Vec<Breach> {
        let number = text
            .parse()
            .ok()
            .filter(|_| self.integer)
            .map(|number: i64| json!(number));
        self.check(place, &number.unwrap_or_else(|| json!(text)))
    }
}

/// Definitions with each `allOf` made one object: it would have no field that all of its parts allow.
fn merged(definitions: &Value) -> Value {
    let mut merged = definitions.clone();
    for schema in merged.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let Some(parts) = schema.get("allOf").and_then(Value::as_array) else {
            continue;
        };
        let parts = parts.iter().map(|part| {
            let name = part["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            let part = &definitions[name];
            assert!(part.get("required").is_none(), "{name}: a part that requires");
            part["properties"].as_object().unwrap().clone()
        });
        *schema = json!({"type": "object", "properties": parts.flatten().collect::<Map<_, _>>()});
    }
    merged
}

/// A parameter outside the body has its type beside its name, and `required` there is no list.
fn typed(parameter: &Value) -> Value {
    let keywords = [
        "type",
        "format",
        "enum",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
    ];
    let given = keywords
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), parameter.get(key)?.clone())));
    Value::Object(given.collect::<Map<_, _>>())
}

/// Makes a schema, and all below it, as strict as [`Schema`] is.
fn strict(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    let range = match map.get("format").and_then(Value::as_str) {
        Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
        Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
        _ => None,
    };
    if let Some((minimum, maximum)) = range {
        map.entry("minimum").or_insert(minimum);
        map.entry("maximum").or_insert(maximum);
    }
    if map.contains_key("properties") {
        map.entry("additionalProperties").or_insert(json!(false));
    }
    map.get_mut("properties").into_iter().for_each(strict_each);
    map.get_mut("items").into_iter().for_each(strict);
}

fn strict_each(schemas: &mut Value) {
    schemas
        .as_object_mut()
        .into_iter()
        .flat_map(Map::values_mut)
        .for_each(strict);
}

/// A JSON pointer with `*` for indices: all items of a list are alike.
fn generic(pointer: &str) -> String {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = pointer.split('/').map(|part| if digits(part) { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Where cargo unpacked the crate.
fn crate_directory(package: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--offline",
            "--filter-platform=host-tuple",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut packages = metadata["packages"].as_array().unwrap().iter();
    let package = packages.find(|found| found["name"] == package).unwrap();
    Path::new(package["manifest_path"].as_str().unwrap())
        .parent()
        .unwrap()
        .to_owned()
}
