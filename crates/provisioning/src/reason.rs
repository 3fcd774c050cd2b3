//! Every reason code: its class, its status and its `scimType`, in one table.
//!
//! **Invariant**: a code, once released, keeps its spelling and its meaning. Administrators search for it, metrics and
//! the provisioning log carry it, and the answer's `X-Reason` header shows it.

use std::fmt;

/// Who has to act on an outcome (requirements S2-41: the first three failure classes are what administrators look for).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Nobody: it was done.
    Ok,
    /// Whoever maps attributes in the identity provider.
    Mapping,
    /// Whoever buys seats.
    Licence,
    /// Whoever enters the URL and the token in the identity provider.
    Connection,
    /// Whoever decides between two records that claim the same name or version.
    Conflict,
    /// Whoever sets this tenant's rules.
    Policy,
    /// We: a store was not to be had.
    Store,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Mapping,
        Self::Licence,
        Self::Connection,
        Self::Conflict,
        Self::Policy,
        Self::Store,
    ];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Mapping => "mapping",
            Self::Licence => "licence",
            Self::Connection => "connection",
            Self::Conflict => "conflict",
            Self::Policy => "policy",
            Self::Store => "store",
        }
    }
}

// A macro, so that code, class, status and scimType of a reason stand in one row; as functions they would be four
// matches of eighty arms that a reader must hold side by side.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $class:ident, $status:literal, $scim:expr;)*) => {
        /// Why an operation ended as it did.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// Every reason, in the order of its declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Who has to act.
            #[must_use]
            pub fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)* }
            }

            /// The HTTP status. Of a success, the usual one: the verb may ask for another of the 200s.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The `scimType` of the Error message, where RFC 7644 table 9 has one.
            #[must_use]
            pub fn scim_type(self) -> Option<&'static str> {
                match self { $(Self::$variant => $scim,)* }
            }
        }
    };
}

reasons! {
    /// A user was created.
    UserCreated = "user_created", Ok, 201, None;
    /// Attributes of a user changed.
    UserUpdated = "user_updated", Ok, 200, None;
    /// The request asked for what is already so.
    UserUnchanged = "user_unchanged", Ok, 200, None;
    /// A user became inactive, which frees a seat.
    UserDeactivated = "user_deactivated", Ok, 200, None;
    /// An inactive user became active again.
    UserReactivated = "user_reactivated", Ok, 200, None;
    /// A user was deleted, for good as far as the client can see.
    UserDeleted = "user_deleted", Ok, 204, None;
    /// A user became active again, or came back after being deleted, because an operator said so.
    UserRestored = "user_restored", Ok, 200, None;
    /// The identity provider's id was taken from a user, so that it decides anew whom it means.
    UserUnlinked = "user_unlinked", Ok, 200, None;
    /// One user was read.
    UserRead = "user_read", Ok, 200, None;
    /// Users were listed or searched.
    UsersListed = "users_listed", Ok, 200, None;
    /// A group was created.
    GroupCreated = "group_created", Ok, 201, None;
    /// Attributes of a group changed.
    GroupUpdated = "group_updated", Ok, 200, None;
    /// The request asked for what is already so.
    GroupUnchanged = "group_unchanged", Ok, 200, None;
    /// A group was deleted.
    GroupDeleted = "group_deleted", Ok, 204, None;
    /// One group was read.
    GroupRead = "group_read", Ok, 200, None;
    /// Groups were listed or searched.
    GroupsListed = "groups_listed", Ok, 200, None;
    /// Members entered or left a group.
    MembersChanged = "members_changed", Ok, 204, None;
    /// A discovery document was read.
    DiscoveryRead = "discovery_read", Ok, 200, None;
    /// The base path described the token.
    RootRead = "root_read", Ok, 200, None;
    /// Users and groups were searched together.
    ResourcesListed = "resources_listed", Ok, 200, None;
    /// The operations of a bulk request were done or refused, each with a decision of its own.
    BulkProcessed = "bulk_processed", Ok, 200, None;
    /// The client holds the current version (RFC 9110 §15.4.5).
    NotModified = "not_modified", Ok, 304, None;

    /// A required attribute has no value.
    AttributeMissing = "attribute_missing", Mapping, 400, Some("invalidValue");
    /// userName and the work e-mail differ, and the profile wants them equal.
    UserNameNotEmail = "user_name_not_email", Mapping, 400, Some("invalidValue");
    /// An e-mail address has not the form of one.
    EmailInvalid = "email_invalid", Mapping, 400, Some("invalidValue");
    /// A value does not fit its attribute.
    AttributeInvalid = "attribute_invalid", Mapping, 400, Some("invalidValue");
    /// A member names no user or group of this tenant.
    MemberUnknown = "member_unknown", Mapping, 400, Some("invalidValue");
    /// A group would be within itself, directly or through other groups, or too many deep.
    MemberCycle = "member_cycle", Mapping, 400, Some("invalidValue");
    /// The filter is malformed, or asks what cannot be asked.
    FilterInvalid = "filter_invalid", Mapping, 400, Some("invalidFilter");
    /// The PATCH path is malformed or names nothing.
    PathInvalid = "path_invalid", Mapping, 400, Some("invalidPath");
    /// The PATCH path matches nothing.
    NoTarget = "no_target", Mapping, 400, Some("noTarget");
    /// The attribute may not be written so.
    Mutability = "mutability", Mapping, 400, Some("mutability");
    /// The body is not the JSON that the request needs.
    SyntaxInvalid = "syntax_invalid", Mapping, 400, Some("invalidSyntax");

    /// The cursor is none that was given for this query.
    CursorInvalid = "cursor_invalid", Mapping, 400, Some("invalidCursor");
    /// The cursor is older than cursors live.
    CursorExpired = "cursor_expired", Mapping, 400, Some("expiredCursor");
    /// `count` is no whole number where a cursor pages.
    CountInvalid = "count_invalid", Mapping, 400, Some("invalidCount");

    /// Another user of the tenant has the userName.
    UserNameTaken = "user_name_taken", Conflict, 409, Some("uniqueness");
    /// Another group of the tenant has the displayName.
    DisplayNameTaken = "display_name_taken", Conflict, 409, Some("uniqueness");
    /// An operation of a bulk request names what another one did not make.
    BulkReferenceFailed = "bulk_reference_failed", Conflict, 409, None;
    /// There is no such resource, or it is another tenant's.
    NotFound = "not_found", Conflict, 404, None;
    /// `If-Match` names another version.
    VersionMismatch = "version_mismatch", Conflict, 412, None;

    /// Every seat is in use.
    SeatsExhausted = "seats_exhausted", Licence, 403, None;
    /// The tenant's plan does not hold directory sync.
    PlanWithoutSync = "plan_without_sync", Licence, 403, None;
    /// The tenant's plan does not hold groups.
    PlanWithoutGroups = "plan_without_groups", Licence, 403, None;

    /// The tenant takes no groups.
    GroupPushOff = "group_push_off", Policy, 403, None;
    /// The token's scopes leave this operation out.
    ScopeMissing = "scope_missing", Policy, 403, None;
    /// The tenant is suspended or closed.
    TenantSuspended = "tenant_suspended", Policy, 403, None;
    /// The tenant was closed.
    TenantClosed = "tenant_closed", Policy, 403, None;
    /// The tenant's connection with its identity provider is switched off.
    ProvisioningOff = "provisioning_off", Policy, 403, None;
    /// The tenant lets no identity provider do this.
    OperationNotAllowed = "operation_not_allowed", Policy, 403, None;
    /// The credential is for a population that the tenant does not provision.
    PopulationConflict = "population_conflict", Policy, 403, None;
    /// The credential is bound to networks, and the request came from another one.
    NetworkNotAllowed = "network_not_allowed", Policy, 403, None;
    /// More requests than the tenant's rate.
    RateLimited = "rate_limited", Policy, 429, None;
    /// The answer would be more than the server gives.
    TooMany = "too_many", Policy, 400, Some("tooMany");
    /// The body is larger than the limit.
    BodyTooLarge = "body_too_large", Policy, 413, None;
    /// The operation is in the RFC and not offered here.
    NotImplemented = "not_implemented", Policy, 501, None;

    /// A token's time will soon be over.
    TokenExpiring = "token_expiring", Connection, 200, None;
    /// The body is of another media type than SCIM or JSON.
    MediaTypeUnsupported = "media_type_unsupported", Connection, 415, None;
    /// The path does not take this method.
    MethodNotAllowed = "method_not_allowed", Connection, 405, None;
    /// The host is none of ours.
    HostUnknown = "host_unknown", Connection, 404, None;
    /// The path is none of ours.
    PathUnknown = "path_unknown", Connection, 404, None;
    /// The path has the base path twice: the base URL was pasted with `/scim/v2` into a field that adds it.
    PathDoubled = "path_doubled", Connection, 404, None;
    /// The tenant in the path is not the token's.
    TenantMismatch = "tenant_mismatch", Connection, 404, None;
    /// This node cannot reach the region that host and token name (RFC 9110 §15.5.20).
    RegionNotHere = "region_not_here", Connection, 421, None;

    /// The nodes forward requests of a region to each other, and none has its store (RFC 5842 §7.2).
    RoutingLoop = "routing_loop", Store, 508, None;
    /// The gateway of the region, which is elsewhere, did not answer.
    RegionUnreachable = "region_unreachable", Store, 503, None;
    /// The tenant's data is on its way to another store; writes wait for some seconds.
    TenantMoving = "tenant_moving", Store, 503, None;
    /// The tenant is not written at the moment: its population is being changed.
    TenantFrozen = "tenant_frozen", Store, 503, None;
    /// A store did not answer.
    StoreUnavailable = "store_unavailable", Store, 503, None;
    /// The request took longer than it may.
    RequestTimeout = "request_timeout", Store, 503, None;

    /// No `Authorization` header, or an empty one.
    TokenMissing = "token_missing", Connection, 401, None;
    /// The display hint of a token was sent.
    TokenIsHint = "token_is_hint", Connection, 401, None;
    /// The token's end is missing.
    TokenTruncated = "token_truncated", Connection, 401, None;
    /// White space, also percent-encoded or no-break, within or around the token.
    TokenWhitespace = "token_whitespace", Connection, 401, None;
    /// A line break, also escaped, within or after the token.
    TokenLineBreak = "token_line_break", Connection, 401, None;
    /// Quotes around the token.
    TokenQuoted = "token_quoted", Connection, 401, None;
    /// `Bearer Bearer`.
    TokenDoubledBearer = "token_doubled_bearer", Connection, 401, None;
    /// The key id was sent, which names a token and is none.
    TokenIsKeyId = "token_is_key_id", Connection, 401, None;
    /// The checksum does not fit: a character was changed.
    TokenChecksum = "token_checksum", Connection, 401, None;
    /// There is more than a token.
    TokenOverlong = "token_overlong", Connection, 401, None;
    /// A JSON Web Token of another issuer, as Entra sends one when its Secret Token field is empty.
    TokenForeignJwt = "token_foreign_jwt", Connection, 401, None;
    /// A scheme other than Bearer.
    TokenSchemeUnsupported = "token_scheme_unsupported", Connection, 401, None;
    /// The bare token without `Bearer`, to a tenant that is strict about it.
    TokenSchemeMissing = "token_scheme_missing", Connection, 401, None;
    /// Nothing that resembles a token of ours.
    TokenUnrecognised = "token_unrecognised", Connection, 401, None;
    /// The token is of another region than the host.
    TokenWrongRegion = "token_wrong_region", Connection, 401, None;
    /// The token is of the other population than the host.
    TokenWrongPopulation = "token_wrong_population", Connection, 401, None;
    /// The token is of another region and of the other population.
    TokenWrongPlace = "token_wrong_place", Connection, 401, None;
    /// The token is well formed and not valid here.
    TokenUnknown = "token_unknown", Connection, 401, None;
    /// The token's time is over.
    TokenExpired = "token_expired", Connection, 401, None;
    /// The token was revoked.
    TokenRevoked = "token_revoked", Connection, 401, None;
    /// An OAuth client asked for an access token with a secret that is not good.
    ClientSecretInvalid = "client_secret_invalid", Connection, 401, None;
    /// An OAuth client asked for an access token with an assertion that is not good.
    ClientAssertionInvalid = "client_assertion_invalid", Connection, 401, None;
}

impl Reason {
    /// The reason with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
