//! The API's own document, read for what can be asked: so that tests of every operation are tests
//! of every operation.

use reqwest::Method;
use serde_json::{Value, json};

use crate::house::House;

/// One operation of the document.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// With `{name}` where an id goes, and the parameters it cannot do without.
    pub(crate) path: String,
    /// All its parameters of the query, by name.
    pub(crate) parameters: Vec<String>,
    /// The least body it takes.
    pub(crate) body: Option<Value>,
    /// All fields of its body, however deep.
    pub(crate) fields: Vec<Field>,
}

/// A place in a body.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The JSON pointer of what it is a field or an element of.
    parent: String,
    name: String,
    /// The least body that has the parent.
    body: Value,
}

impl Field {
    /// The JSON pointer of the field.
    pub(crate) fn pointer(&self) -> String {
        format!("{}/{}", self.parent, self.name)
    }

    /// The least body with `value` in this place.
    pub(crate) fn with(&self, value: Value) -> Value {
        let mut body = self.body.clone();
        match body.pointer_mut(&self.parent).unwrap() {
            Value::Array(elements) => *elements = vec![value],
            parent => parent[&self.name] = value,
        }
        body
    }
}

/// All operations, in the order of their paths.
pub(crate) async fn operations(house: &House) -> Vec<Operation> {
    let url = format!("{}/v1/openapi.json", house.endpoints.api);
    let document: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let schema = operation
                .pointer("/requestBody/content/application~1json; charset=utf-8/schema")
                .or_else(|| operation.pointer("/requestBody/content/application~1json/schema"));
            let file = operation.pointer("/requestBody/content/application~1octet-stream");
            assert_eq!(
                schema.or(file).is_some(),
                operation.get("requestBody").is_some(),
                "{path}"
            );
            let body = schema.map(|schema| completed(path, example(&document, schema)));
            // Of a file, whose form no document tells, anything.
            let body = body.or_else(|| file.map(|_| json!("a file")));
            let mut fields = Vec::new();
            if let (Some(schema), Some(body)) = (schema, &body) {
                collect(&document, schema, "", body, &mut fields);
            }
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: format!("{path}{}", query(&document, operation)),
                parameters: parameters(operation)
                    .map(|one| one["name"].as_str().unwrap().to_owned())
                    .collect(),
                body,
                fields,
            });
        }
    }
    assert!(operations.len() > 40, "{} operations", operations.len());
    operations
}

/// An operation's parameters in the query.
fn parameters(operation: &Value) -> impl Iterator<Item = &Value> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.filter(|one| one["in"] == "query")
}

/// Collects the fields below `parent`, which has `schema` and is in `body`.
fn collect(document: &Value, schema: &Value, parent: &str, body: &Value, fields: &mut Vec<Field>) {
    let schema = resolved(document, schema);
    let properties = schema["properties"].as_object().into_iter().flatten();
    let properties = properties.map(|(name, of)| (name.clone(), of));
    let elements = schema.get("items").map(|of| ("0".to_owned(), of));
    for (name, schema) in properties.chain(elements) {
        let field = Field {
            parent: parent.to_owned(),
            name,
            body: body.clone(),
        };
        let within = field.with(example(document, schema));
        let pointer = field.pointer();
        fields.push(field);
        collect(document, schema, &pointer, &within, fields);
    }
}

/// A schema itself, where another is only named.
fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        return resolved(document, document.pointer(pointer).unwrap());
    }
    schema["allOf"]
        .get(0)
        .map_or(schema, |one| resolved(document, one))
}

/// The parameters an operation cannot do without.
fn query(document: &Value, operation: &Value) -> String {
    let wanted = parameters(operation).filter(|one| one["required"] == true);
    let pairs = wanted.map(|one| {
        let name = one["name"].as_str().unwrap();
        let value = match name {
            // Later than `from`.
            "to" if one["schema"]["format"] == "date-time" => json!(in_days(8)),
            "to" => json!(in_days(8)[..10]),
            _ => example(document, &one["schema"]),
        };
        format!("{name}={}", value.as_str().unwrap())
    });
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    }
}

/// What a schema cannot say: that of two fields one is needed.
fn completed(path: &str, mut body: Value) -> Value {
    if path.ends_with("/reschedule") {
        body["starts_at"] = json!(in_days(7));
    }
    if path.ends_with("/waitlist") {
        body["session_id"] = json!("00000000-0000-7000-8000-000000000000");
    }
    if path.ends_with("/blocks") {
        body["ends_at"] = json!(in_days(8));
    }
    body
}

/// The least value a schema allows.
fn example(document: &Value, schema: &Value) -> Value {
    let schema = resolved(document, schema);
    if let Some(value) = schema["enum"].get(0) {
        return value.clone();
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("object"), _) => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let fields = required.iter().map(|name| {
                let name = name.as_str().unwrap();
                (
                    name.to_owned(),
                    example(document, &schema["properties"][name]),
                )
            });
            Value::Object(fields.collect())
        }
        (Some("array"), _) => json!([]),
        (Some("integer" | "number"), _) => json!(1),
        (Some("boolean"), _) => json!(true),
        (Some("string"), Some("uuid")) => json!("00000000-0000-7000-8000-000000000000"),
        (Some("string"), Some("date-time")) => json!(in_days(7)),
        (Some("string"), Some("date")) => json!(in_days(7)[..10]),
        (Some("string"), _) => json!("example"),
        other => panic!("no example of {other:?}: {schema}"),
    }
}

/// The same instant every time it is asked for on one day.
pub(crate) fn in_days(days: i64) -> String {
    let today = jiff::Timestamp::now().as_second().div_euclid(86_400);
    let then = jiff::Timestamp::from_second((today + days) * 86_400).unwrap();
    then.to_string()
}
