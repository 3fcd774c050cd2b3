//! Random filters and orders over random people and groups: the store and the evaluation in memory agree on every pair.
//!
//! `MUSTER_TEST_PAIRS` says how many pairs of document and filter are compared, `MUSTER_TEST_SEED` where to begin.

use crate::filters::{World, pick};
use crate::support::documents::{filter, paths};
use crate::support::store::variable;
use proptest::prelude::any;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use scim_core::ResourceType;

const USER_FILTERS: usize = 40;
const GROUP_FILTERS: usize = 50;
const ORDERS: usize = 8;

fn number(name: &str, default: u64) -> u64 {
    variable(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Chance that is the same for the same seed.
pub(crate) fn seeded(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config::default(), rng)
}

/// Asks one world; gives the pairs compared and what was wrong.
async fn ask(seed: u64) -> (u64, Vec<String>) {
    let mut runner = seeded(seed);
    let world = World::new(&mut runner).await;
    let (mut pairs, mut wrong) = (0, Vec::new());
    for (of, count, filters) in [
        (&world.schemas.user, world.users.len(), USER_FILTERS),
        (&world.schemas.group, world.groups.len(), GROUP_FILTERS),
    ] {
        let strategy = filter(of);
        let texts: Vec<String> = (0..filters)
            .map(|_| pick(&mut runner, &strategy))
            .filter(|text| text.len() <= 4_000)
            .collect();
        for text in &texts {
            pairs += count as u64;
            wrong.extend(world.agree(text, of).await.err());
        }
        wrong.extend(in_order(&mut runner, &world, of, &texts).await);
    }
    (pairs, wrong)
}

/// Random orders, each with a random filter or none, read in pages of random length.
async fn in_order(
    runner: &mut TestRunner,
    world: &World,
    of: &ResourceType,
    filters: &[String],
) -> Vec<String> {
    let names: Vec<String> = paths(of).into_iter().map(|path| path.name).collect();
    let mut wrong = Vec::new();
    for _ in 0..ORDERS {
        let name = pick(runner, &select(names.clone()));
        let filter = pick(runner, &proptest::option::of(select(filters.to_vec())));
        let (descending, limit) = pick(runner, &(any::<bool>(), 1_u64..20));
        wrong.extend(world.in_order(&name, descending, filter.as_deref(), limit, of).await.err());
    }
    wrong
}

#[tokio::test]
async fn the_store_and_memory_agree_on_thousands_of_pairs_of_document_and_filter() {
    let wanted = number("MUSTER_TEST_PAIRS", 2_000);
    let mut seed = number("MUSTER_TEST_SEED", 1);
    let mut pairs = 0;
    while pairs < wanted {
        let (compared, wrong) = ask(seed).await;
        assert!(
            wrong.is_empty(),
            "MUSTER_TEST_SEED={seed}: {} wrong: {:#?}",
            wrong.len(),
            &wrong[..wrong.len().min(8)]
        );
        pairs += compared;
        seed += 1;
    }
}
