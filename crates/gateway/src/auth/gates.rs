//! What keeps a caller out whose token is good: the tenant's state and plan, the credential's networks, the tenant's
//! strictness and its allow list.
//!
//! **Invariant**: what is refused here was not begun, and says so in words for the administrator who reads them in the
//! identity provider: which setting it is, and what to do.

use super::caller::Caller;
use provisioning::{Reason, Refusal};
use region_router::Population;
use scim_core::Quirk;
use std::net::IpAddr;
use tenant_registry::{Operation, Resource, Stage, Switch, Tenant, TenantState};
use time::OffsetDateTime;

/// What is refused before the body is read, whatever is asked.
pub(super) fn enter(
    caller: &Caller,
    named: Option<&str>,
    address: IpAddr,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    check_network(caller, address)?;
    check_name(&caller.tenant, named)?;
    check_state(&caller.tenant)?;
    check_plan(&caller.tenant, now)?;
    check_head(caller)
}

/// First of all: who holds a token in the wrong place learns nothing more.
fn check_network(caller: &Caller, address: IpAddr) -> Result<(), Refusal> {
    if caller.credential.networks.contain(address) {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::NetworkNotAllowed,
        format!(
            "The token \"{}\" is bound to networks, and {address} is in none of them. Nothing was changed. Add the address to the token's networks, or use a token that may be used from there.",
            caller.credential.name
        ),
    ))
}

fn check_name(tenant: &Tenant, named: Option<&str>) -> Result<(), Refusal> {
    if named.is_none_or(|named| named == tenant.slug || named == tenant.id.as_str()) {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::TenantMismatch,
        "The tenant in this path is not the one that the token belongs to. Use the base URL that was shown with the token.",
    ))
}

pub(crate) fn check_state(tenant: &Tenant) -> Result<(), Refusal> {
    let contact = &tenant.seat_contact;
    match tenant.state {
        TenantState::Active if tenant.provisioning => Ok(()),
        TenantState::Active => Err(Refusal::new(
            Reason::ProvisioningOff,
            format!(
                "Provisioning is switched off in the settings of this account. Nothing was changed. Switch it on there, or ask {contact}."
            ),
        )),
        TenantState::Suspended => Err(Refusal::new(
            Reason::TenantSuspended,
            format!(
                "Provisioning is suspended for this account. Nothing was changed. Ask {contact} to resume it."
            ),
        )),
        TenantState::Closed | TenantState::Purging | TenantState::Purged => Err(Refusal::new(
            Reason::TenantClosed,
            format!(
                "This account was closed. Nothing was changed. Switch provisioning off in your identity provider, or ask {contact} to open the account again."
            ),
        )),
    }
}

fn check_plan(tenant: &Tenant, now: OffsetDateTime) -> Result<(), Refusal> {
    if tenant.sync_until.is_none_or(|end| now < end) {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::PlanWithoutSync,
        format!(
            "The plan of this account does not hold directory sync. Nothing was changed. {}",
            upgrade(tenant)
        ),
    ))
}

/// What is to be done where a plan does not hold something.
fn upgrade(tenant: &Tenant) -> String {
    match tenant.upgrade_text.trim() {
        "" => format!("Ask {} for a plan that does.", tenant.seat_contact),
        text => text.to_owned(),
    }
}

/// What a strict tenant refuses before the body is read.
fn check_head(caller: &Caller) -> Result<(), Refusal> {
    let refused = caller.quirks().find(|quirk| !caller.tolerance.allows(*quirk));
    match refused {
        None => Ok(()),
        Some(Quirk::BareToken) => Err(Refusal::new(
            Reason::TokenSchemeMissing,
            "The token was sent without the word Bearer, and this tenant is strict about that (Q-bare-token). Put Bearer and \
             a space in front of the token in your identity provider.",
        )),
        Some(quirk) => Err(Refusal::new(
            Reason::SyntaxInvalid,
            format!(
                "The URL ends in a separator with nothing behind it, and this tenant is strict about that ({}). Take it off.",
                quirk.id()
            ),
        )),
    }
}

/// Whether a caller may do this: by the token's scopes, by the tenant's allow list.
pub(super) fn may(
    caller: &Caller,
    resource: Resource,
    operation: Operation,
) -> Result<(), Refusal> {
    let Caller { credential, tenant, .. } = caller;
    if !credential.scopes.allows(resource, operation) {
        return Err(Refusal::new(
            Reason::ScopeMissing,
            format!(
                "The token \"{}\" is not allowed to do this: its scopes are {}. Create a token with the scope that is missing.",
                credential.name, credential.scopes
            ),
        ));
    }
    if !tenant.operations.allows(resource, operation) {
        return Err(Refusal::new(
            Reason::OperationNotAllowed,
            format!(
                "This account does not let an identity provider do this: its setting \"operations allowed\" is {}. Switch the operation off in your identity provider, or ask {} to allow it.",
                tenant.operations, tenant.seat_contact
            ),
        ));
    }
    Ok(())
}

/// Whether groups may be written.
pub(super) fn may_write_groups(tenant: &Tenant) -> Result<(), Refusal> {
    if !tenant.groups_in_plan {
        return Err(Refusal::new(
            Reason::PlanWithoutGroups,
            format!(
                "The plan of this account does not hold groups. Nothing was changed. Switch group push off in your identity provider. {}",
                upgrade(tenant)
            ),
        ));
    }
    if !tenant.groups {
        return Err(Refusal::new(
            Reason::GroupPushOff,
            "Groups are not provisioned for this account. Switch group push off in your identity provider, or ask for it to be switched on here.",
        ));
    }
    Ok(())
}

/// Whether anything may be written while the tenant is on its way to another store, or from one population to the other.
pub(super) fn may_write(tenant: &Tenant, population: Population) -> Result<(), Refusal> {
    if tenant.is_frozen_by_move() {
        return Err(Refusal::new(
            Reason::TenantMoving,
            "The account's data is being moved. Nothing was changed; the same request will work in a moment.",
        ));
    }
    let Some(Switch { from, to, stage, .. }) = tenant.switch else { return Ok(()) };
    let now = tenant.population;
    match stage {
        Stage::CutOver | Stage::Finishing | Stage::Undoing if population == now => Ok(()),
        Stage::CutOver | Stage::Finishing | Stage::Undoing => Err(Refusal::new(
            Reason::TenantFrozen,
            format!(
                "This account provisions its {now} population, and {population} is no longer written. Nothing was changed. Use the base URL and a token of {now}."
            ),
        )),
        Stage::Frozen => Err(Refusal::new(
            Reason::TenantFrozen,
            format!(
                "This account is changing from its {from} population to its {to} population, and nobody is written until that is decided. Nothing was changed; the same request will work then. Ask {} how far it is.",
                tenant.seat_contact
            ),
        )),
    }
}
