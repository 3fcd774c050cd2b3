//! The configuration file: TOML, flattened to dotted keys with their lines.

use super::FileText;
use super::problem::{Problem, Source};
use super::values::{Entry, Raw, Values};
use toml::de::{DeTable, DeValue};

/// Adds what the file says. A file that is not TOML adds its errors and nothing else.
pub(super) fn read(file: &FileText, values: &mut Values) {
    let (table, errors) = DeTable::parse_recoverable(&file.text);
    for error in &errors {
        let line = error.span().map(|span| line_of(&file.text, span.start));
        values.add_problem(Problem {
            key: String::new(),
            source: Source::File { name: file.name.clone(), line },
            text: format!("not TOML: {}", error.message().trim()),
        });
    }
    if errors.is_empty() {
        flatten(file, "", table.get_ref(), values);
    }
}

fn flatten(file: &FileText, prefix: &str, table: &DeTable<'_>, values: &mut Values) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{prefix}.{}", name.get_ref())
        };
        if let DeValue::Table(inner) = value.get_ref() {
            flatten(file, &key, inner, values);
            continue;
        }
        let line = Some(line_of(&file.text, name.span().start));
        let source = Source::File { name: file.name.clone(), line };
        values.add(key, Entry { raw: raw(value.get_ref()), source });
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Raw::Integer(number),
            Err(_) => Raw::Other("a number beyond 64 bits"),
        },
        DeValue::Array(list) => {
            let texts: Option<Vec<String>> =
                list.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect();
            texts.map_or(Raw::Other("a list of other things than text"), Raw::Texts)
        }
        DeValue::Boolean(_) => Raw::Other("true or false"),
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
