use proptest::prelude::*;

use super::*;

fn picks(weights: &[u16], turns: std::ops::Range<u64>) -> Vec<usize> {
    turns.map(|turn| pick(weights.iter().copied(), turn).unwrap()).collect()
}

#[test]
fn nobody_is_picked_from_nobody() {
    assert_eq!(pick([].into_iter(), 7), None);
    assert_eq!(pick([0, 0].into_iter(), 7), None);
}

#[test]
fn equal_instances_take_turns_whatever_their_weight() {
    for weights in [[1, 1, 1], [7, 7, 7], [600, 600, 600]] {
        let mut picked = picks(&weights, 0..3);
        picked.sort_unstable();
        assert_eq!(picked, [0, 1, 2], "{weights:?}");
    }
}

#[test]
fn the_turns_of_a_heavy_instance_are_spread() {
    let picked = picks(&[5, 5, 1], 0..11);
    let longest_row = picked.chunk_by(|a, b| a == b).map(<[usize]>::len).max();
    assert!(longest_row <= Some(2), "{picked:?}");
}

proptest! {
    #[test]
    fn in_a_round_everybody_gets_exactly_their_share(
        weights in prop::collection::vec(0u16..40, 1..12),
        start in 0u64..1_000_000,
    ) {
        let wheel: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        prop_assume!(wheel > 0);
        let picked = picks(&weights, start * wheel..(start + 1) * wheel);
        for (index, weight) in weights.iter().enumerate() {
            prop_assert_eq!(picked.iter().filter(|at| **at == index).count(), usize::from(*weight));
        }
    }

    #[test]
    fn a_weight_of_zero_is_never_picked(weights in prop::collection::vec(0u16.., 1..9), turn in any::<u64>()) {
        match pick(weights.iter().copied(), turn) {
            Some(index) => prop_assert!(weights[index] > 0),
            None => prop_assert!(weights.iter().all(|weight| *weight == 0)),
        }
    }
}
