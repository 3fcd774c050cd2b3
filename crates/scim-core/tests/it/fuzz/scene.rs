//! What the fuzz targets share: limits, tolerances, schemas and the resources that they work on.

use scim_core::{
    Attributes, Custom, Document, FilterLimits, JsonLimits, Notes, PatchLimits, Quirk,
    ResourceType, Schemas, Tolerance,
};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The limits of a request as the gateway sets them by default, but for the depth: small inputs reach this one.
pub(crate) const JSON: JsonLimits = JsonLimits { depth: 16, array_values: 1000 };

/// The limits of one PATCH.
pub(crate) const PATCH: PatchLimits =
    PatchLimits { operations: 100, members: 1000, filter: FILTER };

/// The limits of one filter.
pub(crate) const FILTER: FilterLimits = FilterLimits { bytes: 4096, depth: 32, terms: 100 };

/// The URN of the enterprise extension.
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The URN of the tenant's own extension.
pub(crate) const OWN: &str = "urn:ietf:params:scim:schemas:extension:acme:2.0:User";

/// The schemas of a tenant that has declared attributes of every kind.
static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    let declared = json!({"id": OWN, "attributes": [
        {"name": "rank", "type": "integer"},
        {"name": "shoe-size", "type": "decimal"},
        {"name": "startedAt", "type": "dateTime"},
        {"name": "isGuide", "type": "boolean"},
        {"name": "badge", "type": "binary"},
        {"name": "site", "type": "reference"},
        {"name": "code", "caseExact": true},
        {"name": "tags", "multiValued": true},
        {"name": "levels", "type": "integer", "multiValued": true},
        {"name": "pin", "mutability": "writeOnly", "returned": "never"},
        {"name": "hiredAs", "mutability": "immutable"},
    ]});
    let custom = Custom::parse(&declared.to_string());
    custom.map_or_else(|error| panic!("{error}"), |custom| Schemas::builtin().with(&custom))
});

/// The users of the tenant.
pub(crate) fn user() -> &'static ResourceType {
    &SCHEMAS.user
}

/// The groups of the tenant.
pub(crate) fn group() -> &'static ResourceType {
    &SCHEMAS.group
}

/// Both resource types.
pub(crate) fn types() -> [&'static ResourceType; 2] {
    [user(), group()]
}

/// Everything is tolerated, and nothing is.
pub(crate) fn tolerances() -> [Tolerance; 2] {
    [Tolerance::default(), Tolerance::strict()]
}

/// A resource of each type, with something in most places.
pub(crate) fn seeded(of: &ResourceType) -> Document {
    let value = if of.name == "Group" {
        json!({"displayName": "Tour Guides", "externalId": "g-1"})
    } else {
        json!({
            "userName": "ada@example.com", "externalId": "E-1", "active": true, "title": "Dr",
            "name": {"givenName": "Ada", "familyName": "Lovelace"},
            "emails": [
                {"type": "work", "value": "ada@example.com", "primary": true},
                {"type": "home", "value": "ada@home.example", "display": "home"}
            ],
            "phoneNumbers": [{"value": "+1 555 0100", "type": "mobile"}],
            "addresses": [{"type": "work", "country": "GB", "locality": "London"}],
            "roles": [{"value": "admin"}, {"value": "guide", "primary": false}],
            ENTERPRISE: {"department": "Engines", "manager": {"value": "m-1", "$ref": "../m-1"}},
            OWN: {"rank": 3, "shoe-size": 38.5, "tags": ["a", "b"], "hiredAs": "guide"}
        })
    };
    read(&value, of).unwrap_or_else(|| panic!("the scene is no {}", of.name))
}

/// A document, where everything is tolerated.
pub(crate) fn read(value: &Value, of: &ResourceType) -> Option<Document> {
    let body = Attributes::parse(value.to_string().as_bytes(), &JSON).ok()?;
    Document::parse(&body, of, &Tolerance::default(), &mut Notes::default()).ok()
}

/// Checks what the invariant of [`Document`] says: it reads as itself, from its text and as a body.
pub(crate) fn check_canonical(document: &Document, of: &ResourceType) {
    let text = document.to_text();
    assert_eq!(Document::stored(&text).as_ref(), Ok(document), "from its text: {text}");
    let body = Attributes::from(document.as_map().clone());
    // Texts that are kept as they were sent stay deviations.
    for tolerance in [Tolerance::default(), strict_but_about_texts()] {
        let again = Document::parse(&body, of, &tolerance, &mut Notes::default());
        assert_eq!(again.as_ref(), Ok(document), "as a body: {text}");
    }
    assert!(!document.as_map().values().any(holds_nothing), "an empty value: {text}");
    assert_eq!(document.changed_since(document, of), [] as [&str; 0], "{text}");
    let once: Map<String, Value> = document.search(of);
    let searched = Document::stored(&document.search_text(of)).map(|once| once.search(of));
    assert_eq!(searched.as_ref(), Ok(&once), "the search form of its search form: {text}");
}

/// Nothing is tolerated but the forms of texts.
fn strict_but_about_texts() -> Tolerance {
    let kept = [Quirk::TextFormat, Quirk::UriForm, Quirk::Base64Form];
    Tolerance::all_but(Quirk::ALL.iter().copied().filter(|quirk| !kept.contains(quirk)))
}

fn holds_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty() || items.iter().any(holds_nothing),
        Value::Object(map) => map.is_empty() || map.values().any(holds_nothing),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
