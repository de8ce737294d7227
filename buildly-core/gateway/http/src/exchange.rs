//! One call: a place, an instance, perhaps another instance, an answer.

use std::sync::Arc;

use buildly_gateway::traffic::hop_by_hop;
use buildly_model::{Body, BodyError, CallError, ServiceCall};
use http::header::{ALT_SVC, CONNECTION, CONTENT_TYPE, UPGRADE};
use http::{HeaderValue, Response, StatusCode};
use http_body::Body as _;
use hyper::upgrade::OnUpgrade;

use crate::answer::{AnswerBody, Place};
use crate::client::Shared;
use crate::connection::NotConnected;
use crate::deadline::{Deadline, Elapsed};
use crate::door::Busy;
use crate::gate::Permit;
use crate::live::{LiveInstance, LiveService};
use crate::open_streams::Holder;
use crate::outgoing::Outgoing;
use crate::replay::{Playing, Tape};
use crate::tunnel::Tunnel;

/// How an attempt failed.
enum Failure {
    /// Nothing reached the instance.
    NotConnected(BodyError),
    /// The instance may have seen the request.
    Broken(BodyError),
    /// The time is over.
    Elapsed(Elapsed),
    /// It answered that it, or what is behind it, does not work.
    Status(Response<Body>),
}

/// Performs one call.
pub(crate) async fn perform(
    shared: &Shared,
    service: &Arc<LiveService>,
    call: ServiceCall,
) -> Result<Response<Body>, CallError> {
    let has_body = !call.request.body().is_end_stream();
    let first_byte = service.policy().first_byte_timeout();
    let deadline = Deadline::new(first_byte, call.deadline, shared.clock.now(), has_body);
    let (mut outgoing, body) =
        Outgoing::new(call.request, call.authorization, &service.credential, &shared.trust)
            .map_err(|circle| bad_answer(service, Box::new(circle)))?;
    let caller = call.principal.identity;
    let permit = match deadline.within(service.state.gate.enter(caller, &service.concurrency)).await {
        Ok(entered) => entered.map_err(|refused| busy(service, refused))?,
        Err(_) => return Err(exceeded(service)),
    };
    let tape = Tape::new(body, outgoing.is_repeatable, deadline.progress());
    let answer = attempts(shared, service, &mut outgoing, &tape, &deadline).await?;
    let holder = Holder { principal: call.principal, service: service.id(), method: outgoing.method };
    finish(shared, service, outgoing.upgrade, holder, permit, answer)
}

/// Asks one instance after the other, as long as that is safe and within the budget.
async fn attempts(
    shared: &Shared,
    service: &LiveService,
    outgoing: &mut Outgoing,
    tape: &Tape,
    deadline: &Deadline,
) -> Result<Response<Body>, CallError> {
    service.state.pay_call(&service.retry, shared.clock.now());
    let turn = service.state.next_turn();
    let mut tried = Vec::new();
    let version = outgoing.version.clone();
    let mut body = tape.play();
    loop {
        let now = shared.clock.now();
        let picked = service.pick(version.as_ref(), &tried, turn, now);
        let Some(((index, instance), playing)) = picked.zip(body.take()) else {
            return Err(unreachable(service, None));
        };
        tried.push(index);
        let is_last = tried.len() >= service.retry.attempts_max as usize;
        let outcome = attempt(service, instance, outgoing, playing, deadline, is_last).await;
        let now = shared.clock.now();
        let failure = match outcome {
            Ok(answer) => {
                service.note(instance, true, now);
                return Ok(answer);
            }
            Err(failure) => failure,
        };
        if counts_against_instance(&failure, tape) {
            service.note(instance, false, now);
        }
        let may_go_on = match &failure {
            Failure::NotConnected(_) => true,
            Failure::Broken(_) => outgoing.is_repeatable && !tape.is_broken(),
            Failure::Status(_) => outgoing.is_repeatable && service.has_untried(version.as_ref(), &tried),
            Failure::Elapsed(_) => false,
        };
        if may_go_on && !is_last {
            body = tape.play();
            if body.is_some() && service.state.take_retry(&service.retry, now) {
                tracing::debug!(service = service.name(), instance = %instance.id, "call is repeated");
                continue;
            }
        }
        return conclude(service, failure);
    }
}

/// What a failure that is not repeated means to the caller.
fn conclude(service: &LiveService, failure: Failure) -> Result<Response<Body>, CallError> {
    match failure {
        Failure::Status(answer) => Ok(answer),
        Failure::NotConnected(source) => Err(unreachable(service, Some(source))),
        Failure::Broken(source) => Err(bad_answer(service, source)),
        Failure::Elapsed(_) => Err(exceeded(service)),
    }
}

/// A caller that breaks off, is in a hurry or does not get on with its upload says nothing about
/// the instance.
fn counts_against_instance(failure: &Failure, tape: &Tape) -> bool {
    match failure {
        Failure::NotConnected(_) | Failure::Status(_) => true,
        Failure::Elapsed(Elapsed::FirstByte) => tape.is_sent(),
        Failure::Broken(_) => !tape.is_broken(),
        Failure::Elapsed(Elapsed::Caller) => false,
    }
}

async fn attempt(
    service: &LiveService,
    instance: &LiveInstance,
    outgoing: &mut Outgoing,
    body: Playing,
    deadline: &Deadline,
    is_last: bool,
) -> Result<Response<Body>, Failure> {
    let mut request =
        outgoing.request(instance, body, is_last).map_err(|error| Failure::Broken(error.into()))?;
    let answer = if let Some(connection) = &instance.connection {
        if let Some(on_upgrade) = outgoing.upgrade.take() {
            request.extensions_mut().insert(on_upgrade);
        }
        let answered = deadline.within(connection.handle(request.map(Body::stream))).await;
        answered.map_err(Failure::Elapsed)?.map_err(|error| {
            if error.is::<NotConnected>() { Failure::NotConnected(error) } else { Failure::Broken(error) }
        })?
    } else {
        let sent = if outgoing.upgrade.is_some() {
            deadline.within(service.transport.send_upgrade(request)).await
        } else {
            deadline.within(service.transport.send(request)).await
        };
        let answered = sent.map_err(Failure::Elapsed)?;
        let mut answer = answered.map_err(|error| {
            if error.is_connect() {
                Failure::NotConnected(error.into())
            } else {
                Failure::Broken(error.into())
            }
        })?;
        // What the connection left in the extensions holds it; only the switch is needed.
        let switch = answer.extensions_mut().remove::<OnUpgrade>();
        answer.extensions_mut().clear();
        if let Some(switch) = switch.filter(|_| answer.status() == StatusCode::SWITCHING_PROTOCOLS) {
            answer.extensions_mut().insert(switch);
        }
        answer.map(Body::stream)
    };
    match answer.status() {
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Err(Failure::Status(answer))
        }
        _ => Ok(answer),
    }
}

/// Makes the service's answer the caller's.
fn finish(
    shared: &Shared,
    service: &LiveService,
    upgrade: Option<OnUpgrade>,
    holder: Holder,
    permit: Permit,
    answer: Response<Body>,
) -> Result<Response<Body>, CallError> {
    let (mut parts, body) = answer.into_parts();
    parts.version = http::Version::HTTP_11;
    parts.headers.remove(ALT_SVC);
    let idle = service.policy().idle_timeout();
    let identity = holder.principal.identity;
    if parts.status == StatusCode::SWITCHING_PROTOCOLS {
        let protocol = parts.headers.remove(UPGRADE);
        hop_by_hop::strip(&mut parts.headers);
        parts.headers.extend(protocol.map(|protocol| (UPGRADE, protocol)));
        parts.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        if let Some(on_service) = parts.extensions.remove::<OnUpgrade>() {
            // A service that switches without being asked breaks the protocol.
            let caller =
                upgrade.ok_or_else(|| bad_answer(service, "it switched protocols unasked".into()))?;
            let place = service.state.gate.enter_stream(identity, &service.concurrency);
            let place = place.map_err(|refused| busy(service, refused))?;
            let ticket = shared.streams.enter(holder);
            shared.tunnels.open(Tunnel { caller, service: on_service, idle, ticket, place });
        }
        return Ok(Response::from_parts(parts, Body::empty()));
    }
    hop_by_hop::strip(&mut parts.headers);
    let is_event_stream = parts
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/event-stream"));
    let place = if is_event_stream {
        let place = service.state.gate.enter_stream(identity, &service.concurrency);
        Place::Stream { _place: place.map_err(|refused| busy(service, refused))? }
    } else {
        Place::Call { _permit: permit }
    };
    if body.is_end_stream() {
        return Ok(Response::from_parts(parts, body));
    }
    Ok(Response::from_parts(
        parts,
        Body::stream(AnswerBody::new(body, place, Arc::clone(&shared.streams), holder, idle)),
    ))
}

fn busy(service: &LiveService, refused: Busy) -> CallError {
    CallError::Busy { service: service.name().to_owned(), retry_after_seconds: refused.retry_after_seconds }
}

fn exceeded(service: &LiveService) -> CallError {
    CallError::DeadlineExceeded { service: service.name().to_owned() }
}

fn unreachable(service: &LiveService, source: Option<BodyError>) -> CallError {
    CallError::Unreachable { service: service.name().to_owned(), source }
}

fn bad_answer(service: &LiveService, source: BodyError) -> CallError {
    CallError::BadAnswer { service: service.name().to_owned(), source: Some(source) }
}
