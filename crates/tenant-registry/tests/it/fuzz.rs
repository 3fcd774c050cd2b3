//! The fuzz target of tokens (`fuzz/`) over its seeds and some thousand mutations of them, the same ones in every run.

#[path = "../../../scim-core/tests/it/fuzz/mutate.rs"]
mod mutate;
mod token;

use mutate::{Dice, mutated};
use std::fs;
use std::path::Path;

const MUTATIONS: usize = 2000;

#[test]
fn no_header_breaks_what_holds_for_tokens() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/token");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let words = [
        "Bearer ", "bearer ", "mst_", "mat_", "mcs_", "_pf_", "_bd_", "_us_", "tok_", "****",
        "%20", "\"", "~",
    ]
    .map(|word| word.as_bytes().to_vec());
    let mut dice = Dice::new(7643);
    let mutations: Vec<Vec<u8>> =
        (0..MUTATIONS).map(|_| mutated(&seeds, &words, &mut dice)).collect();
    for input in seeds.iter().chain(&mutations) {
        token::run(input);
    }
}
