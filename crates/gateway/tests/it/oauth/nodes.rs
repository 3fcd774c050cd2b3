//! What was used on one node, on another.

use super::assertions::{Idp, as_client};
use crate::support::TestGateway;
use crate::support::redis::{Redis, patient};

#[actix_web::test]
async fn an_assertion_that_one_node_took_is_refused_by_the_others() {
    let redis = Redis::own();
    let settings = patient(&redis.url);
    let (gateway, idp) = (TestGateway::start_with(&["us"], &settings).await, Idp::new());
    let here = idp.client(&gateway).await;
    let there = here.at(gateway.other_node_with(&here.tenant, &settings).await);

    let assertion = idp.assert(&here, "ada@example.com");
    as_client(&here, &assertion).await.token();
    for client in [&there, &here, &there] {
        let refused = as_client(client, &assertion).await;
        assert!(refused.refused(401, "invalid_client").contains("used before"));
    }
    as_client(&there, &idp.assert(&here, "2")).await.token();

    let keys = redis.keys();
    let used: Vec<&String> = keys.iter().filter(|key| key.contains("assertion")).collect();
    assert_eq!(used.len(), 2, "{keys:?}");
    // A client's own names for its assertions are nobody's business.
    let bytes = redis.bytes();
    assert!(!bytes.windows(4).any(|window| window == b"ada@" || window == b"mcl_"));
    let left = redis.tell(&["PTTL", used[0]]);
    assert!(matches!(left, redis::Value::Int(300_000..=360_000)), "{left:?}");
}

#[actix_web::test]
async fn without_redis_or_after_it_was_emptied_each_node_refuses_what_it_took_itself() {
    let redis = Redis::own();
    let settings = patient(&redis.url);
    let (gateway, idp) = (TestGateway::start_with(&["us"], &settings).await, Idp::new());
    let here = idp.client(&gateway).await;
    let there = here.at(gateway.other_node_with(&here.tenant, &settings).await);

    for (jti, trouble) in [("1", None), ("2", Some("FLUSHALL")), ("3", Some("SIGSTOP"))] {
        let assertion = idp.assert(&here, jti);
        if trouble == Some("SIGSTOP") {
            redis.freeze();
        }
        as_client(&here, &assertion).await.token();
        if trouble == Some("FLUSHALL") {
            redis.tell(&["FLUSHALL"]);
        }
        let elsewhere = as_client(&there, &assertion).await;
        // What nobody remembers beside the node that took it, another takes once: a client is not kept out by a cache.
        match trouble {
            None => drop(elsewhere.refused(401, "invalid_client").to_owned()),
            Some(_) => drop(elsewhere.token()),
        }
        for client in [&here, &there] {
            as_client(client, &assertion).await.refused(401, "invalid_client");
        }
    }
}
