//! What a tenant's people hold beyond the RFC.
//!
//! **Invariant**: a declaration does not make what is stored unreadable: another type is refused while people have values.

use super::answer::Answer;
use super::call::Call;
use super::problem::{Code, Problem};
use super::view::Page;
use directory::{Start, Want};
use scim_core::schema::custom::CustomAttribute;
use scim_core::{Custom, Filter, FilterLimits, Kind, Notes, Tolerance};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tenant_registry::Tenant;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

/// An attribute that a tenant declared.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attribute)]
pub struct AttributeView {
    /// The URN of its schema.
    pub schema: String,
    /// Its name.
    pub attribute: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(schema_with = kinds)]
    pub kind: &'static str,
    /// Whether a person may have several values.
    pub multi_valued: bool,
    /// Whether upper and lower case differ.
    pub case_exact: bool,
    /// The usual values.
    pub values: Vec<String>,
    /// What it is, for people.
    pub description: String,
}

/// An attribute to declare.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "attribute": "costCentre", "type": "string", "description": "Cost centre" }))]
pub struct AddAttribute {
    /// Its name.
    #[schema(pattern = "^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
    attribute: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(schema_with = kinds)]
    kind: String,
    /// Whether a person may have several values.
    multi_valued: Option<bool>,
    /// Whether upper and lower case differ when values are compared.
    case_exact: Option<bool>,
    /// The usual values; others are taken too.
    #[schema(max_items = 100)]
    values: Option<Vec<String>>,
    /// What it is, for people.
    #[schema(max_length = 200)]
    description: Option<String>,
}

const KINDS: [Kind; 6] =
    [Kind::String, Kind::Boolean, Kind::DateTime, Kind::Integer, Kind::Decimal, Kind::Reference];

fn kinds() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .enum_values(Some(KINDS.map(Kind::keyword)))
        .build()
}

/// `GET /tenants/{tenant}/attributes`.
///
/// # Errors
/// As its row says.
pub fn list(call: &Call) -> Result<Answer, Problem> {
    let tenant = call.tenant()?;
    let declared = tenant.extension.declared.as_ref();
    let all = declared.into_iter().flat_map(|declared| {
        declared.attributes.iter().map(|attribute| view(&declared.urn, attribute))
    });
    Ok(Answer::ok(&Page::whole(all.collect())).version(tenant.version))
}

/// `POST /tenants/{tenant}/attributes`.
///
/// # Errors
/// As its row says.
pub async fn add(call: Call) -> Result<Answer, Problem> {
    let asked: AddAttribute = call.body()?;
    let tenant = call.tenant()?;
    let attribute = attribute(asked)?;
    let mut declared = declared(tenant);
    let there =
        declared.attributes.iter().position(|a| a.name.eq_ignore_ascii_case(&attribute.name));
    let before = match there.and_then(|at| declared.attributes.get(at)) {
        Some(old) => Some(old.clone()),
        // Values may be there from before it was taken away.
        None => tenant.extension.retired(&declared.urn, &attribute.name).cloned(),
    };
    let is_other = |old: &CustomAttribute| {
        (old.kind, old.multi_valued, old.case_exact)
            != (attribute.kind, attribute.multi_valued, attribute.case_exact)
    };
    if let Some(before) = before.filter(is_other) {
        refuse_other_values(&call, tenant, &declared.urn, &before).await?;
    }
    match there.and_then(|at| declared.attributes.get_mut(at)) {
        Some(old) => old.clone_from(&attribute),
        None => declared.attributes.push(attribute.clone()),
    }
    let declared = Custom::parse(&declared.to_json())
        .map_err(|error| Problem::field("attribute", error.detail().to_owned()))?;
    let pending = call
        .admin
        .registry
        .set_extension(&tenant.id, tenant.extension.declared.as_ref(), Some(&declared), &call.by())
        .await?;
    call.settle(pending, |tenant| {
        let at = format!("/admin/v1/tenants/{}/attributes", tenant.id);
        Answer::created(&view(&declared.urn, &attribute), at).version(tenant.version)
    })
    .await
}

/// `DELETE /tenants/{tenant}/attributes/{attribute}`.
///
/// # Errors
/// As its row says.
pub async fn remove(call: Call) -> Result<Answer, Problem> {
    let tenant = call.tenant()?;
    let name = call.path("attribute");
    let mut declared = declared(tenant);
    let at = declared.attributes.iter().position(|a| a.name.eq_ignore_ascii_case(name));
    let at = at.ok_or_else(|| Problem::not_found("attribute"))?;
    let attribute = declared.attributes.remove(at);
    let left = (!declared.attributes.is_empty()).then_some(&declared);
    let before = tenant.extension.declared.as_ref();
    let registry = &call.admin.registry;
    let pending = registry.set_extension(&tenant.id, before, left, &call.by()).await?;
    call.settle(pending, |tenant| {
        Answer::ok(&view(&declared.urn, &attribute)).version(tenant.version)
    })
    .await
}

fn attribute(asked: AddAttribute) -> Result<CustomAttribute, Problem> {
    let kind = KINDS.into_iter().find(|kind| kind.keyword() == asked.kind);
    let kind = kind.ok_or_else(|| {
        Problem::field("type", format!("must be one of {}", KINDS.map(Kind::keyword).join(", ")))
    })?;
    let mut attribute = CustomAttribute::new(asked.attribute, kind);
    attribute.multi_valued = asked.multi_valued.unwrap_or_default();
    attribute.case_exact |= asked.case_exact.unwrap_or_default();
    attribute.description = asked.description.unwrap_or_default();
    attribute.canonical_values = asked.values.unwrap_or_default();
    if kind != Kind::String && !attribute.canonical_values.is_empty() {
        return Err(Problem::field("values", "are for strings alone"));
    }
    Ok(attribute)
}

/// What the tenant has declared, or an empty declaration under its own URN.
fn declared(tenant: &Tenant) -> Custom {
    tenant
        .extension
        .declared
        .clone()
        .unwrap_or_else(|| Custom { urn: Custom::own_urn(&tenant.slug), attributes: Vec::new() })
}

/// Refuses another type while people have values of this one.
async fn refuse_other_values(
    call: &Call,
    tenant: &Tenant,
    urn: &str,
    before: &CustomAttribute,
) -> Result<(), Problem> {
    let one = Custom { urn: urn.to_owned(), attributes: vec![before.clone()] };
    let mut seen = Tenant::clone(tenant);
    seen.schemas = Arc::new(seen.schemas.with(&one));
    let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
    let filter = format!("{urn}:{} pr", before.name);
    let condition = Filter::parse(&filter, &FilterLimits::default(), &tolerance, &mut notes)
        .and_then(|filter| filter.bind(&seen.schemas.user, &tolerance, &mut notes))
        .map_err(|error| Problem::field("attribute", error.detail().to_owned()))?;
    let want = Want {
        condition: Some(&condition),
        order: None,
        start: Start::First,
        limit: 1,
        base: "",
        groups: false,
        now: call.facts.now,
    };
    let directory = call.directory(&tenant.region)?;
    let found = directory.within(&Arc::new(seen)).users(&want).await?;
    if found.resources.is_empty() {
        return Ok(());
    }
    Err(Problem::of_field(
        Code::StateConflict,
        "type",
        format!(
            "people have values of it as it was ({}); keep that, clear the values in the identity provider first, or take another name",
            before.kind.keyword()
        ),
    ))
}

fn view(urn: &str, attribute: &CustomAttribute) -> AttributeView {
    AttributeView {
        schema: urn.to_owned(),
        attribute: attribute.name.clone(),
        kind: attribute.kind.keyword(),
        multi_valued: attribute.multi_valued,
        case_exact: attribute.case_exact,
        values: attribute.canonical_values.clone(),
        description: attribute.description.clone(),
    }
}
