//! What the service offers (RFC 7644 §4), and what a token is.

use super::answer::Answered;
use super::error::Failure;
use super::exchange::Exchange;
use super::query::Query;
use crate::auth::Caller;
use actix_web::{HttpRequest, HttpResponse};
use provisioning::Reason;
use scim_core::{Announced, service_provider};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

type Answer = Result<Answered, Failure>;

/// `GET /scim/v2`: which token this is, and where to go from here.
#[tracing::instrument(name = "scim.root.get", skip_all)]
pub async fn root(caller: Caller) -> HttpResponse {
    let exchange = Exchange::begin(caller, "root.get", "Token", None);
    let Caller { tenant, credential, base_url, .. } = &*exchange.caller;
    let expires_at = credential.expires_at.format(&Rfc3339).unwrap_or_default();
    let body = json!({
        "schemas": ["urn:muster:params:scim:api:messages:1.0:Token"],
        "tenant": tenant.name,
        "region": tenant.region.as_str(),
        "population": tenant.population.as_str(),
        "profile": tenant.profile.as_str(),
        "groups": tenant.groups,
        "token": {
            "name": credential.name,
            "hint": credential.hint,
            "scopes": credential.scopes.words().collect::<Vec<_>>(),
            "expiresAt": expires_at,
        },
        "baseUrl": base_url,
        "endpoints": {
            "serviceProviderConfig": format!("{base_url}/ServiceProviderConfig"),
            "resourceTypes": format!("{base_url}/ResourceTypes"),
            "schemas": format!("{base_url}/Schemas"),
            "users": format!("{base_url}/Users"),
            "groups": format!("{base_url}/Groups"),
        },
    });
    exchange.note_read(Reason::RootRead, "");
    exchange.finish(Ok(Answered::document(Reason::RootRead, body.to_string()))).await
}

/// `GET /ServiceProviderConfig`.
#[tracing::instrument(name = "scim.discovery.service_provider_config", skip_all)]
pub async fn service_provider_config(request: HttpRequest, caller: Caller) -> HttpResponse {
    let exchange = Exchange::begin(caller, "discovery.get", "ServiceProviderConfig", None);
    let caller = &exchange.caller;
    let limits = &caller.state.limits;
    let announced = Announced {
        filter_max_results: limits.page_max,
        bulk_max_operations: limits.bulk_operations,
        bulk_max_payload_bytes: limits.bulk_payload_bytes,
        page_default: limits.page_default,
        cursor_timeout_seconds: limits.cursor_lifetime.as_secs(),
        documentation_uri: caller.state.documentation_uri.clone(),
    };
    let config = service_provider::service_provider_config(&announced, &caller.base_url);
    let result = without_filter(&request).map(|()| found(&exchange, &config));
    exchange.finish(result).await
}

/// `GET /ResourceTypes` and `GET /ResourceTypes/{id}`.
#[tracing::instrument(name = "scim.discovery.resource_types", skip_all)]
pub async fn resource_types(request: HttpRequest, caller: Caller) -> HttpResponse {
    let exchange = Exchange::begin(caller, "discovery.get", "ResourceType", None);
    let Caller { tenant, base_url, .. } = &*exchange.caller;
    let all = service_provider::resource_types(&tenant.schemas, base_url);
    let result = documents(&request, &exchange, &all);
    exchange.finish(result).await
}

/// `GET /Schemas` and `GET /Schemas/{id}`.
#[tracing::instrument(name = "scim.discovery.schemas", skip_all)]
pub async fn schemas(request: HttpRequest, caller: Caller) -> HttpResponse {
    let exchange = Exchange::begin(caller, "discovery.get", "Schema", None);
    let Caller { tenant, base_url, .. } = &*exchange.caller;
    let mut all = service_provider::schemas(&tenant.schemas, base_url);
    if request.match_info().get("id").is_some() {
        all.extend(service_provider::discovery_schemas(base_url));
    }
    let result = documents(&request, &exchange, &all);
    exchange.finish(result).await
}

fn documents(request: &HttpRequest, exchange: &Exchange, all: &[Value]) -> Answer {
    without_filter(request)?;
    let Some(id) = request.match_info().get("id") else {
        exchange.note_read(Reason::DiscoveryRead, "");
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": all.len(),
            "startIndex": 1,
            "itemsPerPage": all.len(),
            "Resources": all,
        });
        return Ok(Answered::document(Reason::DiscoveryRead, body.to_string()));
    };
    let named = |document: &&Value| {
        document.get("id").and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(id))
    };
    let document = all.iter().find(named).ok_or_else(|| {
        let known: Vec<&str> =
            all.iter().filter_map(|document| document.get("id").and_then(Value::as_str)).collect();
        Failure::new(
            Reason::NotFound,
            format!("There is no such document. There are {}.", known.join(", ")),
        )
    })?;
    Ok(found(exchange, document))
}

fn found(exchange: &Exchange, document: &Value) -> Answered {
    exchange.note_read(Reason::DiscoveryRead, "");
    Answered::document(Reason::DiscoveryRead, document.to_string())
}

/// RFC 7644 §4: a filter on discovery is answered with 403, since ignoring it would mislead.
fn without_filter(request: &HttpRequest) -> Result<(), Failure> {
    if Query::of(request)?.get("filter").is_none() {
        return Ok(());
    }
    Err(Failure::new(
        Reason::FilterInvalid,
        "Discovery cannot be filtered. Leave the filter out, or ask for one document by its id.",
    )
    .status(403))
}
