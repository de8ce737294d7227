//! Appointments: calendars, what is booked in them, and when people are free.
//!
//! Two appointments of one calendar never share time, unless one of them is cancelled; the
//! kit sees to it inside the transaction. Instants are kept in UTC; a local time is read in
//! its IANA zone, and one that a change of the clocks leaves out or repeats is refused with
//! what can be sent instead. Appointments that recur are not here yet.

mod appointment;
mod calendar;
mod free_busy;
mod interval;
mod local_time;
mod working_hours;

use buildly_kit::Declaration;
use http::Method;

pub use appointment::{Appointment, Status};
pub use calendar::Calendar;
pub use working_hours::{Day, WorkingHours};

/// The service.
///
/// ```
/// let document = buildly_appointments::declaration().openapi().unwrap();
/// assert!(document["paths"]["/calendars/{id}/free-busy/"]["get"].is_object());
/// ```
#[must_use]
pub fn declaration() -> Declaration {
    Declaration::new("appointments", "Appointments", "Calendars, appointments, free and busy times.")
        .record::<Calendar>()
        .record::<Appointment>()
        .operation(
            Method::GET,
            "/calendars/{id}/free-busy/",
            free_busy::document_of_one(),
            free_busy::OfCalendar,
        )
        .operation(Method::GET, "/free-busy/", free_busy::document_of_several(), free_busy::OfSeveral)
}
