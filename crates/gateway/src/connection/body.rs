//! Where the body of a request ends.
//!
//! **Invariant**: the library judges whether a body is well formed. Of one that is not, this may find the end elsewhere: then
//! the library has refused the connection already.

use actix_web::http::header::{self, HeaderMap};

/// What is still to come of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// So many bytes.
    Bytes(u64),
    /// Chunks (RFC 9112 §7.1), of which this part is next.
    Chunks(Part),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The line with the size, of which this much is known; behind the digits come extensions.
    Size { size: u64, in_digits: bool },
    /// So many bytes of data.
    Data(u64),
    /// The line end behind the data.
    DataEnd,
    /// The beginning of a line behind the last chunk; the last of them is empty.
    Line,
    /// The rest of such a line, which only CR and LF end, as they do for the library.
    InLine,
    /// What follows its CR.
    LineEnd,
    /// What follows the CR of the empty one.
    LastEnd,
}

impl Part {
    const FIRST: Self = Self::Size { size: 0, in_digits: true };

    /// What comes after this byte, which is not of the data; nothing after the last.
    fn after(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Size { size: 0, .. }, b'\n') | (Self::LineEnd, _) => Self::Line,
            (Self::Size { size, .. }, b'\n') => Self::Data(size),
            (Self::Size { size, in_digits: true }, _) => match char::from(byte).to_digit(16) {
                Some(digit) => {
                    let size = size.saturating_mul(16).saturating_add(u64::from(digit));
                    Self::Size { size, in_digits: true }
                }
                None => Self::Size { size, in_digits: false },
            },
            (Self::DataEnd, b'\n') => Self::FIRST,
            (Self::Line, b'\r') => Self::LastEnd,
            (Self::InLine, b'\r') => Self::LineEnd,
            (Self::Line | Self::InLine, _) => Self::InLine,
            (Self::LastEnd, _) => return None,
            (part, _) => part,
        })
    }
}

impl Rest {
    /// Of no body.
    pub(super) const NONE: Self = Self::Bytes(0);

    /// Whether nothing is to come any more.
    pub(super) fn is_over(self) -> bool {
        self == Self::NONE
    }

    /// The body that these headers announce (RFC 9112 §6.3).
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(header::TRANSFER_ENCODING) {
            return Self::Chunks(Part::FIRST);
        }
        let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        Self::Bytes(length.and_then(|text| text.trim().parse().ok()).unwrap_or_default())
    }

    /// How many of these bytes are of the body, and what is still to come behind them.
    pub(super) fn take(self, bytes: &[u8]) -> (usize, Self) {
        match self {
            Self::Bytes(left) => {
                let count = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                (count, Self::Bytes(left.saturating_sub(count as u64)))
            }
            Self::Chunks(part) => take_chunks(part, bytes),
        }
    }
}

fn take_chunks(mut part: Part, bytes: &[u8]) -> (usize, Rest) {
    let mut count = 0;
    while let Some(byte) = bytes.get(count) {
        if let Part::Data(left) = part {
            let here = bytes.len() - count;
            let data = usize::try_from(left).map_or(here, |left| left.min(here));
            count += data;
            part = match left.saturating_sub(data as u64) {
                0 => Part::DataEnd,
                left => Part::Data(left),
            };
            continue;
        }
        count += 1;
        match part.after(*byte) {
            Some(next) => part = next,
            None => return (count, Rest::Bytes(0)),
        }
    }
    (count, Rest::Chunks(part))
}

#[cfg(test)]
mod tests {
    use super::{Part, Rest};

    const CHUNKED: Rest = Rest::Chunks(Part::FIRST);
    const ENDED: Rest = Rest::Bytes(0);

    #[test]
    fn a_chunked_body_ends_behind_the_empty_line_after_its_last_chunk() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "A \r\n0\r\n\r\n01234\r\n0\r\n\r\n",
            "00000f;name=\"0\"\r\n0123456789abcde\r\n000;last\r\nTrailer: 0\r\n\r\n",
            "0\r\nTrailer: 0\n\nand more\r\nAnother: 1\r\n\r\n",
            "0\r\n\nof a trailer\r\n\r\n",
        ] {
            let all = format!("{body}HEAD / HTTP/1.1\r\n\r\n");
            assert_eq!(CHUNKED.take(all.as_bytes()), (body.len(), ENDED), "{body:?}");
            let mut rest = CHUNKED;
            for byte in body.bytes() {
                assert_ne!(rest, ENDED, "{body:?}");
                let taken = rest.take(&[byte]);
                assert_eq!(taken.0, 1);
                rest = taken.1;
            }
            assert_eq!(rest, ENDED, "{body:?} byte by byte");
        }
    }

    #[test]
    fn a_counted_body_ends_with_its_count() {
        assert_eq!(Rest::Bytes(3).take(b"abcdef"), (3, ENDED));
        assert_eq!(Rest::Bytes(3).take(b"ab"), (2, Rest::Bytes(1)));
        assert_eq!(ENDED.take(b"ab"), (0, ENDED));
    }
}
