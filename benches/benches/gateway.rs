//! A request through the gateway on one core, beside nginx, HAProxy and Envoy before the same stub.
#![expect(clippy::print_stdout, reason = "a bench speaks to the terminal")]

use std::net::SocketAddr;
use std::process::ExitCode;

use benches::ours::{Beginning, Database, Ours};
use benches::peers::{Checks, Proxy, ProxyKind};
use benches::report::{Figure, Report, Target};
use benches::seed::Shape;
use benches::tokens::Issuer;
use benches::upstream::Upstream;
use benches::wire::{self, Questions, Right, Until};
use benches::{Failure, settings, start};
use buildly_auth::identity::PasswordHash;
use serde_json::json;

/// What is asked for, at the peers; ours has the service's name before it.
const PATH: &str = "/customers/3/";
/// So many tokens, each of which is shown to each side once.
const NEW_TOKENS: u32 = 12_000;
/// The people of the deployment.
const PEOPLE: Shape = Shape::of(1_000);
/// Ours against plain nginx, with the token remembered.
const OF_NGINX: Target = Target::AtLeast(0.8);
/// Ours against HAProxy, like for like.
const OF_HAPROXY: Target = Target::AtLeast(1.5);

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    start::run_beside_one_core(bench())
}

/// One side of a comparison.
struct Side {
    name: String,
    address: SocketAddr,
    process: u32,
    path: String,
    /// With the same token each time, one figure a round.
    cached: Vec<Figure>,
    /// With a token each that it has never seen.
    new: Figure,
    _proxy: Option<Proxy>,
}

impl Side {
    fn questions(&self, requests: Vec<Vec<u8>>, answer: &[u8]) -> Questions {
        Questions {
            address: self.address,
            requests,
            answer: Right::Is(answer.to_vec()),
            process: self.process,
        }
    }

    /// The round in the middle.
    fn figure(&self) -> Figure {
        let mut rounds = self.cached.clone();
        rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        rounds.get(rounds.len() / 2).cloned().unwrap_or_default()
    }
}

async fn bench() -> Result<(), Failure> {
    let mut report = Report::default();
    let upstream = Upstream::start().await?;
    let (_, answer) = wire::ask(upstream.address(), &wire::get(PATH, None)).await?;
    let issuer = Issuer::new()?;
    println!("signing {NEW_TOKENS} tokens");
    // The last role may nothing.
    let tokens = issuer.tokens(NEW_TOKENS, PEOPLE.users / 2, PEOPLE)?;
    let token = issuer.token(7, PEOPLE)?;

    let open = ours(&upstream, &issuer, false).await?;
    let guarded = ours(&upstream, &issuer, true).await?;
    prove(&open, &guarded, &issuer).await?;
    let mut sides = vec![side("ours", &open)?, side("ours, permission and limit", &guarded)?];
    for kind in [ProxyKind::Nginx, ProxyKind::Haproxy, ProxyKind::Envoy, ProxyKind::EnvoyWithCache] {
        if !kind.is_wanted() {
            continue;
        }
        for (checks, what) in [(Checks::Nothing, ""), (Checks::TokenAndLimit(&issuer), ", RS256 and limit")] {
            if kind == ProxyKind::EnvoyWithCache && matches!(checks, Checks::Nothing) {
                continue;
            }
            let name = format!("{}{what}", kind.name());
            match Proxy::start(kind, checks, upstream.port(), PATH, &token).await {
                Ok(proxy) => sides.push(Side {
                    name,
                    address: proxy.address,
                    process: proxy.process(),
                    path: PATH.to_owned(),
                    cached: Vec::new(),
                    new: Figure::default(),
                    _proxy: Some(proxy),
                }),
                Err(error) => report.left_out(&name, &error),
            }
        }
    }
    for round in 0..settings::rounds() {
        for side in &mut sides {
            let questions = side.questions(vec![wire::get(&side.path, Some(&token))], &answer);
            let until = Until::Time(settings::seconds_each());
            let figure = wire::measure(questions, settings::connections(), until).await?;
            println!("round {round} | {} | {figure}", side.name);
            side.cached.push(figure);
        }
    }
    for side in &mut sides {
        let requests = tokens.iter().map(|token| wire::get(&side.path, Some(token))).collect();
        let questions = side.questions(requests, &answer);
        side.new = wire::measure(questions, settings::connections(), Until::AllAsked).await?;
        println!("every token new | {} | {}", side.name, side.new);
    }
    compare(&mut report, &sides);
    drop(sides);
    open.stop().await?;
    guarded.stop().await?;
    report.end();
    Ok(())
}

/// Ours on the core of what is measured; guarded: only members of a role may, and a limit counts.
async fn ours(upstream: &Upstream, issuer: &Issuer, is_guarded: bool) -> Result<Ours, Failure> {
    // Nobody of the seed signs in with a password here.
    let people = Some((PEOPLE, PasswordHash::from_phc("none"), issuer.changes()));
    let mut ours = Ours::begin(Beginning { database: Database::Sqlite, people, has_one_core: true }).await?;
    let service = ours.register("crm", upstream.port(), "customers/openapi.json").await?;
    let limit = json!({"requests": 1_000_000, "window_seconds": 1, "burst": 1_000_000});
    ours.put("/gateway/rate-limits/", &json!({"principal": if is_guarded { limit } else { json!(null) }}))
        .await?;
    if is_guarded {
        let roles: Vec<u32> = (0..PEOPLE.roles() - 1).collect();
        ours.attach(service, &roles).await?;
    }
    Ok(ours)
}

/// Shows that ours does what it is measured for.
async fn prove(open: &Ours, guarded: &Ours, issuer: &Issuer) -> Result<(), Failure> {
    let (in_a_role, in_none) = (issuer.token(0, PEOPLE)?, issuer.token(PEOPLE.users - 1, PEOPLE)?);
    let forged = format!("{}AAAAAAAA", in_a_role.get(..in_a_role.len() - 8).unwrap_or_default());
    for (ours, token, expected) in [
        (open, Some(&in_none), 200),
        (open, None, 401),
        (open, Some(&forged), 401),
        (guarded, Some(&in_a_role), 200),
        (guarded, Some(&in_none), 403),
        (guarded, None, 401),
        (guarded, Some(&forged), 401),
    ] {
        let request = wire::get(&format!("/crm{PATH}"), token.map(String::as_str));
        let (status, body) = wire::ask(ours.address()?, &request).await?;
        if status != expected {
            let got = format!("{status}, not {expected}: {}", String::from_utf8_lossy(&body));
            return Err(Failure::Wrong { expected: "a gateway that checks", got });
        }
    }
    Ok(())
}

fn side(name: &str, ours: &Ours) -> Result<Side, Failure> {
    Ok(Side {
        name: name.to_owned(),
        address: ours.address()?,
        process: ours.process(),
        path: format!("/crm{PATH}"),
        cached: Vec::new(),
        new: Figure::default(),
        _proxy: None,
    })
}

fn compare(report: &mut Report, sides: &[Side]) {
    let [open, guarded, peers @ ..] = sides else { return };
    for peer in peers {
        let is_plain = !peer.name.contains("RS256");
        let is_haproxy = peer.name.starts_with("HAProxy");
        let (ours, name) = if is_plain {
            (open, "gateway, token remembered, beside a plain proxy")
        } else {
            (guarded, "gateway, token remembered, permission and limit")
        };
        let target = if is_plain && peer.name.starts_with("nginx") {
            Some(OF_NGINX)
        } else {
            (!is_plain && is_haproxy).then_some(OF_HAPROXY)
        };
        pair(report, name, &ours.figure(), peer, &peer.figure(), target);
        if !is_plain {
            let target = is_haproxy.then_some(OF_HAPROXY);
            let name = "gateway, every token new, permission and limit";
            pair(report, name, &guarded.new, peer, &peer.new, target);
        }
    }
    report.alone("gateway, every token new, no permission and limit", &open.new.to_string());
}

/// By the time on the core, which other work on the machine disturbs least; the rates stand beside.
fn pair(
    report: &mut Report,
    name: &str,
    ours: &Figure,
    peer: &Side,
    theirs: &Figure,
    target: Option<Target>,
) {
    let ratio = theirs.cpu_us.zip(ours.cpu_us).map_or(f64::NAN, |(theirs, ours)| theirs / ours);
    report.compared(name, ours, &peer.name, theirs, ratio, target);
}
