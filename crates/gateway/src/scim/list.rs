//! What a list request asks for.

use super::error::Failure;
use super::exchange::Exchange;
use super::query::Query;
use actix_web::HttpRequest;
use directory::{Start, Want};
use scim_core::{Condition, Filter, ListQuery, Projection, ResourceType};
use time::OffsetDateTime;

/// What a list request asks for.
pub(super) struct Search {
    condition: Option<Condition>,
    pub(super) page: ListQuery,
    pub(super) projection: Projection,
}

impl Search {
    pub(super) fn of(
        request: &HttpRequest,
        of: &ResourceType,
        exchange: &mut Exchange,
    ) -> Result<Self, Failure> {
        let query = Query::of(request)?;
        let limits = &exchange.caller.state.limits;
        let (tolerance, notes) = (&exchange.caller.tolerance, &mut exchange.asked.notes);
        let condition = match query.get("filter") {
            Some(text) => {
                let filter = Filter::parse(text, &limits.filter, tolerance, notes)?;
                Some(filter.bind(of, tolerance, notes)?)
            }
            None => None,
        };
        let (start_index, count) = (query.get("startIndex"), query.get("count"));
        let page = ListQuery::parse(start_index, count, limits.page_default, limits.page_max)?;
        let projection = query.projection(of)?;
        Ok(Self { condition, page, projection })
    }

    pub(super) fn want<'a>(&'a self, base: &'a str, groups: bool, now: OffsetDateTime) -> Want<'a> {
        let (start, limit) = (Start::Offset(self.page.start_index - 1), self.page.count);
        Want { condition: self.condition.as_ref(), order: None, start, limit, base, groups, now }
    }
}
