use std::collections::HashSet;

use super::*;

fn organization() -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(7))
}

#[test]
fn the_data_is_whole_and_its_totals_add_up() {
    let sample = Sample::read().unwrap();
    let lines: usize = sample.invoices.iter().map(|invoice| invoice.4.len()).sum();
    assert_eq!((sample.employees.len(), sample.customers.len(), sample.invoices.len()), (8, 59, 412));
    assert_eq!(lines, 2240);
    for Invoice(number, customer, _, total, lines) in &sample.invoices {
        assert_eq!(*total, lines.iter().map(|line| line.2 * line.3).sum::<u32>(), "invoice {number}");
        assert!(sample.customer(*customer).is_some(), "invoice {number}");
    }
}

#[test]
fn every_write_has_a_path_of_its_own_and_the_same_one_the_next_time() {
    let sample = Sample::read().unwrap();
    let stages = sample.stages(organization());
    let sizes = stages.each_ref().map(Vec::len);
    assert_eq!(sizes, [10 + 412 + 8, 59 + 412, 59 + 59]);
    let paths: HashSet<_> = stages.iter().flatten().map(|write| (write.service, &write.path)).collect();
    assert_eq!(paths.len(), sizes.iter().sum::<usize>());
    assert_eq!(sample.stages(organization()), stages);
    let elsewhere = sample.stages(OrganizationId::from_uuid(Uuid::from_u128(8)));
    assert_ne!(elsewhere, stages);
}

#[test]
fn every_invoice_and_appointment_is_linked_to_its_contact() {
    let sample = Sample::read().unwrap();
    let stages = sample.stages(organization());
    let paths: HashSet<&str> = stages.iter().flatten().map(|write| write.path.as_str()).collect();
    let links = sample.links(organization());
    assert_eq!(links.len(), 412 + 59);
    for link in links {
        assert!(paths.contains(format!("/contacts/{}/", link.contact).as_str()));
        let list = if link.model == "documentsDocument" { "documents" } else { "appointments" };
        assert!(paths.contains(format!("/{list}/{}/", link.related).as_str()), "{list}");
    }
}

#[cfg(feature = "services")]
mod loading;
