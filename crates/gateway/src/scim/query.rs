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
    /// `attribute_invalid` when it cannot be read, or a parameter that takes one value comes twice: one of the two would
    /// be ignored. `filter_invalid` when that is the filter.
    pub fn of(request: &HttpRequest) -> Result<Self, Failure> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map(web::Query::into_inner)
            .map_err(|_malformed| {
                Failure::new(
                    Reason::AttributeInvalid,
                    "The query of the URL cannot be read: percent-encode its values.",
                )
            })?;
        Ok(Self { pairs: once_each(pairs)? })
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

/// Lists of names that come in pieces are put together: the HTTP layer of some clients writes a list so. Every other
/// parameter of RFC 7644 §3.4.2 has one value.
fn once_each(pairs: Vec<(String, String)>) -> Result<Vec<(String, String)>, Failure> {
    const LISTS: [&str; 2] = ["attributes", "excludedAttributes"];
    const SINGLE: [(&str, Reason, &str); 6] = [
        ("filter", Reason::FilterInvalid, "Join them with and."),
        ("sortBy", Reason::AttributeInvalid, ONE),
        ("sortOrder", Reason::AttributeInvalid, ONE),
        ("startIndex", Reason::AttributeInvalid, ONE),
        ("count", Reason::AttributeInvalid, ONE),
        ("cursor", Reason::AttributeInvalid, ONE),
    ];
    const ONE: &str = "Send one.";
    let is_known = |name: &str| {
        let mut known = LISTS.iter().chain(SINGLE.iter().map(|(single, ..)| single));
        known.any(|known| known.eq_ignore_ascii_case(name))
    };
    let (mut kept, mut others) = (Vec::<(String, String)>::new(), Vec::new());
    for (name, value) in pairs {
        // Of these there are as many as a client likes.
        if !is_known(&name) {
            others.push((name, value));
            continue;
        }
        let earlier = kept.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(&name));
        let Some((_, before)) = earlier else {
            kept.push((name, value));
            continue;
        };
        if LISTS.iter().any(|list| name.eq_ignore_ascii_case(list)) {
            before.push(',');
            before.push_str(&value);
            continue;
        }
        let single = SINGLE.iter().find(|(single, ..)| name.eq_ignore_ascii_case(single));
        if let Some((name, reason, remedy)) = single {
            let detail = format!("The URL has more than one {name}. {remedy}");
            return Err(Failure::new(*reason, &detail));
        }
    }
    kept.append(&mut others);
    Ok(kept)
}
