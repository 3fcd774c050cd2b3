//! People, groups, decisions, audit.

use super::boxed;
use crate::admin::access::Access::{Operator, Tenant};
use crate::admin::access::Right::{AuditRead, LogsRead, UsersRead, UsersWrite};
use crate::admin::endpoint::{Endpoint, Form, Param};
use crate::admin::input::{AFTER, LIMIT};
use crate::admin::problem::Code;
use crate::admin::view::Page;
use crate::admin::{log, people};

const fn text(name: &'static str, about: &'static str) -> Param {
    Param { name, about, form: Form::Text }
}

const fn instant(name: &'static str, about: &'static str) -> Param {
    Param { name, about, form: Form::Instant }
}

const POPULATION: Param = Param {
    name: "population",
    about: "Of which population; the tenant's, if it is not said.",
    form: Form::Word(&["platform", "board"]),
};
const ACTIVE: Param = Param {
    name: "active",
    about: "Only those who may use the product, or may not.",
    form: Form::Bool,
};
const CLASS: Param =
    Param { name: "class", about: "Only those of this class.", form: Form::Word(log::CLASSES) };
const OUTCOME: Param = Param {
    name: "outcome",
    about: "Only those with this outcome.",
    form: Form::Word(&["done", "unchanged", "refused", "read", "noted"]),
};
/// The audit is in the order of its numbers.
const AFTER_NUMBER: Param =
    Param { name: AFTER.name, about: AFTER.about, form: Form::Number(0, u32::MAX) };
const SINCE: Param = instant("since", "Only those at this time or later.");
const UNTIL: Param = instant("until", "Only those before this time.");
const ACTING: &[Code] = &[
    Code::DirectoryConflict,
    Code::SeatsExhausted,
    Code::StateConflict,
    Code::PopulationConflict,
    Code::FieldInvalid,
];

pub(super) static ROWS: &[Endpoint] = &[
    Endpoint::get("/admin/v1/tenants/{tenant}/users", "users.list", Tenant(UsersRead), |call| boxed(people::users(call)))
        .does("People, in the order in which they came", "")
        .asks(&[
            text("user_name", "Only the one with this userName."),
            text("external_id", "Only those with this externalId."),
            text("email", "Only those with this e-mail address."),
            ACTIVE,
            POPULATION,
            LIMIT,
            AFTER,
        ])
        .gives::<Page<people::UserView>>(200)
        .in_the_directory(),
    Endpoint::get("/admin/v1/tenants/{tenant}/users/{user}", "users.read", Tenant(UsersRead), |call| boxed(people::user(call)))
        .does("One person", "")
        .asks(&[POPULATION])
        .gives::<people::UserView>(200)
        .versioned()
        .in_the_directory(),
    Endpoint::post("/admin/v1/tenants/{tenant}/users/{user}/deactivate", "users.deactivate", Tenant(UsersWrite), |call| boxed(people::deactivate(call)))
        .does("Takes a person's access away", "The seat is free at once. The identity provider may activate the person again.")
        .asks(&[POPULATION])
        .gives::<people::UserView>(200)
        .versioned()
        .in_the_directory()
        .or(ACTING),
    Endpoint::post("/admin/v1/tenants/{tenant}/users/{user}/restore", "users.restore", Tenant(UsersWrite), |call| boxed(people::restore(call)))
        .does("Activates a person, or brings back one that was deleted", "A deleted person within `retention.deleted`, with the same id; seat and name must be free.")
        .asks(&[POPULATION])
        .gives::<people::UserView>(200)
        .versioned()
        .in_the_directory()
        .or(ACTING),
    Endpoint::post("/admin/v1/tenants/{tenant}/users/{user}/unlink", "users.unlink", Tenant(UsersWrite), |call| boxed(people::unlink(call)))
        .does("Takes the identity provider's id off a person", "Its next match decides anew whom it means.")
        .asks(&[POPULATION])
        .gives::<people::UserView>(200)
        .versioned()
        .in_the_directory()
        .or(ACTING),
    Endpoint::get("/admin/v1/tenants/{tenant}/groups", "groups.list", Tenant(UsersRead), |call| boxed(people::groups(call)))
        .does("Groups, in the order in which they came", "")
        .asks(&[text("display_name", "Only the one with this name."), POPULATION, LIMIT, AFTER])
        .gives::<Page<people::GroupView>>(200)
        .in_the_directory(),
    Endpoint::get("/admin/v1/tenants/{tenant}/groups/{group}", "groups.read", Tenant(UsersRead), |call| boxed(people::group(call)))
        .does("One group, with its members", "")
        .asks(&[POPULATION])
        .gives::<people::GroupWithMembersView>(200)
        .versioned()
        .in_the_directory(),
    Endpoint::get("/admin/v1/tenants/{tenant}/decisions", "decisions.list", Tenant(LogsRead), |call| boxed(log::decisions(call)))
        .does("The provisioning log, newest first", "")
        .asks(&[
            CLASS,
            text("user", "Only those about this userName, displayName or id."),
            text("token", "Only those of this credential, by its id."),
            text("reason", "Only those with this reason code."),
            OUTCOME,
            text("request_id", "Only those of this request."),
            SINCE,
            UNTIL,
            POPULATION,
            LIMIT,
            AFTER,
        ])
        .gives::<Page<log::DecisionView>>(200)
        .in_the_directory(),
    Endpoint::get("/admin/v1/tenants/{tenant}/conformance", "decisions.quirks", Tenant(LogsRead), |call| boxed(log::quirks(call)))
        .does("Which deviations from the RFCs the tenant's clients needed", "")
        .asks(&[POPULATION])
        .gives::<Page<log::QuirkView>>(200)
        .in_the_directory(),
    Endpoint::get("/admin/v1/audit", "audit.list", Operator(AuditRead), |call| boxed(log::audit(call)))
        .does("Who changed what, newest first", "For operators of all regions.")
        .asks(&[
            text("actor", "Only those by this actor."),
            text("action", "Only those that did this."),
            SINCE,
            UNTIL,
            LIMIT,
            AFTER_NUMBER,
        ])
        .gives::<Page<log::AuditView>>(200)
        .or(&[Code::RegionForbidden]),
    Endpoint::get("/admin/v1/tenants/{tenant}/audit", "audit.of_tenant", Tenant(AuditRead), |call| boxed(log::tenant_audit(call)))
        .does("Who changed what of one tenant, newest first", "")
        .asks(&[
            text("actor", "Only those by this actor."),
            text("action", "Only those that did this."),
            SINCE,
            UNTIL,
            LIMIT,
            AFTER_NUMBER,
        ])
        .gives::<Page<log::AuditView>>(200),
];
