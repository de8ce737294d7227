//! Waits, pauses and deadlines.

use buildly_model::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Map;

use super::machine::Machine;
use super::request::expression_fault;
use crate::compiled::{Handled, NodeKind, WaitFor};
use crate::run::{ActivationId, Fault, FaultKind, Phase, Then, TimerKind};

impl Machine<'_> {
    pub(super) fn begin_wait(
        &mut self,
        activation: ActivationId,
        wait: &WaitFor,
        scope: ActivationId,
    ) -> Result<(), Fault> {
        let (due, rule) = match wait {
            WaitFor::Delay(delay) => (self.now.after(delay.duration()), None),
            WaitFor::Local { date, zone } => {
                let date = date.evaluate_text(&self.sight(scope)).map_err(expression_fault)?;
                let due = local(&date, zone).map_err(|reason| Fault::new(FaultKind::Expression, reason))?;
                (due, Some((date, zone.clone())))
            }
            WaitFor::Signal { name, .. } => {
                self.begin_wait_signal(activation, name);
                return Ok(());
            }
        };
        self.move_to(activation, Phase::Waiting { due, rule });
        self.set_timer(activation, TimerKind::Wait, Some(due));
        Ok(())
    }

    /// A timer may fire early (clocks differ, and step): then it is set again.
    pub(super) fn timer_fired(&mut self, activation: ActivationId, kind: TimerKind) {
        let live = self.live(activation);
        match (kind, live.map(|live| (&live.phase, live.deadline))) {
            (TimerKind::Wait, Some((Phase::Waiting { due, rule }, _))) => {
                // The rules of a zone may have changed since the date was computed.
                let ruled = rule.as_ref().and_then(|(date, zone)| local(date, zone).ok());
                let (due, rule) = (ruled.unwrap_or(*due), rule.clone());
                if self.now >= due {
                    return self.complete(activation, serde_json::Value::Null);
                }
                self.move_to(activation, Phase::Waiting { due, rule });
                self.set_timer(activation, kind, Some(due));
            }
            (TimerKind::Retry, Some((Phase::Backoff { due }, _))) => {
                let due = *due;
                if self.now < due {
                    return self.set_timer(activation, kind, Some(due));
                }
                self.move_to(activation, Phase::Ready);
            }
            (TimerKind::Deadline, Some((_, Some(due)))) => {
                if self.now < due {
                    return self.set_timer(activation, kind, Some(due));
                }
                self.deadline_passed(activation);
            }
            _ => self.late("timer", Some(activation)),
        }
    }

    fn deadline_passed(&mut self, activation: ActivationId) {
        let Some((live, node)) = self.look(activation) else { return };
        let scope = live.scope;
        let mut branches = (0..).zip(&node.on);
        let branch = branches.find(|(_, handler)| matches!(handler.event, Handled::Deadline));
        if let Some((branch, handler)) = branch {
            if handler.interrupting {
                return self.cancel(activation, Then::Handle { branch, given: Map::new() });
            }
            self.set_deadline(activation, None);
            return self.begin_beside(activation, branch, Map::new());
        }
        if let NodeKind::Wait(WaitFor::Signal { default: Some(default), .. }) = &node.kind {
            return match self.value(default, scope) {
                Ok(value) => self.complete(activation, value),
                Err(fault) => self.fail(activation, fault),
            };
        }
        let message = format!("`{}` took longer than allowed", node.name);
        self.fail(activation, Fault::new(FaultKind::Deadline, message));
    }
}

/// When the clock of a place shows a date and time. A time that the clock skips or shows twice
/// is taken as RFC 5545 does: the offset before the gap, the first of the two.
fn local(date: &str, zone: &str) -> Result<Timestamp, String> {
    let expected = || format!("expected a date such as `2026-12-24T09:00`, got `{date}`");
    let civil: DateTime = date
        .parse()
        .or_else(|_| date.parse::<jiff::civil::Date>().map(|day| day.at(0, 0, 0, 0)))
        .map_err(|_| expected())?;
    let zone = TimeZone::get(zone).map_err(|_| format!("`{zone}` is no time zone known here"))?;
    let instant = zone.to_ambiguous_timestamp(civil).compatible().map_err(|_| expected())?;
    Ok(Timestamp::from_microseconds(instant.as_microsecond()))
}
