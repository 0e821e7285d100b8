//! The verifiable log: its head, its tiles, and proofs from it.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use ees_core::{Error, Written};
use ees_evidence::{Log, LogError, LogHead};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::parameters::CommonParams;
use crate::answer::{LogConsistency, SealedLog, answer};
use crate::app::App;
use crate::codes;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::error_body::ErrorBody;
use crate::tile_path::TilePath;

/// The type of signed notes and of proofs.
const TEXT: &str = "text/plain; charset=utf-8";

/// The type of tiles.
const BYTES: &str = "application/octet-stream";

/// How long caches may keep a full tile: a day. It never changes, but for a store that is restored from
/// an older copy.
const CACHED: &str = "max-age=86400, immutable";

/// The calls of the log, each with its description.
pub(super) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(head))
        .routes(routes!(checkpoint))
        .routes(routes!(tile))
        .routes(routes!(proof))
        .routes(routes!(consistency))
}

/// Read the head of the verifiable log
///
/// How far the global order is sealed, and the root of the Merkle tree over it. Whoever keeps both
/// notices later if anything before was changed.
#[utoipa::path(
    get, path = "/log/head", tag = "verifiable log", operation_id = "logHead",
    params(CommonParams),
    responses(
        (status = 200, description = "The head", body = SealedLog),
        (status = 400, description = "`INVALID_PARAMETER`", body = ErrorBody),
        (status = 404, description = "`NOT_SEALED`: nothing is sealed yet. `NO_LOG`: the storage keeps no log", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn head(
    State(app): State<App>,
    context: RequestContext,
) -> Result<Response, ApiError> {
    context.params.only_common()?;
    let head = newest(&app).await?;
    Ok(answer(&SealedLog::from(head)))
}

/// Read the newest signed head of the verifiable log
///
/// A checkpoint of c2sp.org/tlog-checkpoint. Its size may be smaller than that of the head.
#[utoipa::path(
    get, path = "/log/checkpoint", tag = "verifiable log", operation_id = "logCheckpoint",
    params(CommonParams),
    responses(
        (status = 200, description = "The signed note", body = String, content_type = "text/plain"),
        (status = 400, description = "`INVALID_PARAMETER`", body = ErrorBody),
        (status = 404, description = "`NOT_SIGNED`: nobody has signed a head of this log. `NOT_SEALED`: nothing is sealed yet. `NO_LOG`: the storage keeps no log", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn checkpoint(
    State(app): State<App>,
    context: RequestContext,
) -> Result<Response, ApiError> {
    context.params.only_common()?;
    let mut head = newest(&app).await?;
    let signed = head.signed.pop().ok_or(LogError::NotSigned { size: None });
    Ok(text(signed?.note))
}

/// Read a tile of the verifiable log
///
/// The hashes of a tile of c2sp.org/tlog-tiles, 32 bytes each: `L/N`, or `L/N.p/W` for the first W of
/// them. N is written in groups of three digits, all but the last with an `x` before them:
/// `x001/x234/067`. Slashes are written as they are, or as `%2F`.
#[utoipa::path(
    get, path = "/log/tile/{level}/{*number}", tag = "verifiable log", operation_id = "logTile",
    params(
        ("level" = u8, Path, description = "The level: 0 for the hashes of changesets"),
        ("number" = String, Path, description = "The number in its level, as `000`, `x001/234` or `000.p/17`"),
        CommonParams,
    ),
    responses(
        (status = 200, headers(("Cache-Control" = Option<String>, description = "Of full tiles: they do not change. `private` for a request with a key")), description = "The hashes", body = String, content_type = "application/octet-stream"),
        (status = 400, description = "`INVALID_TILE`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 404, description = "`NOT_SEALED`: so many hashes of it are not sealed yet. `NO_LOG`: the storage keeps no log", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn tile(
    State(app): State<App>,
    context: RequestContext,
    headers: HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, ApiError> {
    let undecoded = |error: PathRejection| {
        let message = format!("the path of a tile: {error}");
        ApiError::bad_request(codes::INVALID_TILE, message)
    };
    let Path((level, number)) = path.map_err(undecoded)?;
    let asked = TilePath::parse(&level, &number)?;
    context.params.only_common()?;
    let log = log(&app)?;
    let hashes = in_time(&app, log.tile(asked.tile, asked.width)).await?;
    let hashes = hashes.ok_or_else(|| {
        let message = format!("the tile `{level}/{number}` is not sealed so far");
        ApiError::not_sealed(message)
    })?;
    let mut response = ([(CONTENT_TYPE, BYTES)], hashes).into_response();
    if asked.is_full() {
        let is_private = app.options.authorizer.is_some() || headers.contains_key(AUTHORIZATION);
        let scope = if is_private { "private" } else { "public" };
        let cached = ([(CACHE_CONTROL, format!("{scope}, {CACHED}"))], response);
        response = cached.into_response();
    }
    Ok(response)
}

/// Read the proof that a changeset is in the verifiable log
///
/// A text of c2sp.org/tlog-proof, which is verified without the store.
#[utoipa::path(
    get, path = "/log/proof", tag = "verifiable log", operation_id = "logProof",
    params(
        ("checkpoint" = u64, Query, description = "The position of the changeset"),
        ("size" = Option<u64>, Query, description = "The size of a signed head that is kept. Default: the newest"),
        CommonParams,
    ),
    responses(
        (status = 200, description = "The proof", body = String, content_type = "text/plain"),
        (status = 400, description = "`INVALID_CHECKPOINT`, `INVALID_LOG_SIZE`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 404, description = "`NOT_SIGNED`: no signed head is kept, or none of this size. `NOT_SEALED`: the newest one does not reach the position. `NO_LOG`: the storage keeps no log", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn proof(
    State(app): State<App>,
    context: RequestContext,
) -> Result<Response, ApiError> {
    let read = context.params.proof_read()?;
    let log = log(&app)?;
    let proof = in_time(&app, log.proof(read.checkpoint, read.size)).await?;
    Ok(text(proof))
}

/// Read the proof that the verifiable log has only grown
///
/// The log of size `from` is a beginning of the log of size `to` (RFC 6962, section 2.1.2).
#[utoipa::path(
    get, path = "/log/consistency", tag = "verifiable log", operation_id = "logConsistency",
    params(
        ("from" = u64, Query, description = "The smaller size, at least 1"),
        ("to" = u64, Query, description = "The larger size, up to that of the head"),
        CommonParams,
    ),
    responses(
        (status = 200, description = "The proof", body = LogConsistency),
        (status = 400, description = "`INVALID_LOG_SIZE`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 404, description = "`NOT_SEALED`: `to` is beyond the head. `NO_LOG`: the storage keeps no log", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn consistency(
    State(app): State<App>,
    context: RequestContext,
) -> Result<Response, ApiError> {
    let read = context.params.consistency_read()?;
    let log = log(&app)?;
    let hashes = in_time(&app, log.consistency(read.from, read.to)).await?;
    Ok(answer(&LogConsistency::new(&hashes)))
}

fn log(app: &App) -> Result<Log, ApiError> {
    Log::of(&app.store).ok_or_else(ApiError::no_log)
}

/// The head, if anything is sealed.
async fn newest(app: &App) -> Result<LogHead, ApiError> {
    let log = log(app)?;
    let head = in_time(app, log.head()).await?;
    head.ok_or_else(|| ApiError::not_sealed("nothing is sealed yet".to_owned()))
}

/// Waits for the log, but no longer than a request may take.
async fn in_time<T>(
    app: &App,
    work: impl Future<Output = Result<T, LogError>>,
) -> Result<T, ApiError> {
    let answered = async { Ok::<_, Error>(work.await) };
    Ok(app.in_time(Written::None, answered).await??)
}

fn text(text: String) -> Response {
    ([(CONTENT_TYPE, TEXT)], text).into_response()
}
