//! What a person must do about a refusal, by its reason code.

use super::wire::Reply;

/// The answer's text says what is wrong; this says where it is mended.
pub(super) fn of(reply: &Reply, base: &str) -> String {
    let reason = reply.reason();
    match reason {
        "host_unknown" => format!(
            "The server that answers does not know the host of {base}: its hosting.domain (or a region's host_prefix) is another \
             than in the configuration of this command, or a proxy in front of it changes the Host header. Give both the same \
             configuration. It says: {}",
            reply.detail()
        ),
        "token_wrong_region" | "token_wrong_population" | "token_wrong_place" => format!(
            "The token belongs to another region or population. In the identity provider enter {} with this token, or make a token \
             of this tenant for {base} (`muster token create`).",
            reply.header("x-scim-correct-base-url")
        ),
        _ => match token(reason).or_else(|| tenant(reason)).or_else(|| service(reason)) {
            Some(text) => text.to_owned(),
            None => format!("The answer says: {}", reply.detail()),
        },
    }
}

fn token(reason: &str) -> Option<&'static str> {
    let text = match reason {
        "token_unknown" => {
            "The server does not know the token. If it was made just now, the server reads another registry than this command: give \
             both the same registry.url and registry.pepper, and see whether the server can reach it. Else make a new token with \
             `muster token create`."
        }
        "token_expired" | "token_revoked" => {
            "The token is not good any more. Make a new one with `muster token create` and enter it in the identity provider."
        }
        "token_scheme_missing" => {
            "The tenant is strict about bare tokens. Enter Bearer and a space in front of the token, or relax the tenant: `muster \
             tenant set TENANT --strict none`."
        }
        "token_missing" => {
            "No token arrives: a proxy takes the Authorization header away. Let it pass."
        }
        reason if reason.starts_with("token_") => {
            "What was sent is no whole token: the text says what is wrong with it. Copy it again from where it was shown, alone and \
             on one line, or make a new one with `muster token create`."
        }
        "scope_missing" => {
            "The token's scopes leave this out. Make one with more scopes: `muster token create --scopes`."
        }
        "network_not_allowed" => {
            "The token may only be used from certain networks, and this request came from another one. Take the networks off the \
             token, or add the identity provider's (`muster token change TENANT KEY_ID --networks`). Behind a proxy, set server.trusted_proxies, so that the client's address is seen."
        }
        _ => return None,
    };
    Some(text)
}

fn tenant(reason: &str) -> Option<&'static str> {
    let text = match reason {
        "tenant_suspended" => {
            "The tenant is suspended: nothing is provisioned. Resume it, if it is meant to be served: `muster tenant resume \
             TENANT`."
        }
        "tenant_closed" => {
            "The tenant is closed. Resume it before its data is purged (`muster tenant resume TENANT`), or take the application out of the \
             identity provider."
        }
        "plan_without_sync" => {
            "The tenant's plan does not hold directory sync. Put it on a plan that does (`muster tenant set TENANT \
             --plan`), or tell the customer what the text says."
        }
        "plan_without_groups" => {
            "The tenant's plan does not hold groups. Put it on a plan that does, or switch groups off in the identity provider."
        }
        "population_conflict" => {
            "The tenant provisions the other population now. Enter the base URL and a token of that one, or let the tenant have both \
             (both_populations)."
        }
        "provisioning_off" => {
            "The tenant's connection is switched off. Switch it on: `muster tenant connection TENANT --provisioning on`."
        }
        "operation_not_allowed" => {
            "The tenant's allowed operations leave this out. Allow it: `muster tenant set TENANT --operations`."
        }
        "tenant_frozen" => {
            "The tenant is being switched to the other population, or moved: writes wait. Cut over, or undo the switch: `muster \
             tenant switch`."
        }
        "tenant_moving" => {
            "The tenant is being moved to another store: writes wait for some seconds. `muster tenant move TENANT --status` says how \
             far it is, and `--back-out` leaves it where it was."
        }
        "rate_limited" => {
            "The tenant has used up its rate: wait as long as Retry-After says, or raise it with `muster tenant set TENANT \
             --rate-limit`."
        }
        "seats_exhausted" => {
            "Every seat is in use. Free or buy seats: `muster tenant set TENANT --seats`."
        }
        "attribute_missing" | "attribute_invalid" | "email_invalid" | "user_name_not_email" => {
            "The tenant's profile, or an attribute of its own, asks for more than the person that the doctor makes has. The text \
             names it; see `muster tenant show` and `muster tenant attribute list`."
        }
        _ => return None,
    };
    Some(text)
}

fn service(reason: &str) -> Option<&'static str> {
    let text = match reason {
        "region_not_here" => {
            "The node that answers has no store of the region. Let the region's hosts lead to nodes of the region, or give the node \
             regions.REGION.store."
        }
        "region_unreachable" => {
            "The gateway of the region does not answer the node that you reached. Look at the region, and at regions.REGION.gateway of \
             the node."
        }
        "routing_loop" => {
            "Nodes forward the region's requests to each other. Give one of them regions.REGION.store; regions.REGION.gateway of all \
             others names it."
        }
        "store_unavailable" | "request_timeout" => {
            "The region's database does not answer the server. See /readyz on the ops port, the database itself, and \
             regions.REGION.store."
        }
        "path_unknown" | "path_doubled" | "tenant_mismatch" => {
            "A proxy changes the path. Let it pass the path on as it is, with /scim/v2 once."
        }
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::doctor::wire::Reply;
    use provisioning::{Class, Reason};
    use reqwest::header::{HeaderMap, HeaderValue};
    use std::time::Duration;

    /// What a client that is well cannot meet: it sends none of these.
    const NEVER_MET: [&str; 8] = [
        "method_not_allowed",
        "media_type_unsupported",
        "too_many",
        "body_too_large",
        "not_implemented",
        "group_push_off",
        "client_secret_invalid",
        "client_assertion_invalid",
    ];

    #[test]
    fn every_refusal_of_a_connection_or_by_policy_has_a_remedy_of_its_own() {
        for reason in Reason::ALL {
            let is_ours = !matches!(reason.class(), Class::Mapping | Class::Conflict);
            if !is_ours || reason.status() < 400 || NEVER_MET.contains(&reason.as_str()) {
                continue;
            }
            let mut headers = HeaderMap::new();
            headers.insert("x-reason", HeaderValue::from_static(reason.as_str()));
            let reply = Reply {
                status: reason.status(),
                headers,
                body: serde_json::json!({ "detail": "…" }),
                text: String::new(),
                took: Duration::ZERO,
                certificate: None,
            };
            let fix = of(&reply, "https://eu-app.example.com/scim/v2");
            assert!(!fix.starts_with("The answer says"), "{reason}");
        }
    }
}
