//! Events that start runs: reported from outside, or emitted by a run.

use std::borrow::Cow;

use buildly_journal::{Event as Fact, Part};
use buildly_model::{OrganizationId, Principal, RunId, StoreError};
use serde_json::{Value, json};

use crate::bells::Rings;
use crate::expression::Variables;
use crate::runs::check_key;
use crate::starting::{Begun, start_changes};
use crate::workflow::ATTEMPTS_MAX;
use crate::{Compiled, Error, Event, ExpressionError, Right, RunSummary, Workflow};

/// How many events may lie between a run and what somebody did. Runs whose events start each
/// other would go on for ever.
pub const CAUSED_MAX: u16 = 16;

/// Something that happened, as somebody reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// The event's name, such as `order.placed`.
    pub event: String,
    /// Two reports of one caller with the same key are one.
    pub key: String,
    /// What it carries.
    pub payload: Value,
}

/// What came of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// The runs that it started.
    pub runs: Vec<RunId>,
    /// Templates that it should have started a run of, and why it could not.
    pub refused: Vec<Refused>,
}

/// A template that an event should have started a run of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its name.
    pub template: String,
    /// What is wrong.
    pub reason: String,
}

/// An event and where it comes from.
pub(crate) struct Source<'a> {
    pub(crate) event: &'a str,
    pub(crate) payload: &'a Value,
    /// Who starts what it starts.
    pub(crate) starter: &'a str,
    /// Equal for what is the same event.
    pub(crate) key: &'a str,
    /// How many events lie before it.
    pub(crate) caused: u16,
}

/// A run to begin, or why it cannot be.
type Listener = Result<Begun, Refused>;

impl Workflow {
    /// Takes a report of an event: each template whose newest published version names it begins
    /// a run, in one unit. Repeating a report with the same key starts nothing anew.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller may start runs, [`Error::Invalid`] for a name or
    /// key that can be none.
    pub async fn report(&self, principal: &Principal, reported: Reported) -> Result<Heard, Error> {
        check_key("event", &reported.event)?;
        check_key("key", &reported.key)?;
        let organization = self.parts.access.require(principal, Right::Start).await?;
        let starter = principal.identity.to_string();
        let key = format!("event:{starter}:{}", reported.key);
        let source = Source {
            event: &reported.event,
            payload: &reported.payload,
            starter: &starter,
            key: &key,
            caused: 1,
        };
        for attempt in 1.. {
            let mut heard = Heard::default();
            let mut parts = Vec::new();
            let published = self.parts.store.published_versions(organization).await?;
            for listener in self.listeners(organization, &published, &source).await? {
                match listener {
                    Ok(begun) => {
                        let started = begun.start_key.as_deref().unwrap_or_default();
                        if let Some(known) = self.parts.store.find_started(organization, started).await? {
                            heard.runs.push(known.summary.id);
                            continue;
                        }
                        let RunSummary { id, template, template_version, .. } = &begun.run;
                        heard.runs.push(*id);
                        let payload = json!({
                            "template": template, "version": template_version, "event": reported.event,
                        });
                        let fact = self.fact("workflow.run.requested", id, payload, principal);
                        parts.push(Part::of(Some(organization), begun.into_change()?, fact));
                    }
                    Err(refused) => {
                        let fact = self.refusal(&refused, &source, principal);
                        parts.push(Part::of_all(Some(organization), Vec::new(), vec![fact]));
                        heard.refused.push(refused);
                    }
                }
            }
            if parts.is_empty() {
                return Ok(heard);
            }
            let rings = Rings::of(parts.iter().flat_map(|part| &part.changes));
            match self.parts.commits.commit_all(parts).await {
                // The same report came twice at once.
                Err(StoreError::Taken { .. }) if attempt < ATTEMPTS_MAX => {}
                written => {
                    written?;
                    self.parts.bells.ring(&rings);
                    return Ok(heard);
                }
            }
        }
        Err(StoreError::Stale.into())
    }

    /// The runs that what a step emitted begins; the facts say what could not be begun.
    pub(crate) async fn heard(
        &self,
        run: &RunSummary,
        caused: u16,
        (first, events): (u64, &[Event]),
        principal: &Principal,
    ) -> Result<(Vec<Begun>, Vec<Fact>), Error> {
        let (mut begun, mut facts) = (Vec::new(), Vec::new());
        if !events.iter().any(|event| matches!(event, Event::Emitted { .. })) {
            return Ok((begun, facts));
        }
        let published = self.parts.store.published_versions(run.organization).await?;
        for (number, emitted) in (first..).zip(events) {
            let Event::Emitted { event, payload, .. } = emitted else { continue };
            let key = format!("emitted:{}:{number}", run.id);
            let caused = caused.saturating_add(1);
            let source = Source { event, payload, starter: &run.starter, key: &key, caused };
            for listener in self.listeners(run.organization, &published, &source).await? {
                match listener {
                    Ok(started) => begun.push(started),
                    Err(refused) => facts.push(self.refusal(&refused, &source, principal)),
                }
            }
        }
        Ok((begun, facts))
    }

    fn refusal(&self, refused: &Refused, source: &Source<'_>, principal: &Principal) -> Fact {
        let payload = json!({"event": source.event, "key": source.key, "reason": refused.reason});
        self.fact("workflow.start.refused", &refused.template, payload, principal)
    }

    async fn listeners(
        &self,
        organization: OrganizationId,
        published: &[(String, u32)],
        source: &Source<'_>,
    ) -> Result<Vec<Listener>, Error> {
        let mut listeners = Vec::new();
        for (name, version) in published {
            let version = *version;
            let template = self.compiled(organization, name, version).await?;
            let Some(input) = input_for(&template, source) else { continue };
            let begun = input.map(|input| {
                let mut begun =
                    start_changes(self, (organization, name, version), input, source.starter, source.caused);
                begun.start_key = Some(format!("{}:{name}", source.key));
                begun
            });
            listeners.push(begun.map_err(|reason| Refused { template: name.clone(), reason }));
        }
        Ok(listeners)
    }
}

/// What a run is given that the event starts; `None` if it starts none. A template that names an
/// event several times starts one run: the first that fits counts.
fn input_for(template: &Compiled, source: &Source<'_>) -> Option<Result<Value, String>> {
    let named = template.starts.iter().filter(|starts| starts.event == source.event);
    let sight = Carried(source.payload);
    for starts in named {
        match starts.when.as_ref().map_or(Ok(true), |when| when.evaluate_bool(&sight)) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(error) => return Some(Err(error.to_string())),
        }
        if source.caused > CAUSED_MAX {
            let reason = format!("{CAUSED_MAX} runs have started each other by events; break the circle");
            return Some(Err(reason));
        }
        let input = starts.input.as_ref();
        let input = input.map_or_else(|| Ok(source.payload.clone()), |input| input.evaluate(&sight));
        return Some(input.map_err(|error: ExpressionError| error.to_string()).and_then(|input| {
            match template.input.as_ref().map_or(Ok(()), |schema| schema.check(&input, "input")) {
                Ok(()) => Ok(input),
                Err(fields) => Err(Error::Invalid(fields).to_string()),
            }
        }));
    }
    None
}

/// What an event carries, as expressions see it.
struct Carried<'a>(&'a Value);

impl Variables for Carried<'_> {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        (name == "event").then_some(Cow::Borrowed(self.0))
    }

    fn member(&self, root: &str, member: &str) -> Option<Cow<'_, Value>> {
        if root == "event" { self.0.get(member).map(Cow::Borrowed) } else { None }
    }

    fn has_members(&self, root: &str) -> bool {
        root == "event" && self.0.is_object()
    }
}
