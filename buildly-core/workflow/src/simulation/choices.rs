//! All choices of a story come from one seed.

use crate::testing::Shape;

#[derive(Debug)]
pub(super) struct Choices(u64);

impl Choices {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66_D1CE_4E5B)
    }

    /// SplitMix64.
    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) const fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(super) fn shape(&mut self, depth: u32) -> Shape {
        if depth == 0 || self.percent(25) {
            return Shape::Call { has_undo: self.percent(80) };
        }
        match self.below(9) {
            0 | 1 => Shape::Sequence(self.shapes(depth)),
            2 | 3 => Shape::Parallel(self.shapes(depth)),
            4 | 5 => {
                let parts = self.shapes(depth);
                let needed = 1 + self.below(parts.len() as u64);
                Shape::Any(u32::try_from(needed).unwrap(), parts)
            }
            6 => {
                let (items, at_once) = (self.below(4) as u32, 1 + self.below(2) as u32);
                Shape::ForEach { items, at_once, body: Box::new(self.shape(depth - 1)) }
            }
            7 => Shape::Loop { rounds: 1 + self.below(2) as u32, body: Box::new(self.shape(depth - 1)) },
            _ => Shape::Rescued {
                body: Box::new(self.shape(depth - 1)),
                handler: Box::new(self.shape(depth - 1)),
            },
        }
    }

    fn shapes(&mut self, depth: u32) -> Vec<Shape> {
        (0..=self.below(3)).map(|_| self.shape(depth - 1)).collect()
    }
}
