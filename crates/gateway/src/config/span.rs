//! Spans of time as people write them: `500ms`, `5s`, `15m`, `24h`, `30d`.

use std::time::Duration;

/// What a span looks like, for messages.
pub(super) const SHAPE: &str =
    "a number and a unit without a space, such as 500ms, 5s, 15m, 24h or 30d";

/// Parses a span; `None` when the text has another shape or the span is beyond a hundred years.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let span = Duration::from_millis(number.checked_mul(unit_ms)?);
    (span <= Duration::from_hours(24 * 36_525)).then_some(span)
}

/// Writes a span in its largest whole unit.
pub(super) fn write_span(span: Duration) -> String {
    let ms = span.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    for (unit_ms, unit) in units {
        if ms >= unit_ms && ms.is_multiple_of(unit_ms) {
            return format!("{}{unit}", ms / unit_ms);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use super::{parse_span, write_span};
    use std::time::Duration;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, span) in [
            ("0s", Duration::ZERO),
            ("500ms", Duration::from_millis(500)),
            ("5s", Duration::from_secs(5)),
            ("15m", Duration::from_mins(15)),
            ("24h", Duration::from_hours(24)),
            ("365d", Duration::from_hours(24 * 365)),
        ] {
            assert_eq!(parse_span(text), Some(span), "{text}");
        }
        for bad in
            ["", "5", "s", "5 s", "-5s", "5S", "1.5h", "5sec", "٣s", "36526d", "99999999999999999d"]
        {
            assert_eq!(parse_span(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_span_is_written_in_its_largest_whole_unit() {
        for text in ["500ms", "5s", "15m", "23h", "30d", "1500ms"] {
            assert_eq!(parse_span(text).map(write_span).as_deref(), Some(text));
        }
        assert_eq!(write_span(Duration::from_hours(24)), "1d");
    }
}
