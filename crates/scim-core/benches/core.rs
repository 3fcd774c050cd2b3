//! What one request costs before it reaches a store, and after.

use criterion::{Criterion, criterion_group, criterion_main};
use scim_core::{
    Attributes, Document, Filter, FilterLimits, JsonLimits, Meta, Notes, PatchLimits, PatchRequest,
    Projection, ResourceType, Tolerance, User,
};
use serde_json::{Map, Value};
use std::hint::black_box;
use time::macros::datetime;

const LIMITS: JsonLimits = JsonLimits { depth: 64, array_values: 10_000 };
const FILTER_LIMITS: FilterLimits = FilterLimits { bytes: 4096, depth: 32, terms: 100 };
const PATCH_LIMITS: PatchLimits =
    PatchLimits { operations: 1000, members: 10_000, filter: FILTER_LIMITS };
const FULL_USER: &str = include_str!("../tests/fixtures/rfc/rfc7643-8.3-enterprise-user.json");

fn parse(c: &mut Criterion) {
    let (of, tolerance) = (ResourceType::user(), Tolerance::default());
    c.bench_function("parse/body", |b| {
        b.iter(|| Attributes::parse(black_box(FULL_USER.as_bytes()), &LIMITS));
    });
    let Ok(body) = Attributes::parse(FULL_USER.as_bytes(), &LIMITS) else { return };
    c.bench_function("parse/user", |b| {
        b.iter(|| User::parse(black_box(&body), of, &tolerance));
    });
}

fn render(c: &mut Criterion) {
    let (of, tolerance) = (ResourceType::user(), Tolerance::default());
    let Ok(body) = Attributes::parse(FULL_USER.as_bytes(), &LIMITS) else { return };
    let Ok(document) = Document::parse(&body, of, &tolerance, &mut Notes::default()) else {
        return;
    };
    let text = document.to_text();
    c.bench_function("render/text", |b| b.iter(|| black_box(&document).to_text()));
    c.bench_function("render/search", |b| b.iter(|| black_box(&document).search_text(of)));
    c.bench_function("render/stored", |b| b.iter(|| Document::stored(black_box(&text))));
    let meta = Meta {
        resource_type: "User",
        created: datetime!(2026-01-02 03:04:05 UTC),
        last_modified: datetime!(2026-01-02 03:04:05 UTC),
        version: 7,
        location: "https://app.example.com/scim/v2/Users/2819c223-7f76-453a-919d-413861904646",
    };
    c.bench_function("render/meta", |b| b.iter(|| black_box(&meta).to_json()));
}

/// From a filter's text to what a store translates.
fn filter(c: &mut Criterion) {
    let filters = [
        ("user-name", r#"userName eq "ada@example.com""#),
        ("entra", r#"emails[type eq "work"].value eq "ada@example.com""#),
        (
            "mixed",
            r#"active eq true and (userName sw "ad" or emails[type eq "work" and value co "@example.com"]) and not (title pr) and meta.lastModified gt "2026-01-02T03:04:05Z""#,
        ),
    ];
    for (name, text) in filters {
        c.bench_function(&format!("filter/{name}"), |b| {
            b.iter(|| bound(black_box(text)));
        });
    }
}

fn bound(text: &str) -> Option<scim_core::Condition> {
    let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
    let filter = Filter::parse(text, &FILTER_LIMITS, &tolerance, &mut notes).ok()?;
    filter.bind(ResourceType::user(), &tolerance, &mut notes).ok()
}

/// From a PATCH body's text and a stored user to the user that results, in the shapes that providers send.
fn patch(c: &mut Criterion) {
    let shapes = [
        ("entra-update", include_str!("../tests/fixtures/idp/entra/patch-update-default.json")),
        (
            "entra-update-compliant",
            include_str!("../tests/fixtures/idp/entra/patch-update-compliant.json"),
        ),
        ("entra-disable", include_str!("../tests/fixtures/idp/entra/patch-disable-default.json")),
        ("okta-deactivate", include_str!("../tests/fixtures/idp/okta/patch-deactivate.json")),
    ];
    for (name, fixture) in shapes {
        let Ok(fixture) = serde_json::from_str::<Map<String, Value>>(fixture) else { continue };
        let (Some(before), Some(body)) = (fixture.get("before"), fixture.get("patch")) else {
            continue;
        };
        let Some(before) = document(before.to_string().as_bytes()) else { continue };
        let body = body.to_string();
        c.bench_function(&format!("patch/{name}"), |b| {
            b.iter(|| patched(black_box(body.as_bytes()), &before));
        });
    }
}

fn document(body: &[u8]) -> Option<Document> {
    let body = Attributes::parse(body, &LIMITS).ok()?;
    let mut notes = Notes::default();
    Document::parse(&body, ResourceType::user(), &Tolerance::default(), &mut notes).ok()
}

fn patched(body: &[u8], before: &Document) -> Option<Document> {
    let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
    let body = Attributes::parse(body, &LIMITS).ok()?;
    let request = PatchRequest::parse(&body, &PATCH_LIMITS, &tolerance, &mut notes).ok()?;
    request.apply(before, ResourceType::user(), &tolerance, &mut notes).ok()
}

/// Choosing attributes is what makes a document be parsed on its way out.
fn project(c: &mut Criterion) {
    let of = ResourceType::user();
    let Ok(projection) = Projection::parse(Some("userName,emails.value"), None, of) else { return };
    let Ok(resource) = serde_json::from_str::<Map<String, Value>>(FULL_USER) else { return };
    c.bench_function("render/projected", |b| {
        b.iter(|| {
            let mut resource = resource.clone();
            projection.apply(&mut resource, of);
            resource
        });
    });
}

criterion_group!(benches, parse, filter, patch, render, project);
criterion_main!(benches);
