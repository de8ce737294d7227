//! Taking effects: leases, epochs, turns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use buildly_journal::LeaseId;
use buildly_model::{OrganizationId, StoreError};
use uuid::Uuid;

use super::world::{ACME, GLOBEX, LONG, NODE, OTHER_NODE, Subject, effect, run, run_id, step};
use crate::{Change, EffectId, Held, Leased, Stepped};

fn activations(leased: &[Leased]) -> Vec<u64> {
    leased.iter().map(|leased| leased.effect.activation.0).collect()
}

/// Takes until there is nothing more, as a node does that is told that there is work.
async fn take_soon(subject: &Subject) -> Vec<Leased> {
    for _ in 0..100 {
        let taken = subject.take(OTHER_NODE, 10).await;
        if !taken.is_empty() {
            return taken;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Vec::new()
}

pub async fn effects_are_handed_out_oldest_first_with_their_bytes(subject: &Subject) {
    subject.nodes_live().await;
    assert_eq!(subject.take(NODE, 10).await, []);
    subject.flood(1, ACME, 5).await;
    assert_eq!(subject.take(NODE, 0).await, []);
    let first = subject.take(NODE, 2).await;
    let expected = |leased: &Leased, activation| Leased {
        id: leased.id,
        organization: ACME,
        run: run_id(1),
        effect: effect(activation),
        epoch: 1,
        lease_left: leased.lease_left,
    };
    assert_eq!(first, [expected(&first[0], 1), expected(&first[1], 2)]);
    assert!(first.iter().all(|leased| leased.lease_left <= LONG && leased.lease_left > LONG / 2));
    assert_eq!(activations(&subject.take(NODE, 10).await), [3, 4, 5]);
    assert_eq!(subject.take(NODE, 10).await, []);
}

pub async fn what_a_step_writes_as_taken_is_the_nodes(subject: &Subject) {
    subject.nodes_live().await;
    let held = |owner, lease| Some(Held { owner, lease });
    let two = vec![effect(1), effect(2)];
    let stepped = Stepped { effects: two.clone(), held: held(NODE, LONG), ..step(1, 0) };
    let first = stepped.first_effect;
    subject.begun(1, ACME, stepped).await;
    assert_eq!(subject.take(OTHER_NODE, 10).await, [], "both are held");
    let late = subject.hand_in(1, first, 2).await;
    assert!(matches!(late, Err(StoreError::Missing { .. })), "it is the first take: {late:?}");
    subject.hand_in(1, first, 1).await.expect("the holder may");
    subject.work.give_back_effect(EffectId(first.0 + 1), 1).await.expect("gives back");
    let taken = subject.take(OTHER_NODE, 10).await;
    assert_eq!(
        taken.iter().map(|leased| (leased.id.0, leased.epoch)).collect::<Vec<_>>(),
        [(first.0 + 1, 2)]
    );
    // A number is there once, and nothing of the step is written that wants it again.
    let again = Stepped { first_effect: EffectId(first.0 + 1), effects: vec![effect(3)], ..step(1, 2) };
    let again = subject.step(ACME, again).await;
    assert!(matches!(again, Err(StoreError::Taken { field: "effect" })), "{again:?}");
    assert_eq!(subject.read(ACME, 1).await.version, 2);

    let short = Duration::from_millis(100);
    subject.begun(2, ACME, Stepped { effects: two, held: held(NODE, short), ..step(2, 0) }).await;
    let after = take_soon(subject).await;
    assert_eq!(after.iter().map(|leased| leased.epoch).collect::<Vec<_>>(), [2, 2], "the lease has ended");
    let gone = LeaseId(Uuid::from_u128(0xdead));
    subject.begun(3, ACME, Stepped { effects: vec![effect(1)], held: held(gone, LONG), ..step(3, 0) }).await;
    let of_nobody = subject.take(NODE, 10).await;
    assert_eq!(
        of_nobody.iter().map(|leased| leased.epoch).collect::<Vec<_>>(),
        [2],
        "a node that is gone holds nothing"
    );
}

pub async fn a_run_may_begin_in_the_unit_that_writes_it(subject: &Subject) {
    let change = Change::RunStarted {
        run: run(1, ACME),
        start_key: Some("key".to_owned()),
        state: "{}".to_owned(),
        input: None,
    };
    let stepped = Change::RunStepped(Box::new(Stepped { effects: vec![effect(1)], ..step(1, 0) }));
    subject.write_all(ACME, vec![change.clone(), stepped.clone()]).await.expect("the run is new");
    assert_eq!(subject.read(ACME, 1).await.version, 1);
    assert_eq!(subject.waiting(1).await, []);
    let again = subject.write_all(ACME, vec![change, stepped]).await;
    assert!(matches!(again, Err(StoreError::Taken { .. })), "{again:?}");
}

pub async fn nobody_takes_what_another_holds(subject: &Subject) {
    const MANY: u64 = 200;
    subject.nodes_live().await;
    subject.flood(1, ACME, MANY / 2).await;
    subject.flood(2, GLOBEX, MANY / 2).await;
    let takers = (0..8).map(|taker| {
        let work = Arc::clone(&subject.work);
        let node = if taker % 2 == 0 { NODE } else { OTHER_NODE };
        tokio::spawn(async move {
            let (mut taken, mut empty) = (Vec::new(), 0);
            // What another is just taking is passed over, so that one look is not enough.
            while empty < 5 {
                let leased = work.take_effects(node, 7, LONG).await.expect("takes");
                empty = if leased.is_empty() { empty + 1 } else { 0 };
                taken.extend(leased.into_iter().map(|leased| (leased.id, leased.epoch)));
            }
            taken
        })
    });
    let mut all = Vec::new();
    for taker in takers.collect::<Vec<_>>() {
        all.extend(taker.await.expect("no panic"));
    }
    assert_eq!(all.len() as u64, MANY, "each is taken");
    assert!(all.iter().all(|(_, epoch)| *epoch == 1), "nothing is taken twice");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len() as u64, MANY);
}

pub async fn an_old_epoch_writes_nothing(subject: &Subject) {
    subject.nodes_live().await;
    subject.flood(1, ACME, 1).await;
    let first = subject.take(NODE, 1).await.remove(0);
    subject.work.give_back_effect(first.id, first.epoch).await.expect("gives back");
    let second = subject.take(OTHER_NODE, 1).await.remove(0);
    assert_eq!((second.id, second.epoch), (first.id, 2));
    for (case, id, epoch) in [
        ("a take before", first.id, 1),
        ("a take that was never", first.id, 3),
        ("another row", EffectId(first.id.0 + 1_000), 2),
    ] {
        let late = subject.hand_in(1, id, epoch).await;
        assert!(matches!(late, Err(StoreError::Missing { .. })), "{case}: {late:?}");
    }
    assert_eq!(subject.read(ACME, 1).await.version, 1);
    subject.hand_in(1, second.id, second.epoch).await.expect("the holder may");
    let again = subject.hand_in(2, second.id, second.epoch).await;
    assert!(matches!(again, Err(StoreError::Missing { .. })), "an answer counts once: {again:?}");
    assert_eq!(subject.take(NODE, 10).await, []);
}

pub async fn what_is_given_back_is_taken_again(subject: &Subject) {
    subject.nodes_live().await;
    subject.flood(1, ACME, 2).await;
    let taken = subject.take(NODE, 2).await;
    let (first, second) = (&taken[0], &taken[1]);
    subject.work.give_back_effect(first.id, first.epoch).await.expect("gives back");
    let again = subject.take(OTHER_NODE, 10).await;
    assert_eq!(again.iter().map(|leased| (leased.id, leased.epoch)).collect::<Vec<_>>(), [(first.id, 2)]);
    // What another holds meanwhile cannot be given back.
    subject.work.give_back_effect(first.id, first.epoch).await.expect("changes nothing");
    subject.work.give_back_effect(second.id, 9).await.expect("changes nothing");
    assert_eq!(subject.take(NODE, 10).await, []);
}

pub async fn leases_end_with_their_time(subject: &Subject) {
    subject.nodes_live().await;
    subject.flood(1, ACME, 2).await;
    let short = subject.work.take_effects(NODE, 1, Duration::from_millis(100)).await.expect("takes");
    assert_eq!(activations(&subject.take(NODE, 1).await), [2]);
    let again = take_soon(subject).await;
    assert_eq!(again.iter().map(|leased| (leased.id, leased.epoch)).collect::<Vec<_>>(), [(short[0].id, 2)]);
    assert_eq!(subject.take(OTHER_NODE, 10).await, [], "the long lease holds");
}

pub async fn leases_end_with_their_node(subject: &Subject) {
    subject.nodes_live().await;
    subject.flood(1, ACME, 2).await;
    let taken = subject.take(NODE, 10).await;
    assert_eq!(subject.take(OTHER_NODE, 10).await, []);
    subject.nodes.end_lease(NODE).await.expect("it is there");
    let again = subject.take(OTHER_NODE, 10).await;
    assert_eq!(again.iter().map(|leased| leased.epoch).collect::<Vec<_>>(), [2, 2]);
    let late = subject.hand_in(1, taken[0].id, taken[0].epoch).await;
    assert!(matches!(late, Err(StoreError::Missing { .. })), "got {late:?}");
    subject.hand_in(1, again[0].id, again[0].epoch).await.expect("the holder may");
}

pub async fn a_node_without_a_lease_takes_nothing(subject: &Subject) {
    subject.flood(1, ACME, 1).await;
    assert_eq!(subject.take(NODE, 10).await, []);
    subject.nodes_live().await;
    assert_eq!(subject.take(NODE, 10).await.len(), 1);
}

fn organization(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(number))
}

fn shares(leased: &[Leased]) -> BTreeMap<OrganizationId, usize> {
    leased.iter().fold(BTreeMap::new(), |mut shares, leased| {
        *shares.entry(leased.organization).or_default() += 1;
        shares
    })
}

pub async fn a_flood_of_one_organization_leaves_others_their_turns(subject: &Subject) {
    subject.nodes_live().await;
    subject.flood(1, organization(2), 300).await;
    for (number, many) in [(1, 1), (3, 2), (4, 30)] {
        subject.flood(10 + number, organization(number), many).await;
    }
    let taken = subject.take(NODE, 40).await;
    assert_eq!(taken.len(), 40, "nothing is left over while there is work");
    let shares = shares(&taken);
    let of = |number| shares.get(&organization(number)).copied().unwrap_or_default();
    assert_eq!((of(1), of(3)), (1, 2), "who has little gets it all");
    assert!(of(2) >= 15 && of(4) >= 15, "the rest is shared: {shares:?}");
}

pub async fn everyone_has_a_turn_though_few_are_taken_at_a_time(subject: &Subject) {
    subject.nodes_live().await;
    for number in 1..=7 {
        subject.flood(number, organization(number), 20).await;
    }
    let mut served = Vec::new();
    for _ in 0..7 {
        let taken = subject.take(NODE, 2).await;
        assert_eq!(taken.len(), 2);
        served.extend(taken);
    }
    assert_eq!(shares(&served).into_values().collect::<Vec<_>>(), [2; 7]);
}
