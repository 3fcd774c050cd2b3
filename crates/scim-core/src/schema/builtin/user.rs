//! The User schema (RFC 7643 §4.1, §8.7.1).

use super::{
    USER, binary, boolean, complex, display, key, kind_of, list, of_role, primary, read_only,
    reference, text,
};
use crate::schema::{
    Attribute, Format, Handling, Mutability, Returned, Role, Schema, Sent, Uniqueness,
};

/// The User schema.
pub(super) fn schema() -> Schema {
    let mut attributes = singular();
    attributes.extend(plural());
    Schema {
        id: USER.into(),
        name: "User".into(),
        description: "A person who uses the product".into(),
        attributes,
    }
}

/// The single-valued attributes (RFC 7643 §4.1.1).
fn singular() -> Vec<Attribute> {
    vec![
        Attribute {
            required: true,
            uniqueness: Uniqueness::Server,
            handling: Handling { precis: true, ..key() },
            ..text("userName", "The name with which the person signs in; unique in any case")
        },
        complex(
            "name",
            "The parts of the person's name",
            vec![
                text("formatted", "The full name, as it is shown"),
                text("familyName", "The family name, or last name"),
                text("givenName", "The given name, or first name"),
                text("middleName", "The middle names"),
                text("honorificPrefix", "The title before the name, such as Dr."),
                text("honorificSuffix", "What follows the name, such as III"),
            ],
        ),
        Attribute { handling: key(), ..text("displayName", "The name shown to others") },
        text("nickName", "How the person is called in everyday life"),
        reference("profileUrl", "The person's page elsewhere", &["external"]),
        text("title", "The job title"),
        text("userType", "The relation to the organization, such as Employee or Contractor"),
        formatted(
            Format::LanguageRanges,
            text("preferredLanguage", "The language preferred, as in Accept-Language: en-US"),
        ),
        formatted(
            Format::LanguageTag,
            text("locale", "The place whose customs for dates and numbers apply: en-US"),
        ),
        formatted(
            Format::TimeZone,
            text("timezone", "The time zone by its IANA name: Europe/Berlin"),
        ),
        boolean("active", "Whether the person may use the product"),
        Attribute {
            mutability: Mutability::WriteOnly,
            returned: Returned::Never,
            handling: Handling { sent: Sent::Dropped, ..Handling::default() },
            ..text("password", "Taken and dropped: people sign in elsewhere")
        },
    ]
}

/// The multi-valued attributes (RFC 7643 §4.1.2).
fn plural() -> Vec<Attribute> {
    vec![
        list(
            "emails",
            "The person's e-mail addresses",
            values(text("value", "The e-mail address"), &["work", "home", "other"]),
        ),
        list(
            "phoneNumbers",
            "The person's telephone numbers",
            values(
                text("value", "The number, best as a tel URI of RFC 3966"),
                &["work", "home", "mobile", "fax", "pager", "other"],
            ),
        ),
        list(
            "ims",
            "The person's instant messaging addresses",
            values(
                text("value", "The address"),
                &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
            ),
        ),
        list(
            "photos",
            "Pictures of the person",
            values(
                reference("value", "The address of the picture", &["external"]),
                &["photo", "thumbnail"],
            ),
        ),
        addresses(),
        read_only(list(
            "groups",
            "The groups that the person is in; changed through the groups",
            vec![
                of_role(Role::Value, text("value", "The id of the group")),
                of_role(Role::Reference, reference("$ref", "The address of the group", &["Group"])),
                of_role(Role::Display, text("display", "The name of the group")),
                kind_of(&["direct", "indirect"]),
            ],
        )),
        list(
            "entitlements",
            "What the person is entitled to",
            values(text("value", "The entitlement"), &[]),
        ),
        list("roles", "The person's roles", values(text("value", "The role"), &[])),
        list(
            "x509Certificates",
            "The person's certificates",
            values(binary("value", "The certificate in DER, as base64"), &[]),
        ),
    ]
}

/// §8.7.1 leaves `primary` out of addresses; §2.4 and the example in §8.2 have it.
fn addresses() -> Attribute {
    list(
        "addresses",
        "The person's postal addresses",
        vec![
            text("formatted", "The address as it is written on a letter"),
            text("streetAddress", "Street, house number, P.O. box"),
            text("locality", "The city"),
            text("region", "The state or region"),
            text("postalCode", "The postal code"),
            text("country", "The country, as the two letters of ISO 3166-1"),
            kind_of(&["work", "home", "other"]),
            primary(),
        ],
    )
}

/// The parts that most lists share (RFC 7643 §2.4).
fn values(value: Attribute, types: &[&str]) -> Vec<Attribute> {
    vec![of_role(Role::Value, value), display(), kind_of(types), primary()]
}

fn formatted(format: Format, mut attribute: Attribute) -> Attribute {
    attribute.handling.format = format;
    attribute
}
