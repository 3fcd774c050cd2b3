//! The query parameters of RFC 7644 §3.4.2, read as identity providers send them.
//!
//! **Invariant**: unknown parameters are passed over (Entra's feature flags arrive here); a filter never is.

use super::error::Failure;
use actix_web::{HttpRequest, web};
use provisioning::Reason;
use scim_core::{Projection, ResourceType, SearchRequest};

/// The parameters of one request; names in any case, `+` is a space, a trailing `&` is nothing.
#[derive(Debug)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads the query.
    ///
    /// # Errors
    /// `filter_invalid` when there is more than one filter: one of them would be ignored.
    pub fn of(request: &HttpRequest) -> Result<Self, Failure> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map(web::Query::into_inner)
            .map_err(|_malformed| {
                Failure::new(
                    Reason::AttributeInvalid,
                    "The query of the URL cannot be read: percent-encode its values.",
                )
            })?;
        let query = Self { pairs };
        let filters = query.pairs.iter().filter(|(name, _)| name.eq_ignore_ascii_case("filter"));
        if filters.count() > 1 {
            return Err(Failure::new(
                Reason::FilterInvalid,
                "The URL has more than one filter. Join them with and.",
            ));
        }
        Ok(query)
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The attributes that the answer shows.
    ///
    /// # Errors
    /// `invalidValue` when both parameters are there.
    pub fn projection(&self, of: &ResourceType) -> Result<Projection, Failure> {
        Ok(Projection::parse(self.get("attributes"), self.get("excludedAttributes"), of)?)
    }

    /// The parameters of a list.
    #[must_use]
    pub fn search(&self) -> SearchRequest {
        let get = |name| self.get(name).map(str::to_owned);
        SearchRequest {
            attributes: get("attributes"),
            excluded_attributes: get("excludedAttributes"),
            filter: get("filter"),
            sort_by: get("sortBy"),
            sort_order: get("sortOrder"),
            start_index: get("startIndex"),
            count: get("count"),
            cursor: get("cursor"),
        }
    }
}
