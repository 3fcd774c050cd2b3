//! What the registry says of a tenant: whether it would be served at all.

use super::report::{Check, Finding};
use crate::config::Config;
use std::collections::HashMap;
use tenant_registry::{
    Credential, CredentialUse, MAX_LIVE, OauthClient, Registry, RegistryError, Tenant, TenantState,
};
use time::{Duration, OffsetDateTime};

/// A token that ends sooner should have been replaced by now (requirements N13).
const TOKEN_WARN: Duration = Duration::days(30);
/// The name of the doctor's own tokens.
pub(super) const OWN: &str = "doctor";

/// With what a tenant may be reached, and when it was.
pub(super) struct Access {
    credentials: Vec<Credential>,
    clients: Vec<OauthClient>,
    uses: HashMap<String, CredentialUse>,
}

impl Access {
    pub(super) async fn read(registry: &Registry, tenant: &Tenant) -> Result<Self, RegistryError> {
        Ok(Self {
            credentials: registry.credentials(&tenant.id).await?,
            clients: registry.clients(&tenant.id).await?,
            uses: registry.uses(&tenant.id).await?,
        })
    }
}

pub(super) fn look(
    tenant: &Tenant,
    access: &Access,
    config: &Config,
    now: OffsetDateTime,
    findings: &mut Vec<Finding>,
) {
    let at = format!("{} in the registry", tenant.slug);
    findings.push(state(tenant, &at));
    findings.push(plan(tenant, &at, now));
    if !tenant.provisioning {
        findings.push(Check::new("tenant.connection", &at, "the connection is switched on").fail(
            "it is switched off",
            format!(
                "Switch it on, if it is meant to be served: `muster tenant connection {} --provisioning on`.",
                tenant.slug
            ),
        ));
    }
    if let Some(switch) = &tenant.switch {
        let found =
            format!("on its way from {} to {}: {}", switch.from, switch.to, switch.stage.as_str());
        let check =
            Check::new("tenant.population", &at, "no switch of the population is under way");
        findings.push(check.warn(
            found,
            "While it is frozen, writes are answered with 503. Cut over, finish it, or undo it: `muster tenant switch`.",
        ));
    }
    findings.push(home(tenant, &at, config));
    findings.push(tokens(tenant, &at, access, now));
}

fn state(tenant: &Tenant, at: &str) -> Finding {
    let check = Check::new("tenant.state", at, "the tenant is active");
    let slug = &tenant.slug;
    let fix = match tenant.state {
        TenantState::Active => return check.pass("active"),
        TenantState::Suspended => format!(
            "{slug} is suspended, and every request is refused with 403. Resume it, if it is meant to be served: `muster tenant \
             resume {slug}`."
        ),
        TenantState::Closed => format!(
            "{slug} is closed and will be purged. Resume it before that (`muster tenant resume {slug}`), or take the application out of the \
             identity provider."
        ),
        TenantState::Purging | TenantState::Purged => {
            format!(
                "{slug} is purged: nothing of it is left. Make a new tenant (`muster tenant create`)."
            )
        }
    };
    check.fail(tenant.state.as_str(), fix)
}

/// The plan gate (requirements S5-02).
fn plan(tenant: &Tenant, at: &str, now: OffsetDateTime) -> Finding {
    let check = Check::new("tenant.plan", at, "the plan holds directory sync");
    let (plan, slug) = (&tenant.plan, &tenant.slug);
    let upgrade = match tenant.upgrade_text.as_str() {
        "" => String::new(),
        text => format!(" Administrators are told: {text}"),
    };
    match tenant.sync_until {
        Some(end) if end <= now => check.fail(
            format!("the plan {plan} does not, since {}", end.date()),
            format!("Put {slug} on a plan with directory sync (`muster tenant set {slug} --plan`).{upgrade}"),
        ),
        Some(end) => check.warn(
            format!("the plan {plan} does not; it is still served until {}", end.date()),
            format!("Put {slug} on a plan with directory sync before that day (`muster tenant set {slug} --plan`).{upgrade}"),
        ),
        None if tenant.groups && !tenant.groups_in_plan => check.warn(
            format!("the plan {plan} does, without groups"),
            format!(
                "Groups are switched on, and the plan does not hold them: group push is refused. Put {slug} on a plan with groups, \
                 or switch them off (`muster tenant set {slug} --groups off`).{upgrade}"
            ),
        ),
        None => check.pass(format!("the plan {plan} does")),
    }
}

fn home(tenant: &Tenant, at: &str, config: &Config) -> Finding {
    let region = &tenant.region;
    let check = Check::new("tenant.region", at, format!("the region {region} is configured"));
    if config.regions.iter().any(|settings| settings.region == *region) {
        return check.pass("it is");
    }
    check.fail(
        "it is not",
        format!(
            "No host of this configuration is that of region {region}. Add [regions.{region}] to the configuration of all nodes."
        ),
    )
}

fn tokens(tenant: &Tenant, at: &str, access: &Access, now: OffsetDateTime) -> Finding {
    let check =
        Check::new("tenant.tokens", at, "there is a live token or client, and will be for a while");
    let slug = &tenant.slug;
    let tokens = access.credentials.iter().filter(|one| one.is_live(now) && one.name != OWN);
    let ends: Vec<OffsetDateTime> = tokens.map(Credential::ends_at).collect();
    let clients = access.clients.iter().filter(|client| client.revoked_at.is_none()).count();
    let Some(last) = ends.iter().max().copied() else {
        return if clients > 0 {
            check.pass(format!("{clients} OAuth clients, no token; {}", used(access)))
        } else {
            check.warn(
                "there is none",
                format!(
                    "No identity provider can connect: make a token with `muster token create {slug}` and enter it there, or a client \
                     with `muster oauth-client create {slug}` where OAuth client credentials are used."
                ),
            )
        };
    };
    let found = format!(
        "{} of {MAX_LIVE} tokens, the last until {}; {clients} OAuth clients; {}",
        ends.len(),
        last.date(),
        used(access)
    );
    if last - now < TOKEN_WARN && clients == 0 {
        return check.warn(
            found,
            format!(
                "Make the next one (`muster token create {slug}`) and enter it in the identity provider before the old one ends: \
                 with a dead token Entra puts the job into quarantine."
            ),
        );
    }
    check.pass(found)
}

/// When an identity provider was last heard (requirements S2-35); the doctor's own requests do not count.
fn used(access: &Access) -> String {
    let is_own =
        |key_id: &str| access.credentials.iter().any(|one| one.key_id == key_id && one.name == OWN);
    let others = access.uses.values().filter(|usage| !is_own(&usage.key_id));
    match others.max_by_key(|usage| usage.at) {
        None => "never used so far".to_owned(),
        Some(usage) => format!("last used on {} by {}", usage.at.date(), usage.client),
    }
}
