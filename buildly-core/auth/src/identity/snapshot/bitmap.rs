//! A set of small numbers, one bit each; the first 64 need no memory of their own.

/// A set of interned groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bitmap {
    first: u64,
    rest: Box<[u64]>,
}

const BITS: u32 = u64::BITS;

impl Bitmap {
    /// Adds `number`.
    pub(crate) fn insert(&mut self, number: u32) {
        if number < BITS {
            self.first |= 1 << number;
            return;
        }
        let word = (number / BITS - 1) as usize;
        if word >= self.rest.len() {
            let mut rest = self.rest.to_vec();
            rest.resize(word + 1, 0);
            self.rest = rest.into();
        }
        if let Some(bits) = self.rest.get_mut(word) {
            *bits |= 1 << (number % BITS);
        }
    }

    /// Whether `number` is in the set.
    pub(crate) fn contains(&self, number: u32) -> bool {
        let bits = match number / BITS {
            0 => self.first,
            word => self.rest.get((word - 1) as usize).copied().unwrap_or(0),
        };
        bits & (1 << (number % BITS)) != 0
    }

    /// The smallest number that is in both sets.
    pub(crate) fn first_common(&self, other: &Self) -> Option<u32> {
        let both = self.first & other.first;
        if both != 0 {
            return Some(both.trailing_zeros());
        }
        self.rest.iter().zip(other.rest.iter()).zip(1..).find_map(|((one, two), word)| {
            let both = one & two;
            (both != 0).then(|| word * BITS + both.trailing_zeros())
        })
    }

    /// Whether the set is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.first == 0 && self.rest.iter().all(|bits| *bits == 0)
    }

    /// The numbers in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::once(self.first).chain(self.rest.iter().copied()).zip(0..).flat_map(|(bits, word)| {
            (0..BITS).filter(move |bit| bits & (1 << bit) != 0).map(move |bit| word * BITS + bit)
        })
    }
}

impl FromIterator<u32> for Bitmap {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut bitmap = Self::default();
        numbers.into_iter().for_each(|number| bitmap.insert(number));
        bitmap
    }
}
