//! Proofs, verified as somebody else would.

use ees_core::Checkpoint;
use ees_core::adapter::TileId;
use ees_evidence::{
    Hash, Log, LogError, LogKey, Proof, ProofError, Sealer, SignedHead, check_verifier_key,
};

use crate::scene::{commit, leaves, root, spread, store};

/// Every position of logs of many sizes has a proof that verifies, and verifies nothing else.
#[tokio::test]
async fn every_position_can_be_proved() {
    let (first, _) = store();
    commit(&first, 3).await;
    for apart in [1, 2, 140, 700, 33_000] {
        let (store, _) = spread(&first, apart).await;
        let key = LogKey::generate("example.com/a").unwrap();
        let public = key.verifier_key(store.identity().await.unwrap().id);
        Sealer::of(&store, Some(key))
            .unwrap()
            .catch_up()
            .await
            .unwrap();
        let log = Log::of(&store).unwrap();
        let leaves = leaves(&store).await;
        let size = leaves.len();
        let some = [
            0,
            1,
            2,
            254,
            255,
            256,
            257,
            511,
            512,
            65_535,
            65_536,
            66_000,
            size / 2,
            size - 1,
        ];
        for place in some.into_iter().filter(|place| *place < size) {
            let checkpoint = Checkpoint::FIRST.plus(place as u64);
            let proof = log.proof(checkpoint, None).await.unwrap();
            let (path, note) = proof.split_once("\n\n").unwrap();
            let mut lines = path.lines();
            assert_eq!(lines.next(), Some("c2sp.org/tlog-proof@v1"));
            assert_eq!(lines.next(), Some(&*format!("index {place}")));
            let path = lines.map(|line| Hash::parse_hash(line).unwrap()).collect();
            let head = SignedHead::open(note, Some(&public)).unwrap();
            assert_eq!((head.size, head.root), (size as u64, root(&leaves)));
            let check = |place: usize, leaf| {
                tlog_tiles::check_record(&path, head.size, head.root, place as u64, leaf)
            };
            check(place, leaves[place]).unwrap();
            check(place, Hash([7; 32])).unwrap_err();
        }
        let outside = log.proof(Checkpoint::FIRST.plus(size as u64), None).await;
        assert!(
            matches!(outside, Err(LogError::NotInside { .. })),
            "{outside:?}"
        );
    }
}

/// A log of any size is proved to be a beginning of the log of any larger one.
#[tokio::test]
async fn growth_can_be_proved() {
    let (first, _) = store();
    commit(&first, 3).await;
    let (store, _) = spread(&first, 300).await;
    Sealer::of(&store, None).unwrap().catch_up().await.unwrap();
    let (log, leaves) = (Log::of(&store).unwrap(), leaves(&store).await);
    let sizes = [1, 2, 3, 255, 256, 257, 300, 511, 512, 600, 601];
    for to in sizes {
        for from in sizes.into_iter().filter(|from| *from <= to) {
            let proof = log.consistency(from as u64, to as u64).await.unwrap();
            let (old, new) = (root(&leaves[..from]), root(&leaves[..to]));
            let check = |old| tlog_tiles::check_tree(&proof, to as u64, new, from as u64, old);
            check(old).unwrap();
            check(Hash([7; 32])).unwrap_err();
        }
    }
    for (from, to) in [(0, 1), (2, 1), (0, 0)] {
        let refused = log.consistency(from, to).await;
        assert!(
            matches!(refused, Err(LogError::NoRange { .. })),
            "{refused:?}"
        );
    }
    let beyond = log.consistency(1, 602).await;
    assert!(
        matches!(
            beyond,
            Err(LogError::NotSealed {
                asked: 602,
                size: 601
            })
        ),
        "{beyond:?}"
    );
}

/// The tiles are those of the leaves, also while they are not full.
#[tokio::test]
async fn tiles_have_the_hashes_that_are_sealed() {
    let (first, _) = store();
    commit(&first, 2).await;
    let (store, _) = spread(&first, 600).await;
    let log = Log::of(&store).unwrap();
    let tile = |level, number| TileId { level, number };
    assert_eq!(log.tile(tile(0, 0), 1).await.unwrap(), None);
    Sealer::of(&store, None).unwrap().catch_up().await.unwrap();
    let leaves = leaves(&store).await;
    let bytes = |hashes: &[Hash]| Some(hashes.iter().flat_map(|hash| hash.0).collect::<Vec<_>>());
    let roots = [root(&leaves[..256]), root(&leaves[256..512])];
    for (id, width, expected) in [
        (tile(0, 0), 256, bytes(&leaves[..256])),
        (tile(0, 1), 256, bytes(&leaves[256..512])),
        (tile(0, 1), 3, bytes(&leaves[256..259])),
        (tile(0, 2), 89, bytes(&leaves[512..])),
        (tile(0, 2), 1, bytes(&leaves[512..513])),
        (tile(0, 2), 90, None),
        (tile(0, 2), 0, None),
        (tile(0, 3), 1, None),
        (tile(1, 0), 2, bytes(&roots)),
        (tile(1, 0), 3, None),
        (tile(2, 0), 1, None),
        (tile(63, 0), 1, None),
        (tile(0, u64::MAX), 256, None),
    ] {
        assert_eq!(
            log.tile(id, width).await.unwrap(),
            expected,
            "{id:?}, {width}"
        );
    }
}

/// A kept proof is verified without the store, and whatever is changed in it is noticed.
#[tokio::test]
async fn a_kept_proof_is_verified_by_itself() {
    let (store, _) = store();
    commit(&store, 300).await;
    let (key, other) = (
        LogKey::generate("a").unwrap(),
        LogKey::generate("a").unwrap(),
    );
    let id = store.identity().await.unwrap().id;
    let (public, stranger) = (key.verifier_key(id), other.verifier_key(id));
    let sealer = Sealer::of(&store, Some(key.clone())).unwrap();
    sealer.catch_up().await.unwrap();
    let leaves = leaves(&store).await;
    let log = Log::of(&store).unwrap();
    let text = log.proof(Checkpoint::FIRST.plus(7), None).await.unwrap();
    let proof = Proof::parse(&text).unwrap();
    assert_eq!(proof.index(), 7);
    let head = proof.verify(leaves[7], &public).unwrap();
    assert_eq!((head.origin, head.size), (key.origin(id), 300));
    let differs = proof.verify(leaves[8], &public);
    assert_eq!(differs, Err(ProofError::Differs));
    for key in [stranger.as_str(), "nonsense"] {
        let refused = proof.verify(leaves[7], key);
        assert!(matches!(refused, Err(ProofError::Key(_))), "{refused:?}");
    }
    check_verifier_key(&public).unwrap();
    check_verifier_key("nonsense").unwrap_err();
    let extra = text.replace("index 7", "extra aGk=\nindex 7");
    assert_eq!(Proof::parse(&extra), Ok(proof));
    // Every fifth character: each costs the check of a signature.
    for (place, letter) in text.char_indices().step_by(5) {
        let other = if letter == 'A' { "B" } else { "A" };
        let (before, after) = text.split_at(place);
        let changed = format!("{before}{other}{}", &after[letter.len_utf8()..]);
        let read = Proof::parse(&changed);
        let verified = read.and_then(|proof| proof.verify(leaves[7], &public));
        verified.expect_err(&changed);
    }
    let hash = leaves[0].to_string();
    let endless = text.replace(
        "index 7",
        &format!("index 7{}", format!("\n{hash}").repeat(60)),
    );
    for broken in ["", "\n\n", "c2sp.org/tlog-proof@v1\n\n", &endless] {
        let read = Proof::parse(broken);
        assert!(matches!(read, Err(ProofError::Malformed(_))), "{broken}");
    }
}
