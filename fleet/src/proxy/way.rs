//! What becomes of bytes in one direction.

use anyhow::{Context as _, bail};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// From client to server.
    Up,
    /// From server to client.
    Down,
}

impl Side {
    pub(super) fn parse(text: &str) -> anyhow::Result<&'static [Self]> {
        match text {
            "up" => Ok(&[Self::Up]),
            "down" => Ok(&[Self::Down]),
            "both" => Ok(&[Self::Up, Self::Down]),
            _ => bail!("{text} is none of up, down, both"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pass {
    #[default]
    Forward,
    Hold,
    Swallow,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Way {
    pub(super) latency: Duration,
    pub(super) jitter: Duration,
    /// Bytes a second; 0 is as fast as it goes.
    pub(super) rate: u64,
    /// How often a piece is a reset, of 10 000.
    pub(super) reset: u64,
    pub(super) pass: Pass,
    pub(super) drop_after: Option<u64>,
    pub(super) reset_after: Option<u64>,
}

impl Way {
    pub(super) fn set(&mut self, setting: &str) -> anyhow::Result<()> {
        let (key, value) = setting.split_once('=').context("a setting is KEY=VALUE")?;
        match key {
            "latency" => self.latency = millis(value)?,
            "jitter" => self.jitter = millis(value)?,
            "rate" => self.rate = value.parse()?,
            "reset" => {
                let share: f64 = value.strip_suffix('%').unwrap_or(value).parse()?;
                let per_myriad = Duration::from_secs_f64(share.clamp(0.0, 100.0)).as_millis() / 10;
                self.reset = u64::try_from(per_myriad)?;
            }
            "pass" => {
                self.pass = match value {
                    "forward" => Pass::Forward,
                    "hold" => Pass::Hold,
                    "swallow" => Pass::Swallow,
                    _ => bail!("{value} is none of forward, hold, swallow"),
                };
            }
            "drop_after" => self.drop_after = Some(value.parse()?),
            "reset_after" => self.reset_after = Some(value.parse()?),
            _ => bail!("no setting {key}"),
        }
        Ok(())
    }
}

fn millis(text: &str) -> anyhow::Result<Duration> {
    Ok(Duration::from_millis(text.strip_suffix("ms").unwrap_or(text).parse()?))
}

/// Chance that is the same in every run: xorshift.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `below`.
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below.max(1)
    }
}
