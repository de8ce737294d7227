//! Picks the instance whose turn it is: weighted round robin without state.
//!
//! The weights, divided by what they have in common, are slots of a wheel, and each turn
//! moves on by about 0.618 of the wheel, a step that has no divisor in common with it. So
//! every slot is met exactly once a round, and the turns of a heavy instance are spread over
//! the round instead of coming in a row.

/// The index of the instance whose turn it is; `None` if every weight is 0.
///
/// A weight of 0 takes no calls: an instance that is ejected, or was tried by this call.
///
/// ```
/// use buildly_gateway::traffic::balance::pick;
/// let picked: Vec<_> = (0..6).map(|turn| pick([2, 1, 0].into_iter(), turn)).collect();
/// assert_eq!(picked.iter().filter(|index| **index == Some(0)).count(), 4);
/// assert_eq!(picked.iter().filter(|index| **index == Some(1)).count(), 2);
/// ```
#[must_use]
pub fn pick(weights: impl Iterator<Item = u16> + Clone, turn: u64) -> Option<usize> {
    let divisor = weights.clone().fold(0, |divisor, weight| greatest_common_divisor(divisor, weight.into()));
    if divisor == 0 {
        return None;
    }
    let shares = weights.map(|weight| u64::from(weight) / divisor);
    let wheel: u64 = shares.clone().sum();
    let slot = (turn % wheel) * step(wheel) % wheel;
    let mut passed = 0;
    shares.into_iter().position(|share| {
        passed += share;
        slot < passed
    })
}

/// About 0.618 of the wheel, without a divisor in common with it.
fn step(wheel: u64) -> u64 {
    let golden = (wheel * 618 / 1000).max(1);
    (golden..wheel).find(|step| greatest_common_divisor(*step, wheel) == 1).unwrap_or(1)
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests;
