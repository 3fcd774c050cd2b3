//! What a host says of its token endpoint (RFC 8414).

use super::{OauthError, TOKEN_PATH};
use crate::state::State;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use tenant_registry::Scopes;

/// A method that the description does not take.
pub async fn only_get() -> HttpResponse {
    OauthError::method("GET").respond()
}

/// `GET /.well-known/oauth-authorization-server`.
pub async fn metadata(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let Some(place) = super::place_of(&request, &state) else {
        return super::no_endpoint(&state).respond();
    };
    let origin = state.hosts.origin(&place);
    let mut document = json!({
        "issuer": origin,
        "token_endpoint": format!("{origin}{TOKEN_PATH}"),
        "grant_types_supported": [super::CLIENT_CREDENTIALS, super::JWT_BEARER],
        // Required by §2; there is no authorization endpoint that would answer one.
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["EdDSA", "RS256", "ES256"],
        "scopes_supported": Scopes::ALL.words().collect::<Vec<_>>(),
    });
    if let (Some(uri), Some(map)) = (&state.documentation_uri, document.as_object_mut()) {
        map.insert("service_documentation".to_owned(), uri.as_str().into());
    }
    let mut answer = super::json(StatusCode::OK);
    answer.insert_header((header::CACHE_CONTROL, "public, max-age=3600"));
    answer.body(document.to_string())
}
