//! A sort as SQL: the expression that a list is ordered by, and where a page begins in that order.
//!
//! **Invariant**: the order is total: what is equal is ordered by id, in the same direction, so that the reverse of an
//! order is read from the same index backwards, and a page begins after one row and no other.

use super::leaf::{Document, Form, Leaf};
use super::{Place, Rows, Translation};
use migrations::Engine;
use scim_core::{ErrorKind, ScimError, Sort, SortValue, Target};
use sea_orm::{DbErr, QueryResult};

/// The name of the column that [`Order::key`] makes.
const KEY: &str = "sort_key";

/// The order of a list of one table.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    engine: Engine,
    row: &'static str,
    /// `None`: by id alone.
    value: Option<Leaf>,
    /// Whether no two rows of the list have the same value.
    unique: bool,
    /// Whether an index has the rows in this order.
    indexed: bool,
    /// Whether no row has a value.
    absent: bool,
    /// Whether the rows are few and are to be sorted: no index is to be walked in this order.
    few: bool,
    descending: bool,
}

impl Translation {
    /// The order of a list.
    ///
    /// # Errors
    /// `invalidValue` for what is computed of other resources.
    pub(crate) fn order(&mut self, sort: Option<&Sort>) -> Result<Order, ScimError> {
        let row = if self.rows == Rows::Users { "u" } else { "g" };
        let Some(Sort { target, descending }) = sort else {
            return Ok(Order {
                engine: self.engine,
                row,
                value: None,
                unique: true,
                indexed: true,
                absent: false,
                few: false,
                descending: false,
            });
        };
        self.refuse_computed(target)?;
        let (is_core, plain) = (target.extension.is_none(), target.sub.is_none());
        let name = target.attribute.as_str();
        let by_id = is_core && plain && name == "id";
        let unique = is_core
            && plain
            && matches!(
                (self.rows, name),
                (Rows::Users, "userName") | (Rows::Groups, "displayName")
            );
        let value = if by_id { None } else { Some(self.sort_leaf(target)) };
        let absent = name.is_empty();
        Ok(Order {
            engine: self.engine,
            row,
            value,
            unique: unique || by_id,
            indexed: unique || by_id || absent,
            absent,
            few: false,
            descending: *descending,
        })
    }

    fn refuse_computed(&self, target: &Target) -> Result<(), ScimError> {
        let name = target.attribute.as_str();
        let part = target.sub.as_ref().map(|sub| sub.name.as_str());
        let computed = match (&target.extension, self.rows) {
            (None, Rows::Users) => name == "groups",
            (None, _) => name == "members",
            (Some(_), _) => false,
        };
        if !computed {
            return Ok(());
        }
        let part = part.map(|part| format!(".{part}")).unwrap_or_default();
        Err(ScimError::new(
            ErrorKind::InvalidValue,
            format!(
                "{name}{part} is computed from other resources and is nothing to sort by; sort by an attribute of the resource's own."
            ),
        )
        .about("sortBy"))
    }

    fn sort_leaf(&mut self, target: &Target) -> Leaf {
        if target.attribute.is_empty() {
            return Leaf::absent(self.engine, target.kind);
        }
        if let Some(leaf) = self.leaf(target, &Place::Row) {
            return leaf;
        }
        let document = self.document(target, &Place::Row);
        if target.multi_valued {
            return self.first_of(&document, target);
        }
        match &target.sub {
            Some(sub) => {
                Leaf::json(self.engine, &document.value(self.engine), &sub.name, target.kind)
            }
            None => document.leaf(self.engine, target.kind),
        }
    }

    /// The value of the primary element of a list, else of the first, among those that have it (RFC 7644 §3.4.2.3).
    fn first_of(&mut self, list: &Document, target: &Target) -> Leaf {
        let (from, element) = self.elements(list);
        let alias = element.trim_end_matches(".value").to_owned();
        let leaf = match &target.sub {
            Some(sub) => Leaf::json(self.engine, &element, &sub.name, target.kind),
            None => Leaf::element(self.engine, &element, target.kind),
        };
        let place = match self.engine {
            Engine::Sqlite => format!("{alias}.key"),
            Engine::Postgres => format!("{alias}.place"),
        };
        let primary = match (self.engine, &target.sub) {
            (_, None) => String::new(),
            (Engine::Sqlite, Some(_)) => {
                format!("coalesce(json_extract({element}, '$.primary'), 0) DESC, ")
            }
            (Engine::Postgres, Some(_)) => {
                format!("coalesce({element}->>'primary', '') = 'true' DESC, ")
            }
        };
        leaf.map(|sql| {
            format!("(SELECT {sql} FROM {from} WHERE {sql} IS NOT NULL ORDER BY {primary}{place} LIMIT 1)")
        })
    }
}

impl Order {
    /// Whether it is the order of ids, from the first.
    pub(crate) fn is_as_made(&self) -> bool {
        self.value.is_none() && !self.descending
    }

    /// Whether an index has the rows in this order.
    pub(crate) fn is_indexed(&self) -> bool {
        self.indexed
    }

    /// The order of a part of a list, whose other part may have the same values.
    pub(crate) fn among_others(mut self) -> Self {
        self.unique = self.value.is_none();
        self
    }

    /// The order of few rows that another index finds. A planner without statistics may else walk all rows in this order
    /// and test each.
    pub(crate) fn of_few(mut self) -> Self {
        self.few = true;
        self
    }

    /// Whether a position in the whole list can be found in an index alone.
    pub(crate) fn skips_by_index(&self) -> bool {
        self.unique && self.value.is_some()
    }

    /// Whether no row has a value.
    pub(crate) fn is_absent(&self) -> bool {
        self.absent
    }

    /// Has no values of the type of another order's.
    pub(crate) fn be_absent_like(&mut self, other: &Self) {
        let form = other.value.as_ref().map_or(Form::Text, |leaf| leaf.form);
        self.value = Some(Leaf::absent_of(self.engine, form));
    }

    /// The expression that rows are ordered by.
    pub(crate) fn value(&self) -> &str {
        self.value.as_ref().map_or("NULL", |leaf| &leaf.sql)
    }

    /// The expression whose value a page needs to begin after a row.
    pub(crate) fn key(&self) -> String {
        self.key_of(self.value())
    }

    /// The same of a value that has a name.
    pub(crate) fn key_of(&self, value: &str) -> String {
        let is_number = self.value.as_ref().is_some_and(|leaf| leaf.form == Form::Number);
        if is_number && self.engine == Engine::Postgres {
            return format!("({value})::text AS {KEY}");
        }
        format!("{value} AS {KEY}")
    }

    /// The value in a row that has [`Self::key`].
    pub(crate) fn read(&self, row: &QueryResult) -> Result<Option<SortValue>, DbErr> {
        let Some(leaf) = &self.value else { return Ok(None) };
        Ok(match (leaf.form, self.engine) {
            (Form::Text, _) => row.try_get::<Option<String>>("", KEY)?.map(SortValue::Text),
            (Form::JsonBoolean, Engine::Postgres) => row
                .try_get::<Option<String>>("", KEY)?
                .map(|truth| SortValue::Boolean(truth == "true")),
            (Form::Flag | Form::JsonBoolean, _) => {
                row.try_get::<Option<i64>>("", KEY)?.map(|truth| SortValue::Boolean(truth != 0))
            }
            (Form::Micros, _) => row
                .try_get::<Option<i64>>("", KEY)?
                .map(|number| SortValue::Number(number.to_string())),
            (Form::Number, Engine::Postgres) => {
                row.try_get::<Option<String>>("", KEY)?.map(SortValue::Number)
            }
            (Form::Number, Engine::Sqlite) => match row.try_get::<Option<i64>>("", KEY) {
                Ok(number) => number.map(|number| SortValue::Number(number.to_string())),
                Err(_real) => row
                    .try_get::<Option<f64>>("", KEY)?
                    .map(|number| SortValue::Number(format!("{number:?}"))),
            },
        })
    }

    /// What follows ORDER BY.
    pub(crate) fn clause(&self, backwards: bool) -> String {
        let (way, nulls) = self.way(backwards);
        let row = self.row;
        // An expression, which no index has.
        let id = if self.few { format!("({row}.id || '')") } else { format!("{row}.id") };
        match self.value.as_ref().filter(|_| !self.absent) {
            None => format!("{id} {way}"),
            Some(leaf) if self.unique && self.few => format!("({} || '') {way}", leaf.sql),
            Some(leaf) if self.unique => format!("{} {way}", leaf.sql),
            Some(leaf) if leaf.nullable => format!("{} {way} {nulls}, {id} {way}", leaf.sql),
            Some(leaf) => format!("{} {way}, {id} {way}", leaf.sql),
        }
    }

    /// What follows ORDER BY where `value` and `id` are columns of a table of places.
    pub(crate) fn clause_of(&self, table: &str, backwards: bool) -> String {
        let (way, nulls) = self.way(backwards);
        if self.value.is_none() {
            return format!("{table}.id {way}");
        }
        format!("{table}.value {way} {nulls}, {table}.id {way}")
    }

    fn way(&self, backwards: bool) -> (&'static str, &'static str) {
        if self.descending == backwards { ("ASC", "NULLS LAST") } else { ("DESC", "NULLS FIRST") }
    }

    /// The condition that a row is behind another one, or before it.
    ///
    /// # Errors
    /// `invalidCursor` when the value is of another order.
    pub(crate) fn beyond(
        &self,
        to: &mut Translation,
        id: &str,
        value: Option<&SortValue>,
        backwards: bool,
    ) -> Result<String, ScimError> {
        let upwards = self.descending == backwards;
        let sign = if upwards { ">" } else { "<" };
        let row = self.row;
        let id = to.bind(id);
        let Some(leaf) = &self.value else { return Ok(format!("{row}.id {sign} {id}")) };
        if self.absent {
            // All are last going upwards, and first going downwards.
            return Ok(match value {
                None => format!("{row}.id {sign} {id}"),
                Some(_) if upwards => "TRUE".to_owned(),
                Some(_) => "FALSE".to_owned(),
            });
        }
        let sql = &leaf.sql;
        let Some(value) = value else {
            // Among those without a value: the last ones going upwards, the first ones going downwards.
            let among = format!("({sql} IS NULL AND {row}.id {sign} {id})");
            return Ok(if upwards { among } else { format!("({among} OR {sql} IS NOT NULL)") });
        };
        let place = self.bind(to, leaf.form, value)?;
        let beyond = format!("({sql}, {row}.id) {sign} ({place}, {id})");
        let beyond = if self.unique { format!("{sql} {sign} {place}") } else { beyond };
        Ok(if leaf.nullable && upwards { format!("({beyond} OR {sql} IS NULL)") } else { beyond })
    }

    fn bind(
        &self,
        to: &mut Translation,
        form: Form,
        value: &SortValue,
    ) -> Result<String, ScimError> {
        Ok(match (form, value, self.engine) {
            (Form::Text, SortValue::Text(text), _) => to.bind(text.clone()),
            (Form::JsonBoolean, SortValue::Boolean(truth), Engine::Postgres) => {
                to.bind(truth.to_string())
            }
            (Form::Flag | Form::JsonBoolean, SortValue::Boolean(truth), _) => {
                to.bind(i64::from(*truth))
            }
            (Form::Number, SortValue::Number(number), Engine::Postgres) => {
                format!("{}::numeric", to.bind(number.clone()))
            }
            (Form::Number | Form::Micros, SortValue::Number(number), _) => {
                match (number.parse::<i64>(), number.parse::<f64>()) {
                    (Ok(number), _) => to.bind(number),
                    (_, Ok(number)) => to.bind(number),
                    _ => return Err(foreign()),
                }
            }
            _ => return Err(foreign()),
        })
    }
}

fn foreign() -> ScimError {
    ScimError::new(
        ErrorKind::InvalidCursor,
        "The cursor belongs to a list in another order; begin again without it.",
    )
}
