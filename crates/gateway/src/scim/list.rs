//! What a query asks for (RFC 7644 §3.4.2, RFC 9865), bound to the resource types that it is over.
//!
//! **Invariant**: a filter, an order and a choice of attributes mean the same however the query was sent.

use super::answer::Body;
use super::cursor::{Cursors, Side};
use super::error::Failure;
use super::exchange::Exchange;
use super::members::{ListText, Shown};
use super::operation::Kind;
use directory::{Listing, Narrowed, Start, Want};
use scim_core::{
    Condition, ErrorKind, Filter, ListQuery, Projection, ResourceType, Schemas, ScimError,
    SearchRequest, Sort,
};
use std::sync::Arc;

/// A query, ready to be asked.
pub(super) struct Search {
    pub(super) users: Option<Wanted>,
    pub(super) groups: Option<Wanted>,
    pub(super) start: Start,
    pub(super) limit: u64,
    paging: Paging,
}

/// What is asked of one resource type.
pub(super) struct Wanted {
    pub(super) condition: Option<Condition>,
    pub(super) order: Option<Sort>,
    pub(super) projection: Projection,
}

impl Wanted {
    /// The same, of the list of everything.
    pub(super) fn narrowed(&self) -> Narrowed<'_> {
        Narrowed { condition: self.condition.as_ref(), order: self.order.as_ref() }
    }
}

/// How the pages are told apart.
enum Paging {
    /// RFC 7644 §3.4.2.4: by the number of the first result.
    Index(u64),
    /// RFC 9865.
    Cursor(Box<Cursors>),
}

impl Search {
    /// Reads a query over these resource types.
    ///
    /// # Errors
    /// `invalidFilter`, `invalidValue`, `invalidCursor`, `expiredCursor` or `invalidCount`.
    pub(super) fn of(
        asked: &SearchRequest,
        kinds: &[Kind],
        exchange: &mut Exchange,
    ) -> Result<Self, Failure> {
        let schemas = Arc::clone(&exchange.caller.tenant.schemas);
        let narrowed = narrowed(asked, kinds, &schemas, exchange)?;
        let (start, limit, paging) = page(asked, kinds, &narrowed, exchange)?;
        let (mut users, mut groups) = (None, None);
        for (kind, one) in kinds.iter().zip(narrowed) {
            match kind {
                Kind::User => users = Some(one),
                Kind::Group => groups = Some(one),
            }
        }
        Ok(Self { users, groups, start, limit, paging })
    }

    /// The list of one resource type.
    pub(super) fn want<'a>(&self, one: &'a Wanted, exchange: &'a Exchange) -> Want<'a> {
        Want {
            condition: one.condition.as_ref(),
            order: one.order.as_ref(),
            start: self.start.clone(),
            limit: self.limit,
            base: &exchange.caller.base_url,
            groups: one.projection.wants("groups"),
            now: exchange.asked.now,
        }
    }

    /// The ListResponse around rendered resources (RFC 7644 §3.4.2, RFC 9865 §2).
    pub(super) fn respond(
        &self,
        listing: Listing<Shown>,
        exchange: &Exchange,
    ) -> Result<Body, Failure> {
        let Listing { total, resources, next, previous } = listing;
        let size: usize = resources
            .iter()
            .map(|shown| if let Shown::Text(text) = shown { text.len() + 1 } else { 0 })
            .sum();
        let mut text = String::with_capacity(size + 1024);
        text.push_str("{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],");
        if let Some(total) = total {
            text.push_str(&format!("\"totalResults\":{total},"));
        }
        match &self.paging {
            Paging::Index(start) => text.push_str(&format!("\"startIndex\":{start},")),
            Paging::Cursor(cursors) => {
                let places = [("next", next, Side::After), ("previous", previous, Side::Before)];
                for (name, key, side) in places {
                    if let Some(key) = key {
                        let cursor = cursors.seal(key, side)?;
                        text.push_str(&format!("\"{name}Cursor\":\"{cursor}\","));
                    }
                }
            }
        }
        text.push_str(&format!("\"itemsPerPage\":{},\"Resources\":[", resources.len()));
        let large = resources.iter().any(|shown| matches!(shown, Shown::Group(_)));
        if let (true, Some(one)) = (large, &self.groups) {
            let (caller, projection) = (Arc::clone(&exchange.caller), one.projection.clone());
            let list = ListText { resources: resources.into(), caller, projection };
            return Ok(Body::List(Box::new(list), text, "]}".into()));
        }
        for (number, resource) in resources.iter().enumerate() {
            if number > 0 {
                text.push(',');
            }
            if let Shown::Text(resource) = resource {
                text.push_str(resource);
            }
        }
        text.push_str("]}");
        Ok(Body::Text(text))
    }
}

/// The list of nothing.
pub(super) fn none() -> Listing<Shown> {
    Listing { total: Some(0), resources: Vec::new(), next: None, previous: None }
}

/// What is asked of each resource type, in the order of `kinds`.
fn narrowed(
    asked: &SearchRequest,
    kinds: &[Kind],
    schemas: &Schemas,
    exchange: &mut Exchange,
) -> Result<Vec<Wanted>, Failure> {
    let limits = &exchange.caller.state.limits;
    let (tolerance, notes) = (&exchange.caller.tolerance, &mut exchange.asked.notes);
    let types: Vec<&ResourceType> = kinds.iter().map(|kind| kind.of(schemas)).collect();
    let filter = asked.filter.as_deref();
    let filter = filter.map(|text| Filter::parse(text, &limits.filter, tolerance, notes));
    let filter = filter.transpose()?;
    let sort_by = asked.sort_by.as_deref().filter(|name| !name.trim().is_empty());
    // RFC 7644 §3.4.2.3: an order without an attribute orders nothing.
    let orders = match sort_by {
        Some(name) => {
            Sort::parse_each(name, asked.sort_order.as_deref(), &types, tolerance, notes)?
        }
        None => Vec::new(),
    };
    let mut orders = orders.into_iter();
    let mut all = Vec::with_capacity(types.len());
    for of in &types {
        let others: Vec<&ResourceType> =
            types.iter().copied().filter(|other| other.name != of.name).collect();
        let condition = match &filter {
            Some(filter) => Some(filter.bind_or_absent(of, &others, tolerance, notes)?),
            None => None,
        };
        let (only, without) = (&asked.attributes, &asked.excluded_attributes);
        let projection = Projection::parse(only.as_deref(), without.as_deref(), of)?;
        all.push(Wanted { condition, order: orders.next(), projection });
    }
    Ok(all)
}

/// Where the page begins and how long it is.
fn page(
    asked: &SearchRequest,
    kinds: &[Kind],
    narrowed: &[Wanted],
    exchange: &Exchange,
) -> Result<(Start, u64, Paging), Failure> {
    let limits = &exchange.caller.state.limits;
    let (default, max) = (limits.page_default, limits.page_max);
    let (start_index, count) = (asked.start_index.as_deref(), asked.count.as_deref());
    let Some(cursor) = &asked.cursor else {
        let ListQuery { start_index, count } = ListQuery::parse(start_index, count, default, max)?;
        return Ok((Start::Offset(start_index - 1), count, Paging::Index(start_index)));
    };
    if start_index.is_some() {
        // RFC 9865 §2.3: either of them asks for its own way of paging.
        let detail = "cursor and startIndex are two ways of paging; send one of them.";
        return Err(ScimError::new(ErrorKind::InvalidValue, detail).about("startIndex").into());
    }
    let limit = match ListQuery::parse(None, count, default, max) {
        Ok(ListQuery { count, .. }) if count > 0 => count,
        // RFC 9865 §2: a positive number. With 0 no page would ever be the last.
        _ => {
            let detail = format!("count is not a whole number from 1 to {max}.");
            return Err(ScimError::new(ErrorKind::InvalidCount, detail).about("count").into());
        }
    };
    // As bound, a query has one spelling: names in another case make no other query of it.
    let query: Vec<_> = kinds
        .iter()
        .zip(narrowed)
        .map(|(kind, Wanted { condition, order, .. })| {
            (kind.name(), format!("{condition:?}"), format!("{order:?}"))
        })
        .collect();
    let cursors = Cursors::of(&query, exchange)?;
    let start = cursors.open(cursor)?;
    Ok((start, limit, Paging::Cursor(Box::new(cursors))))
}
