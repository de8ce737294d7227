//! `buildly service`

#[cfg(feature = "services")]
mod run;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Failure, Settings, list, print, text};
use crate::local::Task;

#[cfg(feature = "services")]
const RUN_EXAMPLES: &str = "\
Examples:
  buildly service run crm --jwks http://127.0.0.1:8080/.well-known/jwks.json
  buildly service run appointments --jwks http://127.0.0.1:8080/.well-known/jwks.json
  buildly service run documents --listen 127.0.0.1:9002 --jwks keys.json

Prints `listening on http://HOST:PORT` once it answers. Its database is a file of its own in
the data folder, or a schema of its own in PostgreSQL. What the flags say can also stand in
buildly.toml, as listen, jwks, issuer, introspect and max_bytes_per_organization below
[service], or in BUILDLY_SERVICE_….";

const REGISTER_EXAMPLES: &str = "\
Examples:
  buildly service register crm http://127.0.0.1:9001
  buildly service register shop https://shop.example.org/api --docs-endpoint openapi

Its OpenAPI document is fetched at once; if it cannot be had yet, it is fetched when it is
first needed. The command acts in the name of the first superuser.";

const LIST_EXAMPLES: &str = "\
Examples:
  buildly service list
  buildly service list --json";

const REMOVE_EXAMPLES: &str = "\
Examples:
  buildly service remove crm";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a service that comes with Buildly, as a process of its own.
    #[cfg(feature = "services")]
    #[command(after_help = RUN_EXAMPLES)]
    Run(run::Run),
    /// Put a service behind the gateway.
    #[command(after_help = REGISTER_EXAMPLES)]
    Register(Register),
    /// List the services behind the gateway.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Print a JSON list.
        #[arg(long)]
        json: bool,
    },
    /// Take a service off the gateway; the service itself goes on.
    #[command(after_help = REMOVE_EXAMPLES)]
    Remove {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Register {
    /// The first segment of its paths at the gateway.
    #[arg(value_name = "NAME")]
    name: String,
    /// Its base URL.
    #[arg(value_name = "URL")]
    endpoint: String,
    /// Where its OpenAPI document is, below the base URL [default: docs].
    #[arg(long, value_name = "PATH")]
    docs_endpoint: Option<String>,
}

impl Command {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        match self {
            #[cfg(feature = "services")]
            Self::Run(command) => command.run(settings).await,
            Self::Register(Register { name, endpoint, docs_endpoint }) => {
                let task = Task::RegisterService { name, endpoint, docs_endpoint };
                let made = settings.ask(task).await?;
                let document = match text(&made, "document_missing") {
                    "" => String::new(),
                    reason => format!("its document cannot be had yet: {reason}\n"),
                };
                print(&format!("service `{}` registered\n{document}", text(&made, "name")))
            }
            Self::List { json } => {
                let found = settings.ask(Task::ListServices {}).await?;
                let services = list(&found, "services");
                print(&if json { format!("{:#}\n", Value::from(services.to_vec())) } else { lines(services) })
            }
            Self::Remove { name } => {
                settings.ask(Task::RemoveService { name: name.clone() }).await?;
                print(&format!("service `{name}` removed\n"))
            }
        }
    }
}

fn lines(services: &[Value]) -> String {
    let line = |service: &Value| format!("{}  {}\n", text(service, "name"), text(service, "endpoint"));
    if services.is_empty() {
        "no service is registered\n".to_owned()
    } else {
        services.iter().map(line).collect()
    }
}
