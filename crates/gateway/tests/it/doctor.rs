//! `muster doctor`: a server that is well, and one fault after the other, each with its own text.

mod command;
mod strangers;

use crate::quirks::set_strict;
use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, by, place};
use gateway::doctor::{self, Finding, Options, Report, Verdict};
use provisioning::ProfileId;
use region_router::{Hosts, Population};
use std::time::Duration;
use tenant_registry::{NewPlan, Scopes, TenantChange, TenantState};

pub(crate) fn options() -> Options {
    Options {
        connect: None,
        token: None,
        population: None,
        write: false,
        patience: Duration::from_secs(10),
        news_within: Duration::from_secs(5),
    }
}

/// Examines a tenant as the registry has it now.
async fn examine(gateway: &TestGateway, tenant: &TestTenant, options: &Options) -> Report {
    examine_at(gateway, tenant, &gateway.state.hosts, options).await
}

async fn examine_at(
    gateway: &TestGateway,
    tenant: &TestTenant,
    hosts: &Hosts,
    options: &Options,
) -> Report {
    let state = &gateway.state;
    let tenant = state.registry.find_tenant(&tenant.tenant.slug).await.unwrap().unwrap();
    doctor::tenant(&tenant, &state.registry, &state.config, hosts, options).await.unwrap()
}

/// The one finding of a check.
#[track_caller]
pub(crate) fn finding<'a>(report: &'a Report, id: &str) -> &'a Finding {
    report.find(id).unwrap_or_else(|| panic!("no {id} in {:#?}", report.findings))
}

/// Checks that a check failed, and gives what a person must do.
#[track_caller]
pub(crate) fn fix<'a>(report: &'a Report, id: &str) -> &'a str {
    let found = finding(report, id);
    assert_eq!(found.verdict, Verdict::Fail, "{found:#?}");
    assert!(!report.is_good());
    found.fix.as_deref().unwrap()
}

/// What neither passed nor was left out.
fn troubled(report: &Report) -> Vec<&Finding> {
    let is_trouble = |verdict| matches!(verdict, Verdict::Warn | Verdict::Fail);
    report.findings.iter().filter(|finding| is_trouble(finding.verdict)).collect()
}

async fn live_tokens(tenant: &TestTenant) -> Vec<String> {
    let credentials = tenant.state.registry.credentials(&tenant.tenant.id).await.unwrap();
    let live = credentials.into_iter().filter(|c| c.revoked_at.is_none());
    live.map(|credential| credential.name).collect()
}

/// A long-lived token, so that the doctor has nothing to say about tokens.
async fn with_lasting_token(gateway: &TestGateway, tenant: &TestTenant) {
    let new = tenant_registry::NewCredential::new("Okta", Duration::from_hours(365 * 24));
    gateway.with_credential(tenant, &new).await;
}

#[actix_web::test]
async fn a_tenant_that_is_well_passes_everything_and_is_left_as_it_was() {
    let gateway = TestGateway::start_everywhere().await;
    for (slug, profile) in [("open", ProfileId::Open), ("okto", ProfileId::Oktopost)] {
        let tenant = gateway.tenant_with(slug, |new| new.profile = profile).await;
        with_lasting_token(&gateway, &tenant).await;

        let report = examine(&gateway, &tenant, &Options { write: true, ..options() }).await;

        assert!(troubled(&report).is_empty(), "{:#?}", troubled(&report));
        for id in
            ["host", "clock", "token", "okta.test", "entra.flag", "oauth.endpoint", "write.gone"]
        {
            assert_eq!(finding(&report, id).verdict, Verdict::Pass, "{id}");
        }
        // The other three hosts say which one is right.
        let elsewhere = report.findings.iter().filter(|finding| finding.id == "wrong_host");
        assert_eq!(elsewhere.filter(|f| f.verdict == Verdict::Pass).count(), 3);
        assert_eq!(tenant.get("/Users").await.total(), 0);
        assert_eq!(live_tokens(&tenant).await, ["Entra", "Okta"]);
    }
}

#[actix_web::test]
async fn without_being_asked_to_it_writes_nothing() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("ada").await;

    let report = examine(&gateway, &acme, &options()).await;

    assert!(report.is_good(), "{report:#?}");
    assert_eq!(finding(&report, "okta.capitals").verdict, Verdict::Pass);
    assert!(!report.findings.iter().any(|finding| finding.id.starts_with("write.")));
    assert!(!format!("{}", report.to_json()).contains("ada"));
    let made = gateway.state.registry.audit(Some(&acme.tenant.id), 100).await.unwrap();
    assert!(made.iter().any(|entry| entry.action == "credential.revoke"));
}

#[actix_web::test]
async fn a_strict_tenant_is_asked_as_the_rfc_has_it() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    set_strict(&acme, "all").await;

    let report = examine(&gateway, &acme, &Options { write: true, ..options() }).await;

    assert!(report.is_good(), "{:#?}", troubled(&report));
}

#[actix_web::test]
async fn a_domain_that_the_server_does_not_know_is_told_from_a_name_that_leads_nowhere() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let regions = || vec![(acme.tenant.region.clone(), String::new())];
    let port = Some(gateway.address.port());
    let other = Hosts::new("wrong.localhost", "http", port, regions()).unwrap();
    let nowhere = Hosts::new("example.invalid", "http", port, regions()).unwrap();

    let report = examine_at(&gateway, &acme, &other, &options()).await;
    let text = fix(&report, "host");
    assert!(text.contains("hosting.domain") && text.contains("app.wrong.localhost"), "{text}");
    assert!(text.contains("http://app.localhost"), "the server's own are named: {text}");

    let report = examine_at(&gateway, &acme, &nowhere, &options()).await;
    let text = fix(&report, "dns");
    assert!(text.contains("DNS record") && text.contains("app.example.invalid"), "{text}");
    assert_eq!(finding(&report, "handshakes").verdict, Verdict::Skip);

    // A server that has no name yet is tried by its address.
    let connect = Some(gateway.address.to_string());
    let report = examine_at(&gateway, &acme, &nowhere, &Options { connect, ..options() }).await;
    assert!(fix(&report, "host").contains("hosting.domain"));
}

#[actix_web::test]
async fn a_server_that_is_down_is_to_be_started() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let connect = Some(free.to_string());
    let report = examine(&gateway, &acme, &Options { connect, ..options() }).await;

    let text = fix(&report, "tcp");
    assert!(text.contains("Nothing listens there") && text.contains("muster serve"), "{text}");
    assert_eq!(live_tokens(&acme).await, ["Entra"], "no token is made for nothing");
}

#[actix_web::test]
async fn a_token_of_another_place_or_tenant_is_told_apart() {
    let gateway = TestGateway::start_everywhere().await;
    let acme = gateway.tenant("acme").await;
    let other = gateway.tenant("other").await;
    let in_eu = gateway
        .tenant_with("euro", |new| new.region = place("eu", Population::Platform).region)
        .await;
    let with = |token: &str| Options { token: Some(token.to_owned().into()), ..options() };

    let report = examine(&gateway, &acme, &with(&in_eu.token)).await;
    let found = finding(&report, "token.file");
    assert!(found.found.contains("region eu") && found.found.contains("region us"), "{found:#?}");
    assert!(fix(&report, "token.file").contains("muster token create acme"));

    let report = examine(&gateway, &acme, &with(&other.token)).await;
    assert!(finding(&report, "token.file").found.contains("another tenant"));

    let report = examine(&gateway, &acme, &with(&acme.token[..20])).await;
    assert!(fix(&report, "token.file").contains("alone and whole"));

    let report = examine(&gateway, &acme, &with(&acme.token)).await;
    assert!(report.is_good(), "{:#?}", troubled(&report));
    assert_eq!(live_tokens(&acme).await, ["Entra"], "a given token is not revoked");
}

#[actix_web::test]
async fn a_suspended_tenant_is_to_be_resumed() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let registry = &gateway.state.registry;
    let pending = registry.set_state(&acme.tenant.id, TenantState::Suspended, &by()).await.unwrap();
    pending.commit().await.unwrap();

    let report = examine(&gateway, &acme, &options()).await;

    assert!(fix(&report, "tenant.state").contains("Resume it"));
    let text = fix(&report, "token");
    assert!(text.contains("The tenant is suspended"), "{text}");
    assert!(text.contains("`muster tenant resume acme`"), "{text}");
    // The same is not said thirty times.
    assert_eq!(finding(&report, "handshakes").verdict, Verdict::Skip);
    assert_eq!(live_tokens(&acme).await, ["Entra"]);
}

#[actix_web::test]
async fn with_five_live_tokens_one_is_to_be_given_or_revoked() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for _ in 0..4 {
        gateway.with_scopes(&acme, Scopes::ALL).await;
    }

    let report = examine(&gateway, &acme, &options()).await;

    let text = fix(&report, "token.mint");
    assert!(text.contains("--token-file") && text.contains("muster token list acme"), "{text}");
    assert_eq!(finding(&report, "host").verdict, Verdict::Pass);
    let token = Some(acme.token.clone().into());
    let report = examine(&gateway, &acme, &Options { token, ..options() }).await;
    assert!(report.is_good(), "{:#?}", troubled(&report));
}

#[actix_web::test]
async fn a_plan_without_directory_sync_is_named_with_its_text() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let registry = &gateway.state.registry;
    let set = async |tenant: &TestTenant, grace| {
        let plan = NewPlan {
            name: format!("free-{}", Duration::as_secs(&grace)),
            directory_sync: false,
            group_push: false,
            text: "Upgrade to Enterprise.".to_owned(),
            grace,
        };
        registry.set_plan(&plan, &by()).await.unwrap().commit().await.unwrap();
        let change = TenantChange { plan: Some(plan.name), ..TenantChange::default() };
        let pending = registry.change_tenant(&tenant.tenant.id, &change, &by()).await.unwrap();
        pending.commit().await.unwrap();
    };

    set(&acme, Duration::from_hours(48)).await;
    let report = examine(&gateway, &acme, &options()).await;
    let found = finding(&report, "tenant.plan");
    assert_eq!(found.verdict, Verdict::Warn, "{found:#?}");
    assert!(found.found.contains("still served until"), "{found:#?}");

    let zeta = gateway.tenant("zeta").await;
    set(&zeta, Duration::ZERO).await;
    let report = examine(&gateway, &zeta, &options()).await;
    let text = fix(&report, "tenant.plan");
    assert!(text.contains("Upgrade to Enterprise."), "{text}");
}

#[actix_web::test]
async fn a_person_for_whom_there_is_no_seat_is_not_made() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.seats = Some(1)).await;
    acme.user("ada").await;

    let report = examine(&gateway, &acme, &Options { write: true, ..options() }).await;

    let text = fix(&report, "write.create");
    assert!(text.contains("Every seat is in use"), "{text}");
    assert_eq!(acme.get("/Users").await.total(), 1);
}

#[actix_web::test]
async fn a_server_of_another_registry_does_not_know_the_token() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let stranger = TestGateway::start().await;

    let connect = Some(stranger.address.to_string());
    let asked = Options { connect, news_within: Duration::from_millis(1), ..options() };
    let report = examine(&gateway, &acme, &asked).await;

    let text = fix(&report, "token");
    assert!(text.contains("registry.url and registry.pepper"), "{text}");
}

#[actix_web::test]
async fn a_token_that_ends_soon_or_is_not_there_is_worth_a_look() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;

    let report = examine(&gateway, &acme, &options()).await;
    let found = finding(&report, "tenant.tokens");
    assert_eq!(found.verdict, Verdict::Warn);
    assert!(found.fix.as_deref().unwrap().contains("before the old one ends"), "{found:#?}");

    let registry = &gateway.state.registry;
    let revoked = registry.revoke_credential(&acme.tenant.id, &acme.key_id, &by()).await.unwrap();
    revoked.commit().await.unwrap();
    let report = examine(&gateway, &acme, &options()).await;
    assert_eq!(finding(&report, "tenant.tokens").found, "there is none");
    assert!(report.is_good());
}
