//! Mutations of the seeds, the same ones in every run.

/// A generator of numbers that need not be good, only the same everywhere (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    /// One that starts at this number.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`, or 0.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let sides = u64::try_from(sides.max(1)).unwrap_or(1);
        usize::try_from(mixed % sides).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.roll(from.len()))
    }
}

/// One to four changes to one of the seeds.
pub(crate) fn mutated(seeds: &[Vec<u8>], words: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = dice.pick(seeds).cloned().unwrap_or_default();
    for _ in 0..=dice.roll(4) {
        change(&mut input, seeds, words, dice);
    }
    input.truncate(8192);
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[Vec<u8>], dice: &mut Dice) {
    let from = dice.roll(input.len() + 1);
    let to = (from + dice.roll(12)).min(input.len());
    let word = dice.pick(words).cloned().unwrap_or_default();
    match dice.roll(7) {
        0 => {
            if let Some(byte) = input.get_mut(from) {
                *byte ^= 1 << dice.roll(8);
            }
        }
        1 => drop(input.drain(from..to)),
        2 => drop(input.splice(from..from, word)),
        3 => drop(input.splice(from..to, word)),
        4 => {
            let again = input.get(from..to).unwrap_or_default().to_vec();
            drop(input.splice(to..to, again));
        }
        5 => {
            // A word in place of another: the most likely change to stay well formed.
            let (before, after) = words.split_at(dice.roll(words.len()));
            let mut others = after.iter().chain(before);
            let place = others.find_map(|old| find(input, old).map(|at| (at, old.len())));
            if let Some((at, length)) = place {
                drop(input.splice(at..at + length, word));
            }
        }
        _ => {
            let other = dice.pick(seeds).cloned().unwrap_or_default();
            let at = dice.roll(other.len() + 1);
            input.truncate(from);
            input.extend_from_slice(other.get(at..).unwrap_or_default());
        }
    }
}

fn find(input: &[u8], word: &[u8]) -> Option<usize> {
    input.windows(word.len().max(1)).position(|window| window == word)
}
