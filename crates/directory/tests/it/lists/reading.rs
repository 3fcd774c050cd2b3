//! A list read through from end to end, in each way of paging, and what memory says of it.

use crate::filters::Known;
use crate::support::{BASE, NOW};
use directory::{DirectoryError, Key, Listing, Scoped, Start, Want};
use scim_core::{Condition, Sort, SortValue};

/// One list, read in one of the ways.
pub(super) struct Reading<'a> {
    pub(super) scoped: &'a Scoped,
    pub(super) is_user: bool,
    pub(super) condition: Option<&'a Condition>,
    pub(super) order: Option<&'a Sort>,
}

impl Reading<'_> {
    pub(super) async fn page(
        &self,
        start: Start,
        limit: u64,
    ) -> Result<Listing<String>, DirectoryError> {
        let Self { condition, order, .. } = *self;
        let want = Want { condition, order, start, limit, base: BASE, groups: false, now: NOW };
        Ok(if self.is_user {
            let listing = self.scoped.users(&want).await?;
            ids(listing, |user| user.id)
        } else {
            let listing = self.scoped.groups(&want).await?;
            ids(listing, |group| group.id)
        })
    }
}

pub(super) fn ids<T>(listing: Listing<T>, id: impl Fn(T) -> String) -> Listing<String> {
    let Listing { total, resources, next, previous } = listing;
    Listing { total, resources: resources.into_iter().map(id).collect(), next, previous }
}

/// A list read through by one kind of paging.
pub(super) enum Way {
    Positions,
    Forwards,
    Backwards,
}

/// Reads a list from end to end, a page at a time.
pub(super) async fn walk<F>(
    page: impl Fn(Start, u64) -> F,
    way: Way,
    limit: u64,
) -> Result<Vec<String>, DirectoryError>
where
    F: Future<Output = Result<Listing<String>, DirectoryError>>,
{
    let mut all = Vec::new();
    match way {
        Way::Positions => loop {
            let listing = page(Start::Offset(all.len() as u64), limit).await?;
            assert!(listing.next.is_none() && listing.total.is_some());
            all.extend(listing.resources.iter().cloned());
            if listing.resources.is_empty() || all.len() as u64 >= listing.total.unwrap() {
                return Ok(all);
            }
        },
        Way::Forwards => {
            let mut listing = page(Start::First, limit).await?;
            assert!(listing.previous.is_none());
            loop {
                all.extend(listing.resources);
                let Some(next) = listing.next else { return Ok(all) };
                listing = page(Start::After(travelled(&next)), limit).await?;
                assert!(listing.previous.is_some());
            }
        }
        Way::Backwards => {
            // To the last page, and back from there.
            let mut pages = vec![page(Start::First, limit).await?];
            while let Some(next) = pages.last().unwrap().next.clone() {
                pages.push(page(Start::After(next), limit).await?);
            }
            let mut listing = pages.pop().unwrap();
            loop {
                listing.resources.reverse();
                all.extend(listing.resources);
                let Some(previous) = listing.previous else { break };
                listing = page(Start::Before(travelled(&previous)), limit).await?;
                assert!(listing.next.is_some());
            }
            all.reverse();
            Ok(all)
        }
    }
}

/// A key as it comes back from a client.
fn travelled(key: &Key) -> Key {
    serde_json::from_str(&serde_json::to_string(key).unwrap()).unwrap()
}

/// What memory says of a list: ids in order.
pub(super) fn expected<'k>(
    known: impl Iterator<Item = (&'k Known, Option<&'k Condition>, Option<&'k Sort>)>,
) -> Vec<String> {
    let mut found: Vec<(Option<SortValue>, &str, Option<&Sort>)> = known
        .filter(|(one, condition, _)| condition.is_none_or(|c| c.matches(&one.search)))
        .map(|(one, _, order)| {
            (order.and_then(|order| order.value(&one.search)), one.id.as_str(), order)
        })
        .collect();
    found.sort_by(|left, right| match left.2 {
        None => left.1.cmp(right.1),
        Some(order) => {
            let ids = left.1.cmp(right.1);
            let ids = if order.descending { ids.reverse() } else { ids };
            order.compare(left.0.as_ref(), right.0.as_ref()).then(ids)
        }
    });
    found.into_iter().map(|(_, id, _)| id.to_owned()).collect()
}
