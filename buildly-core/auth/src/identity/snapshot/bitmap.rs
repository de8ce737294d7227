//! Sets of small numbers: of groups.
//!
//! Of thousands of groups a service has many, and somebody is in few. So the one is a bitmap, of
//! which the first 64 need no memory of their own, and the other a list; a check costs as many
//! looks at the bitmap as the list is long, however many groups there are.

use smallvec::SmallVec;

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
    pub(crate) fn first_common(&self, held: &Held) -> Option<u32> {
        held.iter().find(|number| self.contains(*number))
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

/// The groups that somebody is in, in order; some need no memory of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held(SmallVec<[u32; 6]>);

impl Held {
    /// Whether `number` is among them.
    pub(crate) fn contains(&self, number: u32) -> bool {
        self.0.binary_search(&number).is_ok()
    }

    /// The numbers in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<u32> for Held {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut held: SmallVec<_> = numbers.into_iter().collect();
        held.sort_unstable();
        held.dedup();
        Self(held)
    }
}
