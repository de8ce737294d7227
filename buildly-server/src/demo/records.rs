//! Real records go through the gateway into the services, and come back joined.

use bounded::for_each_bounded;
use http::{HeaderValue, Method};
use serde_json::json;
use tokio::time::Instant;

use super::client::{Client, Question};
use super::sample::{Link, Sample, Write};
use super::story::{Failure, POST, Story, rows};

/// How many requests are under way at once while data is loaded.
const LOADERS: usize = 16;

impl Story<'_> {
    pub(super) async fn records(&mut self) -> Result<(), Failure> {
        self.load().await?;
        let admin = self.admin.clone();
        let page = "/crm/contacts/?limit=3";
        let contacts =
            self.step("A page of contacts, through the gateway", Question::get(page, &admin), &[200]).await?;
        if rows(&contacts).len() != 3 {
            return Err(Failure::new("a page of contacts: expected 3 contacts"));
        }
        let joined_page = "/crm/contacts/?limit=3&join";
        let title = "The same page, joined with the documents and appointments of two other services";
        let joined = self.step(title, Question::get(joined_page, &admin), &[200]).await?;
        let is_joined = |row: &serde_json::Value| {
            let has = |key: &str| row.get(key).is_some_and(|related| !rows(related).is_empty());
            has("documents") && has("appointments")
        };
        if rows(&joined).len() != 3 || !rows(&joined).iter().all(is_joined) {
            return Err(Failure::new(
                "the joined page: expected documents and appointments with each of the 3 contacts",
            ));
        }
        self.plan(&admin).await
    }

    /// The same question through the library, which also says how it was answered.
    async fn plan(&mut self, token: &str) -> Result<(), Failure> {
        let failed = |error: &dyn std::error::Error| Failure::new(format!("the plan: {error}"));
        let principal = self.buildly.auth().authenticate(token).await.map_err(|error| failed(&error))?;
        let authorization =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|error| failed(&error))?;
        let began = Instant::now();
        let joined = self
            .buildly
            .mesh()
            .get(&principal, "crm/contacts")
            .query("limit=3")
            .join("documents")
            .join("appointments")
            .authorization(authorization)
            .await
            .map_err(|error| failed(&error))?;
        let calls: u32 = joined.calls.values().sum();
        let plan = joined.plan.to_string();
        let facts = json!({ "plan": plan.trim(), "calls to each service": joined.calls, "calls": calls });
        self.narrator.fact(
            "How the join was done: one batch a service, not one call a record",
            &facts,
            began.elapsed(),
        )?;
        if calls != 3 {
            return Err(Failure::new(format!(
                "the plan: expected 3 calls, one to each service, got {calls}"
            )));
        }
        Ok(())
    }

    async fn load(&mut self) -> Result<(), Failure> {
        let organization =
            self.organization.ok_or_else(|| Failure::new("the organization's id cannot be read"))?;
        let sample = Sample::read().map_err(|error| Failure::new(format!("the sample data: {error}")))?;
        let links = sample.links(organization);
        let began = Instant::now();
        if self.is_loaded(&links).await? {
            let facts = json!({ "records": "already there" });
            self.narrator.fact("Chinook's customers and invoices", &facts, began.elapsed())?;
            return Ok(());
        }
        let (client, token) = (self.client.clone(), self.admin.clone());
        let mut written = 0;
        for (stage, writes) in sample.stages(organization).into_iter().enumerate() {
            written += writes.len();
            let what = format!("loading, stage {}", stage + 1);
            self.all(&what, writes, |write| put(client.clone(), token.clone(), write)).await?;
        }
        let linked = links.len();
        self.all("linking", links, |record| link(client.clone(), token.clone(), record)).await?;
        let facts = json!({
            "customers": sample.customers.len(), "invoices": sample.invoices.len(),
            "writes through the gateway": written, "join records": linked,
            "origin": "the Chinook database by Luis Rocha, MIT licence",
        });
        self.narrator.fact(
            "Chinook's customers and invoices are loaded over the services",
            &facts,
            began.elapsed(),
        )?;
        Ok(())
    }

    /// Whether the last thing that loading writes is there.
    async fn is_loaded(&self, links: &[Link]) -> Result<bool, Failure> {
        let Some(last) = links.last() else { return Ok(true) };
        let path = format!(
            "/datamesh/joinrecords/?record_uuid={}&related_record_uuid={}",
            last.contact, last.related
        );
        let found = self.quietly(Question::get(&path, &self.admin), &[200]).await?;
        Ok(!rows(&found).is_empty())
    }

    async fn all<T, F>(&self, what: &str, items: Vec<T>, work: impl Fn(T) -> F) -> Result<(), Failure>
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let of = items.len();
        for_each_bounded(items.into_iter().map(work), LOADERS, |done| self.narrator.progress(what, done, of))
            .await
    }
}

async fn put(client: Client, token: String, write: Write) -> Result<(), Failure> {
    let path = format!("/{}{}", write.service, write.path);
    let question = Question {
        method: Method::PUT,
        path: &path,
        token: Some(&token),
        content_type: write.content_type,
        body: write.body,
    };
    expect(&client, &question, &[200, 201, 204]).await
}

async fn link(client: Client, token: String, link: Link) -> Result<(), Failure> {
    let record = json!({
        "origin_model_name": "crmContact", "related_model_name": link.model,
        "record_uuid": link.contact, "related_record_uuid": link.related,
    });
    expect(&client, &Question::json(POST, "/datamesh/joinrecords/", Some(&token), &record), &[200, 201]).await
}

async fn expect(client: &Client, question: &Question<'_>, expected: &[u16]) -> Result<(), Failure> {
    let answer = client.ask(question).await?;
    if expected.contains(&answer.status.as_u16()) {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    Err(Failure::new(format!("{} {}: got {}: {body}", question.method, question.path, answer.status)))
}

/// Work in parallel, so much at once.
mod bounded {
    use tokio::task::JoinSet;

    use super::Failure;

    /// Does all of `work`, at most `at_once` at a time; stops at the first failure.
    pub(super) async fn for_each_bounded<F>(
        work: impl Iterator<Item = F>,
        at_once: usize,
        progress: impl Fn(usize),
    ) -> Result<(), Failure>
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let mut under_way = JoinSet::new();
        let mut done = 0;
        let mut finished = |result: Result<Result<(), Failure>, tokio::task::JoinError>| {
            done += 1;
            progress(done);
            result.map_err(|error| Failure::new(error.to_string()))?
        };
        for item in work {
            if under_way.len() >= at_once
                && let Some(result) = under_way.join_next().await
            {
                finished(result)?;
            }
            under_way.spawn(item);
        }
        while let Some(result) = under_way.join_next().await {
            finished(result)?;
        }
        Ok(())
    }
}
