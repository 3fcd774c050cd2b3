//! The whole URL space of the main listener on one page.

use crate::oauth;
use crate::scim::operation::{Kind, Verb, serve};
use crate::scim::search::{self, Over, query};
use crate::scim::{bulk, discovery, fallback};
use actix_web::{HttpRequest, Resource, Route, guard, web};

/// The path of every SCIM base URL.
const BASE: &str = "/scim/v2";
/// The same with the tenant in sight; it must agree with the token.
const ALIAS: &str = "/scim/v2/t/{tenant}";

/// What there is, as metrics and logs name it: a path below the base, and the methods it takes.
pub const ROUTES: &[(&str, &str)] = &[
    ("", "GET"),
    ("/Users", "GET, POST"),
    ("/Users/{id}", "GET, PUT, PATCH, DELETE"),
    ("/Groups", "GET, POST"),
    ("/Groups/{id}", "GET, PUT, PATCH, DELETE"),
    ("/ServiceProviderConfig", "GET"),
    ("/ResourceTypes", "GET"),
    ("/ResourceTypes/{id}", "GET"),
    ("/Schemas", "GET"),
    ("/Schemas/{id}", "GET"),
    ("/Me", "GET, POST, PUT, PATCH, DELETE"),
    ("/Bulk", "POST"),
    ("/.search", "POST"),
    ("/Users/.search", "POST"),
    ("/Groups/.search", "POST"),
];

/// Adds every route.
pub fn configure(service: &mut web::ServiceConfig) {
    admin(service);
    // The alias first: the shorter prefix would take its requests.
    for prefix in [ALIAS, BASE] {
        service.service(
            web::scope(prefix)
                .service(root())
                .service(searched("/Users/.search", Over::One(Kind::User)))
                .service(searched("/Groups/.search", Over::One(Kind::Group)))
                .service(searched("/.search", Over::All))
                .service(all_users())
                .service(one("/Users/{id}", Kind::User))
                .service(all_groups())
                .service(one("/Groups/{id}", Kind::Group))
                .service(
                    discovery("/ServiceProviderConfig")
                        .route(get(discovery::service_provider_config)),
                )
                .service(discovery("/ResourceTypes").route(get(discovery::resource_types)))
                .service(discovery("/ResourceTypes/{id}").route(get(discovery::resource_types)))
                .service(discovery("/Schemas").route(get(discovery::schemas)))
                .service(discovery("/Schemas/{id}").route(get(discovery::schemas)))
                .service(web::resource("/Me").to(|caller| {
                    fallback::not_offered(
                        caller,
                        "A token is nobody's person, so there is no /Me. Use /Users.",
                    )
                }))
                .service(refused(web::resource("/Bulk"), "POST").route(web::post().to(bulk::bulk)))
                .default_service(web::to(fallback::unknown_path)),
        );
    }
    service
        .service(
            web::resource(oauth::TOKEN_PATH)
                .route(web::post().to(oauth::token))
                .default_service(web::to(oauth::only_post)),
        )
        .service(
            web::resource(oauth::METADATA_PATH)
                .route(get(oauth::metadata))
                .default_service(web::to(oauth::only_get)),
        )
        .default_service(web::to(fallback::unknown_path));
}

/// Adds the host of the admin API, whose own table is [`crate::admin::routes`]; before everything else.
fn admin(service: &mut web::ServiceConfig) {
    let is_for = |context: &guard::GuardContext<'_>| crate::admin::http::is_for(context);
    service.service(
        web::scope("")
            .guard(guard::fn_guard(is_for))
            .default_service(web::to(crate::admin::http::serve)),
    );
}

/// The template of the route that a request took, for labels.
#[must_use]
pub fn template(request: &HttpRequest) -> &'static str {
    let Some(pattern) = request.match_pattern() else { return "/*" };
    let below = pattern.strip_prefix(ALIAS).or_else(|| pattern.strip_prefix(BASE));
    let Some(below) = below else { return "/*" };
    TEMPLATES.iter().find(|(path, _)| *path == below).map_or("/*", |(_, template)| template)
}

/// The template of a path that no route has taken yet.
#[must_use]
pub fn template_of(path: &str) -> &'static str {
    let path = path.trim_end_matches('/');
    if path == oauth::TOKEN_PATH {
        return oauth::TOKEN_PATH;
    }
    let parts = || path.split('/').skip(1);
    // The alias has two parts more before what the two have in common.
    let is_alias = parts().nth(2) == Some("t") && parts().nth(3).is_some();
    let below: Vec<&str> = parts().skip(if is_alias { 4 } else { 2 }).collect();
    if !parts().take(2).eq(["scim", "v2"]) {
        return "/*";
    }
    let fits = |template: &str| {
        let known: Vec<&str> = template.split('/').skip(1).collect();
        let is_same = |(known, part): (&&str, &&str)| known == part || *known == "{id}";
        known.len() == below.len() && known.iter().zip(&below).all(is_same)
    };
    // Where the name of an endpoint could be an id, the endpoint is meant.
    let exact =
        TEMPLATES.iter().find(|(path, _)| path.split('/').skip(1).eq(below.iter().copied()));
    let found = exact.or_else(|| TEMPLATES.iter().find(|(path, _)| fits(path)));
    found.map_or("/*", |(_, template)| template)
}

/// Whether a request is one to the base URL itself.
#[must_use]
pub fn is_base(request: &HttpRequest) -> bool {
    request.match_pattern().is_some_and(|pattern| pattern == BASE || pattern == ALIAS)
}

const TEMPLATES: &[(&str, &str)] = &[
    ("", "/scim/v2"),
    ("/Users", "/scim/v2/Users"),
    ("/Users/{id}", "/scim/v2/Users/{id}"),
    ("/Groups", "/scim/v2/Groups"),
    ("/Groups/{id}", "/scim/v2/Groups/{id}"),
    ("/ServiceProviderConfig", "/scim/v2/ServiceProviderConfig"),
    ("/ResourceTypes", "/scim/v2/ResourceTypes"),
    ("/ResourceTypes/{id}", "/scim/v2/ResourceTypes/{id}"),
    ("/Schemas", "/scim/v2/Schemas"),
    ("/Schemas/{id}", "/scim/v2/Schemas/{id}"),
    ("/Me", "/scim/v2/Me"),
    ("/Bulk", "/scim/v2/Bulk"),
    ("/.search", "/scim/v2/.search"),
    ("/Users/.search", "/scim/v2/Users/.search"),
    ("/Groups/.search", "/scim/v2/Groups/.search"),
];

/// GET, and HEAD with it (RFC 9110 §9.1: every server must take both).
fn get<F, Args>(handler: F) -> Route
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    get_or_head().to(handler)
}

fn get_or_head() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

fn refused(resource: Resource, allow: &'static str) -> Resource {
    resource.default_service(web::to(move |request, caller| {
        fallback::method_not_allowed(request, caller, allow)
    }))
}

fn root() -> Resource {
    refused(web::resource(""), "GET").route(get(search::root))
}

fn discovery(path: &str) -> Resource {
    refused(web::resource(path), "GET")
}

fn searched(path: &str, over: Over) -> Resource {
    let search = move |request, payload, caller| search::search(over, request, payload, caller);
    refused(web::resource(path), "POST").route(web::post().to(search))
}

fn all_users() -> Resource {
    refused(web::resource("/Users"), "GET, POST")
        .route(get(move |request, caller| query(Over::One(Kind::User), request, caller)))
        .route(operation(web::post(), Verb::Create, Kind::User))
}

fn all_groups() -> Resource {
    refused(web::resource("/Groups"), "GET, POST")
        .route(get(move |request, caller| query(Over::One(Kind::Group), request, caller)))
        .route(operation(web::post(), Verb::Create, Kind::Group))
}

fn one(path: &str, kind: Kind) -> Resource {
    refused(web::resource(path), "GET, PUT, PATCH, DELETE")
        .route(operation(get_or_head(), Verb::Read, kind))
        .route(operation(web::put(), Verb::Replace, kind))
        .route(operation(web::patch(), Verb::Patch, kind))
        .route(operation(web::delete(), Verb::Delete, kind))
}

fn operation(route: Route, verb: Verb, kind: Kind) -> Route {
    route.to(move |request, payload, caller| serve(verb, kind, request, payload, caller))
}
