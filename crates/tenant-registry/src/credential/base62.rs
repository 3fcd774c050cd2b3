//! Numbers in the digits `0-9A-Za-z`, of a fixed width.
//!
//! **Invariant**: the digits are letters and figures alone, so that a double click selects the whole.

/// The big-endian number in `width` digits. Digits that would not fit are dropped from the front.
pub(super) fn encode(number: &[u8], width: usize) -> String {
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

/// `width` digits at random.
pub(super) fn random(width: usize) -> String {
    (0..width).map(|_| digit(rand::random_range(0..62))).collect()
}

/// Whether the text is made of these digits.
pub(super) fn is_base62(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn digit(value: u8) -> char {
    char::from(match value {
        0..=9 => b'0' + value,
        10..=35 => b'A' + (value - 10),
        _ => b'a' + (value.min(61) - 36),
    })
}

#[cfg(test)]
mod tests {
    use super::{encode, is_base62, random};

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
