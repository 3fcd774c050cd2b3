//! The table of quirks: one row for each deviation that is tolerated.

// A macro, so that all that is known of a quirk stands in one row; as functions it would be seven matches of forty
// arms that a reader must hold side by side.
macro_rules! quirks {
    ($($variant:ident = $id:literal, $clause:literal, [$($client:literal),*], $status:literal, $scim:expr,
        $summary:literal, $fixture:literal;)*) => {
        /// One tolerated deviation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Quirk { $(#[doc = $summary] $variant,)* }

        impl Quirk {
            /// Every quirk, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable id, as decisions, metrics and the documentation spell it.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The clause that it deviates from.
            #[must_use]
            pub fn clause(self) -> &'static str {
                match self { $(Self::$variant => $clause,)* }
            }

            /// The families of clients that are known to send it.
            #[must_use]
            pub fn clients(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($client),*],)* }
            }

            /// What is sent, and what becomes of it.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// The status of the refusal by a strict tenant.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The `scimType` of the refusal by a strict tenant (RFC 7644 §3.12), if it has one.
            ///
            /// Where the same deviation also occurs in a filter, it is `invalidFilter` there, and in a PATCH path
            /// `invalidPath`.
            #[must_use]
            pub fn scim_type(self) -> Option<&'static str> {
                match self { $(Self::$variant => $scim,)* }
            }

            /// What shows it: a file below `crates/scim-core/tests/fixtures`, or a test of another crate.
            #[must_use]
            pub fn fixture(self) -> &'static str {
                match self { $(Self::$variant => $fixture,)* }
            }
        }
    };
}

quirks! {
    // Bodies.
    MissingSchemas = "Q-missing-schemas", "RFC 7643 §3", ["onelogin", "other"], 400, Some("invalidSyntax"),
        "`schemas` is missing, or does not name the resource's own schema; the endpoint tells it.",
        "quirks/missing-schemas.json";
    UnknownSchemaUri = "Q-unknown-schema-uri", "RFC 7643 §3", ["entra", "onelogin"], 400, Some("invalidSyntax"),
        "`schemas` names a schema that the resource does not have; the name is passed over.",
        "quirks/unknown-schema-uri.json";
    UnnamedExtension = "Q-unnamed-extension", "RFC 7643 §3", ["okta", "other"], 400, Some("invalidSyntax"),
        "The body has the object of an extension that `schemas` does not name; it is taken.",
        "quirks/unnamed-extension.json";
    MisplacedExtension = "Q-misplaced-extension", "RFC 7643 §3.3", ["entra"], 400, Some("invalidSyntax"),
        "An attribute of an extension stands at top level, without the URN; it is put where it belongs.",
        "quirks/misplaced-extension.json";
    MisspeltUrn = "Q-misspelt-urn", "RFC 7643 §3.3", ["entra", "onelogin"], 400, Some("invalidSyntax"),
        "The URN of an extension is misspelt in a known way, such as `…:2.0User`; it is read as meant.",
        "quirks/misspelt-urn.json";
    UnknownAttribute = "Q-unknown-attribute", "RFC 7643 §2.1", ["entra", "okta"], 400, Some("invalidSyntax"),
        "An attribute that no schema knows; it is passed over.",
        "quirks/unknown-attribute.json";
    DottedKey = "Q-dotted-key", "RFC 7644 §3.5.2.1", ["entra"], 400, Some("invalidSyntax"),
        "A key of a JSON object is a path: `name.givenName`, a URN, `emails[type eq \"work\"].value`; it is expanded.",
        "quirks/dotted-key.json";
    DisplayNameKey = "Q-display-name-key", "RFC 7643 §2.4", ["entra"], 400, Some("invalidSyntax"),
        "`displayName` in a value of a list, where the schema has `display`; it is read as that.",
        "quirks/display-name-key.json";

    // Values.
    EmptyValue = "Q-empty-value", "RFC 7643 §2.5", ["entra", "okta"], 400, Some("invalidValue"),
        "`\"\"`, `{}`, `[]` for a single value or null inside of a list say that there is none; only null and an empty \
         list do by the RFC.",
        "quirks/empty-value.json";
    StringBool = "Q-bool-string", "RFC 7643 §2.3.2", ["entra"], 400, Some("invalidValue"),
        "A boolean as text in any case: `\"False\"`.",
        "quirks/bool-string.json";
    StrayPrimary = "Q-stray-primary", "RFC 7643 §2.4", ["entra"], 400, Some("invalidValue"),
        "Made-up text or a number in `primary`, as Microsoft's validator sends it; it is passed over.",
        "quirks/stray-primary.json";
    TextFromScalar = "Q-text-from-scalar", "RFC 7643 §2.3.1", ["other"], 400, Some("invalidValue"),
        "A number or a boolean where text is due; it becomes text. A number whose digits would not be kept is refused.",
        "quirks/text-from-scalar.json";
    NumberString = "Q-number-string", "RFC 7643 §2.3.3", ["entra", "okta"], 400, Some("invalidValue"),
        "A number as text; it becomes a number.",
        "quirks/number-string.json";
    Base64Form = "Q-base64-form", "RFC 7643 §2.3.6", ["other"], 400, Some("invalidValue"),
        "Base64 in the URL-safe alphabet or with line breaks; it is kept as sent.",
        "quirks/base64-form.json";
    UriForm = "Q-uri-form", "RFC 7643 §2.3.7", ["other"], 400, Some("invalidValue"),
        "A reference with characters that no URI has, a space say; it is kept as sent.",
        "quirks/uri-form.json";
    TextFormat = "Q-text-format", "RFC 7643 §4.1.1", ["keycloak"], 400, Some("invalidValue"),
        "A locale such as `en_us`, a language or a time zone in another form than the RFC's; it is kept as sent.",
        "quirks/text-format.json";
    DateTimeForm = "Q-date-time-form", "RFC 7643 §2.3.5", ["other"], 400, Some("invalidValue"),
        "A date and time with a space, `t` or `z` where xsd:dateTime has `T` and `Z`; it is put into that form.",
        "quirks/date-time-form.json";
    UserNameNotPrecis = "Q-username-not-precis", "RFC 7644 §5", ["okta", "other"], 400, Some("invalidValue"),
        "A userName outside of the PRECIS profile UsernameCaseMapped (RFC 8265 §3.3), with a space say; it is compared \
         by case folding.",
        "quirks/username-not-precis.json";
    JsonText = "Q-json-text", "RFC 7643 §2.3", ["entra"], 400, Some("invalidValue"),
        "A value of a list that is a JSON object as text, such as Entra's app role assignments; it is unpacked.",
        "quirks/json-text.json";
    ReferenceOnly = "Q-ref-only", "RFC 7643 §2.4", ["other"], 400, Some("invalidValue"),
        "A member or manager with a `$ref` alone; the id is its last segment.",
        "quirks/ref-only.json";

    // Shapes.
    ListShape = "Q-list-shape", "RFC 7643 §2.4", ["entra", "other"], 400, Some("invalidValue"),
        "One value where a list is due, or a list of one where one value is due.",
        "quirks/list-shape.json";
    PlainElement = "Q-plain-element", "RFC 7643 §2.4", ["other"], 400, Some("invalidValue"),
        "A plain value in a list of objects, such as a member as plain id; it becomes the object's `value`.",
        "quirks/plain-element.json";
    WrappedValue = "Q-wrapped-value", "RFC 7644 §3.5.2", ["entra"], 400, Some("invalidValue"),
        "A plain value as `[{\"value\": …}]` in a PATCH, as older Entra applications send it.",
        "quirks/wrapped-value.json";
    ManagerShape = "Q-manager-shape", "RFC 7643 §4.3", ["entra"], 400, Some("invalidValue"),
        "The manager as text or as a list; it becomes an object.",
        "quirks/manager-shape.json";
    ManyPrimaries = "Q-many-primaries", "RFC 7643 §2.4", ["other"], 400, Some("invalidValue"),
        "More than one value of a list is primary; the last one stays so.",
        "quirks/many-primaries.json";
    DuplicateValue = "Q-duplicate-value", "RFC 7643 §2.4", ["entra", "okta"], 400, Some("invalidValue"),
        "The same value or member twice in one list; it is kept once.",
        "quirks/duplicate-value.json";

    // PATCH.
    OpCase = "Q-op-case", "RFC 7644 §3.5.2", ["entra"], 400, Some("invalidSyntax"),
        "`op` in another case: `Add`, `Replace`, `Remove`.",
        "quirks/op-case.json";
    EmptyOperations = "Q-empty-operations", "RFC 7644 §3.5.2", ["entra"], 400, Some("invalidSyntax"),
        "An empty `Operations` list, as Microsoft's validator sends it; nothing changes.",
        "quirks/empty-operations.json";
    LoosePath = "Q-loose-path", "RFC 7644 §3.5.2", ["other"], 400, Some("invalidPath"),
        "White space around a path, or an empty path for none.",
        "quirks/loose-path.json";
    ElementCreated = "Q-element-created", "RFC 7644 §3.5.2.3", ["entra"], 400, Some("noTarget"),
        "The filter of a path matches nothing, and the value that it describes is made.",
        "quirks/element-created.json";
    RemoveWithoutMatch = "Q-remove-no-match", "RFC 7644 §3.5.2.2", ["entra", "okta"], 400, Some("noTarget"),
        "The filter of a path matches nothing, and there is nothing to remove; nothing changes.",
        "quirks/remove-no-match.json";
    RemoveWithValue = "Q-remove-with-value", "RFC 7644 §3.5.2.2", ["entra", "authentik", "jumpcloud"], 400,
        Some("invalidValue"),
        "`remove` with a value; from a list, only the values named go.",
        "quirks/remove-with-value.json";
    ReadOnlyEcho = "Q-read-only-echo", "RFC 7644 §3.5.2", ["okta", "authentik"], 400, Some("mutability"),
        "A readOnly attribute among others in a PATCH, such as the group's own `id`; it is passed over.",
        "quirks/read-only-echo.json";

    // Filters.
    UnquotedValue = "Q-unquoted-value", "RFC 7644 §3.4.2.2", ["entra"], 400, Some("invalidFilter"),
        "Text without its quotes in a filter: `externalId eq jyoung`.",
        "quirks/unquoted-value.json";
    LiteralCase = "Q-literal-case", "RFC 7644 §3.4.2.2", ["entra", "other"], 400, Some("invalidFilter"),
        "`True`, `False` or `Null` in a filter; JSON has them in lower case.",
        "quirks/literal-case.json";
    FilterSpacing = "Q-filter-spacing", "RFC 7644 §3.4.2.2", ["other"], 400, Some("invalidFilter"),
        "White space in a filter that the grammar does not have, or none where it has one space.",
        "quirks/filter-spacing.json";
    FilterAfterValuePath = "Q-filter-after-value-path", "RFC 7644 §3.4.2.2", ["entra"], 400, Some("invalidFilter"),
        "`emails[type eq \"work\"].value eq \"x\"`: a comparison behind the brackets; it is read as one inside of them.",
        "quirks/filter-after-value-path.json";

    // HTTP.
    BareToken = "Q-bare-token", "RFC 6750 §2.1", ["okta"], 401, None,
        "The token without `Bearer` in front of it.",
        "tenant-registry: bearer_in_any_case_and_the_bare_token_are_taken_and_noted";
    NoContentType = "Q-no-content-type", "RFC 7644 §3.1", ["other"], 415, None,
        "A body without a `Content-Type`; it is read as JSON.",
        "gateway: a_body_without_a_content_type_is_read_and_noted";
    TrailingSeparator = "Q-trailing-separator", "RFC 3986 §3.4", ["onelogin"], 400, Some("invalidSyntax"),
        "The query ends with `&`, or the URL with a bare `?` or a slash.",
        "gateway: separators_at_the_end_of_a_url_and_unknown_parameters_are_tolerated";
}
