//! The demo's data, spread over the services: customers become companies, contacts and notes
//! of the CRM, invoices become documents with their text as content, and whoever looks after a
//! customer has an appointment with them, which the demo makes up.
//!
//! Every id is made from the organization and the number in the data (UUID version 5, RFC 9562
//! section 5.5), and everything is written by PUT, so loading twice changes nothing.

use std::collections::BTreeMap;

use buildly_model::{OrganizationId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

const CHINOOK: &str = include_str!("data/chinook.json");

/// The day before the first appointment: 2027-01-04, 10:00 UTC.
const APPOINTMENTS_BEGIN_SECONDS: i64 = 1_799_056_800;
const DAY_SECONDS: i64 = 86_400;
const APPOINTMENT_SECONDS: i64 = 1_800;

/// The data as it is shipped; `data/README.md` says where it is from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sample {
    /// Who works at the shop.
    pub employees: Vec<Employee>,
    /// Who buys.
    pub customers: Vec<Customer>,
    /// What was bought.
    pub invoices: Vec<Invoice>,
}

/// Number, name, title, e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Employee(pub u32, pub String, pub String, pub String);

/// Number, name, company, e-mail address, telephone, place, number of the employee in charge.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Customer(
    pub u32,
    pub String,
    pub Option<String>,
    pub String,
    pub Option<String>,
    pub Place,
    pub u32,
);

/// Street, city, state, postal code, country.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Place(
    pub Option<String>,
    pub Option<String>,
    pub Option<String>,
    pub Option<String>,
    pub Option<String>,
);

/// Number, number of the customer, date, total in cents, lines.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Invoice(pub u32, pub u32, pub String, pub u32, pub Vec<Line>);

/// Track, artist, quantity, price in cents.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Line(pub String, pub String, pub u32, pub u32);

/// One PUT to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The service: `crm`, `documents` or `appointments`.
    pub service: &'static str,
    /// The path below the service's base URL.
    pub path: String,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// A contact, and a document or an appointment of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The contact's id in the CRM.
    pub contact: Uuid,
    /// The mesh's name for what is linked.
    pub model: &'static str,
    /// Its id.
    pub related: Uuid,
}

impl Sample {
    /// Reads the shipped data.
    ///
    /// # Errors
    /// If the file that was compiled in is damaged.
    pub fn read() -> Result<Self, serde_json::Error> {
        serde_json::from_str(CHINOOK)
    }

    /// Everything to write, in stages: within one any order will do, also all at once.
    #[must_use]
    pub fn stages(&self, organization: OrganizationId) -> [Vec<Write>; 3] {
        let ids = Ids(organization);
        let companies: BTreeMap<&str, &Customer> =
            self.customers.iter().filter_map(|customer| Some((customer.2.as_deref()?, customer))).collect();
        let companies = companies.into_iter().map(|(name, customer)| company(ids, name, customer));
        let documents = self.invoices.iter().map(|invoice| self.document(ids, invoice));
        let contacts = self.customers.iter().map(|customer| contact(ids, customer));
        let contents = self.invoices.iter().map(|invoice| Write {
            service: "documents",
            path: format!("/documents/{}/content/", ids.of("invoice", invoice.0)),
            content_type: "text/plain; charset=utf-8",
            body: self.render(invoice),
        });
        let notes = self.customers.iter().filter_map(|customer| self.note(ids, customer));
        let calendars = self.employees.iter().map(|employee| calendar(ids, employee));
        let appointments = self.customers.iter().map(|customer| appointment(ids, customer));
        [
            companies.chain(documents).chain(calendars).collect(),
            contacts.chain(contents).collect(),
            notes.chain(appointments).collect(),
        ]
    }

    /// Which document and which appointment belongs to which contact.
    #[must_use]
    pub fn links(&self, organization: OrganizationId) -> Vec<Link> {
        let ids = Ids(organization);
        let documents = self.invoices.iter().map(|invoice| Link {
            contact: ids.of("customer", invoice.1),
            model: "documentsDocument",
            related: ids.of("invoice", invoice.0),
        });
        let appointments = self.customers.iter().map(|customer| Link {
            contact: ids.of("customer", customer.0),
            model: "appointmentsAppointment",
            related: ids.of("appointment", customer.0),
        });
        documents.chain(appointments).collect()
    }

    fn document(&self, ids: Ids, invoice: &Invoice) -> Write {
        let Invoice(number, customer, date, total, lines) = invoice;
        let name = self.customer(*customer).map_or("", |customer| customer.1.as_str());
        let body = json!({
            "title": format!("Invoice {number} to {name}"),
            "description": format!("{} tracks", lines.len()),
            "category": "invoice",
            "reference": format!("{number:05}"),
            "dated": date,
            "properties": {"total": money(*total), "currency": "USD"},
        });
        put("documents", "documents", ids.of("invoice", *number), &body)
    }

    fn note(&self, ids: Ids, customer: &Customer) -> Option<Write> {
        let employee = self.employees.iter().find(|employee| employee.0 == customer.6)?;
        let body = json!({
            "subject": format!("Looked after by {}", employee.1),
            "text": format!("{}, {}, {}", employee.1, employee.2, employee.3),
            "author": employee.1,
            "contact": ids.of("customer", customer.0),
        });
        Some(put("crm", "notes", ids.of("note", customer.0), &body))
    }

    /// An invoice as a person reads it.
    fn render(&self, Invoice(number, customer, date, total, lines): &Invoice) -> String {
        let mut text = format!("INVOICE {number:05}                                {date}\n\n");
        if let Some(Customer(_, name, company, _, _, place, _)) = self.customer(*customer) {
            let Place(street, city, _, code, country) = place;
            for line in [&Some(name.clone()), company, street, city, code, country].into_iter().flatten() {
                text.push_str(line);
                text.push('\n');
            }
        }
        text.push('\n');
        for Line(track, artist, quantity, price) in lines {
            text.push_str(&format!("{quantity:>3} x {:>6}  {track} ({artist})\n", money(*price)));
        }
        text.push_str(&format!("\ntotal {:>6} USD\n", money(*total)));
        text
    }

    fn customer(&self, number: u32) -> Option<&Customer> {
        self.customers.iter().find(|customer| customer.0 == number)
    }
}

#[derive(Clone, Copy)]
struct Ids(OrganizationId);

impl Ids {
    fn of(self, kind: &str, key: impl std::fmt::Display) -> Uuid {
        Uuid::new_v5(&self.0.as_uuid(), format!("chinook {kind} {key}").as_bytes())
    }
}

fn company(ids: Ids, name: &str, customer: &Customer) -> Write {
    let Place(street, city, state, code, country) = &customer.5;
    let body = json!({
        "name": name,
        "phone": customer.4,
        "address": street,
        "city": city,
        "state": state,
        "postal_code": code,
        "country": country,
    });
    put("crm", "companies", ids.of("company", name), &body)
}

fn contact(ids: Ids, customer: &Customer) -> Write {
    let Place(street, city, state, code, country) = &customer.5;
    let body = json!({
        "name": customer.1,
        "email": customer.3,
        "phone": customer.4,
        "company": customer.2.as_deref().map(|name| ids.of("company", name)),
        "address": street,
        "city": city,
        "state": state,
        "postal_code": code,
        "country": country,
    });
    put("crm", "contacts", ids.of("customer", customer.0), &body)
}

fn calendar(ids: Ids, employee: &Employee) -> Write {
    let body = json!({ "name": employee.1, "time_zone": "America/Edmonton" });
    put("appointments", "calendars", ids.of("calendar", employee.0), &body)
}

fn appointment(ids: Ids, customer: &Customer) -> Write {
    // A day each, so that nobody has two at once.
    let starts = APPOINTMENTS_BEGIN_SECONDS + i64::from(customer.0) * DAY_SECONDS;
    let body = json!({
        "calendar": ids.of("calendar", customer.6),
        "title": format!("Call {}", customer.1),
        "starts": Timestamp::from_seconds(starts),
        "ends": Timestamp::from_seconds(starts + APPOINTMENT_SECONDS),
        "contact": ids.of("customer", customer.0),
    });
    put("appointments", "appointments", ids.of("appointment", customer.0), &body)
}

fn put(service: &'static str, plural: &str, id: Uuid, body: &Value) -> Write {
    Write {
        service,
        path: format!("/{plural}/{id}/"),
        content_type: "application/json",
        body: body.to_string(),
    }
}

fn money(cents: u32) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests;
