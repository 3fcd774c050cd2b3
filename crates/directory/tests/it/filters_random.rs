//! Random filters over random people and groups: the store and the evaluation in memory agree on every pair.

use crate::filters::{World, pick};
use crate::support::documents::filter;
use proptest::test_runner::TestRunner;
use scim_core::ResourceType;

#[tokio::test]
async fn the_store_and_memory_agree_on_thousands_of_pairs_of_document_and_filter() {
    let mut runner = TestRunner::deterministic();
    let world = World::new(&mut runner).await;
    let (mut pairs, mut wrong) = (0, Vec::new());
    for (of, count, filters) in [
        (ResourceType::user(), world.users.len(), 150),
        (ResourceType::group(), world.groups.len(), 100),
    ] {
        let strategy = filter(of);
        for _ in 0..filters {
            let text = pick(&mut runner, &strategy);
            if text.len() > 4_000 {
                continue;
            }
            pairs += count;
            wrong.extend(world.agree(&text, of).await.err());
        }
    }

    assert!(wrong.is_empty(), "{}: {:#?}", wrong.len(), &wrong[..wrong.len().min(8)]);
    assert!(pairs > 5_000, "only {pairs} pairs");
}
