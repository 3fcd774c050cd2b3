//! Numbers in the digits `0-9A-Za-z`, of a fixed width.
//!
//! **Invariant**: the digits are letters and figures alone, so that a double click selects the whole.

/// The big-endian number in `width` digits. Digits that would not fit are dropped from the front.
pub(crate) fn encode(number: &[u8], width: usize) -> String {
    let mut number = number.to_vec();
    let mut digits = Vec::with_capacity(width);
    for _ in 0..width {
        let mut remainder: u32 = 0;
        for byte in &mut number {
            let value = (remainder << 8) | u32::from(*byte);
            // value < 62 * 256, so that the quotient is one byte.
            let [quotient, ..] = (value / 62).to_le_bytes();
            *byte = quotient;
            remainder = value % 62;
        }
        let [last, ..] = remainder.to_le_bytes();
        digits.push(digit(last));
    }
    digits.iter().rev().collect()
}

/// The number that these digits are; `None` when they are no digits, or the number does not fit.
pub(crate) fn decode<const BYTES: usize>(digits: &str) -> Option<[u8; BYTES]> {
    let mut number = [0_u8; BYTES];
    for digit in digits.bytes() {
        let mut carry = u32::from(value(digit)?);
        for byte in number.iter_mut().rev() {
            let sum = u32::from(*byte) * 62 + carry;
            // The lowest byte stays, the others go on.
            let [lowest, ..] = sum.to_le_bytes();
            *byte = lowest;
            carry = sum >> 8;
        }
        if carry > 0 {
            return None;
        }
    }
    Some(number)
}

/// `width` digits at random.
pub(crate) fn random(width: usize) -> String {
    (0..width).map(|_| digit(rand::random_range(0..62))).collect()
}

/// Whether the text is made of these digits.
pub(crate) fn is_base62(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn digit(value: u8) -> char {
    char::from(match value {
        0..=9 => b'0' + value,
        10..=35 => b'A' + (value - 10),
        _ => b'a' + (value.min(61) - 36),
    })
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'Z' => Some(digit - b'A' + 10),
        b'a'..=b'z' => Some(digit - b'a' + 36),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, is_base62, random};

    #[test]
    fn a_number_is_read_as_it_was_written() {
        for _ in 0..1000 {
            let mut number = [0_u8; 32];
            rand::fill(&mut number);
            assert_eq!(decode(&encode(&number, 43)), Some(number));
        }
        assert_eq!(decode(&encode(&[0xff; 32], 43)), Some([0xff; 32]));
        assert_eq!(decode::<32>(&"z".repeat(43)), None, "62^43 > 2^256");
        assert_eq!(
            (decode::<4>("0-0"), decode::<1>("48"), decode("47")),
            (None, None, Some([255]))
        );
    }

    #[test]
    fn numbers_have_a_fixed_width_and_their_order() {
        assert_eq!(encode(&[0], 3), "000");
        assert_eq!(encode(&[61], 2), "0z");
        assert_eq!(encode(&[62], 2), "10");
        assert_eq!(encode(&u32::MAX.to_be_bytes(), 6), "4gfFC3");
        assert_eq!(encode(&[0xff; 32], 43).len(), 43);
        assert_ne!(encode(&[0xff; 32], 43).chars().next(), Some('0'));
    }

    #[test]
    fn random_digits_are_all_of_the_alphabet() {
        let text = random(10_000);
        assert!(is_base62(&text));
        for digit in ['0', '9', 'A', 'Z', 'a', 'z'] {
            assert!(text.contains(digit), "{digit}");
        }
    }
}
