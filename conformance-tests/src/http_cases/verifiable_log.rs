//! The verifiable log, recomputed by the suite: it shares no code with what seals.
//!
//! A server whose storage keeps no log says so, and is held to nothing more.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::HttpHarness;
use crate::subject::{Remote, unique};
use crate::support::within;
use crate::wire::merkle::{Hash, Told, grown, leaf, led, parse, root, rooted, void};
use crate::wire::schema::Description;
use crate::wire::{BODY, Call, accepted, append, end_of_log, error, path, position, refused};

/// The pause between two looks at the head of the log.
const GLANCE: Duration = Duration::from_millis(20);

/// The hashes of a full tile.
const WIDTH: u64 = 256;

/// Whether the server keeps a log.
async fn keeps_one(remote: &Remote) -> bool {
    let head = remote.get("/log/head").await;
    let is_none = head.status == 404 && head.json()["error"] == "NO_LOG";
    if is_none {
        eprintln!("not run: the server keeps no verifiable log");
    }
    !is_none
}

/// The size and the root of a head.
fn head_of(head: &Value) -> (u64, Hash) {
    let size = head["size"].as_u64().expect("G17: a size");
    (size, parse(head["root"].as_str().expect("G17: a root")))
}

/// The head, once everything that is committed is sealed.
async fn sealed(harness: &mut dyn HttpHarness, remote: &Remote) -> (u64, Hash) {
    harness.settle().await;
    let end = end_of_log(remote).await;
    harness.seal().await;
    let sealed = async {
        loop {
            let head = remote.get("/log/head").await;
            if head.status == 200 {
                let (size, root) = head_of(&accepted(&head));
                if size >= end {
                    return (size, root);
                }
            } else {
                refused(&head, "NOT_SEALED", None);
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    within("G17: what is committed is sealed", sealed).await
}

/// Commits changesets of all kinds: alone, with a key, with metadata, in a set.
async fn commit_all_kinds(remote: &Remote) {
    let stream = unique("sealed/ü");
    append(remote, &stream, 0, BODY).await;
    let pretty = "{\n  \"events\" : [ 1.10, { \"t\": \"\\u00fc ü \u{2028}\" }\r\n ],\n  \"metadata\" : [ ] }";
    let keyed = format!("{}?expected_last_changeset=1", path(&stream));
    let headers = [("idempotency-key", "sealed-1")];
    accepted(&remote.send(Method::POST, &keyed, &headers, pretty).await);
    let commits: Vec<_> = [unique("set"), unique("set")]
        .map(|stream| json!({ "stream_id": stream, "events": [{ "n": 1 }, 2] }))
        .into();
    let set = json!({ "commits": commits }).to_string();
    accepted(&remote.post("/commits", set).await);
}

/// The leaves of the positions from one on to another, from the changesets that are read there.
async fn leaves(remote: &Remote, from: u64, to: u64) -> Vec<Hash> {
    #[derive(Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        changesets: Vec<Told<'a>>,
        next_checkpoint: u64,
    }
    let (mut leaves, mut at) = (Vec::new(), from);
    while at < to {
        let read = format!("/changesets?checkpoint={at}&limit=1000&details=true");
        let answer = remote.get(&read).await;
        let page: Page<'_> = serde_json::from_slice(&answer.body).expect("G17: a page");
        assert!(page.next_checkpoint > at, "G6: the order goes on at {at}");
        for told in &page.changesets {
            let voids = told.checkpoint.checked_sub(at).expect("G6: in order");
            leaves.extend((0..voids).map(|_| void()));
            leaves.push(leaf(told));
            at = told.checkpoint + 1;
        }
        leaves.extend((at..page.next_checkpoint).map(|_| void()));
        at = page.next_checkpoint;
    }
    leaves.truncate(usize::try_from(to - from).expect("a number"));
    leaves
}

/// The tiles of a log of a size.
struct Tiles<'a> {
    remote: &'a Remote,
    size: u64,
    known: BTreeMap<(u32, u64), Vec<Hash>>,
}

impl<'a> Tiles<'a> {
    fn new(remote: &'a Remote, size: u64) -> Self {
        let known = BTreeMap::new();
        Self {
            remote,
            size,
            known,
        }
    }

    /// How many hashes a level has.
    fn length(&self, level: u32) -> u64 {
        self.size.checked_shr(level * 8).unwrap_or(0)
    }

    async fn tile(&mut self, level: u32, number: u64) -> Vec<Hash> {
        if let Some(known) = self.known.get(&(level, number)) {
            return known.clone();
        }
        let width = WIDTH.min(self.length(level) - number * WIDTH);
        let response = self.remote.get(&tile_path(level, number, width)).await;
        let told = "G17: a tile of hashes";
        assert_eq!(response.status, 200, "{told}: {level}/{number}");
        let hashes = response.body.chunks(32).map(TryInto::try_into);
        let hashes: Vec<Hash> = hashes.collect::<Result<_, _>>().expect(told);
        assert_eq!(hashes.len() as u64, width, "{told}: {level}/{number}");
        self.known.insert((level, number), hashes.clone());
        hashes
    }

    async fn hash(&mut self, level: u32, index: u64) -> Hash {
        let tile = self.tile(level, index / WIDTH).await;
        tile[usize::try_from(index % WIDTH).expect("a place")]
    }

    /// A hash is in the tree: the tile that it is in, if it is full, is a hash of the level above.
    async fn assert_inside(&mut self, mut index: u64) {
        for level in 0.. {
            let number = index / WIDTH;
            if (number + 1) * WIDTH > self.length(level) {
                return;
            }
            let tile = self.tile(level, number).await;
            let above = self.hash(level + 1, number).await;
            assert_eq!(root(&tile), above, "G17: tile {number} of level {level}");
            index = number;
        }
    }

    /// The root over the tiles of the right edge.
    async fn root(&mut self) -> Hash {
        let mut edge = Vec::new();
        for level in 0..8 {
            let length = self.length(level);
            let is_full = length.is_multiple_of(WIDTH);
            let tile = if is_full {
                Vec::new()
            } else {
                self.tile(level, length / WIDTH).await
            };
            edge.push(tile);
        }
        rooted(&edge)
    }
}

/// The path of a tile: its number in groups of three digits.
fn tile_path(level: u32, number: u64, width: u64) -> String {
    let mut path = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    let partial = if width < WIDTH {
        format!(".p/{width}")
    } else {
        String::new()
    };
    format!("/log/tile/{level}/{path}{partial}")
}

/// Every leaf since the case began is that of its changeset, and the head has the root over all.
pub async fn every_leaf_is_that_of_its_changeset(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    if !keeps_one(&remote).await {
        return;
    }
    let begin = end_of_log(&remote).await;
    commit_all_kinds(&remote).await;
    let (size, sealed_root) = sealed(harness, &remote).await;
    let leaves = leaves(&remote, begin, size).await;
    let mut tiles = Tiles::new(&remote, size);
    for (index, leaf) in (begin..).zip(&leaves) {
        let stored = tiles.hash(0, index).await;
        assert_eq!(stored, *leaf, "G17: the leaf at {index}");
        tiles.assert_inside(index).await;
    }
    assert_eq!(tiles.root().await, sealed_root, "G17: the root at {size}");
    // Nobody else uses the store.
    if begin == 0 {
        assert_eq!(root(&leaves), sealed_root, "G17: the root at {size}");
    }
}

/// A full tile does not change, and its beginnings can be read as well.
pub async fn tiles_are_read_by_their_paths(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    if !keeps_one(&remote).await {
        return;
    }
    while end_of_log(&remote).await <= WIDTH {
        let commits: Vec<_> = (0..25)
            .map(|_| json!({ "stream_id": unique("tile"), "events": [1] }))
            .collect();
        let set = json!({ "commits": commits }).to_string();
        accepted(&remote.post("/commits", set).await);
        harness.settle().await;
    }
    let (size, _) = sealed(harness, &remote).await;
    Tiles::new(&remote, size).assert_inside(0).await;
    let full = remote.get("/log/tile/0/000").await;
    assert_eq!((full.status.as_u16(), full.body.len()), (200, 8192), "G17");
    let kind = full.header("content-type");
    assert_eq!(kind, Some("application/octet-stream"), "G17: bytes");
    let cached = full.header("cache-control").unwrap_or_default();
    assert!(
        cached.contains("immutable"),
        "G17: it never changes: {cached}"
    );
    let head = remote.send(Method::HEAD, "/log/tile/0/000", &[], "").await;
    assert_eq!(head.header("content-type"), kind, "G17: HEAD");
    assert!(head.body.is_empty(), "G17: HEAD");
    for path in ["/log/tile/0/000.p/7", "/log/tile/0/000.p%2F7"] {
        let beginning = remote.get(path).await;
        assert_eq!(beginning.body, full.body[..7 * 32], "G17: {path}");
    }
}

/// A proof leads from the changeset to a signed head, where heads are signed.
pub async fn a_proof_leads_to_a_signed_head(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    if !keeps_one(&remote).await {
        return;
    }
    let stream = unique("proved");
    append(&remote, &stream, 0, BODY).await;
    let (size, _) = sealed(harness, &remote).await;
    let at = position(&remote, &stream, 1).await;
    let asked = format!("/log/proof?checkpoint={at}");
    let checkpoint = remote.get("/log/checkpoint").await;
    if checkpoint.status != 200 {
        refused(&checkpoint, "NOT_SIGNED", None);
        refused(&remote.get(&asked).await, "NOT_SIGNED", None);
        return;
    }
    let proved = async {
        loop {
            let proof = remote.get(&asked).await;
            if proof.status == 200 {
                return proof;
            }
            refused(&proof, "NOT_SEALED", None);
            tokio::time::sleep(GLANCE).await;
        }
    };
    let proof = within("G17: a head with the position is signed", proved).await;
    let kind = proof.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/plain"), "G17: {kind}");
    let (path, note) = proof.text().split_once("\n\n").expect("G17: a proof");
    let mut path = path.lines();
    assert_eq!(path.next(), Some("c2sp.org/tlog-proof@v1"), "G17");
    assert_eq!(path.next(), Some(&*format!("index {at}")), "G17");
    let path: Vec<Hash> = path.map(parse).collect();
    let mut signed = note.lines();
    let store = crate::wire::store_id(&proof);
    let origin = signed.next().unwrap_or_default();
    assert!(origin.ends_with(&format!("/{store}")), "G17: {origin}");
    let signed_size: u64 = signed
        .next()
        .and_then(|size| size.parse().ok())
        .expect("G17: a size");
    assert!(
        at < signed_size,
        "G17: {at} of {signed_size}, sealed {size}"
    );
    let signed_root = parse(signed.next().expect("G17: a root"));
    let leaf = leaves(&remote, at, at + 1).await[0];
    let led_to = led(at, signed_size, leaf, &path);
    assert_eq!(led_to, Some(signed_root), "G17: the proof of {at}");
    let other = led(at, signed_size, void(), &path);
    assert_ne!(other, Some(signed_root), "G17: of this changeset alone");
}

/// The log of an older head is a beginning of the log of a newer one.
pub async fn it_only_grows(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    if !keeps_one(&remote).await {
        return;
    }
    let mut heads = Vec::new();
    for _ in 0..2 {
        commit_all_kinds(&remote).await;
        heads.push(sealed(harness, &remote).await);
    }
    let [(from, old), (to, new)] = heads[..] else {
        panic!("two heads");
    };
    for (from, to, old, new) in [(from, to, old, new), (to, to, new, new)] {
        let asked = format!("/log/consistency?from={from}&to={to}");
        let answer = accepted(&remote.get(&asked).await);
        let hashes = answer["hashes"].as_array().expect("G17: hashes").iter();
        let hashes: Vec<Hash> = hashes
            .map(|hash| parse(hash.as_str().expect("text")))
            .collect();
        let led = grown(from, to, old, &hashes);
        assert_eq!(led, Some(new), "G17: from {from} to {to}");
        let other = grown(from, to, void(), &hashes);
        assert_ne!(other, Some(new), "G17: from this root alone");
    }
}

/// What is no part of the log is refused, as the description says.
pub async fn what_it_does_not_have_is_told(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let description = Description::of(&remote).await;
    let keeps_one = keeps_one(&remote).await;
    if keeps_one {
        append(&remote, &unique("told"), 0, BODY).await;
        sealed(harness, &remote).await;
    }
    let call = |template, path: &str| Call {
        method: Method::GET,
        template,
        path: path.to_owned(),
    };
    let head = call("/log/head", "/log/head");
    let tile = |path| call("/log/tile/{level}/{number}", path);
    let proof = call("/log/proof", "/log/proof");
    let consistency = call("/log/consistency", "/log/consistency");
    let far = 1_u64 << 50;
    for (call, query, code) in [
        (&head, "nonsense=1".to_owned(), "INVALID_PARAMETER"),
        (&tile("/log/tile/0/0"), String::new(), "INVALID_TILE"),
        (&tile("/log/tile/64/000"), String::new(), "INVALID_TILE"),
        (
            &tile("/log/tile/0/000.p/256"),
            String::new(),
            "INVALID_TILE",
        ),
        (
            &tile("/log/tile/0/000"),
            "wait=1".to_owned(),
            "INVALID_PARAMETER",
        ),
        (&tile("/log/tile/7/x001/000"), String::new(), "NOT_SEALED"),
        (&proof, String::new(), "INVALID_CHECKPOINT"),
        (
            &proof,
            "checkpoint=5&size=5".to_owned(),
            "INVALID_CHECKPOINT",
        ),
        (&proof, "checkpoint=0&size=0".to_owned(), "INVALID_LOG_SIZE"),
        (&proof, format!("checkpoint=0&size={far}"), "NOT_SIGNED"),
        (&consistency, "from=1".to_owned(), "INVALID_LOG_SIZE"),
        (&consistency, "from=2&to=1".to_owned(), "INVALID_LOG_SIZE"),
        (&consistency, format!("from=1&to={far}"), "NOT_SEALED"),
        (
            &consistency,
            "from=1&to=1&x=1".to_owned(),
            "INVALID_PARAMETER",
        ),
    ] {
        let response = call.send(&remote, &query).await;
        let is_missing = !keeps_one && response.status == 404;
        error(&response, if is_missing { "NO_LOG" } else { code });
        description.assert_describes(call, &response);
    }
    if keeps_one {
        let answer = head.send(&remote, "").await;
        description.assert_describes(&head, &answer);
        let answer = consistency.send(&remote, "from=1&to=1").await;
        description.assert_describes(&consistency, &answer);
    }
}
