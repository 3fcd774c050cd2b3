//! The rates as all nodes of a region know them, in Redis. A key holds an id.

use super::{NANOS, Rate, Standing};
use crate::shared::{Question, Shared};

/// The same judgement as [`Rate::judge`], by the clock of Redis: allowed, remaining, microseconds to wait, and until all is
/// to be had again. What is there is believed as far as the burst goes: the rate may have been another, or the clock, or it may
/// be garbage. That is written down too, so that whoever is refused for it waits no longer than for a burst.
const JUDGE: &str = "
local t = redis.call('TIME'); local now = t[1]*1000000 + t[2]
local each, burst, requests = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local full = tonumber(redis.call('GET', KEYS[1]) or now) or now
if not (full >= now) then full = now end
if full > now + each*burst then
  full = now + each*burst
  redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(each*burst/1000)+1)
end
local after = full + each*requests; local wait = after - now - each*burst
if wait > 0.5 then
  return {ARGV[1], {0, math.floor((each*burst - (full - now))/each), math.ceil(wait), math.ceil(full - now)}}
end
redis.call('SET', KEYS[1], string.format('%.3f', after), 'PX', math.ceil((after-now)/1000)+1)
return {ARGV[1], {1, math.floor((each*burst - (after - now))/each + 0.001), 0, math.ceil(after - now)}}
";

/// Takes requests of a caller from all nodes together. `None` when Redis does not say, or says what cannot be.
pub(super) async fn take(
    shared: &Shared,
    caller: &str,
    rate: Rate,
    requests: u32,
) -> Option<Standing> {
    let each = 1_000_000.0 / f64::from(rate.per_second);
    let question = Question { name: "rate", script: JUDGE, key: &format!("muster:rate:{caller}") };
    let requests = requests.min(rate.burst).to_string();
    let arguments = [each.to_string(), rate.burst.to_string(), requests];
    let [each, burst, requests] = &arguments;
    let answer: [i64; 4] = shared.ask(question, &[each, burst, requests]).await?;
    standing(rate, answer)
}

fn standing(rate: Rate, [allowed, remaining, wait, full]: [i64; 4]) -> Option<Standing> {
    let longest = rate.time_of_burst().div_ceil(NANOS / 1_000_000) + 1;
    let micros = |value: i64| u64::try_from(value).ok().filter(|micros| *micros <= longest);
    let seconds = |micros: u64| super::seconds(micros.saturating_mul(NANOS / 1_000_000));
    let wait = micros(wait)?;
    Some(Standing {
        limit: rate.burst,
        remaining: u32::try_from(remaining).ok().filter(|left| *left <= rate.burst)?,
        reset: seconds(micros(full)?),
        retry_after: (allowed == 0).then(|| seconds(wait).max(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::standing;
    use crate::rate_limit::Rate;

    #[test]
    fn what_cannot_be_is_no_answer() {
        let rate = Rate::new(10, 100);
        let good = standing(rate, [1, 99, 0, 100_000]).unwrap();
        assert_eq!((good.limit, good.remaining, good.reset, good.retry_after), (100, 99, 1, None));
        let refused = standing(rate, [0, 0, 2_000_001, 10_000_000]).unwrap();
        assert_eq!((refused.reset, refused.retry_after), (10, Some(3)));
        assert_eq!(standing(rate, [0, 3, 5, 9_700_000]).unwrap().retry_after, Some(1));
        for lie in [
            [1, 101, 0, 0],
            [1, -1, 0, 0],
            [0, 0, 3_600_000_000, 0],
            [0, 0, -1, 0],
            [1, 0, 0, 1 << 40],
        ] {
            assert!(standing(rate, lie).is_none(), "{lie:?}");
        }
    }
}
