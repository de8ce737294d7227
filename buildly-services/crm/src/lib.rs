//! CRM: companies, contacts, notes.
