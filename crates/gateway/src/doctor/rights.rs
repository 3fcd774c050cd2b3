//! What the registry says of a tenant: whether it would be served at all.

use super::report::{Check, Finding};
use crate::config::Config;
use tenant_registry::{Credential, MAX_LIVE, Tenant, TenantState};
use time::{Duration, OffsetDateTime};

/// A token that ends sooner should have been replaced by now (requirements N13).
const TOKEN_WARN: Duration = Duration::days(30);
/// The name of the doctor's own tokens.
pub(super) const OWN: &str = "doctor";

pub(super) fn look(
    tenant: &Tenant,
    credentials: &[Credential],
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
            "Switch provisioning on in the tenant's settings, if it is meant to be served.",
        ));
    }
    if let Some(switch) = &tenant.switch {
        let found =
            format!("on its way from {} to {}: {}", switch.from, switch.to, switch.stage.as_str());
        let check =
            Check::new("tenant.population", &at, "no switch of the population is under way");
        findings.push(check.warn(
            found,
            "While it is frozen, writes are answered with 503. Cut over, finish it, or undo it.",
        ));
    }
    findings.push(home(tenant, &at, config));
    findings.push(tokens(tenant, &at, credentials, now));
}

fn state(tenant: &Tenant, at: &str) -> Finding {
    let check = Check::new("tenant.state", at, "the tenant is active");
    let slug = &tenant.slug;
    let fix = match tenant.state {
        TenantState::Active => return check.pass("active"),
        TenantState::Suspended => format!(
            "{slug} is suspended, and every request is refused with 403. Resume it, if it is meant to be served: `muster tenant set \
             {slug} --state active`."
        ),
        TenantState::Closed => format!(
            "{slug} is closed and will be purged. Open it again before that, or take the application out of the identity provider."
        ),
        TenantState::Purged => {
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
    let plan = &tenant.plan;
    let upgrade = match tenant.upgrade_text.as_str() {
        "" => String::new(),
        text => format!(" Administrators are told: {text}"),
    };
    match tenant.sync_until {
        Some(end) if end <= now => check.fail(
            format!("the plan {plan} does not, since {}", end.date()),
            format!("Put {} on a plan with directory sync.{upgrade}", tenant.slug),
        ),
        Some(end) => check.warn(
            format!("the plan {plan} does not; it is still served until {}", end.date()),
            format!("Put {} on a plan with directory sync before that day.{upgrade}", tenant.slug),
        ),
        None if tenant.groups && !tenant.groups_in_plan => check.warn(
            format!("the plan {plan} does, without groups"),
            format!(
                "Groups are switched on, and the plan does not hold them: group push is refused. Put {} on a plan with groups, or \
                 switch them off (`muster tenant set {} --groups off`).{upgrade}",
                tenant.slug, tenant.slug
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

fn tokens(tenant: &Tenant, at: &str, credentials: &[Credential], now: OffsetDateTime) -> Finding {
    let check =
        Check::new("tenant.tokens", at, "there is a live token, and it will be there for a while");
    let slug = &tenant.slug;
    let live: Vec<&Credential> = credentials
        .iter()
        .filter(|credential| credential.is_live(now) && credential.name != OWN)
        .collect();
    let Some(last) = live.iter().max_by_key(|credential| credential.ends_at()) else {
        return check.warn(
            "there is none",
            format!(
                "No identity provider can connect with a token: make one with `muster token create {slug}` and enter it there, unless \
                 it uses OAuth client credentials."
            ),
        );
    };
    let found = format!("{} of {MAX_LIVE}, the last until {}", live.len(), last.ends_at().date());
    if last.ends_at() - now < TOKEN_WARN {
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
