//! The fuzz targets (`fuzz/`) over their seeds and some thousand mutations of them, the same ones in every run.
//!
//! `MUSTER_TEST_MUTATIONS` sets how many. An input that failed is added to `fuzz/seeds`, and stays in this test.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set its scene has failed"
)]

mod body;
mod bulk;
mod filter;
mod mutate;
mod patch;
mod path;
pub(crate) mod scene;

use mutate::{Dice, mutated};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

const MUTATIONS: usize = 2000;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = fuzz_folder().join("seeds").join(target);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The words of the dictionary: lines of `"word"`, with `\"` and `\\`.
fn words() -> Vec<Vec<u8>> {
    let text = fs::read_to_string(fuzz_folder().join("scim.dict")).unwrap();
    let quoted = text.lines().filter(|line| line.starts_with('"'));
    quoted.map(|line| serde_json::from_str::<String>(line).unwrap().into_bytes()).collect()
}

fn smoke(target: &str, run: fn(&[u8])) {
    let (seeds, words) = (seeds(target), words());
    assert!(seeds.len() >= 10 && words.len() > 50, "{target}: {} seeds", seeds.len());
    let mut dice = Dice::new(7643);
    let mutations: Vec<Vec<u8>> =
        (0..mutations()).map(|_| mutated(&seeds, &words, &mut dice)).collect();
    for input in seeds.iter().chain(&mutations) {
        if catch_unwind(AssertUnwindSafe(|| run(input))).is_err() {
            panic!("{target} fails on {:?}", String::from_utf8_lossy(input));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a long run asks for more than the usual one")]
fn mutations() -> usize {
    let set = std::env::var("MUSTER_TEST_MUTATIONS").ok();
    set.map_or(MUTATIONS, |text| text.parse().unwrap())
}

#[test]
fn no_filter_breaks_what_holds_for_filters() {
    smoke("filter", filter::run);
}

#[test]
fn no_path_breaks_what_holds_for_paths() {
    smoke("path", path::run);
}

#[test]
fn no_patch_breaks_what_holds_for_patches() {
    smoke("patch", patch::run);
}

#[test]
fn no_body_breaks_what_holds_for_bodies() {
    smoke("body", body::run);
}

#[test]
fn no_bulk_request_breaks_what_holds_for_bulk_requests() {
    smoke("bulk", bulk::run);
}
