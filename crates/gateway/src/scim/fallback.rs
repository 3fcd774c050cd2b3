//! What is not there: unknown paths, methods that a path does not take, endpoints of the RFC that are not offered.

use super::error::{Failure, refuse};
use super::exchange::Exchange;
use crate::auth::Caller;
use crate::auth::caller::context;
use crate::state::State;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use provisioning::Reason;

/// A path that no route has. A request that carries a token is told first if the token is not good here: a wrong host
/// and a wrong path are mostly one mistake.
pub async fn unknown_path(request: HttpRequest) -> HttpResponse {
    if !request.headers().contains_key(header::AUTHORIZATION) {
        return refuse(nowhere(&request, None), &request);
    }
    match Caller::of(&request).await {
        Ok(caller) => {
            let failure = nowhere(&request, Some(&caller.base_url));
            let exchange = Exchange::begin(caller, "path.unknown", "Path", None);
            exchange.finish(Err(failure)).await
        }
        Err(failure) => refuse(failure, &request),
    }
}

fn nowhere(request: &HttpRequest, base_url: Option<&str>) -> Failure {
    let base_url = base_url.map(str::to_owned).or_else(|| {
        let state = request.app_data::<web::Data<State>>()?;
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        Some(state.hosts.base_url(&state.hosts.place(host)?))
    });
    let Some(base_url) = base_url else {
        return Failure::new(
            Reason::HostUnknown,
            "This host serves no SCIM. Use the base URL that was shown with the token.",
        );
    };
    let path = request.path().to_ascii_lowercase();
    let doubled = path.matches("/scim/v2").count() > 1;
    let failure = if doubled {
        Failure::new(
            Reason::PathDoubled,
            format!(
                "The path has /scim/v2 twice: the base URL was pasted with it into a field that adds it. The base URL is {base_url}."
            ),
        )
    } else if path.starts_with("/scim/v2") {
        Failure::new(
            Reason::PathUnknown,
            format!(
                "There is no such endpoint. Under {base_url} there are /Users, /Groups, /ServiceProviderConfig, /ResourceTypes and /Schemas."
            ),
        )
    } else {
        Failure::new(
            Reason::PathUnknown,
            format!("There is nothing at this path. The base URL of SCIM is {base_url}."),
        )
    };
    failure.correct_base_url(&base_url)
}

/// A method that the path does not take (RFC 9110 §15.5.6): 405 with `Allow`.
pub async fn method_not_allowed(
    request: HttpRequest,
    caller: Caller,
    allow: &'static str,
) -> HttpResponse {
    let failure = Failure::new(
        Reason::MethodNotAllowed,
        format!("{} is not offered at this path; {allow} are.", request.method()),
    )
    .with(header::ALLOW, allow)
    .of_request(&context(&request), &request);
    let exchange = Exchange::begin(caller, "method.unknown", "Path", None);
    exchange.finish(Err(failure)).await
}

/// An endpoint of the RFC that this service does not offer: 501, and `/Me` for ever (RFC 7644 §3.11: a token is nobody's
/// person).
pub async fn not_offered(caller: Caller, what: &'static str) -> HttpResponse {
    let exchange = Exchange::begin(caller, "path.not_offered", "Path", None);
    exchange.finish(Err(Failure::new(Reason::NotImplemented, what))).await
}
