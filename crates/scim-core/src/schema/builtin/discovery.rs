//! The schemas of the discovery resources (RFC 7643 §5 to §7, §8.7.2; `pagination`: RFC 9865 §4).

use super::{boolean, complex, list, read_only, reference, text};
use crate::schema::{Attribute, Kind, Schema};

/// The URN of the service provider configuration.
pub const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The URN of the resource type schema.
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The URN of the schema of schemas.
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// The three schemas; nothing in them can be written.
pub(crate) fn schemas() -> [Schema; 3] {
    [
        schema(
            CONFIG,
            "Service Provider Configuration",
            "What the service can do",
            configuration(),
        ),
        schema(
            RESOURCE_TYPE,
            "ResourceType",
            "The kinds of resources that the service holds",
            resource_type(),
        ),
        schema(SCHEMA, "Schema", "What the resources hold", described()),
    ]
}

fn schema(id: &str, name: &str, description: &str, attributes: Vec<Attribute>) -> Schema {
    Schema {
        id: id.into(),
        name: name.into(),
        description: description.into(),
        attributes: attributes.into_iter().map(read_only).collect(),
    }
}

fn required(attribute: Attribute) -> Attribute {
    Attribute { required: true, ..attribute }
}

fn exact(attribute: Attribute) -> Attribute {
    Attribute { case_exact: true, ..attribute }
}

fn integer(name: &str, description: &str) -> Attribute {
    Attribute { kind: Kind::Integer, ..text(name, description) }
}

fn one_of(name: &str, description: &str, values: &[&str]) -> Attribute {
    Attribute { canonical_values: super::owned(values), ..text(name, description) }
}

fn configuration() -> Vec<Attribute> {
    let supported = || required(boolean("supported", "Whether it is supported"));
    let feature = |name: &str, description: &str, mut more: Vec<Attribute>| {
        more.insert(0, supported());
        required(complex(name, description, more))
    };
    let bulk = vec![
        required(integer("maxOperations", "The most operations of one request")),
        required(integer("maxPayloadSize", "The largest request, in bytes")),
    ];
    let filter = vec![required(integer("maxResults", "The most resources of one answer"))];
    vec![
        reference("documentationUri", "Where people read more", &["external"]),
        feature("patch", "PATCH", vec![]),
        feature("bulk", "Bulk requests", bulk),
        feature("filter", "Filters", filter),
        feature("changePassword", "Changing a password", vec![]),
        feature("sort", "Sorting", vec![]),
        feature("etag", "Entity tags", vec![]),
        complex(
            "pagination",
            "Paging through lists",
            vec![
                required(boolean("cursor", "Whether pages are asked for by cursor")),
                required(boolean("index", "Whether pages are asked for by index")),
                one_of(
                    "defaultPaginationMethod",
                    "How it is paged by default",
                    &["cursor", "index"],
                ),
                integer("defaultPageSize", "The resources of one page when no count is asked for"),
                integer("maxPageSize", "The most resources of one page"),
                integer("cursorTimeout", "How long a cursor lives at least, in seconds"),
            ],
        ),
        required(list(
            "authenticationSchemes",
            "How callers are known",
            vec![
                required(one_of(
                    "type",
                    "The scheme",
                    &["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"],
                )),
                required(text("name", "The name for people")),
                required(text("description", "What it is")),
                reference("specUri", "Its specification", &["external"]),
                reference("documentationUri", "Where people read more", &["external"]),
                super::primary(),
            ],
        )),
    ]
}

fn resource_type() -> Vec<Attribute> {
    vec![
        exact(text("id", "The identifier, which is the name")),
        required(exact(text("name", "The name of the resource type"))),
        text("description", "What it is"),
        required(reference(
            "endpoint",
            "The address of its resources below the base URL",
            &["uri"],
        )),
        required(reference("schema", "The URN of its schema", &["uri"])),
        list(
            "schemaExtensions",
            "The extensions of its schema",
            vec![
                required(reference("schema", "The URN of the extension", &["uri"])),
                required(boolean("required", "Whether a resource must have it")),
            ],
        ),
    ]
}

fn described() -> Vec<Attribute> {
    let mut attributes = characteristics();
    attributes.push(list("subAttributes", "The parts of a complex attribute", characteristics()));
    vec![
        required(exact(text("id", "The URN of the schema"))),
        text("name", "The name for people"),
        text("description", "What it describes"),
        required(list("attributes", "The attributes", attributes)),
    ]
}

fn characteristics() -> Vec<Attribute> {
    let many = |attribute: Attribute| Attribute { multi_valued: true, ..attribute };
    vec![
        required(exact(text("name", "The name of the attribute"))),
        required(one_of(
            "type",
            "The data type",
            &[
                "string",
                "complex",
                "boolean",
                "decimal",
                "integer",
                "dateTime",
                "reference",
                "binary",
            ],
        )),
        required(boolean("multiValued", "Whether it is a list")),
        text("description", "What it is"),
        boolean("required", "Whether a resource must have it"),
        many(exact(text("canonicalValues", "Suggested values"))),
        boolean("caseExact", "Whether text is compared exactly"),
        one_of(
            "mutability",
            "Who may write it, and when",
            &["readOnly", "readWrite", "immutable", "writeOnly"],
        ),
        one_of("returned", "When it is in an answer", &["always", "never", "default", "request"]),
        one_of("uniqueness", "How far it is unique", &["none", "server", "global"]),
        many(exact(text("referenceTypes", "What a reference may point at"))),
    ]
}
