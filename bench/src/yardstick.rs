//! A bare server: the token's check and the one statement that each kind of work needs.
//!
//! No SCIM, no fence, no decision, no log line: what no server of this kind can do without. The product's cost is
//! read as a multiple of this one's, since both move with the machine and with whatever else runs on it.
//!
//! **Invariant**: what is written is durable when it is answered, as in the product.

mod postgres;
mod sqlite;

use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use clap::Args;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::net::SocketAddr;
use subtle::ConstantTimeEq;

/// The only tenant.
const TENANT: &str = "bench";
/// Rows of a page.
const PAGE: i64 = 100;
const PEPPER: &[u8] = b"the yardstick keeps no secret, it only pays for one";

const BY_NAME: &str = "SELECT doc FROM users WHERE tenant_id = $1 AND user_name_key = $2";
const BY_ID: &str = "SELECT doc FROM users WHERE tenant_id = $1 AND id = $2";
const PAGE_AFTER: &str =
    "SELECT doc FROM users WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// sqlite:PATH or postgres://…; the tables are there
    #[arg(long)]
    store: String,
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    token: String,
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Connections of each worker to PostgreSQL
    #[arg(long, default_value_t = 8)]
    connections: usize,
}

/// One worker's way to the store.
enum Store {
    Postgres(postgres::Store),
    Sqlite(sqlite::Store),
}

/// What a write is about.
#[derive(Debug)]
pub(crate) enum Write {
    Create { id: String, name: String, doc: String },
    Update { id: String, doc: String },
    Add { group: String, members: Vec<String> },
    Remove { group: String, member: String },
}

struct Worker {
    store: Store,
    token: Vec<u8>,
}

pub(crate) async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let writer = match arguments.store.strip_prefix("sqlite:") {
        Some(path) => Some(sqlite::Writer::start(path).await?),
        None => None,
    };
    let token = digest(&arguments.token)?;
    let (url, connections) = (arguments.store, arguments.connections);
    let server = HttpServer::new(move || {
        let (url, writer, token) = (url.clone(), writer.clone(), token.clone());
        let worker = move || {
            let (url, writer, token) = (url.clone(), writer.clone(), token.clone());
            async move {
                let store = match writer {
                    Some(writer) => Store::Sqlite(sqlite::Store::open(&url, writer).await?),
                    None => Store::Postgres(postgres::Store::open(&url, connections).await?),
                };
                anyhow::Ok(Worker { store, token })
            }
        };
        App::new()
            .data_factory(worker)
            .app_data(web::PayloadConfig::new(16 << 20))
            .route("/name/{key}", web::get().to(by_name))
            .route("/users/{key}", web::get().to(by_id))
            .route("/users/{key}", web::post().to(create))
            .route("/users/{key}", web::put().to(update))
            .route("/page/{key}", web::get().to(page))
            .route("/groups/{group}", web::post().to(add))
            .route("/groups/{group}/{member}", web::delete().to(remove))
    });
    server.workers(arguments.workers).bind(arguments.listen)?.run().await?;
    Ok(())
}

fn digest(token: &str) -> anyhow::Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(PEPPER)?;
    mac.update(token.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn known(request: &HttpRequest, worker: &Worker) -> bool {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    let digest = token.and_then(|token| digest(token).ok());
    digest.is_some_and(|digest| digest.ct_eq(&worker.token).into())
}

type Answer = actix_web::Result<HttpResponse>;

fn failed(error: &anyhow::Error) -> actix_web::Error {
    actix_web::error::ErrorInternalServerError(format!("{error:#}"))
}

fn json(body: String) -> HttpResponse {
    HttpResponse::Ok().content_type("application/scim+json").body(body)
}

fn list(docs: &[String]) -> HttpResponse {
    let total = docs.len();
    json(format!("{{\"totalResults\":{total},\"Resources\":[{}]}}", docs.join(",")))
}

impl Worker {
    async fn read(
        &self,
        request: &HttpRequest,
        sql: &'static str,
    ) -> actix_web::Result<Vec<String>> {
        if !known(request, self) {
            return Err(actix_web::error::ErrorUnauthorized("unknown token"));
        }
        let key = request.match_info().get("key").unwrap_or_default();
        let docs = match &self.store {
            Store::Postgres(store) => store.read(sql, key).await,
            Store::Sqlite(store) => store.read(sql, key).await,
        };
        docs.map_err(|error| failed(&error))
    }

    async fn write(&self, request: &HttpRequest, write: Write) -> actix_web::Result<()> {
        if !known(request, self) {
            return Err(actix_web::error::ErrorUnauthorized("unknown token"));
        }
        let done = match &self.store {
            Store::Postgres(store) => store.write(write).await,
            Store::Sqlite(store) => store.write(write).await,
        };
        done.map_err(|error| failed(&error))
    }
}

async fn by_name(request: HttpRequest, worker: web::Data<Worker>) -> Answer {
    Ok(list(&worker.read(&request, BY_NAME).await?))
}

async fn by_id(request: HttpRequest, worker: web::Data<Worker>) -> Answer {
    Ok(match worker.read(&request, BY_ID).await?.pop() {
        Some(doc) => json(doc),
        None => HttpResponse::NotFound().finish(),
    })
}

async fn page(request: HttpRequest, worker: web::Data<Worker>) -> Answer {
    Ok(list(&worker.read(&request, PAGE_AFTER).await?))
}

async fn create(request: HttpRequest, worker: web::Data<Worker>, doc: String) -> Answer {
    let name = request.match_info().get("key").unwrap_or_default().to_owned();
    let id = new_id();
    worker.write(&request, Write::Create { id, name, doc: doc.clone() }).await?;
    Ok(HttpResponse::Created().content_type("application/scim+json").body(doc))
}

async fn update(request: HttpRequest, worker: web::Data<Worker>, doc: String) -> Answer {
    let id = request.match_info().get("key").unwrap_or_default().to_owned();
    worker.write(&request, Write::Update { id, doc: doc.clone() }).await?;
    Ok(json(doc))
}

async fn add(request: HttpRequest, worker: web::Data<Worker>, members: String) -> Answer {
    let group = request.match_info().get("group").unwrap_or_default().to_owned();
    let members = members.lines().map(str::to_owned).collect();
    worker.write(&request, Write::Add { group, members }).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn remove(request: HttpRequest, worker: web::Data<Worker>) -> Answer {
    let group = request.match_info().get("group").unwrap_or_default().to_owned();
    let member = request.match_info().get("member").unwrap_or_default().to_owned();
    worker.write(&request, Write::Remove { group, member }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// As the product's: rows lie in the order in which they were made.
fn new_id() -> String {
    let context = uuid::ContextV7::new();
    uuid::Uuid::new_v7(uuid::Timestamp::now(context)).to_string()
}
