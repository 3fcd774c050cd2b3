//! The document as a page: no script, nothing from elsewhere.
//!
//! **Invariant**: all that is shown is escaped; the page forbids itself to load anything.

use super::Admin;
use super::problem::Code;
use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::{Map, Value};

/// What the page may do: show its own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const STYLE: &str = include_str!("page/style.css");
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The page.
#[must_use]
pub fn respond(admin: &Admin) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(admin.page().to_owned())
}

/// The document as HTML.
#[must_use]
pub fn render(document: &Value) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head><body><header><h1>{title}</h1><p>Version {version}. <a href=\"/openapi.json\">OpenAPI document</a></p>{about}</header>",
        title = text(document, "/info/title"),
        version = text(document, "/info/version"),
        about = prose(&string(document, "/info/description")),
    );
    let tags: Vec<&Value> = at(document, "/tags").as_array().into_iter().flatten().collect();
    page.push_str("<nav><ul>");
    for tag in &tags {
        let name = escape(at(tag, "/name").as_str().unwrap_or_default());
        page.push_str(&format!("<li><a href=\"#{name}\">{name}</a></li>"));
    }
    page.push_str("<li><a href=\"#problems\">problems</a></li><li><a href=\"#schemas\">schemas</a></li></ul></nav><main>");
    for tag in &tags {
        section(&mut page, document, tag);
    }
    problems(&mut page);
    page.push_str("<section id=\"schemas\"><h2>Schemas</h2>");
    for (name, schema) in object(at(document, "/components/schemas")) {
        let (name, about) = (escape(name), text(schema, "/description"));
        page.push_str(&format!("<details id=\"schema-{name}\"><summary><code>{name}</code> {about}</summary>{}</details>", fields(schema)));
    }
    page.push_str("</section></main></body></html>");
    page
}

fn section(page: &mut String, document: &Value, tag: &Value) {
    let name = at(tag, "/name").as_str().unwrap_or_default();
    page.push_str(&format!(
        "<section id=\"{0}\"><h2>{0}</h2><p>{1}</p>",
        escape(name),
        text(tag, "/description")
    ));
    for (path, item) in object(at(document, "/paths")) {
        for method in METHODS {
            let operation = item.get(method).unwrap_or(&Value::Null);
            let is_of = at(operation, "/tags")
                .as_array()
                .is_some_and(|tags| tags.iter().any(|t| t == name));
            if is_of {
                self::operation(page, path, method, operation);
            }
        }
    }
    page.push_str("</section>");
}

fn operation(page: &mut String, path: &str, method: &str, operation: &Value) {
    page.push_str(&format!(
        "<details id=\"{id}\"><summary><b class=\"{method}\">{upper}</b> <code>{path}</code> {summary}</summary><p>{about}</p>",
        id = text(operation, "/operationId"),
        upper = method.to_ascii_uppercase(),
        path = escape(path),
        summary = text(operation, "/summary"),
        about = prose(&string(operation, "/description")),
    ));
    let parameters: Vec<&Value> =
        at(operation, "/parameters").as_array().into_iter().flatten().collect();
    if !parameters.is_empty() {
        page.push_str("<table><tr><th>parameter</th><th>in</th><th>form</th><th></th></tr>");
        for one in parameters {
            page.push_str(&format!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                text(one, "/name"),
                text(one, "/in"),
                form(at(one, "/schema")),
                text(one, "/description")
            ));
        }
        page.push_str("</table>");
    }
    let body = at(operation, "/requestBody/content/application~1json/schema");
    if !body.is_null() {
        page.push_str(&format!("<p>Body: {}</p>", form(body)));
    }
    page.push_str("<table><tr><th>status</th><th>body</th><th></th></tr>");
    for (status, response) in object(at(operation, "/responses")) {
        let schema =
            object(at(response, "/content")).next().map(|(_, media)| form(at(media, "/schema")));
        page.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(status),
            schema.unwrap_or_default(),
            prose(&string(response, "/description"))
        ));
    }
    page.push_str("</table></details>");
}

fn problems(page: &mut String) {
    page.push_str("<section id=\"problems\"><h2>Problems</h2><table><tr><th>code</th><th>status</th><th></th></tr>");
    for code in Code::ALL {
        page.push_str(&format!(
            "<tr id=\"problem-{0}\"><td><code>{0}</code></td><td>{1}</td><td>{2}.</td></tr>",
            code.as_str(),
            code.status(),
            escape(code.title())
        ));
    }
    page.push_str("</table></section>");
}

fn fields(schema: &Value) -> String {
    // A type that holds another one flat is written as all of both.
    let parts = at(schema, "/allOf")
        .as_array()
        .map_or_else(|| vec![schema], |parts| parts.iter().collect());
    let mut rows = String::new();
    for part in parts {
        if at(part, "/$ref").is_string() {
            rows.push_str(&format!("<tr><td colspan=\"3\">all of {}</td></tr>", form(part)));
        }
        for (name, field) in object(at(part, "/properties")) {
            let about = text(field, "/description");
            rows.push_str(&format!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{about}</td></tr>",
                escape(name),
                form(field)
            ));
        }
    }
    let example =
        schema.get("example").and_then(|example| serde_json::to_string_pretty(example).ok());
    let example = example.map(|text| format!("<pre>{}</pre>", escape(&text))).unwrap_or_default();
    format!("<table><tr><th>field</th><th>form</th><th></th></tr>{rows}</table>{example}")
}

/// The form of a value in a few words.
fn form(schema: &Value) -> String {
    if let Some(name) = at(schema, "/$ref").as_str().and_then(|path| path.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for word in ["oneOf", "anyOf"] {
        if let Some(parts) = schema.get(word).and_then(Value::as_array) {
            return parts.iter().map(form).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(words) = at(schema, "/enum").as_array() {
        let words: Vec<String> =
            words.iter().map(|word| escape(word.as_str().unwrap_or_default())).collect();
        return words.join(" | ");
    }
    let kind = match at(schema, "/type") {
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        kind => kind.as_str().unwrap_or("any").to_owned(),
    };
    if kind.starts_with("array") {
        return format!("list of {}", form(at(schema, "/items")));
    }
    let mut words = vec![escape(&kind)];
    for name in ["format", "pattern", "minimum", "maximum", "minLength", "maxLength"] {
        match schema.get(name).unwrap_or(&Value::Null) {
            Value::Null => {}
            Value::String(text) => words.push(format!("{name} <code>{}</code>", escape(text))),
            other => words.push(format!("{name} {other}")),
        }
    }
    words.join(", ")
}

/// Paragraphs and lists of a short text in Markdown.
fn prose(markdown: &str) -> String {
    let lines = markdown.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let line = line.strip_prefix("- ").unwrap_or(line);
            let mut shown = String::new();
            for (index, part) in line.split('`').enumerate() {
                let part = escape(part).replace("**", "");
                shown.push_str(&if index % 2 == 1 { format!("<code>{part}</code>") } else { part });
            }
            format!("<p>{shown}</p>")
        })
        .collect()
}

fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn string(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn text(value: &Value, pointer: &str) -> String {
    escape(&string(value, pointer))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
