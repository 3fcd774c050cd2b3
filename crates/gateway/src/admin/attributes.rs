//! What a tenant's people hold beyond the RFC.
//!
//! **Invariant**: a declaration does not make what is stored unreadable: another type is refused while people have values.

use super::answer::Answer;
use super::call::Call;
use super::problem::{Code, Problem};
use super::view::Page;
use directory::{Start, Want};
use region_router::Population;
use scim_core::schema::builtin::ENTERPRISE_USER;
use scim_core::{Custom, CustomAttribute, Filter, FilterLimits, Kind, Notes, Tolerance};
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

/// An attribute that is declared no more.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RemovedAttribute)]
pub struct RemovedAttributeView {
    /// What it was.
    #[serde(flatten)]
    pub view: AttributeView,
    /// How many people have a value, which stays stored.
    pub people_with_values: u64,
}

/// The longest description of an attribute, and the most of its usual values.
const DESCRIPTION_MOST: usize = 200;
const VALUES_MOST: usize = 100;

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
    /// Where: in a schema of the tenant's own, or in the enterprise extension; where the others are, if it is not said.
    #[schema(schema_with = places, required = false)]
    schema: Option<String>,
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

fn places() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .enum_values(Some(["own", "enterprise"]))
        .build()
}

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
    let mut declared = declared(tenant, asked.schema.as_deref())?;
    let attribute = attribute(asked)?;
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
        let people = people_with(&call, tenant, &declared.urn, &before).await?;
        if people > 0 {
            return Err(Problem::of_field(
                Code::StateConflict,
                "type",
                format!(
                    "{people} people have a value of {}, which is {}; keep that, clear the values in the identity provider first, or take another name",
                    before.name,
                    in_words(&before)
                ),
            ));
        }
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
    let mut declared = declared(tenant, None)?;
    let at = declared.attributes.iter().position(|a| a.name.eq_ignore_ascii_case(name));
    let at = at.ok_or_else(|| {
        let known: Vec<&str> = declared.attributes.iter().map(|a| a.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Problem::not_found(&format!("attribute; the tenant's attributes are: {known}"))
    })?;
    let attribute = declared.attributes.remove(at);
    let people_with_values = people_with(&call, tenant, &declared.urn, &attribute).await?;
    let left = (!declared.attributes.is_empty()).then_some(&declared);
    let before = tenant.extension.declared.as_ref();
    let registry = &call.admin.registry;
    let pending = registry.set_extension(&tenant.id, before, left, &call.by()).await?;
    call.settle(pending, |tenant| {
        let view = view(&declared.urn, &attribute);
        Answer::ok(&RemovedAttributeView { view, people_with_values }).version(tenant.version)
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
    if attribute.description.chars().count() > DESCRIPTION_MOST {
        let detail = format!("must have at most {DESCRIPTION_MOST} characters");
        return Err(Problem::field("description", detail));
    }
    if attribute.canonical_values.len() > VALUES_MOST {
        return Err(Problem::field("values", format!("must be at most {VALUES_MOST}")));
    }
    if kind != Kind::String && !attribute.canonical_values.is_empty() {
        return Err(Problem::field("values", "are for strings alone"));
    }
    Ok(attribute)
}

/// What the tenant has declared, or an empty declaration in the place asked for. There is one place for a tenant: an
/// administrator who looks for its attributes finds them under one URN.
fn declared(tenant: &Tenant, place: Option<&str>) -> Result<Custom, Problem> {
    let known = tenant.extension.declared.as_ref();
    let urn = match (place, known) {
        (Some("enterprise"), _) => ENTERPRISE_USER.to_owned(),
        (Some("own"), _) | (None, None) => Custom::own_urn(&tenant.slug),
        (None, Some(declared)) => declared.urn.clone(),
        (Some(_), _) => return Err(Problem::field("schema", "must be own or enterprise")),
    };
    match known {
        Some(declared) if declared.urn == urn => Ok(declared.clone()),
        Some(declared) if !declared.attributes.is_empty() => Err(Problem::of_field(
            Code::StateConflict,
            "schema",
            format!(
                "the tenant has its attributes in {}; leave this out, or remove them first",
                declared.urn
            ),
        )),
        _ => Ok(Custom { urn, attributes: Vec::new() }),
    }
}

/// How many people of either population have a value of an attribute, whether or not it is declared at the moment.
async fn people_with(
    call: &Call,
    tenant: &Tenant,
    urn: &str,
    attribute: &CustomAttribute,
) -> Result<u64, Problem> {
    let one = Custom { urn: urn.to_owned(), attributes: vec![attribute.clone()] };
    let mut seen = Tenant::clone(tenant);
    seen.schemas = Arc::new(seen.schemas.with(&one));
    let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
    let filter = format!("{urn}:{} pr", attribute.name);
    let condition = Filter::parse(&filter, &FilterLimits::default(), &tolerance, &mut notes)
        .and_then(|filter| filter.bind(&seen.schemas.user, &tolerance, &mut notes))
        .map_err(|error| Problem::field("attribute", error.detail().to_owned()))?;
    let want = Want {
        condition: Some(&condition),
        order: None,
        start: Start::Offset(0),
        limit: 0,
        base: "",
        groups: false,
        now: call.facts.now,
    };
    let (directory, seen) = (call.directory()?, Arc::new(seen));
    let mut people = 0;
    for population in Population::ALL {
        let found = directory.within_population(&seen, population).users(&want).await?;
        people += found.total.unwrap_or_default();
    }
    Ok(people)
}

/// The type of an attribute, as an administrator says it.
#[must_use]
pub fn in_words(attribute: &CustomAttribute) -> String {
    let kind = attribute.kind.keyword();
    let cased =
        if attribute.case_exact && attribute.kind == Kind::String { ", exact case" } else { "" };
    if attribute.multi_valued { format!("{kind} array{cased}") } else { format!("{kind}{cased}") }
}

/// What is shown of an attribute.
#[must_use]
pub fn view(urn: &str, attribute: &CustomAttribute) -> AttributeView {
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
