//! When a certificate ends: as much of X.509 as that takes.

use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const SEQUENCE: u8 = 0x30;
const EXPLICIT_VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of a certificate in DER (RFC 5280 §4.1); nothing when it cannot be read.
pub(super) fn not_after(der: &[u8]) -> Option<OffsetDateTime> {
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    // An optional version, the serial number, the algorithm and the issuer stand before the validity.
    if rest.first() == Some(&EXPLICIT_VERSION) {
        rest = element(rest)?.2;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (tag, validity, _) = element(rest)?;
    if tag != SEQUENCE {
        return None;
    }
    let (_, _, after) = element(validity)?;
    let (tag, text, _) = element(after)?;
    instant(tag, std::str::from_utf8(text).ok()?)
}

fn instant(tag: u8, text: &str) -> Option<OffsetDateTime> {
    let whole = match tag {
        GENERALIZED_TIME => text.to_owned(),
        // Two digits: 50 and later are of the last century (RFC 5280 §4.1.2.5.1).
        UTC_TIME => {
            let year: u8 = text.get(..2)?.parse().ok()?;
            format!("{}{text}", if year >= 50 { "19" } else { "20" })
        }
        _ => return None,
    };
    let form = format_description!("[year][month][day][hour][minute][second]Z");
    Some(PrimitiveDateTime::parse(&whole, form).ok()?.assume_utc())
}

/// The tag and the content of the first element, and what is behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if bytes.len() > 4 {
            return None;
        }
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    let (content, behind) = rest.split_at_checked(length)?;
    Some((tag, content, behind))
}

#[cfg(test)]
mod tests {
    use super::{instant, not_after};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    /// Made with `openssl req -x509 -days 36500`, so that one end is a `UTCTime` and the other is not.
    const CERTIFICATE: &str = "MIIBkTCCATegAwIBAgIUd/1iGrb45yjs8SrdQVhlVhYgAK4wCgYIKoZIzj0EAwIwHTEbMBkGA1UEAwwSZXUtYXBwLmV4YW1wbGUuY29tMCAXDTI2MTEyMjA4NTcxNFoYDzIxMjYxMDI5MDg1NzE0WjAdMRswGQYDVQQDDBJldS1hcHAuZXhhbXBsZS5jb20wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAShPRTyjy34kJNkCFki5xMlfWN9HtuZp8I0QWRoAKkqi5CubnWjNLDCVGiuRakGe2kK50QZhVqtgCUjS+tKRd29o1MwUTAdBgNVHQ4EFgQUNZqnvOprK4NjYzYvX0EguuT2MPcwHwYDVR0jBBgwFoAUNZqnvOprK4NjYzYvX0EguuT2MPcwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiA3YnXYXG+Ejg87yzPHap+HjKo2vu/3SWSJgmJc3EKazAIhAMop2aU1z4lvojOWExecUpMh2CvoPvoySXYJfsoW8Eq1";

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let der = STANDARD.decode(CERTIFICATE).unwrap();
        assert_eq!(not_after(&der).unwrap().to_string(), "2126-10-29 8:57:14.0 +00:00:00");
    }

    #[test]
    fn two_digits_of_a_year_are_of_this_century_or_the_last() {
        let year = |text| instant(0x17, text).unwrap().year();
        assert_eq!(year("261122085714Z"), 2026);
        assert_eq!(year("491122085714Z"), 2049);
        assert_eq!(year("501122085714Z"), 1950);
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let der = STANDARD.decode(CERTIFICATE).unwrap();
        for cut in 0..200 {
            not_after(der.get(..cut).unwrap());
        }
        for wrong in [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x00", b"hello world"] {
            assert_eq!(not_after(wrong), None, "{wrong:?}");
        }
    }
}
