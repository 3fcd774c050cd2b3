//! One value compared with what a filter says: the operators, by the form in which the value lies.
//!
//! **Invariant**: a comparison is true or false and never null; `ne` is true where there is no value.

use super::Translation;
use super::leaf::{Form, Leaf};
use migrations::Engine;
use scim_core::{Op, Operand};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// That a value is there.
pub(super) fn present(leaf: &Leaf) -> String {
    if leaf.nullable { format!("({} IS NOT NULL)", leaf.sql) } else { "TRUE".into() }
}

/// A comparison, true or false and never null.
pub(super) fn compare(to: &mut Translation, leaf: &Leaf, op: Op, operand: &Operand) -> String {
    let sql = &leaf.sql;
    let test = match (leaf.form, operand) {
        (Form::Flag, Operand::Boolean(value)) => {
            format!("{sql} {} {}", sign(op), i64::from(*value))
        }
        (Form::JsonBoolean, Operand::Boolean(value)) => match to.engine {
            Engine::Sqlite => format!("{sql} {} {}", sign(op), i64::from(*value)),
            Engine::Postgres => format!("{sql} {} '{value}'", sign(op)),
        },
        (Form::Number, Operand::Number(number)) => {
            let place = to.bind(number.to_string());
            match to.engine {
                Engine::Sqlite => format!("{sql} {} CAST({place} AS NUMERIC)", sign(op)),
                Engine::Postgres => format!("{sql} {} {place}::numeric", sign(op)),
            }
        }
        (Form::Micros, Operand::Instant(text)) => micros(to, sql, op, text),
        (Form::Text, Operand::Text(text)) if op == Op::Sw && !leaf.nullable && !text.is_empty() => {
            prefix(to, sql, text)
        }
        (_, Operand::Text(text) | Operand::Instant(text)) => text_test(to, sql, op, text),
        // The filter was bound to the schema: an operand of another type does not come this far.
        (_, Operand::Boolean(_) | Operand::Number(_) | Operand::Null) => "FALSE".into(),
    };
    match (leaf.nullable, op) {
        (false, _) => format!("({test})"),
        (true, Op::Ne) => format!("({sql} IS NULL OR {test})"),
        (true, _) => format!("({sql} IS NOT NULL AND {test})"),
    }
}

fn text_test(to: &mut Translation, sql: &str, op: Op, text: &str) -> String {
    let place = to.bind(text);
    match (op, to.engine) {
        (Op::Co, Engine::Sqlite) => format!("instr({sql}, {place}) > 0"),
        (Op::Co, Engine::Postgres) => format!("strpos({sql}, {place}) > 0"),
        (Op::Sw, Engine::Sqlite) => format!("substr({sql}, 1, length({place})) = {place}"),
        (Op::Sw, Engine::Postgres) => format!("starts_with({sql}, {place})"),
        (Op::Ew, Engine::Sqlite) => {
            format!("(length({place}) = 0 OR substr({sql}, -length({place})) = {place})")
        }
        (Op::Ew, Engine::Postgres) => format!("right({sql}, length({place})) = {place}"),
        (Op::Eq | Op::Ne | Op::Gt | Op::Ge | Op::Lt | Op::Le, _) => {
            format!("{sql} {} {place}", sign(op))
        }
    }
}

/// That a column begins with a text: as the range that an index finds.
fn prefix(to: &mut Translation, sql: &str, text: &str) -> String {
    let from = to.bind(text);
    match after_all_with(text) {
        Some(end) => {
            let end = to.bind(end);
            format!("{sql} >= {from} AND {sql} < {end}")
        }
        None => format!("{sql} >= {from}"),
    }
}

/// The first text after all that begin with this one; `None` when nothing is after them. Bytes of UTF-8 are in the order
/// of characters.
fn after_all_with(prefix: &str) -> Option<String> {
    let mut rest: Vec<char> = prefix.chars().collect();
    while let Some(last) = rest.pop() {
        // After U+D7FF the next character is U+E000: between them are no characters.
        let next =
            if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            rest.push(next);
            return Some(rest.into_iter().collect());
        }
    }
    None
}

/// Columns hold microseconds; an operand finer than that is above the microsecond it lies in.
fn micros(to: &mut Translation, sql: &str, op: Op, text: &str) -> String {
    let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) else { return "FALSE".into() };
    let nanos = at.unix_timestamp_nanos();
    let exact = nanos % 1_000 == 0;
    let floor = i64::try_from(nanos.div_euclid(1_000)).unwrap_or(i64::MAX);
    match op {
        Op::Eq if !exact => "FALSE".into(),
        Op::Ne if !exact => "TRUE".into(),
        Op::Ge | Op::Lt if !exact => {
            let place = to.bind(floor.saturating_add(1));
            format!("{sql} {} {place}", sign(op))
        }
        _ => {
            let place = to.bind(floor);
            format!("{sql} {} {place}", sign(op))
        }
    }
}

fn sign(op: Op) -> &'static str {
    match op {
        // The operators of text have functions of their own; on other types they do not come this far.
        Op::Eq | Op::Co | Op::Sw | Op::Ew => "=",
        Op::Ne => "<>",
        Op::Gt => ">",
        Op::Ge => ">=",
        Op::Lt => "<",
        Op::Le => "<=",
    }
}

#[cfg(test)]
mod tests {
    use super::after_all_with;

    #[test]
    fn the_text_after_a_prefix_is_after_everything_with_it() {
        for (prefix, after) in [
            ("ada", Some("adb")),
            ("a\u{10ffff}", Some("b")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("\u{10ffff}", None),
            ("\u{7f}", Some("\u{80}")),
        ] {
            let found = after_all_with(prefix);
            assert_eq!(found.as_deref(), after, "{prefix:?}");
            assert!(found.is_none_or(|found| *found > *format!("{prefix}\u{10ffff}z")));
        }
    }
}
