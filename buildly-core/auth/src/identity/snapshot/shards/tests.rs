use std::collections::HashMap;
use std::sync::Arc;

use buildly_model::UserId;
use proptest::prelude::*;
use uuid::Uuid;

use super::Shards;

fn key(number: u16) -> UserId {
    UserId::from_uuid(Uuid::from_u128(u128::from(number) << 60))
}

proptest! {
    #[test]
    fn it_holds_what_a_hash_map_holds_and_old_versions_stay(
        steps in proptest::collection::vec((0_u16..300, any::<bool>(), any::<u8>()), 0..400)
    ) {
        let mut shards = Shards::default();
        let mut model = HashMap::new();
        let mut versions = Vec::new();
        for (number, add, value) in steps {
            if add {
                shards.insert(key(number), Arc::new(value));
                model.insert(number, value);
            } else {
                shards.remove(key(number));
                model.remove(&number);
            }
            if number % 50 == 0 {
                versions.push((shards.clone(), model.clone()));
            }
        }
        versions.push((shards, model));
        for (shards, model) in versions {
            prop_assert_eq!(shards.len(), model.len());
            prop_assert_eq!(shards.values().count(), model.len());
            for number in 0..300 {
                prop_assert_eq!(shards.get(key(number)).map(|value| **value), model.get(&number).copied());
            }
        }
    }
}
