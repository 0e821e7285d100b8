//! Proofs that are verified without the store.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::{end_of_order, serve_signed, wait_until_sealed, write_key};
use crate::http::{receive, request, send};
use crate::process::{Ees, run};

/// A server that signs, and a folder for what is kept.
struct Kept {
    folder: TempDir,
    ees: Ees,
    public: String,
}

impl Kept {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let key = folder.path().join("log.key");
        write_key(&key);
        let ees = serve_signed("memory:", &key);
        let url = format!("http://{}", ees.address());
        let key = key.display().to_string();
        let (code, public, errors) = run(&["log", "vkey", "--log-key", &key, "--url", &url]);
        assert_eq!(code, Some(0), "{errors}");
        let public = public.trim().to_owned();
        Self {
            folder,
            ees,
            public,
        }
    }

    fn keep(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, text).expect("a file");
        file
    }

    fn get(&self, path: &str) -> String {
        let answer = request(&self.ees.address(), "GET", path, "").expect("an answer");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Commits changesets of all kinds, and waits until they are sealed.
    fn commit(&self) {
        let pretty = "{\n\"metadata\": { \"by\" : \"ü \u{2028}\" }, \"events\": [ 1.10,\r\n  9007199254740993 ] }";
        self.ees.ok("POST", "/streams/order%2017", pretty);
        let keyed = send(
            &self.ees.address(),
            "POST",
            "/streams/a%2F%C3%BC",
            "Idempotency-Key: key 1\r\n",
            r#"{"events":["\u00fc",{"b":1,"a":2}]}"#,
        );
        assert_eq!(
            receive(keyed.expect("a request"))
                .expect("an answer")
                .status,
            200
        );
        let commits = json!([
            { "stream_id": "order 17", "expected_last_changeset": 1, "events": [[]] },
            { "stream_id": "c", "events": [null] },
        ]);
        let set = json!({ "commits": commits }).to_string();
        self.ees.ok("POST", "/commits", &set);
        wait_until_sealed(&self.ees, end_of_order(&self.ees));
    }

    fn verify(&self, proof: &str, changeset: &str, key: &str) -> (Option<i32>, String, String) {
        let proof = self.keep("proof", proof).display().to_string();
        let changeset = self.keep("changeset", changeset).display().to_string();
        let args = ["log", "verify-proof", &proof, "--changeset", &changeset];
        run(&[&args[..], &["--log-public-key", key]].concat())
    }
}

#[test]
fn every_changeset_is_verified_as_it_is_read() {
    let kept = Kept::new();
    kept.commit();
    let pages = [
        "/changesets?limit=1000&details=true",
        "/streams/order%2017/changesets?details=true",
        "/streams/a%2F%C3%BC/changesets?details=true",
        "/streams/c/changesets?details=true",
    ];
    let mut verified = 0;
    for page in pages {
        let page = kept.get(page);
        for at in 0..4 {
            if !page.contains(&format!("\"checkpoint\":{at},")) {
                continue;
            }
            let proof = kept.get(&format!("/log/proof?checkpoint={at}"));
            let (code, told, errors) = kept.verify(&proof, &page, &kept.public);
            assert_eq!(code, Some(0), "{at} of {page}: {errors}");
            assert!(
                told.contains(&format!("at position {at} of the log")),
                "{told}"
            );
            verified += 1;
        }
    }
    assert_eq!(verified, 8, "each by both reads");
}

#[test]
fn what_proves_nothing_is_told() {
    let kept = Kept::new();
    kept.commit();
    let page = kept.get("/changesets?limit=1000&details=true");
    let one = kept.get("/changesets?checkpoint=1&limit=1&details=true");
    let plain = kept.get("/changesets?checkpoint=1&limit=1");
    let other = kept.get("/changesets?checkpoint=0&limit=1&details=true");
    let pretty = kept.get("/changesets?checkpoint=0&limit=1&details=true&pp=true");
    let proof = kept.get("/log/proof?checkpoint=1");
    let first = kept.get("/log/proof?checkpoint=0");
    let public = &kept.public;
    let stranger = Kept::new().public;
    let changed = |from: &str, to: &str| {
        let changed = one.replacen(from, to, 1);
        assert_ne!(changed, one, "{from}");
        changed
    };
    for (proof, changeset, key, code, told) in [
        (
            &proof,
            &changed("\"a\":2", "\"a\":3"),
            public,
            1,
            "does not lead",
        ),
        (
            &proof,
            &changed("\"b\":1", "\"b\": 1"),
            public,
            1,
            "does not lead",
        ),
        (
            &proof,
            &changed("key 1", "key 2"),
            public,
            1,
            "does not lead",
        ),
        (&proof, &changed("a/ü", "a/u"), public, 1, "does not lead"),
        (&first, &pretty, public, 1, "does not lead"),
        (&proof, &one, &stranger, 1, "has not signed"),
        (&proof.replace("\n2\n", "\n3\n"), &one, public, 1, ""),
        (
            &proof,
            &other,
            public,
            2,
            "no changeset with `\"checkpoint\": 1`",
        ),
        (&proof, &plain, public, 2, "`details=true`"),
        (&proof, &"{}".to_owned(), public, 2, "nor a changeset"),
        (&"x".to_owned(), &one, public, 2, "not a proof"),
        (
            &proof,
            &one,
            &"nonsense".to_owned(),
            2,
            "not a verifier key",
        ),
    ] {
        let (ended, stdout, errors) = kept.verify(proof, changeset, key);
        let is_unchanged = told.is_empty() && ended == Some(0);
        assert!(
            is_unchanged || ended == Some(code),
            "{told}: {ended:?}, {errors}"
        );
        assert!(errors.contains(told), "{told}: {errors}");
        assert_eq!(stdout.is_empty(), !is_unchanged, "{stdout}");
    }
    assert_eq!(kept.verify(&proof, &page, public).0, Some(0));
    let missing = ["log", "verify-proof", "/nowhere", "--changeset", "/nowhere"];
    let (code, _, errors) = run(&[&missing[..], &["--log-public-key", public]].concat());
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("/nowhere"), "{errors}");
}

/// A server keeps as many signed heads as it was told.
#[test]
fn proofs_are_made_for_the_heads_that_are_kept() {
    let folder = TempDir::new().expect("a folder");
    let key = folder.path().join("log.key");
    write_key(&key);
    let key = key.display().to_string();
    let args = ["--storage", "memory:", "--listen", "127.0.0.1:0"];
    let more = ["--log-key", &key, "--keep-heads", "2"];
    let ees = Ees::spawn(crate::process::ees(&[&args[..], &more].concat()));
    for size in 1..=3 {
        ees.ok("POST", &format!("/streams/{size}"), r#"{"events":[1]}"#);
        wait_until_sealed(&ees, size);
    }
    for (size, status) in [(1, 404), (2, 200), (3, 200)] {
        let path = format!("/log/proof?checkpoint=0&size={size}");
        let answer = request(&ees.address(), "GET", &path, "").expect("an answer");
        assert_eq!(answer.status, status, "{size}: {}", answer.body);
        assert_eq!(answer.body.contains("NOT_SIGNED"), status == 404);
    }
}
