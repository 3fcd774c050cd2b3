//! The conformance client: that this gateway passes it, and that it finds what is wrong elsewhere.

mod naive;
mod table;
mod wrong;

use crate::support::TestGateway;
use crate::support::tenant::TestTenant;
use gateway::conformance::{Level, Options, Outcome, Report, Run};
use scim_core::{Quirk, Tolerance};
use std::collections::BTreeSet;
use std::time::Duration;
use tenant_registry::TenantChange;

/// What an `open` tenant does otherwise than the RFCs want, and the quirk under which it does so. A strict one does not.
const DEVIATIONS: &[(&str, &str)] = &[
    ("7644-3.10-not-bare", "Q-misplaced-extension"),
    ("7644-3.5.2.3-no-target", "Q-element-created"),
];

/// Checks whatever serves at the base URL.
pub(crate) async fn check(base: &str, token: Option<&str>) -> Report {
    let options = Options {
        base: base.to_owned(),
        token: token.map(str::to_owned),
        insecure_hosts: Vec::new(),
        only: None,
        keep: false,
        timeout: Duration::from_secs(30),
    };
    let mut run = Run::new(&options).unwrap();
    let report = run.checks(|_| {}).await.unwrap();
    let left = run.clean_up().await;
    assert!(left.is_empty() || token.is_none(), "not deleted: {left:?}");
    report
}

/// The ids of the checks with this outcome.
pub(crate) fn ids(report: &Report, word: &str) -> BTreeSet<&'static str> {
    let with = report.entries.iter().filter(|entry| entry.outcome.word() == word);
    with.map(|entry| entry.id).collect()
}

fn failures(report: &Report) -> String {
    let lines = report.to_lines();
    let shown = lines.iter().enumerate().filter(|(_, line)| line.starts_with("  fail"));
    let shown: Vec<String> =
        shown.map(|(at, _)| lines[at..lines.len().min(at + 5)].join("\n")).collect();
    shown.join("\n")
}

async fn nothing_is_left(tenant: &TestTenant) {
    for path in ["/Users?count=0", "/Groups?count=0"] {
        let left = tenant.get(path).await.assert(200);
        assert_eq!(left.body["totalResults"], 0, "{path}: {}", left.text);
    }
}

#[actix_web::test]
async fn a_strict_tenant_fails_no_check() {
    let gateway = TestGateway::start().await;
    let tenant = gateway.tenant("strict").await;
    let tolerance = Some(Tolerance::strict());
    gateway.change(&tenant, TenantChange { tolerance, ..Default::default() }).await;

    let report = check(&tenant.base_url, Some(&tenant.token)).await;

    assert!(report.is_good(), "{}", failures(&report));
    assert!(report.count("pass") > 200, "only {} checks passed", report.count("pass"));
    nothing_is_left(&tenant).await;
}

#[actix_web::test]
async fn an_open_tenant_fails_only_where_a_quirk_is_tolerated() {
    let gateway = TestGateway::start().await;
    let tenant = gateway.tenant("open").await;

    let report = check(&tenant.base_url, Some(&tenant.token)).await;

    let allowed: BTreeSet<&str> = DEVIATIONS.iter().map(|(id, _)| *id).collect();
    let unknown = DEVIATIONS.iter().filter(|(_, quirk)| Quirk::parse(quirk).is_none()).count();
    assert_eq!(ids(&report, "fail"), allowed, "{}", failures(&report));
    assert_eq!(unknown, 0, "a deviation names a quirk that the ledger does not have");
    nothing_is_left(&tenant).await;
}

#[actix_web::test]
async fn a_report_says_what_was_sent_and_what_came_back() {
    let server = wrong::Wrong::start(wrong::Manner::Empty);
    let report = check(&server.base, Some("a-token-that-stays-secret")).await;

    let text = report.to_lines().join("\n");
    let json = report.to_json();
    assert!(text.contains("→ POST /Users") && text.contains("← 200 {}"), "{text}");
    assert!(!text.contains("stays-secret") && !json.to_string().contains("stays-secret"));
    let checks = json["checks"].as_array().unwrap();
    let total: u64 =
        ["pass", "fail", "warning", "skipped"].iter().map(|w| json[w].as_u64().unwrap()).sum();
    assert_eq!(checks.len() as u64, total);
    let failed = checks.iter().find(|check| check["outcome"] == "fail").unwrap();
    for name in ["id", "rfc", "section", "level", "title", "reason"] {
        assert!(failed[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {failed}");
    }
    assert_eq!(json["good"], false);
}

#[test]
fn ids_are_unique_and_say_where_they_belong() {
    let mut seen = BTreeSet::new();
    for (id, _, title) in gateway::conformance::catalogue() {
        assert!(seen.insert(id), "{id} is there twice");
        let parts: Vec<&str> = id.splitn(3, '-').collect();
        assert!(["7643", "7644", "9865"].contains(&parts[0]) && parts.len() == 3, "{id}");
        assert!(parts[1].chars().all(|c| c.is_ascii_digit() || c == '.'), "{id}");
        assert!(!title.is_empty() && !title.ends_with('.'), "{id}: {title}");
    }
}

#[test]
fn options_that_cannot_be_meant_are_refused() {
    let with = |base: &str, token: Option<&str>, only: Option<&str>, insecure: &[&str]| {
        let options = Options {
            base: base.to_owned(),
            token: token.map(str::to_owned),
            insecure_hosts: insecure.iter().map(|host| (*host).to_owned()).collect(),
            only: only.map(str::to_owned),
            keep: false,
            timeout: Duration::from_secs(1),
        };
        Run::new(&options).err().map(|error| error.to_string())
    };
    assert!(with("nonsense", None, None, &[]).unwrap().contains("base URL"));
    assert!(with("ftp://example.com", None, None, &[]).unwrap().contains("base URL"));
    assert!(
        with("http://example.com/v2", Some("t"), None, &[]).unwrap().contains("--insecure-host")
    );
    assert!(with("https://example.com", None, Some("99.9"), &[]).unwrap().contains("99.9"));
    for (base, token, only, insecure) in [
        ("http://example.com/v2", Some("t"), None, &["EXAMPLE.com"][..]),
        ("http://app.localhost:8080/scim/v2", Some("t"), Some("7644-3.5"), &[]),
        ("https://example.com/scim/", None, Some("3.4.2"), &[]),
    ] {
        assert_eq!(with(base, token, only, insecure), None, "{base}");
    }
}

#[actix_web::test]
async fn a_server_that_is_not_there_is_said_so() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = Options {
        base: format!("http://{free}"),
        token: None,
        insecure_hosts: Vec::new(),
        only: None,
        keep: false,
        timeout: Duration::from_secs(5),
    };
    let refused = Run::new(&options).unwrap().checks(|_| {}).await.err().unwrap().to_string();
    assert!(refused.contains("does not answer"), "{refused}");
}

/// Whether an outcome says that something is not as it should be, or that nothing can be said.
pub(crate) fn is_no_pass(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Passed)
}

/// The ids of all MUSTs.
pub(crate) fn musts() -> BTreeSet<&'static str> {
    let all = gateway::conformance::catalogue();
    all.filter(|(_, level, _)| *level == Level::Must).map(|(id, ..)| id).collect()
}
