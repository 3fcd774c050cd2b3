//! How many requests of a tenant are answered.
//!
//! **Invariant**: a rate is a value that a limiter can use: nothing is zero.

use std::fmt;

/// A tenant's own limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RateLimit {
    /// What the process is configured with.
    #[default]
    Default,
    /// None.
    Off,
    /// Its own.
    Rate {
        /// Requests a second, sustained.
        per_second: u32,
        /// Requests at once.
        burst: u32,
    },
}

/// A text that is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a rate is requests a second and requests at once, such as 200/2000 (1 to 1000000 each, the second not smaller), or off, or default"
)]
pub struct RateLimitError;

impl RateLimit {
    /// The highest number in a rate.
    pub const MOST: u32 = 1_000_000;

    /// A rate of its own.
    ///
    /// # Errors
    /// When a number is zero or too high, or the burst is smaller than the rate.
    pub fn rate(per_second: u32, burst: u32) -> Result<Self, RateLimitError> {
        let fits = |n| (1..=Self::MOST).contains(&n);
        if fits(per_second) && fits(burst) && burst >= per_second {
            return Ok(Self::Rate { per_second, burst });
        }
        Err(RateLimitError)
    }

    /// Parses `200/2000`, `off` or `default`.
    ///
    /// # Errors
    /// On anything else.
    pub fn parse(text: &str) -> Result<Self, RateLimitError> {
        match text {
            "default" => Ok(Self::Default),
            "off" => Ok(Self::Off),
            rate => {
                let (per_second, burst) = rate.split_once('/').ok_or(RateLimitError)?;
                let number = |text: &str| text.parse().map_err(|_no_number| RateLimitError);
                Self::rate(number(per_second)?, number(burst)?)
            }
        }
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Off => f.write_str("off"),
            Self::Rate { per_second, burst } => write!(f, "{per_second}/{burst}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RateLimit;

    #[test]
    fn a_rate_reads_as_it_is_written() {
        for good in ["default", "off", "1/1", "200/2000"] {
            assert_eq!(RateLimit::parse(good).unwrap().to_string(), good);
        }
        for bad in ["", "0/1", "2/1", "200", "1/1000001", "-1/2", "a/b"] {
            assert!(RateLimit::parse(bad).is_err(), "{bad}");
        }
    }
}
