//! Answers one request: finds the operation, runs it, and never lets a fault of one
//! request touch another.

mod guard;
mod path;

use std::sync::Arc;
use std::time::Duration;

use buildly_core::Buildly;
use buildly_core::gateway::traffic::forwarded::Peer;
use buildly_core::gateway::traffic::{cors, framing};
use buildly_model::system::System;
use buildly_model::{Body, Clock, Random};
use http::header::{
    ALLOW, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body::Body as _;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::configuration::Configuration;
use crate::metrics::Metrics;
use crate::request::Arrival;
use crate::route::{Lookup, Routes, Table, document};
use crate::{Context, CorrelationId, Problem, Request, Response, local};

/// What browsers must not do with our own answers.
const SECURITY_HEADERS: [(HeaderName, &str); 4] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
];

/// What a node still answers while it is out of touch with the others.
const ANSWERED_WHILE_BEHIND: [&str; 5] = ["/", "/livez/", "/readyz/", "/health_check/", "/metrics/"];

/// What the metrics call everything that goes to services.
const DATA_PLANE: &str = "gateway";

/// The API over one deployment, without any socket.
pub struct Server {
    buildly: Buildly,
    table: Table,
    /// What only the Unix socket serves.
    local: Table,
    context: Arc<Context>,
    cors: cors::Policy,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Server {
    /// Puts the resources over a deployment.
    ///
    /// # Errors
    /// A sentence if two resources claim the same path; a mistake of ours that any test shows.
    pub fn new(
        buildly: Buildly,
        resources: &[Routes],
        configuration: Configuration,
        public_url: String,
    ) -> Result<Self, String> {
        let table = Table::new(resources).map_err(|error| error.to_string())?;
        let local = Table::new(&[local::routes()]).map_err(|error| error.to_string())?;
        let document = document(resources, &public_url);
        let cors = cors_policy(&configuration);
        let context = Context { configuration, public_url, document, metrics: Metrics::default() };
        Ok(Self {
            buildly,
            table,
            local,
            context: Arc::new(context),
            cors,
            clock: Arc::new(System),
            random: Arc::new(System),
        })
    }

    /// The deployment.
    #[must_use]
    pub fn buildly(&self) -> &Buildly {
        &self.buildly
    }

    /// What handlers may know of the server.
    #[must_use]
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Answers a request from the network, whatever it is.
    pub async fn answer(&self, request: http::Request<Body>, peer: Peer) -> http::Response<Body> {
        self.answer_from(request, Some(peer)).await
    }

    /// Answers a request on the Unix socket, which serves commands of the folder's owner and
    /// nothing else.
    pub(crate) async fn answer_local(&self, request: http::Request<Body>) -> http::Response<Body> {
        self.answer_from(request, None).await
    }

    async fn answer_from(
        &self,
        mut request: http::Request<Body>,
        peer: Option<Peer>,
    ) -> http::Response<Body> {
        let correlation =
            CorrelationId::of_request(request.headers(), self.clock.now(), self.random.as_ref());
        correlation.write(request.headers_mut());
        let _in_flight = self.context.metrics.request_begins();
        let began = Instant::now();
        let span = tracing::info_span!("request", request_id = correlation.as_str());
        let head = (request.method().clone(), request.uri().path().to_owned());
        let arrival = Arrival { peer, correlation: correlation.clone(), context: self.context.clone() };
        let cross_origin = cors::decide(&self.cors, request.method(), request.headers());
        let answered = async {
            match &cross_origin {
                // 200 and not 204: what existing front ends have always been answered.
                cors::Decision::Preflight(_) => http::Response::new(Body::empty()),
                cors::Decision::Refused { is_preflight: true } => {
                    refuse(Problem::forbidden("Pages of this origin may not use this API."), false)
                }
                _ => self.route(request, arrival).await,
            }
        };
        let mut response = guard::caught(answered).instrument(span.clone()).await.unwrap_or_else(|panic| {
            tracing::error!(method = %head.0, path = %head.1, panic, "a handler panicked");
            Problem::broken("Something is broken here; the operator's log says what.")
                .into_response(false)
                .into_http()
        });
        cross_origin.write(response.headers_mut());
        correlation.write(response.headers_mut());
        let route = response.extensions().get::<RoutePattern>().map_or(DATA_PLANE, |route| route.0);
        self.context.metrics.answered(&head.0, route, response.status(), began.elapsed());
        let _entered = span.enter();
        tracing::debug!(method = %head.0, path = %head.1, route, status = response.status().as_u16(), "answered");
        response
    }

    async fn route(&self, mut request: http::Request<Body>, arrival: Arrival) -> http::Response<Body> {
        if path::leaves_its_folder(request.uri().path()) {
            let problem = Problem::invalid("The path must not contain `.` or `..`, also not encoded.");
            return refuse(problem, false);
        }
        if let Err(error) = framing::check(request.version(), request.uri(), request.headers()) {
            return refuse(Problem::invalid(format!("The request is not clear: {error}.")), false);
        }
        let table = if arrival.peer.is_some() { &self.table } else { &self.local };
        match table.find(request.method(), request.uri().path()) {
            Lookup::Unknown => match arrival.peer {
                Some(peer) => {
                    request.extensions_mut().insert(peer);
                    self.buildly.handle(request).await
                }
                None => {
                    refuse(Problem::not_found("This socket serves the commands of `buildly` only."), false)
                }
            },
            Lookup::OtherMethods { allow, .. } if request.method() == Method::OPTIONS => {
                Response::no_content().with_header(ALLOW, allow).into_http()
            }
            Lookup::OtherMethods { allow, is_compat, pattern } => {
                let detail = format!("Method \"{}\" not allowed.", request.method());
                of_route(pattern, refuse(Problem::method_not_allowed(detail).allowing(&allow), is_compat))
            }
            Lookup::Found(found)
                if !ANSWERED_WHILE_BEHIND.contains(&found.pattern)
                    && self.buildly.require_fresh().is_err() =>
            {
                let detail =
                    "This node is out of touch with the others and is catching up; try again in a moment.";
                let problem = Problem::unavailable(detail).retry_after(Duration::from_secs(1));
                of_route(found.pattern, refuse(problem, found.is_compat))
            }
            Lookup::Found(found) => {
                let is_head = request.method() == Method::HEAD;
                let outcome = match Request::new(request, found.parameters, arrival) {
                    Ok(request) => found.handler.begin(&self.buildly, request).await,
                    Err(problem) => Err(problem),
                };
                let response = match outcome {
                    Ok(response) => response.with_header(ALLOW, &found.allow).into_http(),
                    Err(problem) => refuse(problem, found.is_compat),
                };
                of_route(found.pattern, if is_head { head_of(response) } else { response })
            }
        }
    }
}

/// Which pages of other origins may call.
pub(crate) fn cors_policy(configuration: &Configuration) -> cors::Policy {
    cors::Policy {
        origins: configuration.cors.origins.clone(),
        credentials: configuration.cors.credentials,
        ..cors::Policy::default()
    }
}

/// The route that answered, as the table spells it; left on the response for the metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoutePattern(pub(crate) &'static str);

fn of_route(pattern: &'static str, mut response: http::Response<Body>) -> http::Response<Body> {
    response.extensions_mut().insert(RoutePattern(pattern));
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn refuse(problem: Problem, is_compat: bool) -> http::Response<Body> {
    problem.log();
    problem.into_response(is_compat).into_http()
}

/// A response to `HEAD`: the same head, no body (RFC 9110 section 9.3.2).
fn head_of(response: http::Response<Body>) -> http::Response<Body> {
    let (mut head, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact().filter(|_| head.status != StatusCode::NO_CONTENT) {
        head.headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    http::Response::from_parts(head, Body::empty())
}
