//! Counts and sums, against what is made by hand.

use buildly_kit::{DatabaseAddress, Error};
use buildly_model::OrganizationId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::schema::open;
use crate::world::{Thing, drop_schema, new_schema};

const ACME: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(1));
const GLOBEX: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(2));

async fn groups_are_counted_and_summed_up(address: DatabaseAddress) {
    let service = open::<Thing>(&address).await.unwrap();
    let records = service.records();
    for (organization, name, count, on_sale) in [
        (ACME, "a", Some(5), true),
        (ACME, "b", Some(-2), true),
        (ACME, "c", None, true),
        (ACME, "d", None, false),
        (GLOBEX, "e", Some(100), true),
    ] {
        let thing = Thing {
            name: name.to_owned(),
            count,
            weight: None,
            on_sale,
            since: None,
            note: None,
            tags: vec![],
        };
        records.make(organization, &thing).await.unwrap();
    }
    let show = async |query: &str| -> Vec<Value> {
        let mut totals = records.totals::<Thing>(ACME, query, &["on_sale"], "count").await.unwrap();
        totals.sort_by_key(|total| total.count);
        totals.iter().map(|total| json!([total.by, total.count, total.count_of_sum, total.sum])).collect()
    };
    assert_eq!(show("").await, [json!([[false], 1, 0, null]), json!([[true], 3, 2, 3])]);
    assert_eq!(show("name__in=a,e&limit=1").await, [json!([[true], 1, 1, 5])]);
    assert_eq!(show("name=nobody").await, Vec::<Value>::new());
    let refused = records.totals::<Thing>(ACME, "colour=red", &["on_sale"], "count").await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "got {refused:?}");
    let all = records.select_all::<Thing>(ACME, "ordering=-name&limit=1", 10).await.unwrap();
    assert_eq!(all.iter().map(|thing| thing.record.name.as_str()).collect::<Vec<_>>(), ["d", "c", "b", "a"]);
    let too_many = records.select_all::<Thing>(ACME, "", 3).await;
    assert!(matches!(too_many, Err(Error::Malformed(_))), "got {too_many:?}");
    service.close().await;
}

#[tokio::test]
async fn groups_are_counted_and_summed_up_on_sqlite() {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    groups_are_counted_and_summed_up(DatabaseAddress::File(folder.join("test.db"))).await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn groups_are_counted_and_summed_up_on_postgres() {
    let (address, schema) = new_schema();
    let outcome = tokio::spawn(groups_are_counted_and_summed_up(address)).await;
    drop_schema(&schema).await;
    outcome.unwrap();
}
