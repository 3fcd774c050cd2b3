//! Pages, and the forms of words that several nouns share in the document.
//!
//! **Invariant**: what is rendered is a type with a schema; nothing is put together by hand.

use serde::Serialize;
use std::borrow::Cow;
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// A part of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The things.
    pub data: Vec<T>,
    /// What `after` is for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` things out of one more than that, so that the last page is known.
    #[must_use]
    pub fn of<U>(
        mut found: Vec<U>,
        limit: u32,
        cursor: impl Fn(&U) -> String,
        view: impl Fn(U) -> T,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let next_cursor = found.last().filter(|_| more).map(cursor);
        Self { data: found.into_iter().map(view).collect(), next_cursor }
    }

    /// A list that is always whole.
    #[must_use]
    pub fn whole(data: Vec<T>) -> Self {
        Self { data, next_cursor: None }
    }
}

/// A derived schema has one name for the pages of all things.
impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Page", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let data = ArrayBuilder::new()
            .items(Ref::from_schema_name(T::name()))
            .max_items(Some(usize::try_from(super::input::PAGE_MAX).unwrap_or(usize::MAX)));
        let cursor = ObjectBuilder::new()
            .schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
            .description(Some("What `after` is for the next page; null on the last one."));
        let page = ObjectBuilder::new()
            .property("data", data)
            .required("data")
            .property("next_cursor", cursor)
            .required("next_cursor");
        RefOr::T(Schema::Object(page.build()))
    }
}

fn word(words: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .enum_values(Some(words))
        .build()
}

/// A population.
#[must_use]
pub fn population() -> Object {
    word(region_router::Population::ALL.map(region_router::Population::as_str))
}

/// A profile.
#[must_use]
pub fn profile() -> Object {
    word(provisioning::ProfileId::ALL.map(provisioning::ProfileId::as_str))
}

/// A tenant's routing.
#[must_use]
pub fn routing() -> Object {
    word(tenant_registry::Routing::ALL.map(tenant_registry::Routing::as_str))
}

/// A tenant's state.
#[must_use]
pub fn tenant_state() -> Object {
    word(tenant_registry::TenantState::ALL.map(tenant_registry::TenantState::as_str))
}

/// A word of a credential's scopes.
#[must_use]
pub fn scope() -> Object {
    word(["read", "create", "update", "deactivate", "delete", "users", "groups"])
}

/// Scopes.
#[must_use]
pub fn scopes() -> utoipa::openapi::schema::Array {
    ArrayBuilder::new().items(scope()).max_items(Some(7)).build()
}

/// Networks, as addresses and prefixes.
#[must_use]
pub fn networks() -> utoipa::openapi::schema::Array {
    let network = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .description(Some("An address, or a network such as 203.0.113.0/24."))
        .min_length(Some(2))
        .max_length(Some(50))
        .build();
    ArrayBuilder::new().items(network).max_items(Some(50)).build()
}

/// Where a credential or a client is in its life.
#[must_use]
pub fn credential_state() -> Object {
    word(["live", "retiring", "expired", "revoked"])
}
