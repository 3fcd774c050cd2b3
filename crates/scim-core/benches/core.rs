//! What one request costs before it reaches a store, and after.

use criterion::{Criterion, criterion_group, criterion_main};
use scim_core::{Attributes, Document, JsonLimits, Meta, Notes, ResourceType, Tolerance, User};
use std::hint::black_box;
use time::macros::datetime;

const LIMITS: JsonLimits = JsonLimits { depth: 64, array_values: 10_000 };
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

criterion_group!(benches, parse, render);
criterion_main!(benches);
