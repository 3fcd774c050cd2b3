//! What nodes share over Redis, and what becomes of requests when it is gone, slow, emptied or wrong.

use crate::support::redis::{Liar, Redis, free_port, patient};
use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, until};
use gateway::telemetry::metrics;
use std::time::{Duration, Instant};
use tenant_registry::{NewTenant, RateLimit};

/// How long these nodes wait for Redis ([`patient`]).
const PATIENCE: Duration = Duration::from_millis(300);

fn rate(per_second: u32, burst: u32) -> impl FnOnce(&mut NewTenant) {
    move |new| new.rate_limit = RateLimit::rate(per_second, burst).unwrap()
}

/// The sum of the series of a metric whose labels hold this. Each test has a process of its own.
fn measured(name: &str, label: &str) -> u64 {
    let text = metrics::recorder().unwrap().render();
    let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Questions that were asked, by what came of them.
fn asked(outcome: &str) -> u64 {
    let label = format!("outcome=\"{outcome}\"");
    measured("db_client_operation_duration_seconds_count", &label)
}

/// Asks until Redis is asked again.
async fn is_shared_again(tenant: &TestTenant) {
    until("Redis is asked again", async || {
        tenant.get("/ServiceProviderConfig").await.assert(200);
        (measured("redis_up", "") == 1).then_some(())
    })
    .await;
}

/// Requests one after another, and how long each took.
async fn times(tenant: &TestTenant, count: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..count {
        let began = Instant::now();
        tenant.get("/Users/nobody").await.assert(404);
        times.push(began.elapsed());
    }
    times
}

async fn with(redis: &str) -> (TestGateway, TestTenant) {
    let gateway = TestGateway::start_with(&["us"], &patient(redis)).await;
    let acme = gateway.tenant("acme").await;
    (gateway, acme)
}

#[actix_web::test]
async fn a_redis_that_hangs_is_waited_for_three_times_and_then_not_at_all() {
    let redis = Redis::own();
    let (_gateway, acme) = with(&redis.url).await;
    times(&acme, 20).await;
    let (answered, skipped) = (asked("answered"), measured("redis_skipped_total", "rate"));
    assert!(answered >= 20 && skipped == 0, "{answered} {skipped}");

    redis.freeze();
    let began = Instant::now();
    let slow = times(&acme, 60).await;
    let seconds = began.elapsed().as_secs();

    // Each second one connection is tried for, beside the requests; it is accepted by the system and says nothing.
    assert_eq!(asked("late"), 3, "{slow:?}");
    assert_eq!(asked("answered"), answered);
    assert!(measured("redis_skipped_total", "rate") >= 57);
    assert!(seconds < 30, "{slow:?}");
    assert_eq!(measured("redis_up", ""), 0);
    redis.thaw();
    is_shared_again(&acme).await;
    let before = asked("answered");
    times(&acme, 5).await;
    assert!(asked("answered") >= before + 5);
}

#[actix_web::test]
async fn a_redis_that_answers_slowly_costs_no_request_more_than_its_limit() {
    let redis = Redis::own();
    let (_gateway, acme) = with(&redis.url).await;
    times(&acme, 20).await;

    redis.tell(&["CLIENT", "PAUSE", "1500", "ALL"]);
    let mut slow = times(&acme, 40).await;

    slow.sort();
    // Three wait for the limit; the others for nothing.
    assert!(slow[36] < PATIENCE, "{slow:?}");
    assert!(asked("late") <= 3);
    is_shared_again(&acme).await;
}

#[actix_web::test]
async fn a_redis_that_comes_later_is_found() {
    let port = free_port();
    let url = format!("redis://127.0.0.1:{port}");
    let gateway = TestGateway::start_with(&["us"], &patient(&url)).await;
    // What it takes is long in coming back.
    let acme = gateway.tenant_with("acme", rate(1, 1000)).await;
    times(&acme, 10).await;
    assert_eq!((asked("answered"), measured("redis_up", "")), (0, 0));

    let redis = Redis::on(port);

    is_shared_again(&acme).await;
    times(&acme, 1).await;
    assert!(redis.keys().contains(&format!("muster:rate:{}", acme.tenant.id)));
}

#[actix_web::test]
async fn a_redis_that_is_started_anew_is_used_anew() {
    let mut redis = Redis::own();
    let (_gateway, acme) = with(&redis.url).await;
    for _ in 0..3 {
        times(&acme, 5).await;
        redis.restart();
        times(&acme, 5).await;
        is_shared_again(&acme).await;
    }
    redis.kill();
    times(&acme, 20).await;
}

#[actix_web::test]
async fn without_redis_each_node_has_the_whole_rate_and_no_more() {
    let redis = Redis::own();
    let settings = patient(&redis.url);
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let acme = gateway.tenant_with("acme", rate(1, 8)).await;
    let elsewhere = gateway.other_node_with(&acme, &settings).await;
    for tenant in [&acme, &elsewhere].repeat(4) {
        tenant.get("/Users").await.assert(200);
    }
    redis.freeze();

    let mut answered = [0, 0];
    for _ in 0..12 {
        for (node, tenant) in [&acme, &elsewhere].into_iter().enumerate() {
            answered[node] += u32::from(tenant.get("/Users").await.status == 200);
        }
    }
    // Eight, and what the time gave back meanwhile.
    assert!(answered.iter().all(|count| (8..=11).contains(count)), "{answered:?}");
}

#[actix_web::test]
async fn an_emptied_redis_forgets_and_what_is_revoked_stays_revoked() {
    let redis = Redis::own();
    let (gateway, acme) = with(&redis.url).await;
    times(&acme, 5).await;
    gateway.revoke(&acme).await;
    acme.get("/Users").await.refused(401, "token_revoked", None);
    redis.tell(&["FLUSHALL"]);
    acme.get("/Users").await.refused(401, "token_revoked", None);
}

#[actix_web::test]
async fn an_answer_to_another_question_is_none() {
    let redis = Redis::own();
    let liar = Liar::before(&redis).await;
    let gateway = TestGateway::start_with(&["us"], &patient(&liar.url)).await;
    let small = gateway.tenant_with("small", rate(1, 5)).await;
    let large = gateway.tenant_with("large", rate(1000, 5000)).await;
    for tenant in [&small, &large] {
        tenant.get("/ServiceProviderConfig").await.assert(200);
    }
    let remaining = async |tenant: &TestTenant| {
        let answer = tenant.get("/ServiceProviderConfig").await.assert(200);
        answer.header("ratelimit-remaining").unwrap().parse::<u32>().unwrap()
    };
    assert_eq!((asked("late"), asked("wrong")), (0, 0));

    // The answer to the other's question is not believed, and nothing more is asked on that connection.
    liar.repeat_one();
    assert!(remaining(&small).await <= 5);
    assert_eq!((asked("wrong"), measured("redis_up", "")), (1, 0));
    assert!(remaining(&large).await >= 4990);
    is_shared_again(&large).await;

    // Of one that was lost, every later one would be taken for the question before its own.
    liar.lose_one();
    let (first, second, third, fourth) =
        tokio::join!(remaining(&small), remaining(&large), remaining(&small), remaining(&large));
    assert!(first <= 5 && third <= 5, "{first} {third}");
    assert!(second >= 4900 && fourth >= 4900, "{second} {fourth}");
    assert!(asked("late") + asked("wrong") >= 2);
    is_shared_again(&large).await;
}

async fn answered(tenant: &TestTenant) -> Option<()> {
    (tenant.get("/Users").await.status == 200).then_some(())
}

#[actix_web::test]
async fn what_others_wrote_under_our_keys_is_believed_as_far_as_a_burst_goes() {
    let redis = Redis::own();
    let settings = patient(&redis.url);
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let acme = gateway.tenant_with("acme", rate(100, 100)).await;
    let key = format!("muster:rate:{}", acme.tenant.id);
    acme.get("/Users").await.assert(200);

    // Of a clock that went back by a thousand years, and of nobody.
    redis.tell(&["SET", &key, "99999999999999999.000"]);
    let refused = acme.get("/Users").await;
    refused.refused(429, "rate_limited", None);
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Whoever is refused for it waits for a burst, and not until then.
    until("the burst is to be had again", async || answered(&acme).await).await;
    for lie in ["1e308", "inf", "-nan"] {
        redis.tell(&["SET", &key, lie]);
        acme.get("/Users").await;
        until(lie, async || answered(&acme).await).await;
    }
    redis.tell(&["SET", &key, "nonsense"]);
    acme.get("/Users").await.assert(200);
    // Of another kind, it is an error, and this node counts.
    redis.tell(&["DEL", &key]);
    redis.tell(&["RPUSH", &key, "1"]);
    acme.get("/Users").await.assert(200);
    assert_eq!(asked("failed"), 1);
}
