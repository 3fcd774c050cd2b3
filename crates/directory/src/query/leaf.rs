//! The leaves of a filter: where one value is found.

use super::{Place, Rows, Translation};
use migrations::Engine;
use scim_core::{Kind, Target};

/// How a leaf's values lie in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Text, compared by bytes.
    Text,
    /// 0 or 1 in a column.
    Flag,
    /// A boolean out of a JSON document.
    JsonBoolean,
    /// A number out of a JSON document.
    Number,
    /// Microseconds since 1970 in a column.
    Micros,
}

/// One value, as an SQL expression.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) sql: String,
    pub(super) form: Form,
    pub(super) nullable: bool,
}

/// A place in a comparison document: the JSON value around it and the path from there.
#[derive(Debug, Clone)]
pub(super) struct Document {
    root: String,
    path: Vec<String>,
}

impl Document {
    /// The value itself, as JSON.
    pub(super) fn value(&self, engine: Engine) -> String {
        match engine {
            Engine::Sqlite => format!("json_extract({}, {})", self.root, sqlite_path(&self.path)),
            Engine::Postgres => self
                .path
                .iter()
                .fold(self.root.clone(), |sql, name| format!("{sql}->{}", quoted(name))),
        }
    }

    /// The value as one to compare.
    pub(super) fn leaf(&self, engine: Engine, kind: Kind) -> Leaf {
        match self.path.split_last() {
            Some((last, rest)) => {
                let around = Self { root: self.root.clone(), path: rest.to_vec() };
                match engine {
                    Engine::Sqlite => Leaf::of(self.value(engine), "", engine, kind),
                    Engine::Postgres => Leaf::json(engine, &around.value(engine), last, kind),
                }
            }
            None => Leaf::element(engine, &self.root, kind),
        }
    }
}

impl Leaf {
    /// A value by the type of its attribute: `text` is its text, and on PostgreSQL `json` the value itself.
    fn of(text: String, json: &str, engine: Engine, kind: Kind) -> Self {
        let form = form(kind);
        let sql = match (engine, form) {
            // What was stored before an attribute became a number is none, and no error either.
            (Engine::Postgres, Form::Number) => {
                format!("(CASE jsonb_typeof({json}) WHEN 'number' THEN ({json})::numeric END)")
            }
            (Engine::Sqlite, Form::Number) => {
                format!("(CASE WHEN typeof({text}) IN ('integer', 'real') THEN {text} END)")
            }
            (Engine::Postgres, _) => format!("({text}) COLLATE \"C\""),
            (Engine::Sqlite, _) => text,
        };
        Self { sql, form, nullable: true }
    }

    /// A named part of a JSON object.
    pub(super) fn json(engine: Engine, object: &str, name: &str, kind: Kind) -> Self {
        let (text, json) = match engine {
            Engine::Sqlite => {
                let path = sqlite_path(&[name.to_owned()]);
                (format!("json_extract({object}, {path})"), String::new())
            }
            Engine::Postgres => {
                let name = quoted(name);
                (format!("{object}->>{name}"), format!("{object}->{name}"))
            }
        };
        Self::of(text, &json, engine, kind)
    }

    /// An element of a list of plain values.
    pub(super) fn element(engine: Engine, element: &str, kind: Kind) -> Self {
        let text = match engine {
            Engine::Sqlite => element.to_owned(),
            Engine::Postgres => format!("{element} #>> '{{}}'"),
        };
        Self::of(text, element, engine, kind)
    }

    /// The value of an attribute that these rows do not have.
    pub(super) fn absent(engine: Engine, kind: Kind) -> Self {
        Self::absent_of(engine, form(kind))
    }

    /// No value, of the type of other rows' values.
    pub(super) fn absent_of(engine: Engine, form: Form) -> Self {
        let sql = match (engine, form) {
            (Engine::Postgres, Form::Number) => "NULL::numeric",
            (Engine::Postgres, Form::Flag | Form::Micros) => "NULL::bigint",
            (Engine::Postgres, Form::Text | Form::JsonBoolean) => "NULL::text",
            (Engine::Sqlite, _) => "NULL",
        };
        Self { sql: sql.to_owned(), form, nullable: true }
    }

    /// The same kind of value by another expression, which may give none.
    pub(super) fn map(self, change: impl FnOnce(&str) -> String) -> Self {
        let sql = change(&self.sql);
        Self { sql, nullable: true, ..self }
    }

    fn column(sql: impl Into<String>, form: Form) -> Self {
        Self { sql: sql.into(), form, nullable: false }
    }

    pub(super) fn nullable(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), form: Form::Text, nullable: true }
    }
}

impl Translation {
    /// The value of a target that a column, or a computed expression, holds.
    pub(super) fn leaf(&mut self, target: &Target, place: &Place) -> Option<Leaf> {
        if target.extension.is_some() {
            return self.manager_leaf(target, place);
        }
        let name = target.attribute.as_str();
        match place {
            Place::Row => self.row_leaf(name, target.sub.as_ref().map(|sub| sub.name.as_str())),
            Place::Meta => self.row_leaf("meta", Some(name)),
            Place::Element(_) => None,
            Place::Member => Some(self.member_leaf(name)),
            Place::Membership => Some(match name {
                "value" => Leaf::column("mg.id", Form::Text),
                "display" => Leaf::column("mg.display_key", Form::Text),
                "type" => Leaf::column(
                    "(CASE WHEN k.near = 1 THEN 'direct' ELSE 'indirect' END)",
                    Form::Text,
                ),
                _ => {
                    let base = self.base();
                    Leaf::column(format!("({base} || '/Groups/' || mg.id)"), Form::Text)
                }
            }),
        }
    }

    fn row_leaf(&mut self, name: &str, sub: Option<&str>) -> Option<Leaf> {
        let (row, path, kind) = match self.rows {
            // Not a bare constant: PostgreSQL has no order by one.
            Rows::Users => ("u", "/Users/", "('' || 'User')"),
            Rows::Groups => ("g", "/Groups/", "('' || 'Group')"),
            Rows::Members => return None,
        };
        Some(match (name, sub) {
            // `meta` as a whole is only asked whether it is there.
            ("id", _) | ("meta", None) => Leaf::column(format!("{row}.id"), Form::Text),
            ("externalId", _) => Leaf::nullable(format!("{row}.external_id")),
            ("userName", _) if row == "u" => Leaf::column("u.user_name_key", Form::Text),
            ("active", _) if row == "u" => Leaf::column("u.active", Form::Flag),
            ("displayName", _) if self.rows == Rows::Groups => {
                Leaf::column("g.display_key", Form::Text)
            }
            ("meta", Some("created")) => Leaf::column(format!("{row}.created_at"), Form::Micros),
            ("meta", Some("lastModified")) => {
                Leaf::column(format!("{row}.updated_at"), Form::Micros)
            }
            ("meta", Some("resourceType")) => Leaf::column(kind, Form::Text),
            ("meta", Some("version")) => {
                let bytes = if self.engine == Engine::Postgres { " COLLATE \"C\"" } else { "" };
                Leaf::column(format!("('W/\"' || {row}.version || '\"'){bytes}"), Form::Text)
            }
            ("meta", Some("location")) => {
                let base = self.base();
                Leaf::column(format!("({base} || '{path}' || {row}.id)"), Form::Text)
            }
            _ => return None,
        })
    }

    fn member_leaf(&mut self, name: &str) -> Leaf {
        match name {
            "value" => Leaf::column("m.member_id", Form::Text),
            "type" => Leaf::column("lower(m.kind)", Form::Text),
            "display" => {
                let of_user = match self.engine {
                    Engine::Sqlite => "json_extract(mu.search, '$.displayName')",
                    Engine::Postgres => "mu.search->>'displayName'",
                };
                Leaf::nullable(format!(
                    "coalesce((SELECT coalesce({of_user}, mu.user_name_key) FROM users mu WHERE mu.tenant_id = $1 AND mu.id = m.member_id),
                              (SELECT md.display_key FROM groups md WHERE md.tenant_id = $1 AND md.id = m.member_id))"
                ))
            }
            _ => {
                let base = self.base();
                Leaf::column(
                    format!(
                        "({base} || CASE m.kind WHEN 'User' THEN '/Users/' ELSE '/Groups/' END || m.member_id)"
                    ),
                    Form::Text,
                )
            }
        }
    }

    /// Where a target lies in the comparison document, or in the element at hand.
    pub(super) fn document(&self, target: &Target, place: &Place) -> Document {
        let root = match (place, self.rows) {
            (Place::Element(element), _) => element.clone(),
            (_, Rows::Users) => "u.search".to_owned(),
            (_, Rows::Groups | Rows::Members) => "g.search".to_owned(),
        };
        let path = target.extension.iter().chain([&target.attribute]).cloned().collect();
        Document { root, path }
    }

    /// A FROM item of a list's elements, and the name of one element.
    pub(super) fn elements(&mut self, list: &Document) -> (String, String) {
        self.aliases += 1;
        let alias = format!("e{}", self.aliases);
        match self.engine {
            Engine::Sqlite => {
                let from = format!("json_each({}, {}) {alias}", list.root, sqlite_path(&list.path));
                (from, format!("{alias}.value"))
            }
            Engine::Postgres => {
                let value = list.value(self.engine);
                let from = format!(
                    "jsonb_array_elements(CASE jsonb_typeof({value}) WHEN 'array' THEN {value} ELSE '[]'::jsonb END) WITH ORDINALITY {alias}(value, place)"
                );
                (from, format!("{alias}.value"))
            }
        }
    }
}

fn form(kind: Kind) -> Form {
    match kind {
        Kind::Boolean => Form::JsonBoolean,
        Kind::Integer | Kind::Decimal => Form::Number,
        Kind::String | Kind::DateTime | Kind::Binary | Kind::Reference | Kind::Complex => {
            Form::Text
        }
    }
}

/// A name as an SQL text. Names come from schemas; quotes are doubled all the same.
fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\'', "''"))
}

/// A path of SQLite's JSON functions, as an SQL text.
fn sqlite_path(names: &[String]) -> String {
    let mut path = String::from("$");
    for name in names {
        path.push_str(".\"");
        path.push_str(&name.replace('"', ""));
        path.push('"');
    }
    quoted(&path)
}
