//! The rates as all nodes know them, in Redis.
//!
//! **Invariant**: a request waits [`PATIENCE`] at most, and not at all within [`PAUSE`] after Redis failed. A key holds an id.

use super::{NANOS, Rate, Standing};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long Redis is left alone after it failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The same judgement as [`Rate::judge`], by the clock of Redis: allowed, remaining, microseconds to wait, and until all is
/// to be had again. Redis keeps the compiled script by its text.
const JUDGE: &str = "
local t = redis.call('TIME'); local now = t[1]*1000000 + t[2]
local each, burst, requests = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(redis.call('GET', KEYS[1]) or now); if full < now then full = now end
local after = full + each*requests; local wait = after - now - each*burst
if wait > 0.5 then
  return {0, math.floor((each*burst - (full - now))/each), math.ceil(wait), math.ceil(full - now)}
end
redis.call('SET', KEYS[1], string.format('%.3f', after), 'PX', math.ceil((after-now)/1000)+1)
return {1, math.floor((each*burst - (after - now))/each + 0.001), 0, math.ceil(after - now)}
";

pub(super) struct Shared {
    connection: ConnectionManager,
    /// When it may be asked again, on the limiter's clock; 0 while it answers.
    again_at: AtomicU64,
}

impl Shared {
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        let client = redis::Client::open(url)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(Duration::from_millis(500)))
            .set_response_timeout(Some(Duration::from_millis(500)));
        let connection = client.get_connection_manager_lazy(config)?;
        Ok(Self { connection, again_at: AtomicU64::new(0) })
    }

    /// `None` when Redis does not say.
    pub(super) async fn take(
        &self,
        caller: &str,
        rate: Rate,
        requests: u32,
        now: u64,
    ) -> Option<Standing> {
        let again_at = self.again_at.load(Ordering::Relaxed);
        if now < again_at {
            return None;
        }
        match tokio::time::timeout(PATIENCE, self.ask(caller, rate, requests)).await {
            Ok(Ok(standing)) => {
                if again_at > 0 && self.again_at.swap(0, Ordering::Relaxed) > 0 {
                    tracing::info!("Redis answers again; rates are shared by all nodes.");
                }
                Some(standing)
            }
            Ok(Err(error)) => {
                self.leave_alone(now, &error);
                None
            }
            Err(elapsed) => {
                self.leave_alone(now, &elapsed);
                None
            }
        }
    }

    async fn ask(&self, caller: &str, rate: Rate, requests: u32) -> redis::RedisResult<Standing> {
        let each = 1_000_000.0 / f64::from(rate.per_second);
        let (allowed, remaining, wait, full): (u8, i64, u64, u64) = redis::cmd("EVAL")
            .arg(JUDGE)
            .arg(1)
            .arg(format!("muster:rate:{caller}"))
            .arg(each)
            .arg(rate.burst)
            .arg(requests.min(rate.burst))
            .query_async(&mut self.connection.clone())
            .await?;
        let seconds = |micros: u64| super::seconds(micros.saturating_mul(NANOS / 1_000_000));
        Ok(Standing {
            limit: rate.burst,
            remaining: u32::try_from(remaining).unwrap_or_default(),
            reset: seconds(full),
            retry_after: (allowed == 0).then(|| seconds(wait).max(1)),
        })
    }

    fn leave_alone(&self, now: u64, error: &(dyn std::error::Error + 'static)) {
        let pause = u64::try_from(PAUSE.as_nanos()).unwrap_or(NANOS);
        if self.again_at.swap(now + pause, Ordering::Relaxed) == 0 {
            tracing::warn!(error, "Redis does not answer; each node counts rates on its own.");
        }
    }
}
